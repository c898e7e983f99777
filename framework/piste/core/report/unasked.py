"""The framings that a problem does not ask: why not, and the lines of YAML that would ask them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from piste.core.data import Target
from piste.core.framing import Asked, Framing
from piste.core.horizon import horizon
from piste.core.metrics import NUMBERS
from piste.core.pasted import scalar
from piste.core.resolve import Resolved

WEEK = timedelta(days=7)
EXAMPLE_LEVELS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Unasked:
    """A framing, or a shape of rows, that is not asked."""

    title: str
    reason: str  # a sentence without a full stop
    lines: tuple[str, ...]  # of problem.yaml, in place of those with the same keys; none where nothing would help


def unasked(resolved: Resolved, framings: Mapping[str, Framing]) -> tuple[Unasked, ...]:
    """Return what could be asked and is not, and what cannot be.

    Args:
        resolved: the problem.
        framings: all there are, by name.
    """
    asked = {each.framing.name for each in resolved.asked}
    plain = tuple(_framing(resolved, each) for each in framings.values() if each.name not in asked)
    return (*plain, *_shapes(resolved, framings))


def _framing(resolved: Resolved, framing: Framing) -> Unasked:
    target = resolved.table.target
    if framing.cumulative and len(target.labels) == 2:
        return Unasked(framing.title, "two classes need one question, and that is asked", ())
    if reason := framing.why_not(target):
        return Unasked(framing.title, reason, _fitting(resolved, framing))
    if framing.kind == "classes" and not resolved.yardstick.priced and not target.labels:
        reason = "levels of a number are compared with its other framings by what decisions cost, and no cost is given"
        return Unasked(framing.title, reason, (_cost(resolved, target.classes),))
    if resolved.problem.framings is not None:
        return Unasked(framing.title, "`framings` does not list it", _listing(resolved, framing.name, {"as": framing.name}))
    reason = (
        f"{resolved.metric.name} asks for the mean, whatever else is known; quantiles matter where too much and too little differ in cost"
    )
    return Unasked(framing.title, reason, (_decision(resolved, {"over": 1, "under": 2}),))


def _fitting(resolved: Resolved, framing: Framing) -> tuple[str, ...]:
    """Return the lines that would make a framing fit the target; none where no line would."""
    target = resolved.table.target
    problem = resolved.problem
    if problem.target.columns or (target.labels and (problem.metric or problem.split.scheme == "stratified")):
        return ()  # what else is said of classes stands in the way
    if framing.kind != "classes":
        numbers = _as_numbers(target)
        wants_count = framing.kind == "distribution"
        if numbers is None or (wants_count and not (np.all(numbers == np.round(numbers)) and numbers.min() >= 0)):
            return ()
        lines = [_target(resolved, kind="count" if wants_count else "numeric")]
        if (resolved.yardstick.priced and target.labels) or framing.kind == "quantiles":
            lines.append(_decision(resolved, {"over": 1, "under": 2}))
        return (*lines, *_listed_too(resolved, framing))
    if target.labels:
        if len(target.labels) < 3:
            return ()
        return (_target(resolved, kind="ordered", order=target.labels), *_listed_too(resolved, framing))
    cuts = [float(f"{cut:.3g}") for cut in np.quantile(target.values, [1 / 3, 2 / 3])]
    if not target.values.min() < cuts[0] < cuts[1] <= target.values.max():
        return ()
    levels = {"cuts": cuts, "names": EXAMPLE_LEVELS}
    return (_target(resolved, kind=target.kind, levels=levels), _cost(resolved, EXAMPLE_LEVELS), *_listed_too(resolved, framing))


def _target(resolved: Resolved, **keys: object) -> str:
    """Write `target` with other keys, and when it is known as it was."""
    delay = resolved.problem.target.delay
    return f"target: {scalar({'column': resolved.table.target.name, **keys, **({'delay': delay} if delay else {})})}"


def _as_numbers(target: Target) -> np.ndarray | None:
    """Return the values as numbers; None where they are words."""
    if not target.labels:
        return target.values
    try:
        return np.array([float(label) for label in target.labels])
    except ValueError:
        return None


def _decision(resolved: Resolved, cost: Mapping[str, object]) -> str:
    """Write `decision` with another cost, and the rest as it was."""
    said = resolved.problem.decision
    kept = {key: value for key in ("owner", "made_at", "currency", "per_year") if (value := getattr(said, key, None)) is not None}
    return f"decision: {scalar({**kept, 'cost': cost})}"


def _cost(resolved: Resolved, levels: tuple[str, ...]) -> str:
    """Write an example of costs: an action for each level, right there and dearer the further off."""
    costs = {f"ready_for_{number}": [abs(number - level) for level in range(1, len(levels) + 1)] for number in range(1, len(levels) + 1)}
    return _decision(resolved, costs)


def _listed_too(resolved: Resolved, framing: Framing) -> tuple[str, ...]:
    return () if resolved.problem.framings is None else _listing(resolved, framing.name, {"as": framing.name})


def _listing(resolved: Resolved, name: str, form: Mapping[str, object]) -> tuple[str, ...]:
    """Write `framings` with one more."""
    every = {**{each.name: _form(each) for each in resolved.asked}, name: form}
    return ("framings:", *(f"  {each}: {scalar(what)}" for each, what in every.items()))


def _form(asked: Asked) -> dict[str, object]:
    form = asked.form
    parts = {"wide": form.wide, "apart": form.apart, "add": form.add}
    return {"as": form.framing, **{key: value for key, value in parts.items() if value}}


def _shapes(resolved: Resolved, framings: Mapping[str, Framing]) -> Iterator[Unasked]:
    """Return the shapes of rows that no framing has."""
    forms = [each.form for each in resolved.asked]
    first = resolved.asked[0].framing
    if not any(form.wide for form in forms) and resolved.table.target.kind in NUMBERS:
        yield _wide(resolved, framings)
    if not any(form.apart for form in forms):
        yield _apart(resolved, first)
    if not any(form.add for form in forms):
        yield _lags(resolved, first)


def _series(resolved: Resolved) -> list[str]:
    """Return the columns of `unit` that name a series: not the time."""
    problem, kinds = resolved.problem, resolved.table.kinds
    return [name for name in problem.series if kinds.get(name) != "datetime"]


def _wide(resolved: Resolved, framings: Mapping[str, Framing]) -> Unasked:
    title, problem = "All at once", resolved.problem
    series = _series(resolved)
    others = [name for name in problem.unit if series and name != series[0]]
    if not others:
        return Unasked(
            title, "nothing says which rows belong side by side: that takes a `unit` of two columns, such as a date and a place", ()
        )
    number = next(framing for framing in framings.values() if framing.kind == "mean")
    lines = [*_listing(resolved, "all_at_once", {"as": number.name, "wide": series[0]})]
    if resolved.rule.together not in others and not (resolved.rule.scheme == "forward" and problem.time in others):
        split = problem.split.model_dump(exclude_none=True) | {"together": others[0]}
        lines.append(f"split: {scalar(split)}")
    return Unasked(title, f"no framing asks for all values of {series[0]} by one model, which sees what they share", tuple(lines))


def _apart(resolved: Resolved, framing: Framing) -> Unasked:
    title, series = "Each by itself", _series(resolved)
    if not series or (resolved.table.layout.melt and len(series) < 2):
        return Unasked(title, "nothing says which rows form a series of their own: that takes a `unit`, such as a date and a place", ())
    lines = _listing(resolved, "each_by_itself", {"as": framing.name, "apart": series[0]})
    return Unasked(title, f"no framing gives each value of {series[0]} a model of its own, which knows nothing of the others", lines)


def _lags(resolved: Resolved, framing: Framing) -> Unasked:
    title, problem = "With what came earlier", resolved.problem
    if problem.time is None:
        return Unasked(title, "what came earlier takes a `time`", ())
    if resolved.rule.scheme != "forward":
        return Unasked(title, f"with `scheme: {resolved.rule.scheme}` it may be what is tested on: it takes `scheme: forward`", ())
    back = _lag(resolved, problem.time)
    if back is None:
        return Unasked(title, "all rows have one time", ())
    lines = _listing(resolved, "with_lags", {"as": framing.name, "add": [f"{resolved.table.target.name}@-{back}"]})
    return Unasked(title, "no framing shows a model the target's earlier values", lines)


def _lag(resolved: Resolved, time: str) -> str | None:
    """Return a length of time by which a value is surely known: a week, or the usual step where that is longer."""
    moments = np.unique(resolved.table.frame[time].dropna())
    if len(moments) < 2:
        return None
    gaps, counts = np.unique(np.diff(moments), return_counts=True)
    step = gaps[counts.argmax()]
    if not pd.api.types.is_datetime64_any_dtype(resolved.table.frame[time]):
        return f"{float(step):g}"
    length = pd.Timedelta(step).to_pytimedelta()
    needed = max(WEEK, (horizon(resolved.problem) or timedelta()) + timedelta(days=1))
    steps = math.ceil(needed / length)
    back = steps * length
    return f"{back.days}d" if back % timedelta(days=1) == timedelta() else f"{math.ceil(back / timedelta(minutes=1))}min"
