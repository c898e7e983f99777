"""Every choice that a problem leaves open, filled in, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.ask import whole
from piste.core.cost import EventCost, QuantityCost
from piste.core.data import Table, Target
from piste.core.decision import Actions, ByMetric, Quantity, Yardstick
from piste.core.errors import Fault, PisteError, either, near
from piste.core.family import Family, Params, Task
from piste.core.framing import Asked, Form, Framing
from piste.core.horizon import delay, distance
from piste.core.melt import OUTPUT
from piste.core.metrics import METRICS, NUMBERS, Metric
from piste.core.problem import BLEND, Entry, Problem
from piste.core.search import faults as search_faults
from piste.core.split import Rule, periods

USUAL_FOLDS = 5
TINY = 30  # rows below which each is left out once
SMALL = 2_000  # exchangeable rows below which folds are repeated, and a claim counts what varies from split to split


@dataclass(frozen=True, slots=True)
class Baseline:
    """A rule to beat: a name, what the baseline family is told, and the framing that suits it best."""

    name: str
    params: Params
    asked: Asked


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
    yardstick: Yardstick
    asked: tuple[Asked, ...]
    plain: Asked  # the target as it is: a number, or a class
    entries: tuple[Entry, ...]
    baselines: tuple[Baseline, ...]
    reasons: Mapping[str, str]

    @property
    def together(self) -> tuple[str, ...]:
        """Return the columns whose rows are decided together, under one budget; none where there is no budget."""
        budget = self.problem.decision.budget if self.problem.decision else None
        if budget is None:
            return ()
        return budget.per or ((self.problem.time,) if self.problem.time else ())

    def task(self, asked: Asked, n_train: int) -> Task:
        """Return the learning task that a framing makes."""
        n_parts = asked.form.n_parts(self.table.frame)
        task = asked.framing.task(self.table.target, n_train // n_parts, n_parts if asked.form.wide else 1)
        return replace(task, exchangeable=self.rule.exchangeable)


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
    yardstick = _yardstick(problem, table, metric, found)
    asked = _framings(problem, table, yardstick, framings, reasons, found)
    entries = _entries(problem, families, family, reasons)
    found += _entry_faults(problem, entries, asked, table, families, family)
    number, spread = _suited(table.target, yardstick, framings, {each.name for each in problem.framings or () if not each.plain})
    baselines = _baselines(problem, table, yardstick, number, spread, reasons, found)
    if (beat := problem.success.beat) not in (names := ["best_baseline", *(baseline.name for baseline in baselines)]):
        found.append(problem.fault("success.beat", f"must be {either(names)}, but is '{beat}'.{near(beat, names)}"))
    if found:
        raise PisteError(*found)
    if not problem.search.model_fields_set:
        reasons["search"] = "the default; a setting is one model trained on every fold"
    return Resolved(name, problem, table, rule, metric, yardstick, asked, number, entries, baselines, reasons)


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
            apart = n if together is None else table.frame[together].nunique()
            what = f"{apart:,} {'rows' if together is None else f'values of {together!r}'}"
            small = f"{what} only: other folds give other scores, so their mean is taken"
            repeats, reasons["split.repeats"] = (3, small) if apart < SMALL else (1, f"{what}: other folds would give about the same")
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


def _yardstick(problem: Problem, table: Table, metric: Metric, found: list[Fault]) -> Yardstick:
    """Return what predictions are judged by: the cost of the decision, or where none is given the metric."""
    decision, target = problem.decision, table.target
    if decision is None or decision.cost is None:
        return ByMetric(metric)
    name = decision.currency or "cost"
    if isinstance(decision.cost, QuantityCost):
        if target.labels:
            found.append(problem.fault("decision.cost", f"must price actions, not over and under: '{target.name}' holds classes"))
        return Quantity(name, decision.cost.over / decision.cost.unit, decision.cost.under / decision.cost.unit)
    if isinstance(decision.cost, EventCost):
        actions: tuple[str, ...] = ("wait", "act")
        costs = np.array([[0.0, decision.cost.miss], [decision.cost.false_alarm, 0.0]])
    else:
        actions = tuple(decision.actions or decision.cost.actions)
        costs = np.array([decision.cost.actions[action] for action in actions], dtype=float)
    if costs.shape[1] != len(target.classes):
        levels = f"{len(target.classes)} levels: {', '.join(target.classes)}" if target.classes else "no levels: add `target.levels`"
        found.append(problem.fault("decision.cost", f"must give every action a number for each level, but '{target.name}' has {levels}"))
    if decision.budget is None:
        return Actions(name, actions, costs)
    return Actions(name, actions, costs, decision.budget.units, tuple(decision.uses[action] for action in actions))


def _framings(
    problem: Problem, table: Table, yardstick: Yardstick, framings: Mapping[str, Framing], reasons: dict[str, str], found: list[Fault]
) -> tuple[Asked, ...]:
    target = table.target
    if problem.framings is None:
        reasons["framings"] = f"those that a target of kind {target.kind} allows" + (" and its cost asks for" if yardstick.priced else "")
        plain = isinstance(yardstick, ByMetric) and yardstick.metric.functional == "mean"
        several = bool(problem.target.columns)
        fitting = [each for each in framings.values() if each.why_not(target) is None and not (each.name == "quantiles" and plain)]
        if not yardstick.priced:
            fitting = [each for each in fitting if bool(target.labels) == (each.kind == "classes")]
        apart = OUTPUT if several else None
        asked = [Asked(each.name, each, Form(each.name, apart=apart)) for each in fitting]
        return (*asked, Asked("wide", framings["mean"], Form("mean", wide=OUTPUT))) if several else tuple(asked)
    by_name = {each.name: each for each in problem.framings}
    asked = []
    for each in problem.framings:
        field = problem.at(each)
        asked_for = whole(each, by_name)
        form = Form(asked_for.as_ or each.name, asked_for.wide, asked_for.apart, tuple(map(str, asked_for.add)))
        if form.framing not in framings:
            found.append(problem.fault(field, f"must be {either(framings)}, but is '{form.framing}'.{near(form.framing, framings)}"))
            continue
        framing = framings[form.framing]
        if reason := framing.why_not(target) or _unpriced(framing, target, yardstick):
            found.append(problem.fault(field, f"must fit a target of kind {target.kind}, but '{framing.name}' does not: {reason}"))
        for place, text in enumerate(each.add):
            found += _added_faults(problem, table, f"{field}.add.{place}", str(text))
        asked.append(Asked(each.name, framing, form))
    return tuple(asked)


def _unpriced(framing: Framing, target: Target, yardstick: Yardstick) -> str | None:
    """Say why levels of a number cannot be asked for where no cost of a decision makes one currency of all framings."""
    if not yardstick.priced and framing.kind == "classes" and not target.labels:
        return "levels of a number are compared with its other framings by the cost of a decision, and there is none: add `decision`"
    return None


def _entries(problem: Problem, families: Sequence[str], family: Callable[[Entry], Family], reasons: dict[str, str]) -> tuple[Entry, ...]:
    if problem.families is not None:
        return tuple(entry for entry in problem.families if entry.family != "baseline")
    reasons["families"] = "all there are, simplest first"
    entries = [Entry(name=name, family=name) for name in families if name != "baseline"]
    return (*sorted(entries, key=lambda entry: family(entry).tier), Entry(name=BLEND, family=BLEND))


def _entry_faults(
    problem: Problem,
    entries: Sequence[Entry],
    asked: Sequence[Asked],
    table: Table,
    families: Sequence[str],
    family: Callable[[Entry], Family],
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
            for each in asked
            if each.framing.kind in kin.kinds
            for name, dimension in kin.space(each.framing.task(table.target, len(table.frame))).items()
        }
        found += search_faults(problem, place, entry, space)
    return found


def _baselines(
    problem: Problem, table: Table, yardstick: Yardstick, number: Asked, spread: Asked, reasons: dict[str, str], found: list[Fault]
) -> tuple[Baseline, ...]:
    """Lay the rules out, each in the framing in which it decides best: shares of levels, quantiles, or a number."""
    target = table.target
    median = isinstance(yardstick, ByMetric) and yardstick.metric.functional == "median"
    known = {"target": target.name, "statistic": "median" if median else "mean"}
    rules = [Baseline("constant", {"rule": "constant", **known}, spread)]
    keys = _keys(problem, table)
    if problem.baselines:
        for name, text in problem.baselines.items():
            if name in ("constant", "last_value"):
                found.append(problem.fault(f"baselines.{name}", f"must have another name: the {name.replace('_', ' ')} is always there"))
            found += _expression_faults(problem, table, f"baselines.{name}", str(text))
            rules.append(Baseline(name, {"rule": "expression", "expression": str(text), **known}, number))
    if keys and (not problem.baselines or yardstick.priced):
        name = "climatology" if "climatology" not in problem.baselines else "usual"
        rules.append(Baseline(name, {"rule": "climatology", "by": "+".join(keys), **known}, spread))
    if not problem.baselines:
        by = f", and the usual by {' and '.join(keys)}" if keys else ""
        reasons["baselines"] = f"none given: the constant{by}"
    if problem.time and target.kind in NUMBERS:
        series = [name for name in problem.series if table.kinds.get(name) == "category"]
        rules.append(Baseline("last_value", {"rule": "last_value", "by": "+".join(series), "time": problem.time, **known}, number))
    return tuple(rules)


def _suited(target: Target, yardstick: Yardstick, framings: Mapping[str, Framing], taken: Collection[str]) -> tuple[Asked, Asked]:
    """Return the framings of rules that say a number, and of rules that know how values are spread."""
    if target.labels:
        number = spread = framings["classes"]
    else:
        number = framings["mean"]
        spread = number if not yardstick.priced else framings["quantiles" if isinstance(yardstick, Quantity) else "classes"]
    names = {each.name: f"{each.name} (rules)" if each.name in taken else each.name for each in (number, spread)}
    return Asked(names[number.name], number, Form(number.name)), Asked(names[spread.name], spread, Form(spread.name))


def _keys(problem: Problem, table: Table) -> list[str]:
    """Return the keys of the climatology: categories of the unit, and the weekday and month of the time."""
    units = [name for name in problem.series if table.kinds.get(name) in ("category", "boolean")]
    if problem.time is None or not pd.api.types.is_datetime64_any_dtype(table.frame[problem.time]):
        return units
    return [*units, f"{problem.time}.weekday"]


def _added_faults(problem: Problem, table: Table, field: str, text: str) -> list[Fault]:
    """Check a further feature column of a framing: its columns, and that what it looks back at is known when it is needed."""
    parsed = expression.parse(text)
    after = {column.name for column in table.columns if column.role == "after"}
    own = sorted(expression.row_columns(parsed) & after)
    found = [problem.fault(field, f"must not use '{name}' of the row itself: it is known only after", "L04") for name in own]
    try:
        expression.check(parsed, with_target(table))
    except expression.ExpressionError as error:
        return [*found, problem.fault(field, f"must be an expression on the table's columns, but {error}")]
    return found + _too_recent(problem, table, field, parsed) + _unanswered(problem, table, field, parsed)


def _expression_faults(problem: Problem, table: Table, field: str, text: str) -> list[Fault]:
    """Check the columns of an expression against the table, and its lags against the split."""
    parsed = expression.parse(text)
    after = {column.name for column in table.columns if column.role == "after"}
    frame = with_target(table)
    late = sorted(expression.columns(parsed) & after)
    found = [problem.fault(field, f"must not use '{name}': it is known only after", "L04") for name in late]
    if expression.lags(parsed) and problem.time is None:
        found.append(problem.fault(field, "must not look back in time (@) without `time`: add the line `time: COLUMN`"))
    try:
        expression.check(parsed, frame)
    except expression.ExpressionError as error:
        return [*found, problem.fault(field, f"must be an expression on the table's columns, but {error}")]
    return found + _too_recent(problem, table, field, parsed) + _unanswered(problem, table, field, parsed)


def _unanswered(problem: Problem, table: Table, field: str, parsed: expression.Expression) -> list[Fault]:
    """Find lags that do not fit the time, or for which earlier rows hold more than one value."""
    if problem.time is None:
        return []
    frame, found = with_target(table), []
    for column, lag in expression.lags(parsed):
        try:
            expression.lagged(frame, column, lag, problem.time, problem.series)
        except expression.ExpressionError as error:
            found.append(problem.fault(field, f"must look back at one value for each row, but {error}"))
    return found


def _too_recent(problem: Problem, table: Table, field: str, parsed: expression.Expression) -> list[Fault]:
    """Find lags of what is known only after that some row's clock time makes too short to be known at its decision."""
    decision = problem.decision
    times = table.frame[problem.time] if problem.time else pd.Series()
    if decision is None or decision.made_at is None or not pd.api.types.is_datetime64_any_dtype(times):
        return []
    late = {table.target.name, *(column.name for column in table.columns if column.role == "after")}
    latest = (times - times.dt.normalize()).max().to_pytimedelta()
    needed = distance(decision.made_at, latest) + delay(problem)
    when = f"must look back at least {needed} to be known at the decision (made_at {decision.made_at}) for a row at {latest}"
    return [
        problem.fault(field, f"{when}, but {name}{lag} does not", "L04")
        for name, lag in expression.lags(parsed)
        if name in late and lag.unit and lag.delta < needed
    ]


def with_target(table: Table) -> pd.DataFrame:
    """Return the rows with the target among their columns, as numbers."""
    return table.frame.assign(**{table.target.name: np.asarray(table.target.values, dtype=float)})
