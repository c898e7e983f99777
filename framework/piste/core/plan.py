"""What is to be computed, and what is skipped with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from piste.core.comparison import Absent
from piste.core.family import Family
from piste.core.framing import Framing
from piste.core.problem import BLEND, Entry
from piste.core.resolve import Resolved
from piste.core.search import Candidate, settings
from piste.core.split import Folds

Stage = Literal["baseline", "default", "search"]
BASELINE = "baseline"


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """What is computed and stored at once: candidates of one framing x entry on one fold."""

    stage: Stage
    framing: str
    entry: str
    fold: int
    candidates: tuple[Candidate, ...]

    def alone(self) -> list[Cell]:
        """Return a cell for each candidate, so that a bad one costs its own row only."""
        return [Cell(self.stage, self.framing, self.entry, self.fold, (candidate,)) for candidate in self.candidates]


@dataclass(frozen=True, slots=True)
class Plan:
    """The cells in the order they are wanted, and the rows that will have no result.

    `entries` maps the name of a row ("forest", "baseline:constant") to its entry and family.
    """

    cells: tuple[Cell, ...]
    entries: Mapping[str, tuple[Entry, Family]]
    absent: tuple[Absent, ...]
    blended: tuple[str, ...]  # framings that get a blend of their columns

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Return every candidate once, in order."""
        return tuple({candidate.key: candidate for cell in self.cells for candidate in cell.candidates}.values())


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
    entries: dict[str, tuple[Entry, Family]] = {}
    candidates: list[tuple[Stage, tuple[Candidate, ...]]] = []
    absent: list[Absent] = []
    first = resolved.framings[0]
    for number, baseline in enumerate(resolved.baselines):
        name = f"{BASELINE}:{baseline.name}"
        entry = Entry.model_construct(name=baseline.name, family=BASELINE)  # a rule may be called anything
        entries[name] = (entry, family(entry))
        candidates.append(("baseline", (Candidate(first.name, name, number, baseline.params),)))
    for entry in resolved.entries:
        if entry.family == BLEND:
            continue
        kin = family(entry)
        entries[entry.name] = (entry, kin)
        for framing in resolved.framings:
            if reason := _why_not(kin, framing, resolved, n_train, missing):
                absent.append(Absent(framing.name, entry.name, kin.title, "skipped", reason))
                continue
            trials = 0 if quick else resolved.problem.search.trials
            params = settings(kin.space(resolved.task(framing, n_train)), entry, trials, resolved.problem.seed)
            tried = [Candidate(framing.name, entry.name, number, point) for number, point in enumerate(params)]
            candidates.append(("default", tuple(tried[:1])))
            if tried[1:] and not quick:
                candidates.append(("search", tuple(tried[1:])))
    order = ("baseline", "default", "search")
    cells = tuple(
        Cell(stage, group[0].framing, group[0].entry, fold, group)
        for stage, group in sorted(candidates, key=lambda item: order.index(item[0]))
        for fold in range(len(folds.folds))
    )
    blended = tuple(framing.name for framing in resolved.framings) if any(entry.family == BLEND for entry in resolved.entries) else ()
    return Plan(cells, entries, tuple(absent), blended)


def _why_not(kin: Family, framing: Framing, resolved: Resolved, n_train: int, missing: Callable[[str], bool]) -> str | None:
    """Say why a family does not take a framing, as a sentence."""
    if framing.kind not in kin.kinds:
        wants = {"mean": "numbers", "distribution": "counts", "classes": "classes"}
        takes = [wants[kind] for kind in ("mean", "distribution", "classes") if kind in kin.kinds]
        return f"takes {' and '.join(takes)} only"
    if absent := [package for package in kin.requires if missing(package)]:
        return f"needs {' and '.join(absent)}: pip install {' '.join(absent)}"
    return kin.why_not(resolved.task(framing, n_train))
