"""Kernel ridge regression: 3 widths x 10 penalties of a fold at once, beside loops that factorise the kernel for each."""

from __future__ import annotations

import numpy as np

from benchmarks.shortcuts import SIZES, Pair, Shortcut, Size, folds
from piste.core.family import Params, Rows, Task
from piste.core.model import predict
from piste.families.kernel import FAMILY, fit
from piste.numeric.kernel import scaled_gamma

ALPHAS = np.logspace(-4, 1, 10)
GAMMA_SCALES = (0.35, 1.0, 3.0)
POINTS: list[Params] = [{"alpha": float(alpha), "gamma_scale": gamma} for gamma in GAMMA_SCALES for alpha in ALPHAS]


def pair(size: Size, *, lean: bool) -> Pair:
    """Fit the first of five folds: nothing is shared between folds, so that the others would only take as long again.

    Args:
        size: of the table.
        lean: the loop is our own fit of one candidate after another, not scikit-learn's.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=size)
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=len(X))
    train, test = folds(y)[0]
    rows, task = Rows(X[train], y[train], np.ones(len(train))), Task("mean", len(train))
    nothing = np.zeros(len(train), dtype=bool)

    def shortcut() -> np.ndarray:
        assert FAMILY.fit_fold
        return np.stack([each.predictions[0] for each in FAMILY.fit_fold(task, POINTS, rows, nothing, (X[test],), [0] * len(POINTS))])

    def one_by_one() -> np.ndarray:
        return np.stack([predict(task, fit(task, point, rows, nothing, 0), X[test]) for point in POINTS])

    def grid_search() -> object:
        from sklearn.kernel_ridge import KernelRidge
        from sklearn.model_selection import GridSearchCV

        grid = {"alpha": ALPHAS, "gamma": [scaled_gamma(X[train], multiple) for multiple in GAMMA_SCALES]}
        return GridSearchCV(KernelRidge(kernel="rbf"), grid, cv=[(train, test)], refit=False).fit(X, y)

    return Pair(one_by_one if lean else grid_search, shortcut, one_by_one)


def against_scikit_learn(size: Size) -> Pair:
    """Measure against what a person would run."""
    return pair(size, lean=False)


def against_our_own_fit(size: Size) -> Pair:
    """Measure against a loop that wastes nothing."""
    return pair(size, lean=True)


# A lean loop has nothing to waste but factors, of which a reduction to a band is worth four or five.
EXACT = dict.fromkeys(SIZES[:2], 3.0)  # 50,000 rows would need a kernel of 13 GB

SHORTCUTS = [
    Shortcut("kernel ridge, 3 gammas x 10 alphas", "GridSearchCV(KernelRidge)", against_scikit_learn, EXACT, 1e-8),
    Shortcut("kernel ridge, lean loop", "a lean loop of Cholesky factors", against_our_own_fit, EXACT, 1e-8),
    Shortcut("Nystroem ridge", "a lean loop that shares nothing", against_our_own_fit, {SIZES[2]: 3.0}, 1e-8),
]
