"""All that comes before the first fit: read, type, resolve, set apart, plan."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.aside import set_aside
from piste.core.data import Raw, Table
from piste.core.errors import Fault, PisteError
from piste.core.features import expand, without_clock
from piste.core.fit import Study
from piste.core.layout import Layout
from piste.core.melt import settled, targets
from piste.core.model import rule_columns
from piste.core.past import Past
from piste.core.plan import Plan, make_plan
from piste.core.problem import Problem
from piste.core.references import absent, used
from piste.core.report.resolved import printed
from piste.core.resolve import Resolved, resolve, with_target
from piste.core.split import Folds, make_folds
from piste.core.table import make_table
from piste.edges.code import module_of
from piste.edges.load import Salvaged, in_harmony, load_problem, salvaged
from piste.edges.sources import read
from piste.families import NAMES
from piste.framings import framings
from piste.watch import Said, Watcher
from piste.work import Share, kin, needed


@dataclass(frozen=True, slots=True)
class Prepared:
    """A problem ready to run."""

    resolved: Resolved
    layout: Layout
    folds: Folds
    plan: Plan
    study: Study
    source: str
    folder: Path
    printed: str
    truth: Callable[[], np.ndarray | None]  # draws of a simulated world, (n_rows, n_draws), when they are needed


def load(problem: str | Path | Problem, overrides: Sequence[str]) -> tuple[Problem, Path, str]:
    """Return a problem, its folder, and its name."""
    if isinstance(problem, Problem):
        return problem, Path.cwd(), problem.problem or "problem"
    path = Path(problem)
    read_problem = load_problem(path, overrides)
    folder, called = named_after(path)
    return read_problem, folder, read_problem.problem or called


def named_after(path: Path) -> tuple[Path, str]:
    """Return the folder of a problem, and what it is called where its file does not say."""
    folder = path if path.is_dir() else path.parent
    stem = "" if path.is_dir() or path.stem == "problem" else f"-{path.stem}"
    return folder, f"{folder.resolve().name}{stem}"


def prepare(problem: str | Path | Problem, overrides: Sequence[str], watcher: Watcher, *, quick: bool, code: bool) -> Prepared:
    """Make a problem ready.

    Args:
        problem: a folder with a problem.yaml, a yaml file, or a Problem.
        overrides: changes such as "search.trials=3".
        watcher: is told when code of the problem's folder runs.
        quick: plan no search.
        code: whether code of the problem's folder may run.

    Raises:
        PisteError: the problem or its data cannot work.
    """
    problem, folder, name = load(problem, overrides)
    raw = read(problem, folder, code=code, say=lambda text: watcher(Said(text)))
    return ready(problem, raw, folder, name, quick=quick, code=code)


def ready(problem: Problem, raw: Raw, folder: Path, name: str, *, quick: bool, code: bool) -> Prepared:
    """Make a problem ready whose rows have been read.

    Args:
        problem: as its author wrote it.
        raw: its rows.
        folder: of the problem.
        name: what it is called where the file does not say.
        quick: plan no search.
        code: whether code of the problem's folder may run.

    Raises:
        PisteError: the problem and its rows do not fit each other.
    """
    problem = settled(problem)
    table = make_table(problem, raw)
    family = partial(kin, folder=folder)
    resolved = resolve(problem, name, table, framings(), NAMES, family)
    target = table.target
    folds = make_folds(problem, resolved.rule, table.frame, target.values, classes=bool(target.labels), seed=problem.seed)
    _refuse_torn(resolved, folds)
    plan = make_plan(resolved, folds, family, lambda package: importlib.util.find_spec(package) is None, quick=quick)
    study = _study(resolved, folds, plan)
    truth = cache(partial(_truth, problem, folder, table, code=code))
    return Prepared(resolved, table.layout, folds, plan, study, raw.path, folder, printed(resolved, folds, plan), truth)


@dataclass(frozen=True, slots=True)
class Lenient:
    """A problem made ready as far as it can be.

    `prepared` is None where the data or the target are of no use; `aside` names the fields and columns that had to be set
    aside, so that the rest could be looked at.
    """

    prepared: Prepared | None
    name: str
    problem: Problem | None
    faults: tuple[Fault, ...]
    aside: tuple[str, ...] = ()


def lenient(problem: str | Path | Problem, overrides: Sequence[str], watcher: Watcher, *, code: bool) -> Lenient:
    """Make a problem ready although something is wrong with it: that is set aside, and said.

    Args:
        problem: a folder with a problem.yaml, a yaml file, or a Problem.
        overrides: changes such as "search.trials=3".
        watcher: is told when code of the problem's folder runs.
        code: whether code of the problem's folder may run.

    Raises:
        PisteError: there is no such file.
    """
    if isinstance(problem, Problem):
        folder, name, left = Path.cwd(), "problem", Salvaged(problem, ())
    else:
        left = salvaged(Path(problem), overrides)
        folder, name = named_after(Path(problem))
    rest, faults, aside = left.problem, list(left.faults), list(left.aside)
    name = (rest and rest.problem) or name
    raw: Raw | None = None
    while rest is not None:
        try:
            raw = raw or read(rest, folder, code=code, say=lambda text: watcher(Said(text)))
            return Lenient(ready(rest, raw, folder, name, quick=False, code=code), name, rest, _in_order(faults), tuple(aside))
        except PisteError as error:
            faults += [fault for fault in error.faults if not _follows(fault, faults, aside)]
            if raw is None:
                break
            rest, gone = _mended(rest, raw, folder, error.faults)
            aside += gone
    return Lenient(None, name, rest, _in_order(faults), tuple(aside))


def _in_order(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return PisteError(*dict.fromkeys(faults)).faults


def _follows(fault: Fault, known: Sequence[Fault], aside: Sequence[str]) -> bool:
    """Tell whether a fault is there only because something was set aside, or says of a field what has been said."""
    if any(each.field == fault.field != "" for each in known):
        return True
    if fault.field == "data":  # no column is left to learn from; it says why of each
        return any(f" {name}: " in fault.message for name in aside)
    said = fault.message.partition(". ")[0]  # tips may name what is set aside
    return any(f"{quote}{name.rpartition('.')[2]}" in said for name in aside for quote in "'`")


def _mended(problem: Problem, raw: Raw, folder: Path, faults: Sequence[Fault]) -> tuple[Problem | None, list[str]]:
    """Return a problem without what is wrong, or None where nothing is left; and what was set aside."""
    gone: list[str] = []
    missing = {fault: field for field, fault in absent(problem, raw).items()}
    for fault in faults:
        found = _set_aside(problem, raw, folder, missing.get(fault, fault.field), fault.place.path)
        if found is None:
            return None, gone
        problem, field = found
        gone.append(field)
    left, more = in_harmony(problem, folder)
    return left, [*gone, *more]


def _set_aside(problem: Problem, raw: Raw, folder: Path, field: str, path: str) -> tuple[Problem, str] | None:
    """Set aside a column whose cells cannot be read, an entry whose file cannot, or else a field."""
    name = field.removeprefix("columns.") if path != raw.path else field
    if name in raw.frame and name not in targets(problem) and (path == raw.path or name != field):
        if problem.columns.get(name) != "drop":
            return problem.model_copy(update={"columns": {**problem.columns, name: "drop"}}), name
        computed = next((f"add.{new}" for new, text in problem.add.items() if name in used(str(text))), "")
        return set_aside(problem, computed)
    own = {str(folder / (entry.file or (entry.factory or "").rpartition(":")[0])): n for n, entry in enumerate(problem.families or ())}
    return set_aside(problem, f"families.{own[path]}" if path in own and not field else field)


def _refuse_torn(resolved: Resolved, folds: Folds) -> None:
    """Refuse folds that tear apart what a framing predicts at once."""
    problem, frame = resolved.problem, resolved.table.frame
    faults = []
    for ask in problem.framings or ():
        wide = next((each.form.wide for each in resolved.asked if each.name == ask.name), None)
        if wide is None:
            continue
        keys = [name for name in resolved.problem.unit if name != wide]
        codes = frame.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
        if torn := sum(len(np.intersect1d(codes[fold.train], codes[fold.test])) for fold in folds.folds):
            message = f"must find all rows of a {' and '.join(keys)} on one side of a fold, but {torn:,} are torn"
            faults.append(problem.fault(f"{problem.at(ask)}.wide", f"{message}. Add the line `split: {{together: {keys[0]}}}`"))
    if faults:
        raise PisteError(*faults)


def _study(resolved: Resolved, folds: Folds, plan: Plan) -> Study:
    table, problem = resolved.table, resolved.problem
    expanded = without_clock(expand(table.frame, [column.name for column in table.features]))
    shares = [Share(1.0, plan.entries[candidate.entry][0], candidate.params) for candidate in plan.candidates]
    also = needed(shares, table.frame.columns, table.target.name)
    written = [str(share.params["expression"]) for share in shares if "expression" in share.params]
    rules = pd.concat([rule_columns(table.frame, expanded, also), _lags(resolved, written)], axis=1)
    asked = [each for each in plan.asked.values() if each.form.add]
    return Study(
        expanded=expanded,
        rules=rules,
        added={each.name: _added(resolved, each.form.add) for each in asked},
        names=table.frame[[*resolved.problem.unit]],
        target=table.target,
        weight=table.weight,
        folds=folds,
        forms={name: each.form for name, each in plan.asked.items()},
        seed=problem.seed,
        exchangeable=resolved.rule.exchangeable,
    )


def _added(resolved: Resolved, texts: Sequence[str]) -> pd.DataFrame:
    """Return the further feature columns of a framing, each named as it is written."""
    frame = pd.concat([with_target(resolved.table), _lags(resolved, texts)], axis=1)
    return pd.DataFrame({text: expression.evaluate(expression.parse(text), frame) for text in texts}, index=frame.index)


def past_of(resolved: Resolved, texts: Sequence[str]) -> Past | None:
    """Return the earlier values that expressions look up; None where none does."""
    problem = resolved.problem
    return Past.of(with_target(resolved.table), problem.time, problem.series, texts) if problem.time else None


def _lags(resolved: Resolved, texts: Sequence[str]) -> pd.DataFrame:
    """Return the columns of earlier values that expressions look up, named as written, such as "count@-7d"."""
    past = past_of(resolved, texts)
    frame = resolved.table.frame
    return past.seen_from(frame, texts) if past else pd.DataFrame(index=frame.index)


def _truth(problem: Problem, folder: Path, table: Table, *, code: bool) -> np.ndarray | None:
    """Draw from the world that the data were simulated in; not where code of the problem's folder is refused."""
    if problem.truth is None or not code:
        return None
    file, _, function = problem.truth.rpartition(":")
    draws = np.asarray(getattr(module_of(folder / file), function)(table.frame.copy()))
    if draws.ndim != 2 or len(draws) != len(table.frame):
        found = " x ".join(map(str, draws.shape))
        raise PisteError(
            problem.fault("truth", f"must return draws for each of {len(table.frame):,} rows, (n_rows, n_draws), but returns {found}")
        )
    return draws
