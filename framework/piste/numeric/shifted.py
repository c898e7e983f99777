"""Solutions of (K + alpha I) x = y for many alphas, from one reduction of the symmetric matrix K to a band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STRIP = 512  # columns updated at once: products small enough for the cache, large enough for the speed of matrix products


def band_width(n: int) -> int:
    """Return how many diagonals are left below the main one: wide panels are fast, narrow bands are solved fast."""
    return 16 if n < 600 else 32 if n < 2_000 else 64


@dataclass(frozen=True, slots=True)
class Reflections:
    """I - V T V', which acts on the coordinates from `start` on."""

    start: int
    V: np.ndarray  # (n - start, width)
    T: np.ndarray  # (width, width)

    def apply(self, X: np.ndarray) -> None:
        """Multiply X by it, in place."""
        X[self.start :] -= self.V @ (self.T @ (self.V.T @ X[self.start :]))

    def apply_transposed(self, X: np.ndarray) -> None:
        """Multiply X by its transpose, in place."""
        X[self.start :] -= self.V @ (self.T.T @ (self.V.T @ X[self.start :]))


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
        width = band_width(n)
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
                reflections.append(Reflections(start, V, T))
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
            each.apply_transposed(turned)
        found = np.hstack([cho_solve_banded((self._factor(alpha), True), turned, check_finite=False) for alpha in alphas])
        for each in reversed(self.reflections):
            each.apply(found)
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
