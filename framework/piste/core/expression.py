"""What an expression says of a table: values of its rows, with aggregates learnt on training rows alone."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from piste.core.errors import near
from piste.core.grammar import (
    Aggregate,
    Call,
    Chain,
    Choice,
    Column,
    Comparison,
    Expression,
    ExpressionError,
    Junction,
    Lag,
    Lagged,
    Negative,
    Node,
    Not,
    Number,
    Text,
    aggregates,
    columns,
    lags,
    row_columns,
    walk,
)
from piste.core.parser import parse

__all__ = [
    "Expression",
    "ExpressionError",
    "Lag",
    "Learnt",
    "aggregates",
    "apply",
    "check",
    "columns",
    "evaluate",
    "lagged",
    "lags",
    "learn",
    "parse",
    "row_columns",
]

ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
COMPARE = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FUNCTION = {"log": np.log, "exp": np.exp, "sqrt": np.sqrt, "abs": np.abs}
Key = float | str  # of a group: a number, or a text; a date is a text


@dataclass(frozen=True, slots=True)
class Lookup:
    """An aggregate as training rows gave it."""

    by: tuple[str, ...]
    groups: tuple[tuple[Key, ...], ...]  # (n_groups,) of keys, one per column of `by`
    values: tuple[float, ...]  # (n_groups,) none missing
    overall: float  # over all training rows; NaN where there was no value

    def of(self, frame: pd.DataFrame, at: int) -> np.ndarray:
        """Return the value of each row's group; of all training rows, where training had no value of the group."""
        if not self.groups:
            return np.full(len(frame), self.overall)
        learnt = pd.DataFrame(self.groups).assign(value=self.values)
        wanted = pd.DataFrame({number: _key(frame, name, at) for number, name in enumerate(self.by)})
        for number, name in enumerate(self.by):
            known = wanted[number].dropna()
            if len(known) and isinstance(known.iloc[0], str) != isinstance(self.groups[0][number], str):
                raise ExpressionError(
                    f"the groups of '{name}' must be such as {self.groups[0][number]!r}, but are such as {known.iloc[0]!r}", at
                )
            wanted[number] = wanted[number].astype(learnt[number].dtype)  # all missing: any type
        found = wanted.merge(learnt, how="left", on=list(range(len(self.by))))["value"].to_numpy(dtype=float)
        return np.where(np.isnan(found), self.overall, found)


@dataclass(frozen=True, slots=True)
class Learnt:
    """An expression with what training rows taught it, by the character where each aggregate starts."""

    expression: Expression
    lookups: Mapping[int, Lookup]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values: a model is shipped as these, and needs no class of ours to be read."""
        return {
            "expression": self.expression.text,
            "aggregates": [
                {
                    "at": at,
                    "by": list(lookup.by),
                    "groups": [list(group) for group in lookup.groups],
                    "values": list(lookup.values),
                    "overall": None if np.isnan(lookup.overall) else lookup.overall,
                }
                for at, lookup in sorted(self.lookups.items())
            ],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Learnt:
        """Return what `to_json` kept.

        Raises:
            ValueError: it is not what `to_json` keeps.
        """
        expression = parse(kept["expression"])
        lookups = {
            int(each["at"]): Lookup(
                tuple(each["by"]),
                tuple(tuple(key if isinstance(key, str) else float(key) for key in group) for group in each["groups"]),
                tuple(float(value) for value in each["values"]),
                np.nan if each["overall"] is None else float(each["overall"]),
            )
            for each in kept["aggregates"]
        }
        wanted = {node.at: node.by for node in walk(expression.root) if isinstance(node, Aggregate)}
        if wanted != {at: lookup.by for at, lookup in lookups.items()}:
            raise ValueError(f"the aggregates kept do not belong to the expression {expression.text!r}")
        return cls(expression, lookups)


def evaluate(expression: Expression, frame: pd.DataFrame) -> np.ndarray:
    """Return the value of an expression without aggregates in each row, (n_rows,) float.

    The logarithm or root of what has none, and a division by zero, are missing (NaN), and so is whatever is computed
    from a missing value; a condition on a missing value is neither true nor false. A lagged column is read from the
    column of the frame named as it is written, "count@-7d".

    Raises:
        ExpressionError: a column is absent, or holds what the expression cannot use.
    """
    assert not aggregates(expression), "aggregates are learnt first, on training rows"
    return apply(Learnt(expression, {}), frame)


def learn(expression: Expression, frame: pd.DataFrame) -> Learnt:
    """Compute the aggregates of an expression on training rows, the target among their columns.

    Raises:
        ExpressionError: as `evaluate`.
    """
    found: dict[int, Lookup] = {}
    for node in reversed(list(walk(expression.root))):  # what lies inside an aggregate comes before it
        if isinstance(node, Aggregate):
            found[node.at] = _aggregate(node, frame, found)
    return Learnt(expression, found)


def apply(learnt: Learnt, frame: pd.DataFrame) -> np.ndarray:
    """Return the value of each row, (n_rows,) float; a group without a value in training gets that of all training rows.

    Raises:
        ExpressionError: as `evaluate`.
    """
    with np.errstate(all="ignore"):
        return _value(learnt.expression.root, frame, learnt.lookups)


def check(expression: Expression, frame: pd.DataFrame) -> None:
    """Check that a table has the columns of an expression, and that each holds what the expression makes of it.

    Raises:
        ExpressionError: the first that does not.
    """
    for node in walk(expression.root):
        if isinstance(node, Lagged):
            _series(frame, node.column, node.at)
    lagged_columns = {f"{name}{lag}": frame[name] for name, lag in lags(expression)}
    none = frame.assign(**lagged_columns).iloc[:0]
    apply(learn(expression, none), none)


def lagged(
    frame: pd.DataFrame, column: str, lag: Lag, time: str, series_keys: Sequence[str], known: pd.DataFrame | None = None
) -> np.ndarray:
    """Return the value of a column exactly so long before, in the same series; missing where there is no such row.

    Args:
        frame: (n_rows, n_columns) the rows, in any order.
        column: whose value.
        lag: how long before.
        time: column of dates, for a lag with a unit; of numbers, for one without.
        series_keys: columns that together name a series; none: all rows are one.
        known: the rows to look in; the frame itself where not given.

    Raises:
        ExpressionError: the lag does not fit the time; two rows of a series share a time but differ in value.
    """
    known = frame if known is None else known
    moments, is_date = frame[time], pd.api.types.is_datetime64_any_dtype(frame[time])
    if is_date != bool(lag.unit):
        wanted = "a unit (min, h, d or w), since it holds dates" if is_date else "no unit, since it holds numbers"
        raise ExpressionError(f"the lag of {column}{lag} in '{time}' needs {wanted}")
    # numbers: 2020.3 - 0.1 is not 2020.2 to the last digit
    then, before = (known[time], moments - lag.delta) if is_date else (known[time].round(9), (moments - lag.amount).round(9))
    wanted_keys = [*range(len(series_keys)), "time"]
    there: dict[int | str, pd.Series] = {number: known[name] for number, name in enumerate(series_keys)}
    held = pd.DataFrame({**there, "time": then, "value": known[column]}).dropna(subset=wanted_keys).drop_duplicates()
    twice = held.duplicated(wanted_keys)
    if twice.any():
        row = held[twice].iloc[0]
        where = " and ".join(f"{name} {row[key]}" for key, name in [("time", time), *enumerate(series_keys)])
        raise ExpressionError(
            f"{column}{lag} is not one value: rows share {where}, but differ in '{column}'; name what tells them apart under `unit`"
        )
    asked: dict[int | str, pd.Series] = {number: frame[name] for number, name in enumerate(series_keys)}
    found = pd.DataFrame({**asked, "time": before}).merge(held, how="left", on=wanted_keys)["value"]
    return np.asarray(found)


def _value(node: Node, frame: pd.DataFrame, learnt: Mapping[int, Lookup]) -> np.ndarray:
    """Return the value of a node in each row, (n_rows,) float; of a condition 1, 0 or NaN."""
    match node:
        case Number(value=value):
            return np.full(len(frame), value)
        case Column() | Lagged():
            return _numbers(node, frame)
        case Negative(of=of):
            return -_value(of, frame, learnt)
        case Chain(first=first, rest=rest):
            total = _value(first, frame, learnt)
            for sign, part in rest:
                total = _finite(ARITHMETIC[sign](total, _value(part, frame, learnt)))
            return total
        case Call(function=function, of=of):
            return _finite(FUNCTION[function](_value(of, frame, learnt)))
        case Choice(cases=cases, otherwise=otherwise):
            chosen = _value(otherwise, frame, learnt)
            for condition, then in reversed(cases):
                holds = _value(condition, frame, learnt)
                chosen = np.where(holds == 1, _value(then, frame, learnt), np.where(holds == 0, chosen, np.nan))
            return chosen
        case Comparison():
            return _comparison(node, frame, learnt)
        case Junction(word=word, parts=parts):
            each = [_value(part, frame, learnt) for part in parts]
            return _both(each) if word == "and" else 1 - _both([1 - holds for holds in each])
        case Not(of=of):
            return 1 - _value(of, frame, learnt)
        case Aggregate(at=at):
            return learnt[at].of(frame, at)
        case _:
            raise AssertionError(f"the parser lets no {type(node).__name__} stand for a value")


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _both(conditions: Sequence[np.ndarray]) -> np.ndarray:
    """Return whether all hold: 0 where one does not, whatever is missing; NaN where that hangs on a missing value."""
    failed = np.any([holds == 0 for holds in conditions], axis=0)
    return np.where(failed, 0.0, np.prod(conditions, axis=0))


Held = Literal["number", "text", "date", "nothing"]


def _series(frame: pd.DataFrame, name: str, at: int) -> pd.Series:
    if name not in frame:
        raise ExpressionError(f"there is no column '{name}', named at character {at}.{near(name, map(str, frame))}", at)
    return frame[name]


def _held(series: pd.Series) -> tuple[Held, np.ndarray]:
    """Tell what a column holds, and return it as float, datetime64 without a zone, or object of str; missing as NaN or NaT."""
    if len(series) and series.isna().all():
        return "nothing", np.full(len(series), np.nan)
    if pd.api.types.is_datetime64_any_dtype(series):
        return "date", series.dt.tz_localize(None).to_numpy()
    if pd.api.types.is_numeric_dtype(series):
        return "number", _finite(series.to_numpy(dtype=float, na_value=np.nan))
    return "text", series.astype(object).map(str, na_action="ignore").to_numpy(dtype=object)


def _numbers(node: Column | Lagged, frame: pd.DataFrame) -> np.ndarray:
    held, values = _held(_series(frame, node.name, node.at))
    if held in ("text", "date"):
        tip = f"{node.name} == 'snow'" if held == "text" else f"{node.name} >= '2025-01-31'"
        raise ExpressionError(f"'{node.name}' at character {node.at} holds {held}s, not numbers: compare it, as in {tip}", node.at)
    return values


def _comparison(node: Comparison, frame: pd.DataFrame, learnt: Mapping[int, Lookup]) -> np.ndarray:
    """Compare two sides of one kind: numbers, texts or dates; a text in quotes is of the kind of its column."""
    nodes = (node.left, node.right)
    sides = [_side(side, frame, learnt) for side in nodes]
    for number, side in enumerate(nodes):
        if isinstance(side, Text):
            held = sides[1 - number][0]
            sides[number] = (held, _constant(side, held))
    (held, left), (other, right) = sides
    if "nothing" in (held, other):
        return np.full(len(frame), np.nan)
    if held != other:
        raise ExpressionError(f"a {held} is compared with a {other} at character {node.at}", node.at)
    if held == "text" and node.operator not in ("==", "!="):
        raise ExpressionError(f"texts are compared with '{node.operator}' at character {node.at}: texts are only == or !=", node.at)
    holds = np.asarray(COMPARE[node.operator](left, right), dtype=float)
    return np.where(pd.isna(left) | pd.isna(right), np.nan, holds)


def _side(node: Node, frame: pd.DataFrame, learnt: Mapping[int, Lookup]) -> tuple[Held, Any]:
    match node:
        case Column(name=name) | Lagged(name=name):
            return _held(_series(frame, name, node.at))
        case Text(value=value):
            return "text", value
        case _:
            return "number", _value(node, frame, learnt)


def _constant(literal: Text, held: Held) -> Any:
    """Return a text in quotes as what the other side holds."""
    if held == "number":
        raise ExpressionError(
            f"the text '{literal.value}' at character {literal.at} is compared with numbers: leave out the quotes", literal.at
        )
    if held != "date":
        return literal.value
    try:
        return pd.Timestamp(literal.value).tz_localize(None).to_datetime64()
    except ValueError as error:
        message = f"the text '{literal.value}' at character {literal.at} is compared with dates: write it as '2025-01-31'"
        raise ExpressionError(message, literal.at) from error


def _key(frame: pd.DataFrame, name: str, at: int) -> pd.Series:
    """Return the keys of groups: numbers, or texts; dates as texts, whatever their resolution."""
    held, values = _held(_series(frame, name, at))
    if held == "date":
        texts = np.datetime_as_string(values.astype("datetime64[us]")).astype(object)
        return pd.Series(texts, dtype=object).where(~np.isnat(values))
    return pd.Series(values + 0.0 if held == "number" else values)  # -0.0 and 0.0 are one group


def _aggregate(node: Aggregate, frame: pd.DataFrame, learnt: Mapping[int, Lookup]) -> Lookup:
    with np.errstate(all="ignore"):
        values = pd.Series(_value(node.of, frame, learnt))
    if node.name == "share" and not values.dropna().isin([0, 1]).all():
        raise ExpressionError(f"share at character {node.at} is of a condition, or of a column of 0 and 1: write share(x > 0)", node.at)
    overall = float(_statistic(values, node.name))
    if not node.by:
        return Lookup((), (), (), overall)
    keys = [_key(frame, name, node.at) for name in node.by]
    found = _statistic(values.groupby(keys), node.name).dropna()
    groups = found.index if len(keys) > 1 else ((key,) for key in found.index)
    return Lookup(node.by, tuple(map(tuple, groups)), tuple(found.astype(float)), overall)


def _statistic(values: Any, name: str) -> Any:
    """Compute an aggregate of a series, or of its groups; missing values are left out, and none gives none."""
    match name:
        case "sum":
            return values.sum(min_count=1)
        case "share":
            return values.mean()
        case "mean" | "median" | "min" | "max":
            return getattr(values, name)()
        case _:
            return values.quantile(int(name[1:]) / 100)
