"""Squared-error lines from weighted sums over rows: all penalties of a fold, and all folds, from one pass over the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FAR_OFF = 1.0  # a column's squared mean, as a share of its mean square, above which sums of raw squares lose digits: see `Moments.of`
RANK_CUT = 1e-12  # of the largest eigenvalue: singular values are cut at its root, 1e-6, where scikit-learn's least squares cuts them
UNSURE = (1e-13, 1e-6)  # eigenvalues between, as shares of the largest, are known too roughly for least squares


@dataclass(frozen=True, slots=True)
class Moments:
    """Weighted sums over rows, about their means: all of the rows that a penalised squared error depends on.

    Moments of two sets of rows make those of both (`plus`), and those of all less those of a part make those of the rest
    (`without`): so that every fold of a k-fold split, of groups, or forward in time costs one pass over its own rows only.
    """

    total: float  # of the weights
    mean: np.ndarray  # (n_features,)
    mean_y: np.ndarray  # (n_outputs,)
    gram: np.ndarray  # (n_features, n_features) sums of products
    cross: np.ndarray  # (n_features, n_outputs)
    square: np.ndarray  # (n_outputs,)

    @staticmethod
    def of(X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Moments:
        """Sum over rows.

        Columns far off 0 for their spread are shifted first: a sum of squares less the square of the mean keeps as many digits
        fewer as the two are alike. Standardised ones are not, which saves a copy of X.

        Args:
            X: (n_samples, n_features)
            y: (n_samples, n_outputs)
            weight: (n_samples,) >= 0, above 0 for some row.
        """
        total = float(weight.sum())
        mean, mean_y = weight @ X / total, weight @ y / total
        y = y - mean_y
        alike = bool((weight == weight[0]).all())
        A, b = (X, y) if alike else (X * np.sqrt(weight)[:, None], y * np.sqrt(weight)[:, None])
        gram = A.T @ A * (weight[0] if alike else 1.0)
        shift = mean * mean * total
        if (shift > FAR_OFF * (gram.diagonal() - shift)).any():
            A = X - mean if alike else (X - mean) * np.sqrt(weight)[:, None]
            gram = A.T @ A * (weight[0] if alike else 1.0)
        else:
            gram -= total * np.outer(mean, mean)
        cross = A.T @ b * (weight[0] if alike else 1.0)  # of y about its mean: a shift of X changes nothing
        return Moments(total, mean, mean_y, gram, cross, np.asarray(weight @ (y * y)))

    def plus(self, other: Moments) -> Moments:
        """Return the moments of these rows and others together."""
        return self._combined(other, 1.0)

    def without(self, part: Moments) -> Moments:
        """Return the moments of these rows but for a part of them.

        Rounding is that of the whole: where the part holds nearly all of the weight, sum the rest instead.
        """
        return self._combined(part, -1.0)

    def _combined(self, other: Moments, sign: float) -> Moments:
        total = self.total + sign * other.total
        ahead, ahead_y = other.mean - self.mean, other.mean_y - self.mean_y
        share, between = sign * other.total / total, sign * other.total * self.total / total
        return Moments(
            total,
            self.mean + share * ahead,
            self.mean_y + share * ahead_y,
            self.gram + sign * other.gram + between * np.outer(ahead, ahead),
            self.cross + sign * other.cross + between * np.outer(ahead, ahead_y),
            self.square + sign * other.square + between * ahead_y**2,
        )


@dataclass(frozen=True, slots=True)
class Paths:
    """Linear functions: one for each penalty and output."""

    coef: np.ndarray  # (n_penalties, n_features, n_outputs)
    intercept: np.ndarray  # (n_penalties, n_outputs)

    @staticmethod
    def through(coef: np.ndarray, mean: np.ndarray, mean_y: np.ndarray) -> Paths:
        """Return lines through the means, (n_features,) and (n_outputs,)."""
        return Paths(coef, mean_y - np.einsum("j,pjk->pk", mean, coef))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return the values of rows, (n_penalties, n_samples, n_outputs)."""
        n_penalties, n_features, n_outputs = self.coef.shape
        flat = X @ self.coef.transpose(1, 0, 2).reshape(n_features, -1) + self.intercept.reshape(-1)
        return flat.reshape(len(X), n_penalties, n_outputs).transpose(1, 0, 2)


def ridge(moments: Moments, penalties: Sequence[float]) -> Paths:
    """Minimise the sum of squared errors + penalty x sum of squared coefficients, the intercept apart, at each penalty above 0."""
    values, vectors = np.linalg.eigh(moments.gram)
    turned = vectors.T @ moments.cross
    damped = turned / (np.maximum(values, 0.0)[:, None] + np.asarray(penalties)[:, None, None])
    return Paths.through(vectors @ damped, moments.mean, moments.mean_y)


def wide_ridge(X: np.ndarray, y: np.ndarray, weight: np.ndarray, penalties: Sequence[float]) -> Paths:
    """Minimise what `ridge` does, from inner products of rows: for more columns than rows.

    Args:
        X: (n_samples, n_features)
        y: (n_samples, n_outputs)
        weight: (n_samples,) >= 0, above 0 for some row.
        penalties: above 0.
    """
    mean, mean_y = weight @ X / weight.sum(), weight @ y / weight.sum()
    root = np.sqrt(weight)[:, None]
    A, b = root * (X - mean), root * (y - mean_y)
    values, vectors = np.linalg.eigh(A @ A.T)
    damped = vectors.T @ b / (np.maximum(values, 0.0)[:, None] + np.asarray(penalties)[:, None, None])
    return Paths.through(A.T @ (vectors @ damped), mean, mean_y)


def least_squares(moments: Moments) -> Paths | None:
    """Minimise the sum of squared errors, of collinear columns by the smallest coefficients.

    None where the moments cannot tell which columns are collinear, or the rounding of sums of squares would show: singular
    values of the rows themselves then decide.
    """
    values, vectors = np.linalg.eigh(moments.gram)
    shares = values / values[-1] if values[-1] > 0 else np.zeros_like(values)
    if ((shares > UNSURE[0]) & (shares < UNSURE[1])).any():
        return None
    kept = shares > RANK_CUT
    coef = vectors[:, kept] @ (vectors[:, kept].T @ moments.cross / values[kept][:, None])
    return Paths.through(coef[None], moments.mean, moments.mean_y)


def fold_moments(X: np.ndarray, y: np.ndarray, weight: np.ndarray, tests: Sequence[np.ndarray]) -> list[Moments]:
    """Return the moments of every fold's training rows, which are all rows but the fold's own, from one pass.

    Args:
        X: (n_samples, n_features) columns that mean the same in every fold.
        y: (n_samples, n_outputs)
        weight: (n_samples,)
        tests: row numbers of each fold; together all rows, once each.
    """
    parts = [Moments.of(X[rows], y[rows], weight[rows]) for rows in tests]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.plus(part)
    return [whole.without(part) for part in parts]
