"""Whether predictive distributions keep their word: shares beside probabilities, coverage beside levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

SLOPE_SPREAD = 10.0  # prior standard deviation of the slope around 1, so that it stays finite where the classes are separable


@dataclass(frozen=True, slots=True)
class Reliability:
    """What came of probabilities of an event.

    `bins` has one line per group of rows with like probabilities: `p` (their mean), `share` (of events), `n` (rows).
    `slope` is that of the event's log-odds over the predicted ones: 1 where they can be taken at their word, below 1 where they
    are too sure. It and its standard error over blocks are NaN where they cannot be told.
    """

    bins: pd.DataFrame
    slope: float
    slope_error: float


def reliability(p: np.ndarray, y: np.ndarray, weight: np.ndarray, blocks: np.ndarray, *, bins: int = 10) -> Reliability:
    """Compare probabilities of an event with how often it came.

    Args:
        p: (n_rows,) predicted probabilities.
        y: (n_rows,) 1 where the event came, else 0.
        weight: (n_rows,) row weights.
        blocks: (n_rows,) which rows stand or fall together.
        bins: groups of about equally many rows; rows of equal probability stay together, so there may be fewer.

    Source: Cox, Two further applications of a model for binary regression, 1958 (the slope).
    """
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    _, code, n = np.unique(np.searchsorted(edges, p), return_inverse=True, return_counts=True)
    size = np.bincount(code, weights=weight)
    frame = pd.DataFrame({"p": np.bincount(code, weights=weight * p) / size, "share": np.bincount(code, weights=weight * y) / size, "n": n})
    return Reliability(frame, *_slope(p, y, weight, blocks))


def coverage(low: np.ndarray, high: np.ndarray, y: np.ndarray, weight: np.ndarray, blocks: np.ndarray) -> tuple[float, float]:
    """Return the weighted share of rows within their interval, bounds included, and its standard error over blocks.

    >>> coverage(np.zeros(4), np.ones(4), np.array([0.5, 1.0, 2.0, 0.0]), np.ones(4), np.array([0, 0, 1, 1]))
    (0.75, 0.25)
    """
    inside = ((low <= y) & (y <= high)).astype(float)
    share = float(np.average(inside, weights=weight))
    off = _block_sums((weight * (inside - share))[:, None], blocks)
    return share, float(np.sqrt(_scatter(off)[0, 0]) / weight.sum())


def _slope(p: np.ndarray, y: np.ndarray, weight: np.ndarray, blocks: np.ndarray) -> tuple[float, float]:
    """Return the slope of a logistic regression of the event on the predicted log-odds, and its standard error over blocks."""
    weight = weight * (weight.sum() / np.square(weight).sum())  # count as their effective number
    least = 0.5 / (weight.sum() + 1)  # what an event that so many rows never showed may still have
    odds = np.log(np.clip(p, least, 1 - least)) - np.log1p(-np.clip(p, least, 1 - least))
    if np.ptp(odds) == 0 or np.ptp(y) == 0:
        return float("nan"), float("nan")
    X = np.stack([np.ones_like(odds), odds], axis=1)
    prior = np.diag([0.0, SLOPE_SPREAD**-2])

    def penalised(point: np.ndarray) -> float:
        return float(weight @ (np.logaddexp(0.0, X @ point) - y * (X @ point)) + (point[1] - 1) ** 2 * prior[1, 1] / 2)

    def chances(point: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(-np.logaddexp(0.0, -X @ point)))

    def curvature(chance: np.ndarray) -> np.ndarray:
        return np.asarray((X * (weight * chance * (1 - chance))[:, None]).T @ X + prior)

    point = np.array([0.0, 1.0])
    for _ in range(100):
        chance = chances(point)
        step = np.linalg.solve(curvature(chance), X.T @ (weight * (y - chance)) - prior @ (point - [0.0, 1.0]))
        while penalised(point + step) > penalised(point) and np.abs(step).max() > 1e-9:
            step = step / 2
        point = point + step
        if np.abs(step).max() < 1e-9:
            break
    chance = chances(point)
    inverse = np.linalg.inv(curvature(chance))
    spread = inverse @ _scatter(_block_sums(X * (weight * (y - chance))[:, None], blocks)) @ inverse
    return float(point[1]), float(np.sqrt(spread[1, 1]))


def _block_sums(rows: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Add up rows within blocks, (n_rows, k) -> (n_blocks, k)."""
    code = np.unique(blocks, return_inverse=True)[1]
    return np.stack([np.bincount(code, weights=column) for column in rows.T], axis=1)


def _scatter(sums: np.ndarray) -> np.ndarray:
    """Return the variance of the total of independent blocks, (k, k), from their sums (n_blocks, k), whose mean is 0."""
    n_blocks = len(sums)
    return np.asarray(sums.T @ sums * (n_blocks / (n_blocks - 1))) if n_blocks > 1 else np.full((sums.shape[1],) * 2, np.nan)
