"""What a family of models is: the seam that the files of families/ fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Kind = Literal["mean", "distribution", "quantiles", "classes"]
MatrixKind = Literal["raw", "codes", "onehot", "scaled"]
Value = float | int | str | bool | None
Params = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Task:
    """A learning task, as a framing makes it of the problem.

    mean: y is a float; predict the conditional mean; of several numbers at once, where `n_outputs` is above 1: y is then
    (n_samples, n_outputs), and so is the prediction. distribution: y is a count >= 0; predict its mean, fitted by Poisson
    likelihood. quantiles: y is a float; predict the quantile at each of `levels`, (n_samples, n_levels), fitted by pinball
    loss. classes: y is a code 0..n_classes-1; predict a probability of each.
    """

    kind: Kind
    n_train: int  # rows of the largest training part: what size-dependent choices look at
    n_classes: int = 0
    levels: tuple[float, ...] = ()  # ascending, between 0 and 1
    n_outputs: int = 1
    exchangeable: bool = False  # the split takes rows one by one, in no order: what a tree has not drawn is out of sample to it


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows handed to a family, read-only.

    matrix "raw": X is a DataFrame: feature columns, unit columns, the time column and calendar parts, and the columns of
    the user's expressions. The others are float64 arrays (n_samples, n_features): "codes": NaN where a value is
    missing, columns listed in `categorical` hold codes 0.. (missing or unseen: NaN). "onehot": the same, but categories
    as 0/1 columns. "scaled": onehot, missing numbers replaced by the median (and marked by a 0/1 column), every column
    standardised by the training rows.
    """

    X: Any  # (n_samples, n_features)
    y: np.ndarray  # (n_samples,) float, or int codes
    sample_weight: np.ndarray  # (n_samples,) float; ones where the problem names no weight
    names: tuple[str, ...] = ()  # (n_features,)
    categorical: tuple[int, ...] = ()

    def take(self, chosen: np.ndarray) -> Rows:
        """Return the chosen rows (a mask or row numbers)."""
        X = self.X[chosen] if isinstance(self.X, np.ndarray) else self.X.iloc[chosen]
        return Rows(X, self.y[chosen], self.sample_weight[chosen], self.names, self.categorical)


@dataclass(frozen=True, slots=True)
class Dimension:
    """One hyperparameter of a search space.

    `low`/`high` for numbers (on a log scale if `log`, whole if `integer`), `choices` otherwise. Of numbers with `choices` (whole
    ones, or on a log scale) only these are drawn, but others may be written. Equal ends: the same. `default` is the
    family's best-known value. `when`: the dimension only exists where other parameters have one of the listed values.
    """

    default: Value
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Value, ...] = ()
    log: bool = False
    integer: bool = False
    when: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)


def log(low: float, high: float, default: float, **when: tuple[Value, ...]) -> Dimension:
    """Return a positive number, even on a log scale."""
    return Dimension(default, low, high, log=True, when=when)


def uniform(low: float, high: float, default: float, **when: tuple[Value, ...]) -> Dimension:
    """Return a number, even on a plain scale."""
    return Dimension(default, low, high, when=when)


def integer(low: int, high: int, default: int, *, scale: Literal["plain", "log"] = "plain") -> Dimension:
    """Return a whole number from low to high, both included."""
    return Dimension(default, low, high, integer=True, log=scale == "log")


def choice(*choices: Value, default: Value, **when: tuple[Value, ...]) -> Dimension:
    """Return one of a few values; one that is named twice is drawn twice as often."""
    return Dimension(default, choices=choices, when=when)


Space = Mapping[str, Dimension]


@dataclass(frozen=True, slots=True)
class Shared:
    """What a shortcut gives for one candidate: predictions of each matrix asked, and notes such as "not converged"."""

    predictions: tuple[np.ndarray, ...]
    notes: tuple[str, ...] = ()


def always(_: Task) -> None:
    """Take every task: the default of `Family.why_not`."""
    return


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of model, whole. One file in families/ holds one, under the name FAMILY.

    Args:
        name: the word in `families:`; the file's name.
        title: the words on a leaderboard, in sentence case.
        titles: other words for some kinds of task: logistic regression is not called linear.
        tier: simplicity, 0 simplest; a policy that the order of `families` overrides.
        kinds: learning tasks that it can take.
        matrix: the kind of feature matrix that it wants.
        space: the search space for a task; each dimension with its default. Cite the source of the ranges.
        build: (task, params, seed) -> an unfitted estimator: what is fitted, logged and shipped.
        describe: (task, params) -> what a row says in brackets after the title, e.g. "ridge, alpha 0.3".
        fit: (task, params, train, stop, seed) -> a fitted estimator, where fitting needs rows set aside.
            `stop` is a mask over the training rows (n_train,): those set aside by the split's own rule.
        fit_fold: (task, candidates, train, stop, tests, seeds) -> for each candidate its predictions of every matrix of
            `tests`: an exact shortcut that gives the plain loop's predictions.
        tune: (task, candidates, train, stop, seed) -> the number of the best of several candidates, told from the training rows
            alone. Drawn settings are then no columns of their own: choosing among them is part of the fit.
        why_not: a reason not to take a task, as a sentence, or None.
        several: whether a task of several numbers at once is taken (`Task.n_outputs`).
        requires: packages that must be installed; absent: skipped with the install line as the reason.
        state, restore: fitted estimator -> JSON values and arrays, and back, for estimators of our own or of a library
            with a text format; None for plain scikit-learn ones, which skops stores.
    """

    name: str
    title: str
    tier: int
    kinds: frozenset[Kind]
    matrix: MatrixKind
    space: Callable[[Task], Space]
    build: Callable[[Task, Params, int], Any]
    describe: Callable[[Task, Params], str]
    fit: Callable[[Task, Params, Rows, np.ndarray, int], Any] | None = None
    fit_fold: Callable[[Task, Sequence[Params], Rows, np.ndarray, Sequence[Any], Sequence[int]], list[Shared]] | None = None
    tune: Callable[[Task, Sequence[Params], Rows, np.ndarray, int], int] | None = None
    why_not: Callable[[Task], str | None] = always
    several: bool = False
    requires: tuple[str, ...] = ()
    titles: Mapping[Kind, str] = field(default_factory=dict)
    state: Callable[[Any], dict[str, Any]] | None = None
    restore: Callable[[dict[str, Any]], Any] | None = None

    def words(self, task: Task, params: Params, points: Sequence[Params] = ()) -> str:
        """Return what a row says of a candidate, such as "Linear regression (ridge, alpha 0.3)".

        Args:
            task: what is learnt.
            params: of the candidate.
            points: the settings that it is chosen from inside the training rows, where it is.
        """
        title = self.titles.get(task.kind, self.title)
        said = f"the best of {len(points)} settings, chosen inside the training rows" if points else self.describe(task, params)
        return f"{title} ({said})" if said else title


def number(value: Value) -> str:
    """Write a hyperparameter as people read it.

    >>> number(0.30000001), number(1200.0), number(3e-5), number("tanh")
    ('0.3', '1200', '3e-05', 'tanh')
    """
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"
