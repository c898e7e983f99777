"""Solutions of (K + alpha I) x = y for many alphas, from one reduction of the symmetric matrix K to a band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

SMALL = 1_000  # rows up to which LAPACK's reduction to three diagonals is faster: the matrix still fits the cache
WIDTH = 96  # diagonals left below the main one in larger matrices: wide panels are reduced fast, narrow bands are solved fast
STRIP = 256  # columns updated at once: products small enough for the cache, large enough for the speed of matrix products


@dataclass(frozen=True, slots=True)
class Reflections:
    """A product of Householder reflections, as LAPACK keeps it, of the coordinates from `start` on."""

    start: int
    vectors: np.ndarray  # (n - start, count): below the diagonal; those above it are not looked at
    scales: np.ndarray  # (count,)

    def apply(self, X: np.ndarray, trans: Literal["N", "T"]) -> None:
        """Multiply X by it, or by its transpose, in place."""
        from scipy.linalg import lapack

        turned, _, failed = lapack.dormqr("L", trans, self.vectors, self.scales, X[self.start :], lwork=64 * X.shape[1])
        assert failed == 0, "LAPACK's own reflections are in order"
        X[self.start :] = turned


@dataclass(frozen=True, slots=True)
class Shifted:
    """K = Q B Q' with Q orthogonal and B a band, so that K + alpha I = Q (B + alpha I) Q' costs a band for every further alpha.

    The reduction takes 4/3 n^3 operations, as many as four Cholesky factors, nearly all of them in products of matrices; going
    on to a diagonal (an eigendecomposition) would take several times as long. As Q is orthogonal, nothing of the accuracy of
    a Cholesky factor is lost.

    Source: Bischof, Lang and Sun, A Framework for Symmetric Band Reduction, 2000; Schreiber and Van Loan, A
    Storage-Efficient WY Representation for Products of Householder Transformations, 1989.
    """

    band: np.ndarray  # (width + 1, n): row d holds the d-th diagonal of B below the main one
    reflections: tuple[Reflections, ...]  # Q is their product, the first at the left

    @staticmethod
    def reduce(K: np.ndarray) -> Shifted:
        """Reduce a symmetric matrix, (n, n), which is overwritten."""
        from scipy.linalg import lapack

        n = len(K)
        if 1 < n <= SMALL:
            factored, diagonal, below, scales, failed = lapack.dsytrd(K, lower=1, lwork=64 * n)
            assert failed == 0, "every finite symmetric matrix has a tridiagonal form"
            return Shifted(np.stack([diagonal, np.append(below, 0.0)]), (Reflections(1, factored[1:, :-1], scales),))
        width = WIDTH
        band = np.zeros((min(width, n - 1) + 1, n))
        reflections = []
        for first in range(0, n, width):
            start = first + width
            panel = K[start:, first:start]
            if panel.size:
                size = min(panel.shape)
                factored, T, failed = lapack.dgeqrt(size, panel)
                assert failed == 0, "every finite matrix has a QR factorisation"
                V = np.tril(factored[:, :size], -1)
                V[np.diag_indices(size)] = 1.0
                K[start:, first:start] = np.triu(factored)
                reflections.append(Reflections(start, factored[:, :size], np.diag(T).copy()))
                _transform(K[start:, start:], V, T)
            for column in range(first, min(start, n)):
                below = K[column : column + len(band), column]
                band[: len(below), column] = below
        return Shifted(band, tuple(reflections))

    def solve(self, alphas: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the solutions x of (K + alpha I) x = targets.

        Args:
            alphas: (n_alphas,), so large that K + alpha I is positive definite in floating point.
            targets: (n, n_targets)

        Returns: (n_alphas, n, n_targets)

        Raises:
            numpy.linalg.LinAlgError: an alpha is too small.
        """
        from scipy.linalg import cho_solve_banded

        n, n_targets = targets.shape
        turned = np.array(targets, dtype=float)
        for each in self.reflections:
            each.apply(turned, "T")
        found = np.hstack([cho_solve_banded((self._factor(alpha), True), turned, check_finite=False) for alpha in alphas])
        for each in reversed(self.reflections):
            each.apply(found, "N")
        return np.ascontiguousarray(found.reshape(n, len(alphas), n_targets).transpose(1, 0, 2))

    def _factor(self, alpha: float) -> np.ndarray:
        from scipy.linalg import cholesky_banded

        band = self.band.copy()
        band[0] += alpha
        return np.asarray(cholesky_banded(band, lower=True, overwrite_ab=True, check_finite=False))


def _transform(A: np.ndarray, V: np.ndarray, T: np.ndarray) -> None:
    """Replace A by H' A H with H = I - V T V', in strips of columns: the lower triangle, and the blocks on the diagonal whole.

    Strips are counted from the end, so that they are the same ones when the next panel has left A.
    """
    n = len(A)
    strips = [(max(0, last - STRIP), last) for last in range(n, 0, -STRIP)]
    VT = V @ T
    product = np.zeros_like(VT)  # A V T
    for first, last in strips:
        product[first:] += A[first:, first:last] @ VT[first:last]
        product[first:last] += A[last:, first:last].T @ VT[last:]
    W = product - V @ (0.5 * (VT.T @ product))
    left, right = np.hstack([V, W]), np.hstack([W, V])
    for first, last in strips:
        A[first:, first:last] -= left[first:] @ right[first:last].T
