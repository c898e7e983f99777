"""Penalties of linear models: all of a fold at once, beside a grid search that fits them one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.shortcuts import SIZES, Pair, Shortcut, Size, folds
from piste.core.family import Kind, Params, Rows, Task
from piste.core.model import predict
from piste.families.linear import FAMILY
from piste.numeric.gram import Paths, fold_moments, ridge
from piste.numeric.net import Problems, elastic_nets

Exact = Callable[[np.ndarray, np.ndarray, Params], Any]  # rows to learn from, a point -> a scikit-learn estimator, converged

ALPHAS = np.logspace(-4, 1, 20)
NET_ALPHAS, RATIOS = np.logspace(-3, 0, 10), (0.1, 0.5, 0.9, 1.0)
CS = np.logspace(-4, 4, 10)
PENALTIES = np.logspace(-4, 2, 10)  # of a Poisson regression


@dataclass(frozen=True)
class Table:
    """Correlated columns of mean 0 and variance 1, half of which the target depends on; several kinds of it, rather noisy."""

    X: np.ndarray
    y: np.ndarray  # of mean 0 and variance 1
    label: np.ndarray
    count: np.ndarray


def table(size: Size) -> Table:
    """Draw a table."""
    rng = np.random.default_rng(0)
    n_samples, n_features = size
    X = rng.normal(size=size) @ (np.eye(n_features) + 0.3 * rng.normal(size=(n_features, n_features)))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    lean = X @ (rng.normal(size=n_features) * (rng.random(n_features) < 0.5))
    lean /= lean.std()
    y = lean + rng.normal(size=n_samples)
    label = (2 * lean + rng.logistic(size=n_samples) > 0).astype(int)
    return Table(X, (y - y.mean()) / y.std(), label, rng.poisson(np.exp(0.5 * lean)).astype(float))


def together(kind: Kind, points: Sequence[Params], X: np.ndarray, y: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Predict every fold's judged rows by every point, fold after fold as the engine does, (n_points, n_samples, ...)."""
    task = _task(kind, parts)
    by_fold = []
    for train, test in parts:
        rows = Rows(X[train], y[train], np.ones(len(train)))
        assert FAMILY.fit_fold
        shared = FAMILY.fit_fold(task, points, rows, np.zeros(len(train), dtype=bool), (X[test],), [0] * len(points))
        by_fold.append(np.stack([each.predictions[0] for each in shared]))
    return np.concatenate(by_fold, axis=1)


def ridge_of_all_folds(X: np.ndarray, y: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Predict what `together` does for the ridge, with one pass over the rows for all folds."""
    n_train = max(len(train) for train, _ in parts)
    moments = fold_moments(X, y[:, None], np.ones(len(y)), [test for _, test in parts])
    lines = [ridge(each, ALPHAS * n_train) for each in moments]
    return np.concatenate([each(X[test])[:, :, 0] for each, (_, test) in zip(lines, parts, strict=True)], axis=1)


def nets_of_all_folds(X: np.ndarray, y: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Predict what `together` does for elastic nets, with one pass over the rows, and one search, for all folds."""
    moments = fold_moments(X, y[:, None], np.ones(len(y)), [test for _, test in parts])
    alpha, ratio = np.tile(NET_ALPHAS, len(RATIOS)), np.repeat(RATIOS, len(NET_ALPHAS))
    deviations = [np.sqrt(each.square[0] / each.total) for each in moments]
    grams, crosses = [each.gram / each.total for each in moments], [each.cross[:, 0] / each.total for each in moments]
    penalties = (np.tile(each, len(parts))[:, None] for each in (alpha * ratio, alpha * (1 - ratio)))
    cross = np.repeat([each / deviation for each, deviation in zip(crosses, deviations, strict=True)], len(alpha), axis=0)
    coef = elastic_nets(Problems.of(np.repeat(grams, len(alpha), axis=0), cross, *penalties))[0].reshape(len(parts), len(alpha), -1)
    at = []
    for each, deviation, found, (_, test) in zip(moments, deviations, coef, parts, strict=True):
        at.append(Paths.through(found[:, :, None] * deviation, each.mean, each.mean_y)(X[test])[:, :, 0])
    return np.concatenate(at, axis=1)


def one_by_one(
    kind: Kind, points: Sequence[Params], X: np.ndarray, y: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]], exact: Exact
) -> np.ndarray:
    """Predict what `together` does by scikit-learn alone, each point until it has converged."""
    task = _task(kind, parts)
    by_fold = [np.stack([predict(task, exact(X[train], y[train], point), X[test]) for point in points]) for train, test in parts]
    return np.concatenate(by_fold, axis=1)


def searched(estimator: Any, grid: dict[str, Any], scoring: str, X: np.ndarray, y: np.ndarray, parts: Any) -> object:
    """Search a grid as a person would, with scikit-learn's own tolerance."""
    from sklearn.model_selection import GridSearchCV

    return GridSearchCV(estimator, grid, scoring=scoring, cv=parts, refit=False).fit(X, y)


def _task(kind: Kind, parts: list[tuple[np.ndarray, np.ndarray]]) -> Task:
    return Task(kind, max(len(train) for train, _ in parts), n_classes=2 if kind == "classes" else 0)


def ridge_pair(size: Size, *, at_once: bool = False) -> Pair:
    """Set up a ridge path; `at_once`: of all folds from one pass."""
    from sklearn.linear_model import Ridge

    rows = table(size)
    X, y, parts = rows.X, rows.y, folds(rows.y)
    n_train = max(len(train) for train, _ in parts)
    points: list[Params] = [{"penalty": "ridge", "alpha": float(alpha)} for alpha in ALPHAS]

    def exact(X: np.ndarray, y: np.ndarray, point: Params) -> Any:
        return Ridge(alpha=point["alpha"] * n_train, solver="svd").fit(X, y)

    return Pair(
        lambda: searched(Ridge(), {"alpha": ALPHAS * n_train}, "neg_mean_squared_error", X, y, parts),
        (lambda: ridge_of_all_folds(X, y, parts)) if at_once else (lambda: together("mean", points, X, y, parts)),
        lambda: one_by_one("mean", points, X, y, parts, exact),
    )


def net_pair(size: Size, *, at_once: bool = False) -> Pair:
    """Set up a grid of elastic nets; `at_once`: of all folds from one pass."""
    from sklearn.linear_model import ElasticNet

    rows = table(size)
    X, y, parts = rows.X, rows.y, folds(rows.y)
    points: list[Params] = [
        {"penalty": "elastic_net", "alpha": float(alpha), "l1_ratio": ratio} for ratio in RATIOS for alpha in NET_ALPHAS
    ]

    def exact(X: np.ndarray, y: np.ndarray, point: Params) -> Any:
        """scikit-learn's on the target standardised by the training rows, put back into its unit."""
        net = ElasticNet(alpha=point["alpha"], l1_ratio=point["l1_ratio"], tol=1e-12, max_iter=1_000_000, precompute=True)
        net.fit(X, (y - y.mean()) / y.std())
        net.coef_, net.intercept_ = net.coef_ * y.std(), net.intercept_ * y.std() + y.mean()
        return net

    grid = {"alpha": NET_ALPHAS, "l1_ratio": list(RATIOS)}
    return Pair(
        lambda: searched(ElasticNet(max_iter=100_000), grid, "neg_mean_squared_error", X, y, parts),
        (lambda: nets_of_all_folds(X, y, parts)) if at_once else (lambda: together("mean", points, X, y, parts)),
        lambda: one_by_one("mean", points, X, y, parts, exact),
    )


def logistic_pair(size: Size) -> Pair:
    """Set up a path of logistic regressions."""
    from sklearn.linear_model import LogisticRegression

    rows = table(size)
    X, y, parts = rows.X, rows.label, folds(rows.label, classes=True)
    points: list[Params] = [{"C": float(C), "class_weight": None} for C in CS]

    def exact(X: np.ndarray, y: np.ndarray, point: Params) -> Any:
        return LogisticRegression(C=point["C"], solver="newton-cholesky", tol=1e-11, max_iter=1_000).fit(X, y)

    return Pair(
        lambda: searched(LogisticRegression(max_iter=1_000), {"C": CS}, "neg_log_loss", X, y, parts),
        lambda: together("classes", points, X, y, parts),
        lambda: one_by_one("classes", points, X, y, parts, exact),
    )


def poisson_pair(size: Size) -> Pair:
    """Set up a path of Poisson regressions."""
    from sklearn.linear_model import PoissonRegressor

    rows = table(size)
    X, y, parts = rows.X, rows.count, folds(rows.count)
    points: list[Params] = [{"alpha": float(alpha)} for alpha in PENALTIES]

    def exact(X: np.ndarray, y: np.ndarray, point: Params) -> Any:
        return PoissonRegressor(alpha=point["alpha"], solver="newton-cholesky", tol=1e-11, max_iter=1_000).fit(X, y)

    return Pair(
        lambda: searched(PoissonRegressor(max_iter=1_000), {"alpha": PENALTIES}, "neg_mean_poisson_deviance", X, y, parts),
        lambda: together("distribution", points, X, y, parts),
        lambda: one_by_one("distribution", points, X, y, parts, exact),
    )


SHORTCUTS = [
    Shortcut("ridge, 20 alphas", "GridSearchCV(Ridge)", ridge_pair, dict.fromkeys(SIZES, 100), 1e-8),
    Shortcut(
        "ridge, all folds in one pass",
        "GridSearchCV(Ridge)",
        lambda size: ridge_pair(size, at_once=True),
        dict.fromkeys(SIZES, 100),
        1e-8,
    ),
    Shortcut("elastic net, 4 x 10", "GridSearchCV(ElasticNet)", net_pair, dict.fromkeys(SIZES, 150), 1e-8),
    Shortcut(
        "elastic net, all folds in one pass",
        "GridSearchCV(ElasticNet)",
        lambda size: net_pair(size, at_once=True),
        dict.fromkeys(SIZES, 150),
        1e-8,
    ),
    Shortcut(
        "logistic, 10 C",
        "GridSearchCV(LogisticRegression)",
        logistic_pair,
        dict(zip(SIZES, (40, 10, 4), strict=True)),
        1e-6,
    ),
    Shortcut("Poisson, 10 alphas", "GridSearchCV(PoissonRegressor)", poisson_pair, dict.fromkeys(SIZES), 1e-6),
]
