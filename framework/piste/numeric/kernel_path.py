"""Least squares with a penalty on one kernel, or on features that stand in for it, for many penalties at once.

Minimises |targets - K c|^2 + alpha c'Kc; a row that was left out is judged in closed form (Rifkin and Lippert, Notes on
Regularized Least Squares, 2007). With the roots of weights in kernel and targets, rows count by their weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from piste.numeric.kernel import chunks
from piste.numeric.shifted import Shifted

MANY = 6
"""Penalties from which one decomposition costs less than a Cholesky factor for each (400 to 4,000 rows: from 5 to 7 on)."""

Features = Callable[[slice], np.ndarray]
LeftOut = int | Literal["each", "none"]  # the last so many rows together; each row alone; nothing is asked


@dataclass(frozen=True, slots=True)
class Path:
    """The solutions of one kernel.

    `residuals` are the targets less what a solution without them gives: of the last rows, learnt from the others; or of each row,
    learnt from all others. None: not asked for.
    """

    coef: np.ndarray  # (n_alphas, n_rows or n_features, n_targets)
    residuals: np.ndarray | None  # (n_alphas, n_left_out, n_targets)


def kernel_path(K: np.ndarray, targets: np.ndarray, alphas: np.ndarray, left_out: LeftOut) -> Path:
    """Solve (K + alpha I) c = targets for every alpha.

    Args:
        K: (n, n), symmetric; overwritten.
        targets: (n, n_targets)
        alphas: (n_alphas,), above 0
        left_out: whose residuals are asked for.

    Raises:
        numpy.linalg.LinAlgError: an alpha is so small that K + alpha I is not positive definite in floating point.
    """
    if len(alphas) >= MANY and left_out == "none":
        return Path(Shifted.reduce(K).solve(alphas, targets), None)
    if len(alphas) >= MANY and left_out == "each":
        values, vectors = np.linalg.eigh(K)
        shrunk = 1.0 / (values + alphas[:, None])  # (n_alphas, n)
        coef = vectors @ (shrunk[:, :, None] * (vectors.T @ targets))
        return Path(coef, coef / (shrunk @ (vectors**2).T)[:, :, None])
    found = [_solution(K.copy(), targets, alpha, left_out) for alpha in alphas[:-1]] + [_solution(K, targets, alphas[-1], left_out)]
    judged = [residuals for _, residuals in found if residuals is not None]
    return Path(np.stack([coef for coef, _ in found]), np.stack(judged) if judged else None)


def feature_path(features: Features, targets: np.ndarray, alphas: np.ndarray, left_out: LeftOut) -> Path:
    """Solve (F'F + alpha I) c = F' targets for every alpha; see `kernel_path`.

    F is never whole: of a million rows it would be 8 GB. Where each row is judged it is computed twice.

    Args:
        features: some rows -> their features, (n_some, n_features)
        targets: (n, n_targets)
        alphas: (n_alphas,), above 0
        left_out: whose residuals are asked for.
    """
    n = len(targets)
    gram, moments = _sums(features, targets, 0, n)
    if left_out == "each":
        values, vectors = np.linalg.eigh(gram)
        shrunk = 1.0 / (values + alphas[:, None])
        coef = vectors @ (shrunk[:, :, None] * (vectors.T @ moments))
        residuals = np.empty((len(alphas), *targets.shape))
        for rows in chunks(n):
            some = features(rows)
            leverage = shrunk @ ((some @ vectors) ** 2).T  # (n_alphas, n_some)
            residuals[:, rows] = (targets[rows] - some @ coef) / (1 - leverage)[:, :, None]
        return Path(coef, residuals)
    coef = np.stack([_ridge(gram, moments, alpha) for alpha in alphas])
    if left_out == "none":
        return Path(coef, None)
    last_gram, last_moments = _sums(features, targets, n - left_out, n)
    others = np.stack([_ridge(gram - last_gram, moments - last_moments, alpha) for alpha in alphas])
    told = [features(rows) @ others for rows in _between(n - left_out, n)]
    return Path(coef, targets[-left_out:] - np.concatenate(told, axis=1))


def _between(start: int, stop: int) -> Iterator[slice]:
    return (slice(start + rows.start, min(start + rows.stop, stop)) for rows in chunks(stop - start))


def _sums(features: Features, targets: np.ndarray, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return F'F and F' targets of the rows from one to another."""
    first, *others = _between(start, stop)
    some = features(first)
    gram, moments = some.T @ some, some.T @ targets[first]
    for rows in others:
        some = features(rows)
        gram += some.T @ some
        moments += some.T @ targets[rows]
    return gram, moments


def _ridge(gram: np.ndarray, moments: np.ndarray, alpha: float) -> np.ndarray:
    from scipy.linalg import solve

    return np.asarray(solve(gram + alpha * np.eye(len(gram)), moments, assume_a="pos", overwrite_a=True, check_finite=False))


def _solution(K: np.ndarray, targets: np.ndarray, alpha: float, left_out: LeftOut) -> tuple[np.ndarray, np.ndarray | None]:
    """Solve by a Cholesky factor, and judge rows left out by it; K is overwritten.

    Of the last rows together the factor's own last block tells: with L z = targets, what the others leave of them is L_hh z_h.
    """
    from scipy.linalg import cholesky, solve_triangular

    K[np.diag_indices_from(K)] += alpha
    factor = cholesky(K.T, lower=True, overwrite_a=True, check_finite=False)  # transposed: in the order that LAPACK works in
    halfway = solve_triangular(factor, targets, lower=True, check_finite=False)
    coef = solve_triangular(factor, halfway, lower=True, trans="T", check_finite=False)
    if left_out == "none":
        return coef, None
    if left_out == "each":
        return coef, coef / inverse_diagonal(factor)[:, None]
    return coef, factor[-left_out:, -left_out:] @ halfway[-left_out:]


def inverse_diagonal(factor: np.ndarray) -> np.ndarray:
    """Return the diagonal of the inverse of the matrix with this lower Cholesky factor."""
    from scipy.linalg import lapack

    inverse, failed = lapack.dtrtri(factor, lower=True)
    assert failed == 0, "a Cholesky factor has no zero on its diagonal"
    return np.einsum("ij,ij->j", inverse, inverse)
