"""Linear models: least squares, ridge, elastic net; quantile and Poisson regression; logistic regression for classes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from piste.core.family import Family, Params, Rows, Shared, Space, Task, choice, log, number, uniform
from piste.core.fit import fit_one
from piste.core.model import Constant, predict
from piste.numeric.gram import Moments, Paths, least_squares, ridge, wide_ridge
from piste.numeric.net import Problems, elastic_nets
from piste.numeric.newton import Fits, Likelihood, answers, fit_scores
from piste.numeric.quantile import fit_lines

MOST_COEFFICIENTS = 300
"""Columns times scores up to which likelihoods are fitted by matrices of second derivatives; beyond, gradients alone are faster."""

MOST_NET_COLUMNS = 1_000
"""Columns up to which an elastic net is solved for the columns that are in; beyond, coordinate descent is faster."""


def space(task: Task) -> Space:
    """Search the penalty on a log scale.

    `alpha` means the same on any number of rows: it is the penalty beside the *mean* loss, scikit-learn's convention for
    `ElasticNet` and `PoissonRegressor`. `Ridge` sums the loss, so its own alpha, which a row names, is `alpha * n_train`. `C` is
    scikit-learn's own.

    Ranges: glmnet's path (Friedman, Hastie and Tibshirani, 2010) spans 1e-4 to 1 times the largest useful penalty, which
    on standardised columns and target is at most 1 / l1_ratio; C is the grid of scikit-learn's LogisticRegressionCV. A
    Poisson penalty stands beside a loss that grows with the counts, hence the wider range. A pinball loss curves by the density
    of the standardised target at the quantile, 0.1 to 1: a penalty of 1 shrinks more than that of a mean at 1.
    """
    if task.kind == "classes":
        return {"C": log(1e-4, 1e4, default=1.0), "class_weight": choice(None, None, None, "balanced", default=None)}
    if task.kind == "distribution":
        return {"alpha": log(1e-4, 1e2, default=1e-3)}
    if task.kind == "quantiles":
        return {"alpha": log(1e-4, 1.0, default=1e-3)}
    # A touch of ridge, not least squares, stands first: it shrinks a direction in which the columns vary as much as one
    # column does by a thousandth, but holds those that one-hot columns make nearly collinear.
    return {
        "penalty": choice("none", "ridge", "elastic_net", default="ridge"),
        "alpha": log(1e-4, 1e1, default=1e-3, penalty=("ridge", "elastic_net")),
        "l1_ratio": uniform(0.1, 1.0, default=0.5, penalty=("elastic_net",)),
    }


def build(task: Task, params: Params, seed: int) -> Any:
    """Return the plain scikit-learn estimator; none of them draws at random.

    Quantiles are a linear function with a column for each level, which is what `LinearRegression` predicts by; how its
    coefficients are found is up to `fit`.
    """
    from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, PoissonRegressor, Ridge

    if task.kind == "classes":
        return LogisticRegression(C=params["C"], class_weight=params["class_weight"], max_iter=2000)
    if task.kind == "distribution":
        return PoissonRegressor(alpha=params["alpha"], solver="newton-cholesky", tol=1e-10)
    if task.kind == "quantiles" or params["penalty"] == "none":
        return LinearRegression()  # by singular values: of collinear columns, the smallest coefficients
    alpha: Any = params["alpha"]
    if params["penalty"] == "ridge":
        return Ridge(alpha=alpha * task.n_train)
    # From the Gram matrix a sweep costs n_features^2, so that tens of thousands of them, as weak penalties need, are cheap.
    return ElasticNet(alpha=alpha, l1_ratio=params["l1_ratio"], precompute=True, max_iter=100_000, tol=1e-8)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Any:
    """Fit on all training rows whose weight is not 0, by scikit-learn's own `fit` but for three.

    Quantiles: it minimises a pinball loss at one level and for few rows only. Elastic nets: coordinate descent leaves them
    unfinished where columns are nearly twins. Classes: at its tolerance, probabilities are up to some hundredths off, and
    differ from those of the candidates that were fitted together.
    """
    train = _counting(train)
    model = build(task, params, seed)
    if task.kind == "quantiles":
        return _fit_quantiles(model, task, params, train)
    if task.kind == "mean" and params["penalty"] == "elastic_net":
        return _fit_net(model, params, train)
    if task.kind == "classes":
        return _fit_classes(model, params, train)
    return model.fit(train.X, train.y, sample_weight=train.sample_weight)


def fit_fold(
    task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, tests: Sequence[Any], seeds: Sequence[int]
) -> list[Shared]:
    """Fit all points at once, from sums over the rows or by Newton steps that they share; a point that these do not solve, by `fit`."""
    rows = _counting(train)
    if task.kind == "mean":
        found = _means(task, points, rows, tests)
    elif task.kind == "classes":
        found = _classes(task, points, rows, tests)
    elif task.kind == "distribution":
        found = _counts(points, rows, tests)
    else:
        found = {}
    return [
        Shared(tuple(found[number])) if number in found else _plain(task, point, train, stop, tests, seeds[number])
        for number, point in enumerate(points)
    ]


_Found = dict[int, list[np.ndarray]]  # number of a point -> its predictions of each matrix


def _plain(task: Task, params: Params, train: Rows, stop: np.ndarray, tests: Sequence[Any], seed: int) -> Shared:
    estimator, notes = fit_one(task, FAMILY, params, train, stop, seed)
    return Shared(tuple(predict(task, estimator, X) for X in tests), notes)


def _counting(rows: Rows) -> Rows:
    """Return the rows whose weight is not 0: a target's deviation, or a class, would count them all the same."""
    counts = rows.sample_weight > 0
    return rows if counts.all() else rows.take(counts)


def _columns(y: np.ndarray) -> np.ndarray:
    return y.reshape(len(y), -1)


def _means(task: Task, points: Sequence[Params], rows: Rows, tests: Sequence[Any]) -> _Found:
    """Solve squared errors from their moments, or from inner products of rows where there are fewer rows than columns."""
    of = {name: [i for i, point in enumerate(points) if point["penalty"] == name] for name in ("none", "ridge", "elastic_net")}
    X, y, weight = rows.X, _columns(rows.y), rows.sample_weight
    wide = X.shape[1] > len(X)
    netted = of["elastic_net"] if X.shape[1] <= MOST_NET_COLUMNS else []
    moments = Moments.of(X, y, weight) if netted or not wide else None
    found: _Found = {}
    if of["ridge"]:
        penalties = [_number(points[i]["alpha"]) * task.n_train for i in of["ridge"]]
        lines = ridge(moments, penalties) if moments and not wide else wide_ridge(X, y, weight, penalties)
        found |= _along(task, of["ridge"], lines, tests)
    if of["none"] and moments and not wide and (line := least_squares(moments)):
        found |= {i: each for number in of["none"] for i, each in _along(task, [number], line, tests).items()}
    if netted and moments:
        nets, solved = _nets([points[i] for i in netted], moments)
        found |= _along(task, netted, nets, tests, solved)
    return found


def _along(task: Task, numbers: Sequence[int], lines: Paths, tests: Sequence[Any], solved: np.ndarray | None = None) -> _Found:
    at = [lines(X) if task.n_outputs > 1 else lines(X)[:, :, 0] for X in tests]
    return _apart(numbers, at, np.ones(len(numbers), dtype=bool) if solved is None else solved)


def _apart(numbers: Sequence[int], at: list[np.ndarray], solved: np.ndarray) -> _Found:
    """Give each point its predictions, (n_points, n_samples, ...) of each matrix, if it is solved and they are finite numbers."""
    good = solved & np.all([np.isfinite(each).all(axis=tuple(range(1, each.ndim))) for each in at], axis=0)
    return {i: [each[place] for each in at] for place, i in enumerate(numbers) if good[place]}


def _number(value: Any) -> float:
    return float(value)


def _nets(points: Sequence[Params], moments: Moments) -> tuple[Paths, np.ndarray]:
    """Solve elastic nets on the standardised target, and return which points are solved.

    An L1 penalty is measured in the target's unit; on the standardised target it has none (glmnet does the same).
    """
    alpha, ratio = (np.array([_number(point[name]) for point in points]) for name in ("alpha", "l1_ratio"))
    n_features, n_outputs = moments.cross.shape
    deviation = _deviation(moments.square / moments.total)
    cross = np.tile((moments.cross / (moments.total * deviation)).T, (len(points), 1))  # (n_points x n_outputs, n_features)
    l1, l2 = (np.repeat(each, n_outputs)[:, None] for each in (alpha * ratio, alpha * (1 - ratio)))
    coef, solved = elastic_nets(Problems.of(moments.gram / moments.total, cross, l1, l2))
    coef = coef.reshape(len(points), n_outputs, n_features).transpose(0, 2, 1) * deviation
    return Paths.through(coef, moments.mean, moments.mean_y), np.asarray(solved.reshape(len(points), n_outputs).all(axis=1))


def _classes(task: Task, points: Sequence[Params], rows: Rows, tests: Sequence[Any]) -> _Found:
    found: _Found = {}
    for class_weight in dict.fromkeys(point["class_weight"] for point in points):
        chosen = [i for i, point in enumerate(points) if point["class_weight"] == class_weight]
        if lesson := _lesson(rows, class_weight):
            fits = lesson.fits([points[i] for i in chosen])
            with np.errstate(over="ignore"):  # of scores far below 0
                at = [_shares(answers(lesson.likelihood, fits.scores(X)), lesson.present, task.n_classes) for X in tests]
            found |= _apart(chosen, at, fits.solved)
    return found


@dataclass(frozen=True, slots=True)
class _Lesson:
    """Classes as a likelihood asks for them."""

    likelihood: Likelihood
    X: np.ndarray
    y: np.ndarray  # (n_samples, n_scores) 0 or 1
    weight: np.ndarray  # (n_samples,) times that of the class
    present: np.ndarray  # the classes that are there

    def fits(self, points: Sequence[Params]) -> Fits:
        """Fit at the C of each point, which stands beside the sum of the losses."""
        penalties = [1 / (_number(point["C"]) * self.weight.sum()) for point in points]
        return fit_scores(self.likelihood, self.X, self.y, self.weight, penalties)


def _lesson(rows: Rows, class_weight: Any) -> _Lesson | None:
    """Return what is learnt from; None where there is one class, or there are too many coefficients."""
    present, codes = np.unique(rows.y, return_inverse=True)
    n_scores = 1 if len(present) == 2 else len(present)
    if len(present) < 2 or rows.X.shape[1] * n_scores > MOST_COEFFICIENTS:
        return None
    y, weight = (codes[:, None] == np.arange(len(present))).astype(float), rows.sample_weight
    if class_weight == "balanced":
        weight = weight * (weight.sum() / (len(present) * (weight @ y)))[codes]
    return _Lesson("logistic" if n_scores == 1 else "softmax", rows.X, y[:, -n_scores:], weight, present)


def _shares(answer: np.ndarray, present: np.ndarray, n_classes: int) -> np.ndarray:
    """Spread the probabilities of the classes that are there, (..., n_scores), over all classes, (..., n_classes)."""
    shares = np.zeros((*answer.shape[:-1], n_classes))
    shares[..., present] = np.concatenate([1 - answer, answer], axis=-1) if answer.shape[-1] == 1 else answer
    return shares


def _counts(points: Sequence[Params], rows: Rows, tests: Sequence[Any]) -> _Found:
    if not rows.y.any() or rows.X.shape[1] > MOST_COEFFICIENTS:
        return {}
    fits = fit_scores("poisson", rows.X, rows.y[:, None], rows.sample_weight, [_number(point["alpha"]) for point in points])
    with np.errstate(over="ignore"):  # what is not finite is left to `fit`, which says so
        at = [answers("poisson", fits.scores(X))[:, :, 0] for X in tests]
    return _apart(range(len(points)), at, fits.solved)


def _fit_net(model: Any, params: Params, train: Rows) -> Any:
    y, weight = _columns(train.y), train.sample_weight
    if train.X.shape[1] <= MOST_NET_COLUMNS:
        lines, solved = _nets([params], Moments.of(train.X, y, weight))
        if solved[0]:
            return _with_line(model, lines.coef[0], lines.intercept[0], train)
    mean = weight @ y / weight.sum()
    deviation = _deviation(weight @ (y - mean) ** 2 / weight.sum())
    model.fit(train.X, (y - mean) / deviation, sample_weight=weight)
    return _with_line(model, np.atleast_2d(model.coef_).T * deviation, mean + model.intercept_ * deviation, train)


def _deviation(variance: np.ndarray) -> np.ndarray:
    """Return standard deviations, 1 of what does not vary."""
    return np.sqrt(np.where(variance > 0, variance, 1.0))


def _with_line(model: Any, coef: np.ndarray, intercept: np.ndarray, train: Rows) -> Any:
    """Give an estimator its coefficients, (n_features, n_outputs), and intercepts, in the shapes that its own `fit` gives them."""
    alone = train.y.ndim == 1
    model.coef_ = coef[:, 0] if alone else np.ascontiguousarray(coef.T)
    model.intercept_ = float(intercept[0]) if alone else intercept
    model.n_features_in_ = train.X.shape[1]
    return model


def _fit_classes(model: Any, params: Params, train: Rows) -> Any:
    lesson = _lesson(train, params["class_weight"])
    if not lesson or not (fits := lesson.fits([params])).solved[0]:
        present = np.unique(train.y)
        return Constant(int(present[0])) if len(present) == 1 else model.fit(train.X, train.y, sample_weight=train.sample_weight)
    model.classes_, model.n_features_in_ = lesson.present, train.X.shape[1]
    model.coef_ = np.ascontiguousarray(fits.coef[0].T)
    model.intercept_ = fits.intercept[0] - (fits.intercept[0].mean() if lesson.likelihood == "softmax" else 0.0)
    return model


def _fit_quantiles(model: Any, task: Task, params: Params, train: Rows) -> Any:
    lines = fit_lines(train.X, train.y, train.sample_weight, task.levels, _number(params["alpha"]))
    if not lines.closed:
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(f"a pinball loss may be {lines.gap.max():.3g} above the smallest possible one", ConvergenceWarning, stacklevel=2)
    model.coef_, model.intercept_, model.n_features_in_ = lines.coef, lines.intercept, train.X.shape[1]
    return model


def describe(task: Task, params: Params) -> str:
    """Name the penalty in scikit-learn's values."""
    if task.kind == "classes":
        balanced = ", balanced classes" if params["class_weight"] else ""
        return f"C {number(params['C'])}{balanced}"
    if task.kind == "distribution":
        return f"alpha {number(params['alpha'])}"
    if task.kind == "quantiles":
        return f"ridge, alpha {number(params['alpha'])}, target standardised"
    if params["penalty"] == "none":
        return "least squares"
    if params["penalty"] == "ridge":
        alpha: Any = params["alpha"]
        return f"ridge, alpha {number(alpha * task.n_train)}"
    if params["l1_ratio"] == 1:
        return f"lasso, alpha {number(params['alpha'])}, target standardised"
    return f"elastic net, alpha {number(params['alpha'])}, l1_ratio {number(params['l1_ratio'])}, target standardised"


FAMILY = Family(
    name="linear",
    title="Linear regression",
    titles={"classes": "Logistic regression", "distribution": "Poisson regression", "quantiles": "Quantile regression"},
    tier=1,
    kinds=frozenset({"mean", "distribution", "quantiles", "classes"}),
    several=True,
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    fit_fold=fit_fold,
)
