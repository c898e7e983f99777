"""Piecewise-linear encoding of numeric columns: a network sees where in its distribution a value lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

N_BINS = 16  # reference point of the tabular literature; measured beside 8 and 32
FEW_VALUES = 33  # a column of so few distinct values gets an edge at each of them


@dataclass(frozen=True, slots=True)
class Piecewise:
    """Each numeric column as one squashed number beside a row of bins; each two-valued column as it is.

    A bin is 0 left of its interval, 1 right of it and linear within, less its mean over the training rows. The squashed
    number is x / sqrt(1 + (x / 3)^2) of the column less its median, in units of its half quartile range: it goes on
    where the outermost bins end, and no outlier is ever further out than 3.

    Source: Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning, 2022 (bins);
    Holzmueller, Grinsztajn and Steinwart, Better by Default, 2024 (squashing).
    """

    centre: np.ndarray  # (n_features,)
    scale: np.ndarray  # (n_features,)
    column: np.ndarray  # (n_bins,) whole numbers: which column a bin reads
    left: np.ndarray  # (n_bins,)
    width: np.ndarray  # (n_bins,) > 0
    mean: np.ndarray  # (n_bins,)

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Encode rows, (n_samples, n_features) -> (n_samples, n_features + n_bins)."""
        z = (X - self.centre) / self.scale
        bins = np.clip((X[:, self.column] - self.left) / self.width, 0.0, 1.0) - self.mean
        return np.concatenate([z / np.sqrt(1.0 + (z / 3.0) ** 2), bins], axis=1)

    def to_state(self) -> dict[str, Any]:
        """Return plain arrays."""
        return asdict(self)

    @staticmethod
    def from_state(state: Mapping[str, Any]) -> Piecewise:
        """Read what `to_state` wrote."""
        return Piecewise(**{name: np.asarray(values) for name, values in state.items()})


def learn(X: np.ndarray, n_bins: int = N_BINS) -> Piecewise:
    """Learn medians, quartiles and bins at quantiles from training rows, (n_samples, n_features)."""
    centre, scale = X.mean(axis=0), np.ones(X.shape[1])
    columns: list[np.ndarray] = []
    lefts: list[np.ndarray] = []
    widths: list[np.ndarray] = []
    for j, values in enumerate(X.T):
        distinct = np.unique(values)
        if len(distinct) <= 2:
            scale[j] = max(np.ptp(distinct), 1e-12)
            continue
        centre[j], scale[j] = np.median(values), _spread(values)
        edges = distinct if len(distinct) <= FEW_VALUES else np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
        columns.append(np.full(len(edges) - 1, j))
        lefts.append(edges[:-1])
        widths.append(np.diff(edges))
    column = np.concatenate([np.empty(0, dtype=int), *columns])
    left, width = np.concatenate([np.empty(0), *lefts]), np.concatenate([np.empty(0), *widths])
    raw = Piecewise(centre, scale, column, left, width, np.zeros(len(left)))
    return Piecewise(centre, scale, column, left, width, raw.apply(X)[:, X.shape[1] :].mean(axis=0))


def _spread(values: np.ndarray) -> float:
    """Return half of the quartile range in units of a normal deviation; the deviation where half of the values are equal."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float((high - low) / 1.349) if high > low else float(values.std())
