"""Penalties solved together are as solved one by one, and rows left out are judged by what the others give."""

from __future__ import annotations

import numpy as np
import pytest

from piste.numeric.kernel import CHUNK, Nystroem, rbf
from piste.numeric.kernel_path import MANY, feature_path, kernel_path

N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
TARGETS = np.column_stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2]])
K = rbf(X, X, 0.4)
FEATURES = Nystroem.learn(X, 0.4, 25, seed=0).features(X)
ALPHAS = np.geomspace(1e-3, 10, MANY)


def path(form: str, rows: np.ndarray, alphas: np.ndarray, left_out: object):
    if form == "kernel":
        return kernel_path(K[np.ix_(rows, rows)].copy(), TARGETS[rows], alphas, left_out)
    return feature_path(FEATURES[rows].__getitem__, TARGETS[rows], alphas, left_out)


def basis(form: str, rows: np.ndarray) -> np.ndarray:
    """Return what is multiplied by the coefficients learnt from some rows to give the values of all."""
    return K[:, rows] if form == "kernel" else FEATURES


@pytest.mark.parametrize("left_out", ["none", "each", 15])
@pytest.mark.parametrize("form", ["kernel", "features"])
def test_many_penalties_are_solved_as_one_by_one(form, left_out):
    everyone = np.arange(N)
    together = path(form, everyone, ALPHAS, left_out)
    for number, alpha in enumerate(ALPHAS):
        alone = path(form, everyone, np.array([alpha]), left_out)
        np.testing.assert_allclose(together.coef[number], alone.coef[0], rtol=1e-8, atol=1e-8)
        if left_out != "none":
            np.testing.assert_allclose(together.residuals[number], alone.residuals[0], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("n_alphas", [1, MANY])
@pytest.mark.parametrize("form", ["kernel", "features"])
def test_a_row_left_out_is_judged_by_the_others(form, n_alphas):
    residuals = path(form, np.arange(N), ALPHAS[-n_alphas:], "each").residuals
    for row in (0, 31):
        rest = np.delete(np.arange(N), row)
        coef = path(form, rest, ALPHAS[-n_alphas:], "none").coef
        np.testing.assert_allclose(residuals[:, row], TARGETS[row] - basis(form, rest)[row] @ coef, atol=1e-9)


@pytest.mark.parametrize("n_alphas", [1, MANY])
@pytest.mark.parametrize("form", ["kernel", "features"])
def test_the_last_rows_are_judged_by_the_first(form, n_alphas):
    residuals = path(form, np.arange(N), ALPHAS[-n_alphas:], 15).residuals
    rest = np.arange(N - 15)
    coef = path(form, rest, ALPHAS[-n_alphas:], "none").coef
    np.testing.assert_allclose(residuals, TARGETS[-15:] - basis(form, rest)[-15:] @ coef, atol=1e-9)


@pytest.mark.parametrize("left_out", ["none", "each", CHUNK + 300])
def test_features_that_are_never_whole_give_what_whole_ones_do(left_out):
    rng, n, alpha = np.random.default_rng(1), 2 * CHUNK + 700, 0.5
    features, targets = rng.normal(size=(n, 8)), rng.normal(size=(n, 2))
    found = feature_path(features.__getitem__, targets, np.array([alpha]), left_out)
    inverse = np.linalg.inv(features.T @ features + alpha * np.eye(8))
    np.testing.assert_allclose(found.coef[0], inverse @ features.T @ targets, rtol=1e-9)
    if left_out == "each":
        leverage = np.einsum("ij,jk,ik->i", features, inverse, features)
        expected = (targets - features @ found.coef[0]) / (1 - leverage)[:, None]
        np.testing.assert_allclose(found.residuals[0], expected, rtol=1e-8)
    elif left_out != "none":
        first, last = features[:-left_out], features[-left_out:]
        coef = np.linalg.solve(first.T @ first + alpha * np.eye(8), first.T @ targets[:-left_out])
        np.testing.assert_allclose(found.residuals[0], targets[-left_out:] - last @ coef, rtol=1e-8)


def test_a_kernel_path_is_a_ridge_in_the_space_of_the_kernel():
    from sklearn.kernel_ridge import KernelRidge

    found = kernel_path(K.copy(), TARGETS, ALPHAS, "none").coef
    for number, alpha in enumerate(ALPHAS):
        expected = KernelRidge(alpha=alpha, kernel="precomputed").fit(K, TARGETS).dual_coef_
        np.testing.assert_allclose(found[number], expected, rtol=1e-7, atol=1e-8)
