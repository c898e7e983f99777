"""Predictive distributions: what a framing believes of rows that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Predictive(Protocol):
    """A distribution for each of n_rows rows."""

    def mean(self) -> np.ndarray:
        """Return the expected value, (n_rows,)."""

    def quantile(self, level: float) -> np.ndarray:
        """Return the value below or at which this share of the distribution lies, (n_rows,)."""

    def reaches(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the probability of being at or above each threshold: (n_rows, k) -> (n_rows, k)."""


@dataclass(frozen=True, slots=True)
class Point:
    """All mass on one value: a prediction taken at its word."""

    value: np.ndarray  # (n_rows,) in the target's unit

    def mean(self) -> np.ndarray:
        """Return the value."""
        return self.value

    def quantile(self, level: float) -> np.ndarray:
        """Return the value, whatever the level."""
        return self.value

    def reaches(self, thresholds: np.ndarray) -> np.ndarray:
        """Return 1 where the value reaches the threshold, and 0 elsewhere."""
        return np.asarray(self.value[:, None] >= thresholds, dtype=float)


@dataclass(frozen=True, slots=True)
class Dressed:
    """A prediction and the errors that others like it made: additive, or ratios of one more than a count."""

    value: np.ndarray  # (n_rows,) predictions; of ratios, at least 0
    residuals: np.ndarray  # (n_residuals,) ascending
    ratio: bool  # y = (value + 1) * residual - 1; else y = value + residual

    def mean(self) -> np.ndarray:
        """Return the prediction, with the mean error added."""
        return self._at(self.residuals.mean())

    def quantile(self, level: float) -> np.ndarray:
        """Return the prediction, with that quantile of the errors added."""
        place = min(len(self.residuals) - 1, max(0, int(np.ceil(level * len(self.residuals) - 1e-9)) - 1))
        return self._at(self.residuals[place])

    def reaches(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the share of the errors with which the threshold is reached."""
        value = self.value[:, None]
        needed = (thresholds + 1) / (value + 1) if self.ratio else thresholds - value
        needed = needed - 1e-12 * np.maximum(1.0, np.abs(needed))  # a value that meets its threshold reaches it
        return np.asarray(1 - np.searchsorted(self.residuals, needed, side="left") / len(self.residuals))

    def _at(self, residual: float) -> np.ndarray:
        return np.asarray((self.value + 1) * residual - 1 if self.ratio else self.value + residual)


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Counts with variance mean + dispersion * mean^2; dispersion 0 is Poisson."""

    expected: np.ndarray  # (n_rows,) >= 0
    dispersion: float

    def mean(self) -> np.ndarray:
        """Return the expected count."""
        return self.expected

    def quantile(self, level: float) -> np.ndarray:
        """Return the smallest count whose cumulative probability reaches the level."""
        from scipy import stats

        mean = np.maximum(self.expected, 1e-12)
        if self.dispersion < 1e-9:
            return np.asarray(stats.poisson.ppf(level, mean), dtype=float)
        shape = 1.0 / self.dispersion
        return np.asarray(stats.nbinom.ppf(level, shape, shape / (shape + mean)), dtype=float)

    def reaches(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the probability of a count at or above each threshold."""
        from scipy import special

        mean, below = np.maximum(self.expected, 1e-12)[:, None], np.ceil(thresholds) - 1  # the largest count that does not reach it
        last = np.maximum(below, 0.0)
        if self.dispersion < 1e-9:
            above = special.pdtrc(last, mean)
        else:
            shape = 1.0 / self.dispersion
            above = special.betainc(last + 1, shape, mean / (shape + mean))
        return np.asarray(np.where(below < 0, 1.0, above))


@dataclass(frozen=True, slots=True)
class Curve:
    """A cumulative distribution in straight pieces between knots."""

    knots: np.ndarray  # (n_rows, k) ascending in each row
    shares: np.ndarray  # (k,) or (n_rows, k): what lies at or below each knot; from 0 to 1, ascending

    def mean(self) -> np.ndarray:
        """Return the mean of the pieces' midpoints, weighed by what lies on each."""
        shares = np.broadcast_to(self.shares, self.knots.shape)
        return np.asarray(((self.knots[:, 1:] + self.knots[:, :-1]) / 2 * np.diff(shares, axis=1)).sum(axis=1))

    def quantile(self, level: float) -> np.ndarray:
        """Return the value at that height of the curve."""
        shares = np.broadcast_to(self.shares, self.knots.shape)
        right = np.clip((shares < level).sum(axis=1), 1, shares.shape[1] - 1)
        return _between(shares, self.knots, right, np.full(len(self.knots), level))

    def reaches(self, thresholds: np.ndarray) -> np.ndarray:
        """Return what lies at or above each threshold, and so all that lies on it where knots coincide."""
        shares = np.broadcast_to(self.shares, self.knots.shape)
        found = []
        for threshold in thresholds.T:
            right = np.clip((self.knots < threshold[:, None]).sum(axis=1), 1, shares.shape[1] - 1)
            found.append(1 - _between(self.knots, shares, right, threshold))
        return np.stack(found, axis=1)


def _between(x: np.ndarray, y: np.ndarray, right: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolate y(x) row by row in the piece that ends at `right`; flat beyond the ends."""
    rows = np.arange(len(x))
    x0, x1, y0, y1 = x[rows, right - 1], x[rows, right], y[rows, right - 1], y[rows, right]
    width = np.where(x1 > x0, x1 - x0, 1.0)
    return np.asarray(y0 + (y1 - y0) * np.where(x1 > x0, np.clip((at - x0) / width, 0, 1), at > x0))


@dataclass(frozen=True, slots=True)
class Draws:
    """Values drawn from the distribution of each row."""

    values: np.ndarray  # (n_rows, n_draws)

    def mean(self) -> np.ndarray:
        """Return the mean of the draws."""
        return np.asarray(self.values.mean(axis=1, dtype=float))

    def quantile(self, level: float) -> np.ndarray:
        """Return the smallest draw that this share of the draws does not exceed."""
        return np.asarray(np.quantile(self.values, level, axis=1, method="inverted_cdf"), dtype=float)

    def reaches(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the share of the draws at or above each threshold."""
        return np.stack([(self.values >= threshold[:, None]).mean(axis=1) for threshold in thresholds.T], axis=1)


@dataclass(frozen=True, slots=True)
class Classes:
    """A probability for each class, in the order of the codes; of a number cut into levels, with where they begin."""

    probabilities: np.ndarray  # (n_rows, n_classes), rows sum to 1
    thresholds: np.ndarray | None = None  # (n_rows, n_classes - 1) of a number: the least value of every class but the first
    ends: tuple[float, float] = (0.0, 0.0)  # the least and the largest value that a number is believed to take

    def mean(self) -> np.ndarray:
        """Return the mean, each level's mass spread evenly over it."""
        return self._curve().mean()

    def quantile(self, level: float) -> np.ndarray:
        """Return a quantile, each level's mass spread evenly over it."""
        return self._curve().quantile(level)

    def reaches(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the probability of reaching each threshold, each level's mass spread evenly over it."""
        return self._curve().reaches(thresholds)

    def _curve(self) -> Curve:
        assert self.thresholds is not None, "classes that are no levels of a number have no values"
        below = np.minimum(self.ends[0], self.thresholds[:, :1])
        above = np.maximum(self.ends[1], self.thresholds[:, -1:])
        n_rows = len(self.probabilities)
        shares = np.concatenate([np.zeros((n_rows, 1)), np.cumsum(self.probabilities, axis=1)], axis=1)
        return Curve(np.concatenate([below, self.thresholds, above], axis=1), shares)


def dispersion(y: np.ndarray, mean: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Estimate the dispersion of counts by moments from out-of-sample predictions.

    Args:
        y: (n_rows,) counts seen.
        mean: (n_rows,) counts predicted without having seen them.
        weight: (n_rows,) row weights; ones where not given.

    >>> dispersion(np.array([0.0, 4.0]), np.array([2.0, 2.0]))
    0.5
    """
    weight = np.ones(len(y)) if weight is None else weight
    scale = float(np.sum(weight * mean**2))
    return max(0.0, float(np.sum(weight * ((y - mean) ** 2 - mean))) / scale) if scale > 0 else 0.0
