"""Rules that a person could follow with pencil and paper: constant, climatology, last value, own expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.family import Family, Params, Space, Task

PRIOR_ROWS = 1.0
"""How many rows of the overall answer are mixed into a group's own: a group of one row is believed half."""

LAPLACE_ROWS = 1.0
"""How many rows are added to every class, so that no class has probability 0 and log loss stays finite."""

FORMAT = 1  # of the stored state


@dataclass(frozen=True, slots=True)
class Answers:
    """What training rows say, in columns: one for a number, one per class for shares, one per level for quantiles."""

    values: np.ndarray  # (n_samples, 1) the target, or (n_samples, n_classes) 0/1 for each class
    weight: np.ndarray  # (n_samples,), mean 1 over the rows that have any
    levels: tuple[float, ...] = ()  # of quantiles; none: the mean

    def overall(self) -> np.ndarray:
        """Return the answer for all rows, (width,)."""
        if self.levels:
            return weighted_quantiles(self.values[:, 0], self.weight, self.levels)
        shares = np.average(self.values, axis=0, weights=self.weight)
        width = self.values.shape[1]
        if width == 1:
            return shares
        n_rows = self.weight.sum()
        return (shares * n_rows + LAPLACE_ROWS) / (n_rows + LAPLACE_ROWS * width)

    def by_group(self, group: np.ndarray, n_groups: int) -> np.ndarray:
        """Return the answer of each group, shrunk towards the overall one by PRIOR_ROWS; (n_groups, width)."""
        overall = self.overall()
        size = np.bincount(group, self.weight, n_groups)[:, None]
        if self.levels:
            order = np.argsort(group, kind="stable")
            starts = np.searchsorted(group[order], np.arange(n_groups))
            parts = np.split(order, starts[1:])
            own = np.array([weighted_quantiles(self.values[part, 0], self.weight[part], self.levels) for part in parts])
        else:
            total = np.column_stack([np.bincount(group, self.weight * column, n_groups) for column in self.values.T])
            own = total / np.where(size > 0, size, 1.0)
        return (size * own + PRIOR_ROWS * overall) / (size + PRIOR_ROWS)


def weighted_quantiles(values: np.ndarray, weight: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return for each level a value with at most that share of the weight below; the midpoint where two values do as well.

    >>> weighted_quantiles(np.array([1.0, 9.0, 2.0]), np.ones(3), (0.5, 0.9)), weighted_quantiles(np.array([1.0, 9.0]), np.ones(2), (0.5,))
    (array([2., 9.]), array([5.]))
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    wanted = reached[-1] * np.asarray(levels)
    low, high = (np.minimum(np.searchsorted(reached, wanted * near), len(values) - 1) for near in (1 - 1e-12, 1 + 1e-12))
    return np.asarray((values[order][low] + values[order][high]) / 2)


def key_texts(X: pd.DataFrame, by: Sequence[str]) -> np.ndarray:
    """Name the group of each row by one text, (n_samples,); a missing value is a group of its own."""
    parts = []
    for name in by:
        codes, levels = pd.factorize(X[name], use_na_sentinel=True)
        known = [str(level) if isinstance(level, str | pd.Timestamp) else repr(float(level)) for level in levels]
        parts.append(np.array([*known, "\x00"], dtype=object)[codes])  # code -1, missing, is the last
    if not parts:
        return np.full(len(X), "", dtype=object)
    return np.array(["\x1f".join(row) for row in zip(*parts, strict=True)], dtype=object)


def instants(X: pd.DataFrame, time: str) -> np.ndarray:
    """Return the time of each row as a number (microseconds of a datetime); NaN where missing."""
    column = X[time]
    if column.dtype.kind != "M":
        return np.asarray(column, dtype=float)
    return np.where(column.isna(), np.nan, np.asarray(column, dtype="datetime64[us]").astype(np.int64).astype(float))


@dataclass(frozen=True, slots=True)
class Climatology:
    """The answer of the rows with the same keys."""

    by: tuple[str, ...]
    groups: np.ndarray  # (n_groups,) texts, sorted
    answers: np.ndarray  # (n_groups, width)

    def __call__(self, X: pd.DataFrame) -> np.ndarray:
        """Answer rows, (n_samples, width); NaN for a group that training never saw."""
        found = pd.Index(self.groups).get_indexer(key_texts(X, self.by))
        return np.where(found[:, None] >= 0, self.answers[found], np.nan)


@dataclass(frozen=True, slots=True)
class LastValue:
    """The last training value of the same series before the row's own time."""

    by: tuple[str, ...]
    time: str
    groups: np.ndarray  # (n_series,) texts, sorted
    series: np.ndarray  # (n_known,) whole numbers, sorted, then by time
    times: np.ndarray  # (n_known,)
    answers: np.ndarray  # (n_known, width)

    def __call__(self, X: pd.DataFrame) -> np.ndarray:
        """Answer rows, (n_samples, width); NaN where the series has no earlier value."""
        moments = np.unique(self.times)
        step = len(moments) + 1
        known = self.series * step + np.searchsorted(moments, self.times)
        now = instants(X, self.time)
        series = pd.Index(self.groups).get_indexer(key_texts(X, self.by))
        before = np.searchsorted(known, series * step + np.searchsorted(moments, now), side="left") - 1
        answered = (series >= 0) & (before >= 0) & ~np.isnan(now)
        answered &= self.series[before] == series
        return np.where(answered[:, None], self.answers[before], np.nan)


@dataclass(frozen=True, slots=True)
class Written:
    """What an expression of the user says, as it stands."""

    learnt: Any

    def __call__(self, X: pd.DataFrame) -> np.ndarray:
        """Answer rows, (n_samples, 1); NaN where the expression has no value."""
        values = np.asarray(expression.apply(self.learnt, X), dtype=float)
        return np.where(np.isfinite(values), values, np.nan)[:, None]


Rule = Climatology | LastValue | Written


def learn_rule(params: Params, X: pd.DataFrame, y: np.ndarray, answers: Answers) -> Rule | None:
    """Learn what a rule needs from training rows; the constant needs nothing more."""
    by = tuple(part for part in str(params.get("by") or "").split("+") if part)
    match params["rule"]:
        case "constant":
            return None
        case "climatology":
            groups, group = np.unique(key_texts(X, by), return_inverse=True)
            return Climatology(by, groups, answers.by_group(group, len(groups)))
        case "last_value":
            time = str(params["time"])
            return learn_last_value(by, time, key_texts(X, by), instants(X, time), answers)
        case "expression":
            frame = X.assign(**{str(params["target"]): y})
            return Written(expression.learn(expression.parse(str(params["expression"])), frame))
        case rule:
            raise AssertionError(f"no rule of a baseline is named {rule!r}")


def learn_last_value(by: tuple[str, ...], time: str, keys: np.ndarray, times: np.ndarray, answers: Answers) -> LastValue:
    """Sort the training values by series and time; values of one instant become their mean (or shares)."""
    timed = ~np.isnan(times)
    groups, series = np.unique(keys[timed], return_inverse=True)
    instant, at = np.unique(np.column_stack([series, times[timed]]), axis=0, return_inverse=True)
    at = at.ravel()
    weight = answers.weight[timed]
    size = np.bincount(at, weight, len(instant))[:, None]
    total = np.column_stack([np.bincount(at, weight * column, len(instant)) for column in answers.values[timed].T])
    kept = size[:, 0] > 0
    own = total[kept] / size[kept]
    if own.shape[1] > 1:  # one row is no certainty: as a group of one row of a climatology
        own = (own + PRIOR_ROWS * answers.overall()) / (1 + PRIOR_ROWS)
    return LastValue(by, time, groups, instant[kept, 0].astype(np.int64), instant[kept, 1], own)


class Baseline:
    """A rule as an estimator.

    Rows for which the rule has no answer (a group or series that training never saw, a lag that is not known) get the
    constant; `fallbacks_` counts them in the last rows predicted. Class probabilities have a column for each class of
    the task, seen or not.
    """

    constant_: np.ndarray  # (width,)
    rule_: Rule | None
    fallbacks_: int = 0

    def __init__(self, params: Params, n_classes: int = 0, levels: tuple[float, ...] = ()) -> None:
        self.params = dict(params)
        self.n_classes = n_classes  # 0: the target is a number
        self.levels = (0.5,) if params.get("statistic") == "median" and not levels else levels
        if n_classes:
            self.classes_ = np.arange(n_classes)

    def fit(self, X: pd.DataFrame, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Baseline:
        """Learn the constant, then the rule; an expression takes rows as they come, without weights."""
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        values = (y[:, None] == self.classes_).astype(float) if self.n_classes else np.asarray(y, dtype=float)[:, None]
        answers = Answers(values, weight * (np.count_nonzero(weight) / weight.sum()), self.levels)
        self.constant_ = answers.overall()
        self.rule_ = learn_rule(self.params, X, y, answers)
        return self

    def _answer(self, X: pd.DataFrame) -> np.ndarray:
        """Answer rows, (n_samples, width)."""
        constant = np.tile(self.constant_, (len(X), 1))
        self.fallbacks_ = 0
        if self.rule_ is None:
            return constant
        answers = self.rule_(X)
        if self.n_classes and answers.shape[1] == 1:  # an expression: the probability of the positive class
            positive = np.clip(answers[:, 0], 0.0, 1.0)
            answers = np.column_stack([1 - positive, positive])
        unknown = np.isnan(answers).any(axis=1)
        self.fallbacks_ = int(unknown.sum())
        return np.where(unknown[:, None], constant, answers)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Predict the number, the number at each level, (n_samples, n_levels), or the likeliest class."""
        answers = self._answer(X)
        if self.n_classes:
            return self.classes_[answers.argmax(axis=1)]
        return answers[:, 0] if answers.shape[1] == 1 else answers

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Predict a probability for each class, (n_samples, n_classes)."""
        assert self.n_classes, "a number has no classes"
        return self._answer(X)


def build(task: Task, params: Params, seed: int) -> Baseline:
    """Return the rule that `params` names: rule, by, time, expression, target, statistic."""
    del seed  # nothing here is random
    if params["rule"] == "expression":
        assert task.n_classes in (0, 2), "an expression is one number: no answer to a question with three classes"
    if task.kind == "quantiles":
        assert params["rule"] in ("constant", "climatology"), "a rule that names one value has no quantiles"
    return Baseline(params, task.n_classes if task.kind == "classes" else 0, task.levels)


def describe(task: Task, params: Params) -> str:
    """Say the rule in words; an expression as it was typed."""
    by = " and ".join(part for part in str(params.get("by") or "").split("+") if part)
    grouped = f" by {by}" if by else ""
    statistic = {"classes": "class shares", "quantiles": "quantiles"}.get(task.kind, str(params.get("statistic", "mean")))
    match params["rule"]:
        case "expression":
            return str(params["expression"])
        case "last_value":
            return f"last value{grouped}"
        case rule:
            return f"{rule}: {statistic}{grouped}"


def space(task: Task) -> Space:
    """Return nothing: which rules apply follows from the problem, not from a search."""
    del task
    return {}


def state(model: Baseline) -> dict[str, Any]:
    """Return a fitted rule as JSON values and arrays."""
    rule = model.rule_
    kept: dict[str, Any] = {"format": FORMAT, "params": model.params, "n_classes": model.n_classes, "constant": model.constant_}
    if isinstance(rule, Climatology):
        kept |= {"by": list(rule.by), "groups": rule.groups.tolist(), "answers": rule.answers}
    elif isinstance(rule, LastValue):
        kept |= {"by": list(rule.by), "time": rule.time, "groups": rule.groups.tolist()}
        kept |= {"series": rule.series, "times": rule.times, "answers": rule.answers}
    elif isinstance(rule, Written):
        kept |= {"learnt": rule.learnt.to_json()}
    return kept


def restore(kept: dict[str, Any]) -> Baseline:
    """Return the fitted rule that `state` kept."""
    model = Baseline(kept["params"], kept["n_classes"])
    model.constant_ = np.asarray(kept["constant"], dtype=float)
    model.rule_ = restore_rule(kept)
    return model


def restore_rule(kept: dict[str, Any]) -> Rule | None:
    """Return the rule inside a kept state."""
    match kept["params"]["rule"]:
        case "climatology":
            return Climatology(tuple(kept["by"]), np.array(kept["groups"], dtype=object), np.asarray(kept["answers"], dtype=float))
        case "last_value":
            return LastValue(
                tuple(kept["by"]),
                kept["time"],
                np.array(kept["groups"], dtype=object),
                np.asarray(kept["series"], dtype=np.int64),
                np.asarray(kept["times"], dtype=float),
                np.asarray(kept["answers"], dtype=float),
            )
        case "expression":
            return Written(expression.Learnt.from_json(kept["learnt"]))
        case _:
            return None


FAMILY = Family(
    name="baseline",
    title="Baseline",
    tier=0,
    kinds=frozenset({"mean", "distribution", "quantiles", "classes"}),
    matrix="raw",
    space=space,
    build=build,
    describe=describe,
    state=state,
    restore=restore,
)
