"""From a predictive distribution to the action that it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Functional = Literal["mean", "median", "probabilities"]


@dataclass(frozen=True, slots=True)
class Point:
    """All mass on one value: a prediction taken at its word."""

    value: np.ndarray  # (n_rows,) in the target's unit

    def functional(self, wanted: Functional) -> np.ndarray:
        """Return the value, whatever summary is wanted."""
        assert wanted != "probabilities", "a number has no class probabilities"
        return self.value


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Counts with variance mean + dispersion * mean^2; dispersion 0 is Poisson."""

    mean: np.ndarray  # (n_rows,) >= 0
    dispersion: float

    def quantile(self, level: float) -> np.ndarray:
        """Return the smallest count whose cumulative probability reaches the level."""
        from scipy import stats

        mean = np.maximum(self.mean, 1e-12)
        if self.dispersion < 1e-9:
            return np.asarray(stats.poisson.ppf(level, mean), dtype=float)
        shape = 1.0 / self.dispersion
        return np.asarray(stats.nbinom.ppf(level, shape, shape / (shape + mean)), dtype=float)

    def functional(self, wanted: Functional) -> np.ndarray:
        """Return the mean, or the median."""
        assert wanted != "probabilities", "a count has no class probabilities"
        return self.mean if wanted == "mean" else self.quantile(0.5)


@dataclass(frozen=True, slots=True)
class Classes:
    """A probability for each class."""

    probabilities: np.ndarray  # (n_rows, n_classes), rows sum to 1

    def functional(self, wanted: Functional) -> np.ndarray:
        """Return the probabilities."""
        assert wanted == "probabilities", "classes have no mean"
        return self.probabilities


Predictive = Point | NegativeBinomial | Classes


def dispersion(y: np.ndarray, mean: np.ndarray) -> float:
    """Estimate the dispersion of counts by moments from out-of-sample predictions.

    Args:
        y: (n_rows,) counts seen.
        mean: (n_rows,) counts predicted without having seen them.

    >>> dispersion(np.array([0.0, 4.0]), np.array([2.0, 2.0]))
    0.5
    """
    scale = float(np.sum(mean**2))
    return max(0.0, float(np.sum((y - mean) ** 2 - mean)) / scale) if scale > 0 else 0.0
