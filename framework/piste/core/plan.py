"""What is to be computed, and what is skipped with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from piste.core.comparison import Absent
from piste.core.family import Family, Kind, Task
from piste.core.framing import Asked
from piste.core.problem import BLEND, Entry
from piste.core.resolve import Resolved
from piste.core.search import Candidate, Key, settings
from piste.core.search import candidates as of_entry
from piste.core.split import Folds

Stage = Literal["baseline", "default", "search", "self-test", "curve", "seeds", "repeat"]
BASELINE = "baseline"
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of the training rows, for the learning curve
MOST_CURVE_FOLDS = 3
DRAWS = 2  # other seeds under which the champion is fitted once more
WANTS: Mapping[Kind, str] = {"mean": "numbers", "distribution": "counts", "quantiles": "quantiles", "classes": "classes"}


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """What is computed and stored at once: candidates of one framing x entry on one fold."""

    stage: Stage
    framing: str
    entry: str
    fold: int
    candidates: tuple[Candidate, ...]
    share: float = 1.0  # of the training rows
    draw: int = 0  # 0: under the seed of the comparison; then, under others, which

    def alone(self) -> list[Cell]:
        """Return a cell for each candidate, so that a bad one costs its own row only."""
        return [replace(self, candidates=(candidate,)) for candidate in self.candidates]


@dataclass(frozen=True, slots=True)
class Plan:
    """The cells in the order they are wanted, and the rows that will have no result.

    `asked` maps the name of a framing to how this problem puts it, those of the baselines among them; `entries` the name of
    a row ("forest", "baseline:constant") to its entry and family.
    """

    cells: tuple[Cell, ...]
    asked: Mapping[str, Asked]
    entries: Mapping[str, tuple[Entry, Family]]
    absent: tuple[Absent, ...]
    blended: tuple[str, ...]  # framings that get a blend of their columns
    spent: Mapping[tuple[str, str], str] = field(default_factory=dict)  # framing and entry -> how the budget ended its search

    def with_candidates(self, changed: Mapping[Key, Candidate], spent: Mapping[tuple[str, str], str]) -> Plan:
        """Return the plan with some candidates as a budget left them, and what is said of it."""
        cells = tuple(replace(cell, candidates=tuple(changed.get(each.key, each) for each in cell.candidates)) for cell in self.cells)
        return replace(self, cells=cells if changed else self.cells, spent=spent)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Return every candidate once, in order; that of the self-test takes no part."""
        cells = [cell for cell in self.cells if cell.stage != "self-test"]
        return tuple({candidate.key: candidate for cell in cells for candidate in cell.candidates}.values())


def make_plan(resolved: Resolved, folds: Folds, family: Callable[[Entry], Family], missing: Callable[[str], bool], *, quick: bool) -> Plan:
    """Lay out the cells: baselines first, then every family's default, then the search.

    Args:
        resolved: the problem.
        folds: the divisions of the rows.
        family: entry -> its family.
        missing: tells whether a package is not installed.
        quick: leave the search out.
    """
    n_train = max(len(fold.train) for fold in folds.folds)
    asked = {each.name: each for each in (resolved.plain, *(baseline.asked for baseline in resolved.baselines), *resolved.asked)}
    entries: dict[str, tuple[Entry, Family]] = {}
    candidates: list[tuple[Stage, tuple[Candidate, ...]]] = []
    absent: list[Absent] = []
    for number, baseline in enumerate(resolved.baselines):
        name = f"{BASELINE}:{baseline.name}"
        entry = Entry.model_construct(name=baseline.name, family=BASELINE)  # a rule may be called anything
        entries[name] = (entry, family(entry))
        candidates.append(("baseline", (Candidate(baseline.asked.name, name, number, baseline.params),)))
    for entry in resolved.entries:
        if entry.family == BLEND:
            continue
        kin = family(entry)
        entries[entry.name] = (entry, kin)
        for each in resolved.asked:
            task = resolved.task(each, n_train)
            if reason := _why_not(kin, task, missing):
                absent.append(Absent(each.name, entry.name, kin.title, "skipped", reason))
                continue
            trials = 0 if quick else resolved.problem.search.trials
            tried = of_entry(each.name, entry, kin.space(task), trials, resolved.problem.seed, tuned=kin.tune is not None)
            candidates.append(("default", tuple(tried[:1])))
            if tried[1:] and not quick:
                candidates.append(("search", tuple(tried[1:])))
    order = ("baseline", "default", "search")
    cells = [
        Cell(stage, group[0].framing, group[0].entry, fold, group)
        for stage, group in sorted(candidates, key=lambda item: order.index(item[0]))
        for fold in range(len(folds.folds))
    ]
    cells += _self_test(resolved, entries, missing, len(folds.folds), n_train)
    blended = tuple(each.name for each in resolved.asked) if any(entry.family == BLEND for entry in resolved.entries) else ()
    return Plan(tuple(cells), asked, entries, tuple(absent), blended)


def _self_test(
    resolved: Resolved, entries: Mapping[str, tuple[Entry, Family]], missing: Callable[[str], bool], n_folds: int, n_train: int
) -> list[Cell]:
    """Fit a tree, or else the simplest model, and all of the author's own once more on a target dealt at random: nothing can be learnt."""
    plain = resolved.plain
    task = resolved.task(plain, n_train)
    fitting = [name for name, (_, kin) in entries.items() if not name.startswith(f"{BASELINE}:") and _why_not(kin, task, missing) is None]
    if not fitting:
        return []
    first = min(fitting, key=lambda name: (entries[name][1].matrix != "codes", entries[name][1].tier))
    own = [name for name in fitting if entries[name][0].file or entries[name][0].factory]
    cells = []
    for name in dict.fromkeys((first, *own)):
        entry, kin = entries[name]
        tested = Candidate(plain.name, name, 0, settings(kin.space(task), entry, 0, resolved.problem.seed)[0])
        cells += [Cell("self-test", plain.name, name, fold, (tested,)) for fold in range(n_folds)]
    return cells


def curve_cells(plan: Plan, folds: Folds, champion: Candidate) -> tuple[Cell, ...]:
    """Return the cells of the learning curves: the champion, and every family's default in the same framing, on few rows and more.

    At most three folds are used, the latest, and a champion of one setting; the full size is there already.
    """
    judged = [number for number, fold in enumerate(folds.folds) if not fold.warm_up and fold.repeat == 0][-MOST_CURVE_FOLDS:]
    defaults = [cell.candidates[0] for cell in plan.cells if cell.stage == "default" and cell.framing == champion.framing]
    drawn = list({candidate.key: candidate for candidate in (champion, *defaults)}.values())
    return tuple(
        Cell("curve", each.framing, each.entry, fold, (each,), share) for each in drawn for share in SHARES[:-1] for fold in judged
    )


def seed_cells(folds: Folds, members: Sequence[Candidate]) -> tuple[Cell, ...]:
    """Return the cells of the champion under other seeds: each candidate that it is made of, on every fold; the first fold's first."""
    return tuple(
        Cell("seeds", each.framing, each.entry, fold, (each,), draw=draw)
        for fold in range(len(folds.folds))
        for each in members
        for draw in range(1, DRAWS + 1)
    )


def repeat_cells(candidates: Sequence[Candidate], folds: Sequence[int], draws: Sequence[int]) -> tuple[Cell, ...]:
    """Return the cells of candidates under other seeds: those of a framing x entry together."""
    rows: dict[tuple[str, str], list[Candidate]] = {}
    for each in candidates:
        rows.setdefault((each.framing, each.entry), []).append(each)
    return tuple(
        Cell("repeat", framing, entry, fold, tuple(together), draw=draw)
        for (framing, entry), together in rows.items()
        for fold in folds
        for draw in draws
    )


def _why_not(kin: Family, task: Task, missing: Callable[[str], bool]) -> str | None:
    """Say why a family does not take a task, as a sentence."""
    if task.kind not in kin.kinds:
        *most, last = [WANTS[kind] for kind in WANTS if kind in kin.kinds]
        return f"takes {', '.join(most)}{' and ' if most else ''}{last} only"
    if task.n_outputs > 1 and not kin.several:
        return "takes one number at a time"
    if absent := [package for package in kin.requires if missing(package)]:
        return f"needs {' and '.join(absent)}: pip install {' '.join(absent)}"
    return kin.why_not(task)
