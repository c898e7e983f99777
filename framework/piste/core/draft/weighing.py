"""What is decided, the rules to beat, and where a model must hold, in the shapes that the target asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from piste.core.data import Table, Target
from piste.core.draft.lines import Line
from piste.core.parser import KEYWORDS

DAY = pd.Timedelta(days=1)
MOST_ACTIONS = 8  # more classes make a table of costs that nobody fills in
LAGS = {"last_week": (7, "7d"), "last_year": (364, "364d")}  # the same weekday, a year before
FOUND_AGAIN = 0.5  # share of the rows whose row so long before must be there
MOST_USUAL, FEWEST_USUAL = 200, 5  # groups of a usual value, and rows of each on average
TELLS = 0.01  # share of the target's spread that a rule by one column must explain
MOST_LEVELS, FEWEST_ROWS, LEAST_SHARE = 8, 20, 0.02  # of a slice
MOST_SLICES = 3
MOST_KINDS, MOST_NUMBERS = 50, 12  # levels of a text, and of a code, by which a usual value is taken
MOST_CODES = 6  # whole numbers with no more values than this may be codes
YES = {"yes", "true", "1", "y", "t", "bad", "positive", "default", "churned", "fraud", "event"}


def decision(target: Target, times: pd.Series | None) -> list[Line]:
    """Write the block of a decision: when it is made, and a cost in the shape of the target, its amounts to be filled in.

    Args:
        target: what is predicted.
        times: when rows happen; None where nothing says.
    """
    lines = []
    if times is not None:
        clock = bool((times != times.dt.normalize()).any())
        when = "-1h" if clock else "-1d 18:00"
        lines.append(Line("decision.made_at", when, f"{'an hour' if clock else 'the evening'} before, or when must it be settled?"))
    cost, why = _cost(target)
    return [*lines, *([Line("decision.cost", cost, why)] if cost else [])]


def _cost(target: Target) -> tuple[dict[str, Any] | None, str]:
    if target.kind in ("numeric", "count"):
        return {"over": 1, "under": 1}, f"in place of each 1: what one '{target.name}' too much costs, and one too little"
    if target.kind == "binary":
        event = f"'{target.name}' is {positive(target)[0]}"
        return {"false_alarm": 1, "miss": 1}, f"in place of each 1: what it costs to act in vain, and not to act where {event}"
    if len(target.labels) > MOST_ACTIONS:
        return None, ""
    costs = (1 - np.eye(len(target.labels), dtype=int)).tolist()
    named = {f"as {label}": row for label, row in zip(target.labels, costs, strict=True)}
    return named, f"name the actions, and in place of 0 and 1: what each costs where it is {', '.join(target.labels)}"


def positive(target: Target) -> tuple[str, str]:
    """Return the class of a binary target that most likely counts as yes, and why."""
    said = [label for label in target.labels if label.casefold() in YES]
    label = said[0] if len(said) == 1 else target.labels[1]
    share = float(np.mean(target.values == target.labels.index(label)))
    return label, f"{share:.1%} of the rows; {'the rarer class' if label == target.labels[1] else 'it says yes'}"


def rules(table: Table, time: str | None, unit: Sequence[str], usable: Sequence[str]) -> list[Line]:
    """Write the simplest rules that somebody might follow today: the usual value of the like, and what it was last time.

    Args:
        table: of the problem.
        time: says when a row happened.
        unit: columns that name a row.
        usable: columns that are known in time.
    """
    target = table.target
    if target.kind == "category" or "`" in target.name:
        return []
    lines = []
    keys = _usual(table, [name for name in unit if name != time and name in usable], usable)
    if keys:
        by = " and ".join(map(_name, keys))
        lines.append(Line("baselines.usual", f"mean({_name(target.name)}) by {by}", "what is usual for rows alike"))
    if target.kind != "binary" and time and unit and (found := _lag(table.frame, time, unit)):
        name, lag = found
        lines.append(
            Line(f"baselines.{name}", f"{_name(target.name)}@-{lag}", f"what it was {'a week' if lag == '7d' else '52 weeks'} before")
        )
    return lines


def _name(column: str) -> str:
    """Write a column as expressions name it."""
    return column if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", column) and column not in KEYWORDS else f"`{column}`"


def _usual(table: Table, keys: Sequence[str], usable: Sequence[str]) -> list[str]:
    """Return the columns whose groups tell most of the target: the keys of the unit where they may serve, and one more with few levels."""
    frame, y = table.frame, table.target.values.astype(float)
    few = [name for name in usable if name not in keys and "`" not in name and _kinds(frame[name])]
    kept: list[str] = []
    for name in keys:
        if "`" not in name and frame.groupby([*kept, name], sort=False).ngroups <= min(MOST_USUAL, len(frame) / FEWEST_USUAL):
            kept.append(name)
    told = _told(frame, y, kept) if kept else 0.0
    gains = {
        name: _told(frame, y, [*kept, name]) - told
        for name in few
        if frame.groupby([*kept, name], sort=False, dropna=False).ngroups <= min(2 * MOST_USUAL, len(frame) / FEWEST_USUAL)
    }
    best = max(gains, key=gains.__getitem__, default=None)
    return [*kept, best] if best is not None and gains[best] > TELLS else kept


def _told(frame: pd.DataFrame, y: np.ndarray, names: Sequence[str]) -> float:
    """Return the share of the spread of a target between groups, less what groups without a meaning would take."""
    codes = frame.groupby([*names], sort=False, dropna=False).ngroup().to_numpy()
    sizes = np.bincount(codes)
    means = np.bincount(codes, y) / sizes
    within = float(np.sum((y - means[codes]) ** 2)) / max(1, len(y) - len(sizes))
    return 1 - within / float(np.var(y, ddof=1))


def _lag(frame: pd.DataFrame, time: str, unit: Sequence[str]) -> tuple[str, str] | None:
    """Return a name and a length of time so long after which most rows have one of the same thing."""
    keys = [name for name in unit if name != time]
    rows = pd.MultiIndex.from_frame(frame[[time, *keys]])
    for name, (days, written) in LAGS.items():
        before = pd.MultiIndex.from_frame(frame[[time, *keys]].assign(**{time: frame[time] - days * DAY}))
        if before.isin(rows).mean() >= FOUND_AGAIN:
            return name, written
    return None


def _kinds(values: pd.Series) -> bool:
    """Tell whether a column may say what is usual: a text, or a code, of kinds that come often."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return False
    is_number, levels = pd.api.types.is_float_dtype(values), values.nunique()
    return (
        2 <= levels <= (MOST_NUMBERS if is_number else MOST_KINDS)
        and (not is_number or _whole(values))
        and len(values) >= FEWEST_ROWS * levels
    )


def _whole(values: pd.Series) -> bool:
    return bool(np.array_equal(values.dropna(), values.dropna().round()))


def _few(values: pd.Series) -> bool:
    """Tell whether a column may say what kind of row it is: a text, or a code, with few levels of many rows."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return False
    counts = values.value_counts()
    is_number = pd.api.types.is_float_dtype(values)
    if is_number and not (len(counts) <= MOST_CODES and _whole(values)):
        return False
    return 2 <= len(counts) <= MOST_LEVELS and int(counts.min()) >= max(FEWEST_ROWS, LEAST_SHARE * len(values))


def slices(table: Table, usable: Sequence[str]) -> tuple[str, ...]:
    """Return some columns with few levels, of enough rows each to be judged alone: texts before codes."""
    found = [name for name in usable if _few(table.frame[name])]
    return tuple(sorted(found, key=lambda name: pd.api.types.is_float_dtype(table.frame[name]))[:MOST_SLICES])
