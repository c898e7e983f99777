"""Intervals by resampling blocks: arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

N_SAMPLES = 2_000
LEVEL = 0.95
FEW = 10  # blocks; below it there is no bootstrap, only a t interval
MOST = 2_000  # blocks resampled; more are gathered at random into as many, which leaves the variance of a mean as it is
MEAN_RUN = 7  # blocks that follow each other in time are drawn in runs of this mean length (Politis and Romano 1994)


@dataclass(frozen=True, slots=True)
class Sample:
    """Means of columns over rows, and what they would have been on other blocks of the same kind.

    `draws` is (n_samples, n_columns), or None under ten blocks; then `block_means` (n_blocks, n_columns) carry the t.
    """

    mean: np.ndarray  # (n_columns,)
    draws: np.ndarray | None
    block_means: np.ndarray

    def interval(self, column: int) -> tuple[float, float]:
        """Return the 95 % interval of a column's mean."""
        if self.draws is not None:
            return _percentiles(self.draws[:, column])
        return _t_interval(float(self.mean[column]), self.block_means[:, column])

    def difference(self, column: int, other: int) -> tuple[float, float, float]:
        """Return the paired difference of two columns' means: its standard error, and its 95 % interval."""
        gap = float(self.mean[column] - self.mean[other])
        if self.draws is not None:
            drawn = self.draws[:, column] - self.draws[:, other]
            return (float(drawn.std(ddof=1)), *_percentiles(drawn))
        gaps = self.block_means[:, column] - self.block_means[:, other]
        error = float(gaps.std(ddof=1) / np.sqrt(len(gaps))) if len(gaps) > 1 else float("nan")
        return (error, *_t_interval(gap, gaps))

    def ratio(self, column: int, other: int) -> tuple[float, float]:
        """Return the 95 % interval of the ratio of two columns' means."""
        if self.draws is not None:
            return _percentiles(self.draws[:, column] / self.draws[:, other])
        _, low, high = self.difference(column, other)
        return 1 + low / float(self.mean[other]), 1 + high / float(self.mean[other])


def sample(losses: np.ndarray, weight: np.ndarray, blocks: np.ndarray, *, ordered: bool, seed: int) -> Sample:
    """Resample whole blocks.

    Args:
        losses: (n_rows, n_columns) losses of rows.
        weight: (n_rows,) row weights.
        blocks: (n_rows,) block of each row, numbered in order of time if `ordered`.
        ordered: draw runs of blocks that follow each other (stationary bootstrap) instead of single ones.
        seed: of the draws.

    >>> one = sample(np.array([[1.0], [3.0]] * 50), np.ones(100), np.arange(100), ordered=False, seed=0)
    >>> float(one.mean[0]), [round(bound, 1) for bound in one.interval(0)]
    (2.0, [1.8, 2.2])
    """
    rng = np.random.default_rng([seed, 5])
    codes = np.unique(blocks, return_inverse=True)[1]
    n_blocks = int(codes.max()) + 1
    if n_blocks > MOST:
        gathered = np.arange(n_blocks) * MOST // n_blocks
        codes = (gathered if ordered else rng.permutation(gathered))[codes]
        n_blocks = MOST
    sizes = np.bincount(codes, weights=weight, minlength=n_blocks)
    sums = np.stack([np.bincount(codes, weights=weight * column, minlength=n_blocks) for column in losses.T], axis=1)
    mean = sums.sum(axis=0) / sizes.sum()
    kept = sizes > 0
    block_means = sums[kept] / sizes[kept, None]
    if len(block_means) < FEW:
        return Sample(mean, None, block_means)
    counts = _counts(int(kept.sum()), rng, MEAN_RUN if ordered else 1)
    return Sample(mean, (counts @ sums[kept]) / (counts @ sizes[kept])[:, None], block_means)


def _counts(n_blocks: int, rng: np.random.Generator, mean_run: float) -> np.ndarray:
    """Return how often each block is drawn in each sample, (N_SAMPLES, n_blocks)."""
    starts = rng.integers(n_blocks, size=(N_SAMPLES, n_blocks))
    if mean_run > 1:
        fresh = rng.random((N_SAMPLES, n_blocks)) < 1 / mean_run
        fresh[:, 0] = True
        began = np.maximum.accumulate(np.where(fresh, np.arange(n_blocks), 0), axis=1)
        starts = (np.take_along_axis(starts, began, axis=1) + np.arange(n_blocks) - began) % n_blocks
    flat = starts + np.arange(N_SAMPLES)[:, None] * n_blocks
    return np.bincount(flat.ravel(), minlength=N_SAMPLES * n_blocks).reshape(N_SAMPLES, n_blocks).astype(float)


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _t_interval(mean: float, values: np.ndarray) -> tuple[float, float]:
    """Return the t interval; unbounded (NaN) where one block says nothing of another."""
    if len(values) < 2:
        return float("nan"), float("nan")
    from scipy import stats

    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean - reach, mean + reach
