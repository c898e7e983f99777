"""Systems shifted along the diagonal are solved as each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from piste.numeric import shifted
from piste.numeric.kernel import rbf
from piste.numeric.shifted import SMALL, STRIP, WIDTH, Shifted

ALPHAS = np.geomspace(1e-4, 10, 5)


def kernel(n: int) -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(n, 3))
    return rbf(X, X, 0.3)


@pytest.mark.parametrize("n", [1, 2, 3, 40, SMALL, SMALL + 2 * STRIP + 7])
def test_every_shift_is_solved(n):
    targets = np.random.default_rng(1).normal(size=(n, 2))
    found = Shifted.reduce(kernel(n)).solve(ALPHAS, targets)
    assert found.shape == (5, n, 2)
    for alpha, x in zip(ALPHAS, found, strict=True):
        np.testing.assert_allclose(kernel(n) @ x + alpha * x, targets, atol=1e-8)


@pytest.mark.parametrize("n", [WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH + 1, 2 * STRIP + 9])
def test_a_band_of_any_number_of_panels_is_solved(n, monkeypatch):
    monkeypatch.setattr(shifted, "SMALL", 0)
    test_every_shift_is_solved(n)


@pytest.mark.parametrize("small", [0, SMALL], ids=["wide", "three-diagonals"])
def test_the_band_has_the_eigenvalues_of_the_matrix(small, monkeypatch):
    from scipy.linalg import eigvals_banded

    monkeypatch.setattr(shifted, "SMALL", small)
    K = kernel(2 * STRIP + 9)
    expected = np.linalg.eigvalsh(K)
    band = Shifted.reduce(K).band
    assert len(band) == (2 if small else WIDTH + 1)
    np.testing.assert_allclose(eigvals_banded(band, lower=True), expected, atol=1e-10)


def test_a_matrix_that_is_not_positive_definite_is_refused():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        Shifted.reduce(kernel(30) - 5 * np.eye(30)).solve(ALPHAS[:1], np.ones((30, 1)))
