"""A fitted model, whole: a typed frame in, predictions and decisions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.decision import Actions, Came, Priced
from piste.core.family import Task
from piste.core.features import expand
from piste.core.framing import Framing, Rule, State
from piste.core.layout import added
from piste.core.levels import Cuts
from piste.core.past import Past, looked_up
from piste.core.predictive import Classes, Point
from piste.core.shape import Shape

BOUNDS = {"q05": 0.05, "q95": 0.95}


@dataclass(frozen=True, slots=True)
class Member:
    """One candidate fitted: its estimators, with the shape of their rows; a blend has several members."""

    weight: float
    family: str
    shape: Shape
    estimators: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What a model answers: all that it says of itself, in plain values but for the framing."""

    title: str
    asked: str  # the framing, as the problem names it
    framing: Framing
    rule: Rule
    state: State  # how predictions become a predictive distribution
    task: Task
    target: str
    labels: tuple[str, ...]  # of classes, or of the levels of a number
    features: tuple[str, ...]  # columns of the typed frame that are expanded
    also: tuple[str, ...]  # further columns that a rule reads
    added: tuple[str, ...] = ()  # further feature columns of the framing, as expressions
    rules: tuple[str, ...] = ()  # expressions of the members that are rules
    past: Past | None = None  # what `added` and `rules` look back at
    names: tuple[str, ...] = ()  # columns that say which row it is, where the shape of the rows needs them
    cuts: Cuts | None = None
    stakes: Priced | None = None  # None: there is no decision
    together: tuple[str, ...] = ()  # columns: rows that agree in them share a budget

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column of a typed frame that is needed for an answer."""
        cut = sorted(self.cuts.columns) if self.cuts else []
        added = [name for text in self.added for name in sorted(expression.row_columns(expression.parse(text)))]
        back = (self.past.time, *self.past.series) if self.past else ()
        return tuple(dict.fromkeys((*self.features, *self.also, *self.names, *cut, *self.together, *added, *back)))


@dataclass(frozen=True, slots=True)
class Model:
    """What is shipped: how rows become matrices, the estimators that read them, and what is decided by their answers."""

    question: Question
    members: tuple[Member, ...]

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """Return what the members predict of a typed frame: (n_rows,) numbers, or (n_rows, ...) in columns."""
        ask = self.question
        if ask.past:
            frame = pd.concat([frame, ask.past.seen_from(frame, (*ask.added, *ask.rules))], axis=1)
        expanded = with_added(expand(frame, ask.features), {text: added(text, frame) for text in ask.added})
        seen = [f"{column}{lag}" for column, lag in looked_up(ask.rules)]
        rules = pd.concat([rule_columns(frame, expanded, ask.also), frame[seen]], axis=1)
        names = frame[[*ask.names]]
        total: np.ndarray | float = 0.0
        for member in self.members:
            ruled = member.shape.encodings[0].matrix == "raw"
            matrices = member.shape.matrices(pd.concat([expanded, rules], axis=1) if ruled else expanded, names)
            each = max(1, member.shape.questions)
            found = [predict(ask.task, estimator, matrices[number // each]) for number, estimator in enumerate(member.estimators)]
            total = total + member.weight * member.shape.joined(found, names)
        return np.asarray(total)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return one line per row: `prediction`, what is known of its uncertainty, and what to do.

        That is, for numbers the quantiles `q05` and `q95` where the spread is known, for classes and levels the probability
        of each; where the problem prices a decision, the `action` and its `expected_cost`.
        """
        ask = self.question
        raw = self.raw(frame)
        thresholds = ask.cuts.thresholds(frame) if ask.cuts else None
        predictive = ask.framing.spread(ask.rule, raw, ask.state, thresholds)
        if isinstance(predictive, Classes):
            shares = ask.framing.plain(raw) if ask.rule == "plug_in" else predictive.probabilities
            answer = {"prediction": np.array(ask.labels)[predictive.probabilities.argmax(axis=1)]}
            answer |= {f"P({name})": shares[:, code] for code, name in enumerate(ask.labels)}
        else:
            answer = {"prediction": predictive.mean()}
            if not isinstance(predictive, Point):
                answer |= {name: predictive.quantile(level) for name, level in BOUNDS.items()}
        if ask.stakes is not None:
            came = Came(np.empty(0), thresholds=thresholds, together=self._together(frame))
            action = ask.stakes.act(predictive, came)
            if isinstance(ask.stakes, Actions):
                expected = ask.stakes.expected(predictive, came)
                answer |= {"action": np.array(ask.stakes.actions)[action], "expected_cost": expected[np.arange(len(action)), action]}
            else:
                answer["action"] = action
        return pd.DataFrame(answer, index=frame.index)

    def _together(self, frame: pd.DataFrame) -> np.ndarray | None:
        keys = [*self.question.together]
        return frame.groupby(keys, sort=False, dropna=False).ngroup().to_numpy() if keys else None


def with_added(expanded: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return features with further columns behind them."""
    return pd.concat([expanded, pd.DataFrame(columns, index=expanded.index)], axis=1) if columns else expanded


def rule_columns(frame: pd.DataFrame, expanded: pd.DataFrame, also: Sequence[str]) -> pd.DataFrame:
    """Return what rules read beside the features: further columns as they are, and their calendar parts."""
    both = pd.concat([expand(frame, also), frame[[*also]]], axis=1)
    return both.loc[:, ~both.columns.duplicated() & ~both.columns.isin(expanded.columns)]


def predict(task: Task, estimator: Any, X: Any) -> np.ndarray:
    """Predict with one estimator: (n_rows,) means, or what the task asks for in columns: outputs, quantiles, probabilities.

    Raises:
        FloatingPointError: a prediction is not a finite number.
    """
    found: np.ndarray
    if task.kind == "classes":
        found = np.zeros((len(X), task.n_classes))
        if len(X):  # scikit-learn refuses no rows, and of many groups apart some may have none
            found[:, np.asarray(estimator.classes_, dtype=int)] = estimator.predict_proba(X)
    else:
        width = len(task.levels) if task.kind == "quantiles" else task.n_outputs
        given = estimator.predict(X) if len(X) else np.empty(0)
        found = np.asarray(given, dtype=float).reshape((len(X), width) if width > 1 else len(X))
        if task.kind == "distribution":
            found = np.maximum(found, 0.0)
    if bad := int((~np.isfinite(found)).any(axis=tuple(range(1, found.ndim))).sum()):
        raise FloatingPointError(f"predicted no finite number for {bad:,} of {len(found):,} rows")
    return found


@dataclass(frozen=True, slots=True)
class Constant:
    """The only class that the training rows held, whatever the row."""

    code: int

    @property
    def classes_(self) -> np.ndarray:
        """Return the class."""
        return np.array([self.code])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Be certain of it."""
        return np.ones((len(X), 1))
