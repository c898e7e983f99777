"""Every choice that a problem leaves open, filled in, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.data import Table
from piste.core.errors import Fault, PisteError, either, near
from piste.core.family import Family, Params, Task
from piste.core.framing import Framing
from piste.core.metrics import METRICS, NUMBERS, Metric
from piste.core.problem import BLEND, Entry, Problem
from piste.core.search import faults as search_faults
from piste.core.split import Rule, periods

USUAL_FOLDS = 5
TINY, SMALL = 30, 1000  # rows below which each is left out once, or folds are repeated


@dataclass(frozen=True, slots=True)
class Baseline:
    """A rule to beat: a name, and what the baseline family is told."""

    name: str
    params: Params


@dataclass(frozen=True, slots=True)
class Resolved:
    """A problem with every choice made.

    `reasons` maps a field of the printed form to why it has its value; fields the author wrote have none.
    """

    name: str
    problem: Problem
    table: Table
    rule: Rule
    metric: Metric
    framings: tuple[Framing, ...]
    entries: tuple[Entry, ...]
    baselines: tuple[Baseline, ...]
    reasons: Mapping[str, str]

    def task(self, framing: Framing, n_train: int) -> Task:
        """Return the learning task that a framing makes."""
        return Task(framing.kind, n_train, len(self.table.target.labels) if framing.kind == "classes" else 0)


def resolve(
    problem: Problem, name: str, table: Table, framings: Mapping[str, Framing], families: Sequence[str], family: Callable[[Entry], Family]
) -> Resolved:
    """Make every open choice.

    Args:
        problem: as written.
        name: what it is called where the file does not say.
        table: its rows.
        framings: all there are, plainest first.
        families: names of all families there are; the baseline among them.
        family: entry -> its family.

    Raises:
        PisteError: a choice that the author made does not fit the table; all such faults at once.
    """
    reasons: dict[str, str] = {}
    found: list[Fault] = []
    rule = _split(problem, table, reasons)
    metric = _metric(problem, table, reasons, found)
    asked = _framings(problem, table, framings, reasons, found)
    entries = _entries(problem, families, family, reasons)
    found += _entry_faults(problem, entries, asked, families, family, len(table.frame), len(table.target.labels))
    baselines = _baselines(problem, table, metric, reasons, found)
    if found:
        raise PisteError(*found)
    if not problem.search.model_fields_set:
        reasons["search"] = "the default; a setting is one model trained on every fold"
    return Resolved(name, problem, table, rule, metric, asked, entries, baselines, reasons)


def _split(problem: Problem, table: Table, reasons: dict[str, str]) -> Rule:
    split, n = problem.split, len(table.frame)
    time = table.frame[problem.time] if problem.time else None
    scheme, by, together, folds, repeats = split.scheme, split.by, split.together, split.folds, split.repeats
    if scheme is None:
        if time is not None:
            scheme, reasons["split.scheme"] = "forward", f"there is a time, '{problem.time}': the future is predicted from the past"
        elif by is not None:
            scheme, reasons["split.scheme"] = "leave_one_out", "`by` names groups: each is predicted from the others"
        elif n < TINY and together is None:
            scheme, reasons["split.scheme"] = "leave_one_out", f"{n} rows only: each is predicted from the others"
        elif table.target.kind in NUMBERS:
            scheme, reasons["split.scheme"] = "kfold", "no time: rows are taken as exchangeable"
        else:
            scheme, reasons["split.scheme"] = "stratified", "classes, and no time: every fold holds the same share of each"
    if scheme == "forward" and by is None and time is not None and hasattr(time, "dt") and (seasons := len(periods(time, "season")[1])) > 2:
        by, reasons["split.by"] = "season", f"{seasons} seasons found: no row for over 60 days between them"
    if scheme == "forward" and together is None and time is not None and time.duplicated().any():
        together, reasons["split.together"] = problem.time, "rows share a time: they stand or fall together"
    if folds is None:
        folds = _folds(problem, scheme, by, together, table, reasons)
    if repeats is None:
        repeats, reasons["split.repeats"] = 1, "folds that cannot be drawn again"
        if scheme in ("kfold", "stratified"):
            small = f"{n:,} rows only: other folds give other scores, so their mean is taken"
            repeats, reasons["split.repeats"] = (3, small) if n < SMALL else (1, f"{n:,} rows: other folds would give about the same")
    elif repeats > 1 and scheme not in ("kfold", "stratified"):
        raise PisteError(problem.fault("split.repeats", f"must be 1 for scheme '{scheme}': its folds cannot be drawn again"))
    return Rule(scheme, by, together, folds, repeats, split.gap, split.holdout)


def _folds(problem: Problem, scheme: str, by: str | None, together: str | None, table: Table, reasons: dict[str, str]) -> int:
    """Choose the number of folds: the usual one, or as many as there are rows, groups or members of the rarest class."""
    if scheme == "forward":
        reasons["split.folds"] = "at most; consecutive periods share a fold where there are more"
        return 10 if by else USUAL_FOLDS
    if scheme not in ("kfold", "stratified"):
        return USUAL_FOLDS  # their groups are counted instead
    held = problem.split.holdout if isinstance(problem.split.holdout, float) else 0.0
    bounds = {"rows": len(table.frame)}
    if together is not None:
        bounds = {f"values of '{together}'": int(table.frame[together].nunique())}
    elif scheme == "stratified" and table.target.labels:
        bounds["rows of the rarest class"] = int(np.bincount(table.target.values).min())
    what, fewest = min(((name, int(count * (1 - held))) for name, count in bounds.items()), key=lambda bound: bound[1])
    if 2 <= fewest < USUAL_FOLDS:
        reasons["split.folds"] = f"{fewest} {what} only" + (", beside the holdout" if held else "")
        return fewest
    reasons["split.folds"] = "the usual number"
    return USUAL_FOLDS


def _metric(problem: Problem, table: Table, reasons: dict[str, str], found: list[Fault]) -> Metric:
    kind = table.target.kind
    if problem.metric is None:
        reasons["metric"] = "the default for numbers" if kind in NUMBERS else "the default for classes: it judges the probabilities"
        return METRICS["rmse" if kind in NUMBERS else "log_loss"]
    metric = METRICS[problem.metric]
    if kind not in metric.kinds:
        fitting = either(name for name, other in METRICS.items() if kind in other.kinds)
        found.append(problem.fault("metric", f"must judge a target of kind {kind}: {fitting}, but is '{problem.metric}'"))
    return metric


def _framings(
    problem: Problem, table: Table, framings: Mapping[str, Framing], reasons: dict[str, str], found: list[Fault]
) -> tuple[Framing, ...]:
    target = table.target
    if problem.framings is None:
        reasons["framings"] = f"those that a target of kind {target.kind} allows"
        return tuple(framing for framing in framings.values() if framing.why_not(target) is None)
    for number, name in enumerate(problem.framings):
        if name not in framings:
            found.append(problem.fault(f"framings.{number}", f"must be {either(framings)}, but is '{name}'.{near(name, framings)}"))
        elif reason := framings[name].why_not(target):
            found.append(problem.fault(f"framings.{number}", f"must fit a target of kind {target.kind}, but '{name}' does not: {reason}"))
    return tuple(framings[name] for name in problem.framings if name in framings)


def _entries(problem: Problem, families: Sequence[str], family: Callable[[Entry], Family], reasons: dict[str, str]) -> tuple[Entry, ...]:
    if problem.families is not None:
        return tuple(entry for entry in problem.families if entry.family != "baseline")
    reasons["families"] = "all there are, simplest first"
    entries = [Entry(name=name, family=name) for name in families if name != "baseline"]
    return (*sorted(entries, key=lambda entry: family(entry).tier), Entry(name=BLEND, family=BLEND))


def _entry_faults(
    problem: Problem,
    entries: Sequence[Entry],
    framings: Sequence[Framing],
    families: Sequence[str],
    family: Callable[[Entry], Family],
    n: int,
    n_classes: int,
) -> list[Fault]:
    """Check own hyperparameters against the space of the framings that the family takes."""
    found = []
    for entry in entries:
        place = f"families.{(problem.families or ()).index(entry)}" if problem.families else ""
        if (entry.file or entry.factory) and entry.name in families:
            found.append(problem.fault(place, f"must have a name of its own: '{entry.name}' is one of piste's families"))
        if entry.family == BLEND or not entry.params:
            continue
        kin = family(entry)
        space = {
            name: dimension
            for framing in framings
            if framing.kind in kin.kinds
            for name, dimension in kin.space(Task(framing.kind, n, n_classes)).items()
        }
        found += search_faults(problem, place, entry, space)
    return found


def _baselines(problem: Problem, table: Table, metric: Metric, reasons: dict[str, str], found: list[Fault]) -> tuple[Baseline, ...]:
    statistic = "median" if metric.functional == "median" else "mean"
    known = {"target": table.target.name, "statistic": statistic}
    rules = [Baseline("constant", {"rule": "constant", **known})]
    keys = _keys(problem, table)
    if problem.baselines:
        for name, text in problem.baselines.items():
            if name in ("constant", "last_value"):
                found.append(problem.fault(f"baselines.{name}", f"must have another name: the {name.replace('_', ' ')} is always there"))
            found += _expression_faults(problem, table, f"baselines.{name}", str(text))
            rules.append(Baseline(name, {"rule": "expression", "expression": str(text), **known}))
    elif keys:
        rules.append(Baseline("climatology", {"rule": "climatology", "by": "+".join(keys), **known}))
        reasons["baselines"] = f"none given: the constant, and the mean by {' and '.join(keys)}"
    else:
        reasons["baselines"] = "none given: the constant"
    if problem.time and table.target.kind in NUMBERS:
        series = [name for name in problem.unit if name != problem.time and table.kinds.get(name) == "category"]
        rules.append(Baseline("last_value", {"rule": "last_value", "by": "+".join(series), "time": problem.time, **known}))
    return tuple(rules)


def _keys(problem: Problem, table: Table) -> list[str]:
    """Return the keys of the climatology: categories of the unit, and the weekday and month of the time."""
    units = [name for name in problem.unit if name != problem.time and table.kinds.get(name) in ("category", "boolean")]
    if problem.time is None or not pd.api.types.is_datetime64_any_dtype(table.frame[problem.time]):
        return units
    return [*units, f"{problem.time}.weekday"]


def _expression_faults(problem: Problem, table: Table, field: str, text: str) -> list[Fault]:
    """Check the columns of an expression against the table, and its lags against the split."""
    parsed = expression.parse(text)
    after = {column.name for column in table.columns if column.role == "after"}
    frame = table.frame.assign(**{table.target.name: np.asarray(table.target.values, dtype=float)})
    found = [problem.fault(field, f"must not use '{name}': it is known only after") for name in sorted(expression.columns(parsed) & after)]
    try:
        expression.check(parsed, frame)
    except expression.ExpressionError as error:
        found.append(problem.fault(field, f"must be an expression on the table's columns, but {error}"))
    if expression.lags(parsed) and problem.time is None:
        found.append(problem.fault(field, "must not look back in time (@) without `time`: add the line `time: COLUMN`"))
    return found
