"""What a framing is: the seam that the files of framings/ fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from piste.core.data import Target
from piste.core.decision import Quantity, Yardstick
from piste.core.family import Kind, Task
from piste.core.predictive import Predictive

Rule = Literal["plug_in", "dressed", "min_expected_cost", "quantile"]
State = Mapping[str, Any]  # plain values, so that a model file needs no class of ours


@dataclass(frozen=True, slots=True)
class Others:
    """Out-of-sample predictions of other rows, and what came there: all that a predictive distribution may learn from."""

    predictions: np.ndarray  # (n_rows, ...) as the family gives them
    y: np.ndarray  # (n_rows,) as the framing asks for it
    value: np.ndarray  # (n_rows,) the target itself
    weight: np.ndarray  # (n_rows,)
    counts: bool  # whether the target counts


def values(target: Target) -> np.ndarray:
    """Learn the target itself."""
    return target.values


def codes(target: Target) -> np.ndarray:
    """Learn its class or level."""
    return target.codes


def as_it_is(predictions: np.ndarray) -> np.ndarray:
    """Show predictions as the family gives them."""
    return predictions


@dataclass(frozen=True, slots=True)
class Framing:
    """One way to turn the problem into a learning task. One file in framings/ holds one, under the name FRAMING.

    All functions have names, so that a framing can be sent to a worker.

    Args:
        name: the word in `framings:`; the file's name.
        title: the words on a leaderboard.
        order: where it stands among the framings, the plainest question first.
        kind: of the learning task.
        asks: the question that it puts to a model, as people would; {target} and {levels} are filled in.
        loses: what it throws away, as a sentence.
        why_not: target -> a reason why this framing does not apply, as a sentence, or None.
        y: target -> what a family learns, (n_rows,).
        rules: yardstick -> the ways in which its predictions become actions, the most naive first.
        learn: (rule, other rows) -> what makes predictions a predictive distribution, as plain values.
        spread: (rule, predictions, what was learnt, thresholds of levels or None) -> the predictive distribution.
        score: (y, predictions) -> the loss that it is fitted by, (n_rows,).
        plain: predictions -> values or probabilities, for the metrics that people know.
        levels: of the quantiles that it asks for.
        cumulative: whether it asks one yes/no question for each level: is it reached?
    """

    name: str
    title: str
    order: int
    kind: Kind
    asks: str
    loses: str
    why_not: Callable[[Target], str | None]
    y: Callable[[Target], np.ndarray]
    rules: Callable[[Yardstick], tuple[Rule, ...]]
    learn: Callable[[Rule, Others], State]
    spread: Callable[[Rule, np.ndarray, State, np.ndarray | None], Predictive]
    score: Callable[[np.ndarray, np.ndarray], np.ndarray]
    plain: Callable[[np.ndarray], np.ndarray] = as_it_is
    levels: tuple[float, ...] = ()
    cumulative: bool = False

    def task(self, target: Target, n_train: int, n_outputs: int = 1) -> Task:
        """Return the learning task that it makes of a target; the cumulative one is so many tasks of two classes."""
        n_classes = len(target.classes) if self.kind == "classes" else 0
        return Task(self.kind, n_train, 2 if self.cumulative else n_classes, self.levels, n_outputs)


@dataclass(frozen=True, slots=True)
class Form:
    """What rows a model is given: the table's own; all of a date as one (`wide`); or those of one value of a column (`apart`).

    Plain values, sent to workers.
    """

    framing: str
    wide: str | None = None
    apart: str | None = None
    add: tuple[str, ...] = ()  # further feature columns, as expressions

    def n_parts(self, names: pd.DataFrame) -> int:
        """Return how many rows of the table make one row of a model, or how many models share them.

        Args:
            names: (n_rows, ...) columns that say which row it is.
        """
        column = self.wide or self.apart
        return max(1, int(names[column].nunique())) if column else 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A framing as this problem puts it: under a name of its own, with rows of its own form."""

    name: str
    framing: Framing
    form: Form


def whole_rule(yardstick: Yardstick) -> tuple[Rule, ...]:
    """Return the rule that takes a whole distribution into account."""
    return ("quantile" if isinstance(yardstick, Quantity) else "min_expected_cost",)
