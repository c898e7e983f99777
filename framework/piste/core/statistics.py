"""What a loss matrix lets one claim of its columns, by resampling blocks: arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

N_SAMPLES = 2_000
LEVEL = 0.95
FEW = 10  # blocks; below it there is no bootstrap, only Student's t
MOST = 2_000  # blocks resampled; more are gathered at random into as many, which leaves the variance of a mean as it is
LEAST = 1 / 3  # of its standard error on all blocks: no bootstrap sample may think a gain surer, however alike the blocks that it drew
HOPELESS = 1e100  # a loss beyond it, of a model gone astray, counts as this much, which can still be squared
SAME = 1e-12  # what varies by less, relative to the largest blocks, varies by rounding alone
LEARNT = 1.6  # by how much more an estimated run costs in degrees of freedom than a known one (measured: `benchmarks.statistics runs`)
RARE = 0.01  # the smallest tail that is read off the bootstrap samples of a single column
ORDINARY = 0.9  # of columns: none counts as having a lighter tail than these; the few beyond have gone astray
INSIGNIFICANT = 5  # autocorrelations in a row that are too small to matter end the memory of a series (Politis and White 2004)


@dataclass(frozen=True, slots=True)
class Resampled:
    """What the blocks would have been in other samples of the same kind."""

    counts: np.ndarray  # (n_samples, n_blocks) how often each block is drawn
    means: np.ndarray  # (n_samples, n_columns) of the blocks drawn
    left_out: np.ndarray  # (n_samples, n_columns) of the blocks not drawn; NaN where every block is


@dataclass(frozen=True, slots=True)
class Sample:
    """Means of columns over rows, and what they would have been on other blocks of the same kind."""

    mean: np.ndarray  # (n_columns,)
    sums: np.ndarray  # (n_blocks, n_columns) weighted sums of losses; more than MOST blocks gathered into as many
    sizes: np.ndarray  # (n_blocks,) sums of weights, all above zero
    n_blocks: int  # that the rows have, before any gathering
    ordered: bool  # whether blocks follow each other in time
    mean_run: float  # blocks drawn in a row, on average; 1 where they are drawn one by one
    widening: float  # standard error of a mean over its spread among bootstrap samples
    resampled: Resampled | None  # None under ten blocks

    @property
    def draws(self) -> np.ndarray | None:
        """Return the means in each bootstrap sample, (n_samples, n_columns); None under ten blocks."""
        return None if self.resampled is None else self.resampled.means

    @property
    def centred(self) -> np.ndarray:
        """Return what each block's losses sum to beyond their share of the mean, (n_blocks, n_columns)."""
        return np.asarray(self.sums - self.sizes[:, None] * self.mean)

    @property
    def degrees(self) -> float:
        """Return the degrees of freedom of a variance estimated from these blocks.

        Runs count, not blocks: the variance of the stationary bootstrap's variance is 2 mean_run / n_blocks of its square,
        that of a chi-square with n_blocks / mean_run degrees. Source: Politis and White 2004, corrected 2009 (D_SB). That holds
        for runs of known length; as theirs is estimated, what they have beyond single blocks counts LEARNT times.
        """
        return len(self.sizes) / (1 + LEARNT * (self.mean_run - 1)) - 1

    def interval(self, column: int) -> tuple[float, float]:
        """Return the 95 % interval of a column's mean."""
        if self.resampled is not None:
            return self._percentiles(float(self.mean[column]), self.resampled.means[:, column])
        return self._student(float(self.mean[column]), self.centred[:, column])

    def difference(self, column: int, other: int) -> tuple[float, float, float]:
        """Return the paired difference of two columns' means: its standard error, and its 95 % interval."""
        gap = float(self.mean[column] - self.mean[other])
        if self.resampled is not None:
            drawn = self.resampled.means[:, column] - self.resampled.means[:, other]
            return (float(drawn.std()) * self.widening, *self._percentiles(gap, drawn))
        gaps = self.centred[:, column] - self.centred[:, other]
        error = float(_error(gaps, self.sizes)) if len(gaps) > 1 else float("nan")
        return (error, *self._student(gap, gaps))

    def ratio(self, column: int, other: int) -> tuple[float, float]:
        """Return the 95 % interval of the ratio of two columns' means."""
        if self.resampled is not None:
            drawn = self.resampled.means[:, column] / self.resampled.means[:, other]
            return self._percentiles(float(self.mean[column] / self.mean[other]), drawn)
        _, low, high = self.difference(column, other)
        return 1 + low / float(self.mean[other]), 1 + high / float(self.mean[other])

    def _percentiles(self, estimate: float, drawn: np.ndarray) -> tuple[float, float]:
        """Return the percentile interval, stretched by as much as Student's is wider than the normal one.

        Source: the narrowness bias of Hesterberg, What teachers should know about the bootstrap, 2015.
        """
        from scipy import stats

        tail = (1 - LEVEL) / 2
        stretch = self.widening * float(stats.t.isf(tail, self.degrees) / stats.norm.isf(tail))
        low, high = np.quantile(drawn, [tail, 1 - tail])
        return estimate + stretch * float(low - estimate), estimate + stretch * float(high - estimate)

    def _student(self, estimate: float, residuals: np.ndarray) -> tuple[float, float]:
        """Return the t interval; unbounded (NaN) where one block says nothing of another."""
        if len(residuals) < 2:
            return float("nan"), float("nan")
        from scipy import stats

        reach = float(stats.t.isf((1 - LEVEL) / 2, len(residuals) - 1) * _error(residuals, self.sizes))
        return estimate - reach, estimate + reach


@dataclass(frozen=True, slots=True)
class Corrected:
    """The expected cost of what was chosen, corrected for the choice, with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Choice:
    """How the champion is chosen: the simplest model that may be as good as the best; a baseline where no model can matter."""

    models: tuple[int, ...]  # columns
    baselines: tuple[int, ...]  # columns
    rank: np.ndarray  # (n_columns,) the lower, the simpler
    rope: float  # a difference of means too small to matter
    delta: float  # a gain over the best baseline large enough to matter
    confidence: float = LEVEL  # with which no model can gain that much
    above: np.ndarray | None = None  # (n_columns,) from each gain over the best baseline to its upper bound; where none, `claim` tells


@dataclass(frozen=True, slots=True)
class Claim:
    """Gains over a base column, with bounds that hold for all columns at once: arrays of one entry per column asked for."""

    gain: np.ndarray  # mean loss of the base minus that of the column
    error: np.ndarray  # standard error of the gain
    lower: np.ndarray  # each bound is one-sided: all lower ones hold together with the claim's confidence, and so do all upper ones
    upper: np.ndarray
    critical: float  # standard errors between a gain and its lower bound, before it is stretched where a tail is heavier than Student's
    n: int  # blocks


class Paired(NamedTuple):
    """A paired t statistic."""

    t: float
    error: float  # standard error of the mean difference
    degrees: int
    p: float  # one-sided: how often chance alone would give a t as large


def sample(losses: np.ndarray, weight: np.ndarray, blocks: np.ndarray, *, ordered: bool, seed: int) -> Sample:
    """Resample whole blocks.

    Args:
        losses: (n_rows, n_columns) losses of rows.
        weight: (n_rows,) row weights.
        blocks: (n_rows,) block of each row, numbered in order of time if `ordered`.
        ordered: draw runs of blocks that follow each other (stationary bootstrap, Politis and Romano 1994) instead of single
            ones. Their mean length is that which suits the median column, and errors are widened by what runs of this length
            miss of its memory (`memory`).
        seed: of the draws.

    >>> one = sample(np.array([[1.0], [3.0]] * 50), np.ones(100), np.arange(100), ordered=False, seed=0)
    >>> float(one.mean[0]), [round(bound, 1) for bound in one.interval(0)]
    (2.0, [1.8, 2.2])
    """
    rng = np.random.default_rng([seed, 5])
    codes = np.unique(blocks, return_inverse=True)[1]
    weighed = np.bincount(codes, weights=weight) > 0
    rows = weighed[codes]  # a block without weight is no block
    losses, weight, codes = np.clip(losses[rows], -HOPELESS, HOPELESS), weight[rows], (np.cumsum(weighed) - 1)[codes[rows]]
    n_blocks = int(weighed.sum())
    if n_blocks > MOST:
        gathered = np.arange(n_blocks) * MOST // n_blocks
        codes = (gathered if ordered else rng.permutation(gathered))[codes]
    sizes = np.bincount(codes, weights=weight)
    sums = np.stack([np.bincount(codes, weights=weight * column) for column in losses.T], axis=1)
    mean = sums.sum(axis=0) / sizes.sum()
    if len(sizes) < FEW:
        return Sample(mean, sums, sizes, n_blocks, ordered, 1.0, 1.0, None)
    centred = sums - sizes[:, None] * mean
    run, spectrum = 1.0, np.zeros(0)
    if ordered:
        runs, spectrum = memory(centred / sizes.mean())
        run = float(np.median(runs))
    counts = _counts(len(sizes), rng, run)
    means = mean + (counts @ centred) / (counts @ sizes)[:, None]
    missed = (counts == 0).astype(float)
    size = missed @ sizes
    left_out = mean + (missed @ centred) / np.where(size > 0, size, np.nan)[:, None]
    added = 2 * run - 1  # autocovariances in the variance of a mean of such runs, each short by that variance: their mean is estimated
    widening = np.sqrt(len(sizes) / (len(sizes) - added)) * _shortfall(spectrum / len(sizes), means.var(axis=0))
    return Sample(mean, sums, sizes, n_blocks, ordered, run, float(widening), Resampled(counts, means, left_out))


def memory(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate how long the past of a series matters: the mean run of a stationary bootstrap, and the long-run variance.

    Args:
        series: (n_times, n_series), in order of time.

    Returns:
        (n_series,) mean lengths of runs, from 1 to min(3 sqrt(n), n / 3), and (n_series,) variances of the mean times n_times.

    Source: Politis and White, Automatic block-length selection for the dependent bootstrap, 2004; corrected by Patton,
    Politis and White, 2009. As in the programs in use, the memory of a series ends at the first of five insignificant
    autocorrelations in a row, and lags up to twice that far count.
    """
    n = len(series)
    n_lags = min(int(np.ceil(np.sqrt(n))) + INSIGNIFICANT, n - 1)
    apart = series - series.mean(axis=0)
    covariance = np.stack([(apart[lag:] * apart[: n - lag]).sum(axis=0) / n for lag in range(n_lags + 1)])
    slope, spectrum = np.zeros(series.shape[1]), covariance[0].copy()
    for column in np.flatnonzero(covariance[0] > 0):
        small = np.abs(covariance[1:, column] / covariance[0, column]) < 2 * np.sqrt(np.log10(n) / n)
        quiet = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(small, INSIGNIFICANT).all(axis=1))
        last = min(2 * (int(quiet[0]) + 1), n_lags) if len(quiet) else n_lags
        lag = np.arange(1, last + 1)
        taper = np.minimum(1.0, 2 * (1 - lag / last)) * covariance[lag, column]
        slope[column] = 2 * (lag * taper).sum()
        spectrum[column] += 2 * taper.sum()
    relative = np.divide(slope, spectrum, out=np.zeros_like(slope), where=spectrum != 0)
    return np.clip(np.cbrt(n * relative**2), 1.0, max(1.0, min(3 * np.sqrt(n), n / 3))), spectrum


def within(sample: Sample, groups: Sequence[Sequence[int]]) -> list[Corrected]:
    """Correct the best column of each group for having been chosen (see `procedure`; the rule here is the lowest mean).

    Args:
        sample: of the losses.
        groups: the columns of each group, such as the hyperparameter settings of a leaderboard row.
    """
    means = sample.mean[None] if sample.resampled is None else sample.resampled.means
    found = []
    for group in groups:
        columns = np.asarray(group)
        pick = int(columns[sample.mean[columns].argmin()])
        found.append(_corrected(sample, pick, columns[means[:, columns].argmin(axis=1)]))
    return found


def choose(sample: Sample, choice: Choice) -> int:
    """Return the champion's column.

    Among models: the best has the lowest mean; those whose mean is above it by no more than the rope, or than one standard
    error of the paired difference, are as good; the champion is the simplest of them, of equals the one with the lower
    mean. The best baseline is champion where no model's gain over it can reach delta (the upper bounds of `claim`), where
    the best model gains nothing, and where there is no model.

    Source: the one-standard-error rule, Breiman et al. 1984; its paired form, Yates et al. 2023.
    """
    counts = np.ones((1, len(sample.sizes)))
    return int(_champions(sample, choice, counts, sample.mean[None])[0])


def procedure(sample: Sample, choice: Choice) -> Corrected:
    """Estimate what the champion costs on new rows, corrected for having been chosen.

    In every bootstrap sample the whole rule of `choose` is applied to the blocks drawn, with the standard errors and the
    critical value that its bounds have on all blocks, and the column that it picks is scored on the blocks not drawn. By
    how much these scores exceed those of the champion on the same blocks, on average, is what its mean is too good by.
    The interval is that of the champion's mean, moved by as much: percentiles of the scores themselves would be those of a
    third of the blocks, and cover 99 % for 95.

    Under ten blocks nothing is drawn, and the champion's mean stands uncorrected in its t interval.

    Source: BBC-CV, Tsamardinos, Greasidou and Borboudakis, Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation, 2018.
    """
    pick = choose(sample, choice)
    if sample.resampled is None:
        return _corrected(sample, pick, np.array([pick]))
    return _corrected(sample, pick, _champions(sample, choice, sample.resampled.counts, sample.resampled.means))


def claim(
    sample: Sample,
    base: int,
    columns: Sequence[int],
    confidence: float = LEVEL,
    *,
    errors: np.ndarray | None = None,
    degrees: float | None = None,
) -> Claim:
    """Bound the gains of all columns over a base column at once, so that the best of them may be believed.

    The critical values are quantiles, over the bootstrap samples, of the largest deviation among all columns, each in units
    of its standard error in that same sample: with skewed losses (a rare miss that costs much) the mean and its error move
    together, and a fixed error would let far too much pass. A column gone astray, whose deviations have a far heavier tail than
    most, has its own bounds stretched by it, and leaves the others theirs (`_reach`). Under ten blocks the critical values are
    Bonferroni's. A gain that is the same in every block is certain. From one block nothing is known of another: the bounds are
    infinite.

    Args:
        sample: of the losses.
        base: the column to beat.
        columns: those compared with it.
        confidence: with which all lower bounds hold together; likewise all upper bounds.
        errors: (len(columns),) standard errors of the gains in place of the bootstrap's, such as those of `nadeau_bengio`.
        degrees: of freedom of those errors; those of the blocks where none are given.

    Source: White, A reality check for data snooping, 2000; studentised as Romano and Wolf, Stepwise multiple testing as
    formalized data snooping, 2005; stretched column by column as Beran, Balanced simultaneous confidence sets, 1988.
    """
    from scipy import stats

    others = np.asarray(columns, dtype=int)
    gain = sample.mean[base] - sample.mean[others]
    n_blocks = len(sample.sizes)
    if n_blocks < 2:
        infinite = np.full(len(others), np.inf)
        return Claim(gain, infinite, -infinite, infinite, float("inf"), sample.n_blocks)
    residuals = sample.centred[:, [base]] - sample.centred[:, others]
    largest_sum = np.abs(sample.sums[:, others]).max(axis=0) + np.abs(sample.sums[:, base]).max()
    differs = np.abs(residuals).max(axis=0) > SAME * largest_sum
    error = single = _error(residuals, sample.sizes)  # as if blocks were independent
    tails, heavy = [(1 - confidence) / max(1, int(differs.sum()))] * 2, np.ones((2, len(others)))
    if sample.resampled is not None and differs.any():
        counts, means = sample.resampled.counts, sample.resampled.means
        drawn = means[:, [base]] - means[:, others] - gain
        error = drawn.std(axis=0) * sample.widening
        own = np.maximum(_errors_drawn(residuals[:, differs], sample.sizes, counts, drawn[:, differs]), LEAST * single[differs])
        own *= drawn[:, differs].std(axis=0) / np.sqrt(np.mean(own**2, axis=0))  # what runs add, added once
        t = drawn[:, differs] / own
        for side, deviations in enumerate((t, -t)):
            tails[side], heavy[side, differs] = _reach(deviations, confidence, n_blocks - 1)
    error = np.where(differs, error if errors is None else errors, 0.0)
    below, above = (float(stats.t.isf(tail, sample.degrees if degrees is None else degrees)) for tail in tails)
    return Claim(gain, error, gain - below * heavy[0] * error, gain + above * heavy[1] * error, below, sample.n_blocks)


def required_blocks(claim: Claim, place: int, delta: float) -> float:
    """Return how many blocks would lift the lower bound of a gain to delta, if the gain is what it seems; infinite if it is not above.

    Args:
        claim: the gains.
        place: of the column among those of the claim.
        delta: the gain to be shown.
    """
    beyond = float(claim.gain[place]) - delta
    if beyond <= 0:
        return float("inf")
    return float(np.ceil(claim.n * (float(claim.gain[place] - claim.lower[place]) / beyond) ** 2))


def nadeau_bengio(differences: np.ndarray, n_train: float, n_test: float) -> Paired:
    """Test whether a mean difference over splits is above zero when the splits share training rows.

    Args:
        differences: (n_splits,) of one split each, repeats included.
        n_train: training rows of a split.
        n_test: test rows of a split.

    Raises:
        ValueError: fewer than two splits.

    Source: Nadeau and Bengio, Inference for the generalization error, 2003; for repeated k-fold, Bouckaert and Frank 2004.

    >>> round(nadeau_bengio(np.array([0.1, 0.2, 0.3]), n_train=80, n_test=20).error ** 2, 6)
    0.005833
    """
    from scipy import stats

    n_splits = len(differences)
    if n_splits < 2:
        raise ValueError(f"differences must hold at least 2 splits, but {n_splits=}")
    mean = float(np.mean(differences))
    error = float(np.sqrt((1 / n_splits + n_test / n_train) * np.var(differences, ddof=1)))
    t = mean / error if error > 0 else float(np.sign(mean)) * float("inf") if mean else 0.0
    return Paired(t, error, n_splits - 1, float(stats.t.sf(t, n_splits - 1)))


def correlated_t(differences: np.ndarray, rope: float, n_train: float, n_test: float) -> tuple[float, float, float]:
    """Return the posterior probabilities that the mean difference is below -rope, within the rope, and above it.

    Args:
        differences: (n_splits,) of one split each, repeats included.
        rope: half the width of the region of practical equivalence, in the unit of the differences.
        n_train: training rows of a split.
        n_test: test rows of a split.

    Raises:
        ValueError: fewer than two splits.

    Source: Benavoli, Corani, Demsar and Zaffalon, Time for a change, 2017: Student's t around the mean with the error of
    Nadeau and Bengio.
    """
    from scipy import stats

    paired = nadeau_bengio(differences, n_train, n_test)
    mean = float(np.mean(differences))
    if paired.error == 0:
        left, right = float(mean < -rope), float(mean > rope)
    else:
        left = float(stats.t.cdf((-rope - mean) / paired.error, paired.degrees))
        right = float(stats.t.sf((rope - mean) / paired.error, paired.degrees))
    return left, 1 - left - right, right


def next_period(gains: np.ndarray, confidence: float = LEVEL) -> tuple[float, float, float]:
    """Return the mean gain over periods (seasons, sites), and Student's prediction interval for the gain of one more.

    Args:
        gains: (n_periods,) of each period judged.
        confidence: of the interval.

    Raises:
        ValueError: fewer than two periods.

    >>> [round(number, 2) for number in next_period(np.array([3.75, 3.61, 3.04]))]
    [3.47, 1.6, 5.34]
    """
    from scipy import stats

    n_periods = len(gains)
    if n_periods < 2:
        raise ValueError(f"gains must hold at least 2 periods, but {n_periods=}")
    mean = float(np.mean(gains))
    reach = float(stats.t.isf((1 - confidence) / 2, n_periods - 1) * np.std(gains, ddof=1) * np.sqrt(1 + 1 / n_periods))
    return mean, mean - reach, mean + reach


def _champions(sample: Sample, choice: Choice, counts: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Apply the rule of `choose` to blocks drawn so often, (n_samples, n_blocks), where columns have these means.

    Returns:
        (n_samples,) columns.
    """
    models, baselines = np.asarray(choice.models, dtype=int), np.asarray(choice.baselines, dtype=int)
    assert len(models) or len(baselines), "there is nothing to choose from"
    simple = baselines[means[:, baselines].argmin(axis=1)] if len(baselines) else np.zeros(len(means), dtype=int)
    if not len(models):
        return simple
    cost = means[:, models]
    best = cost.argmin(axis=1)
    apart = cost - cost.min(axis=1, keepdims=True)
    error = _paired_errors(sample, models, counts, best, apart)
    rank = np.where(apart <= np.maximum(choice.rope, error), choice.rank[models], np.inf)
    simplest = rank == rank.min(axis=1, keepdims=True)
    champion = models[np.where(simplest, cost, np.inf).argmin(axis=1)]
    if not len(baselines):
        return np.asarray(champion)
    if choice.above is None:
        bounds = claim(sample, int(baselines[sample.mean[baselines].argmin()]), choice.models, choice.confidence)
        above = bounds.upper - bounds.gain
    else:
        above = choice.above[models]
    gain = means[np.arange(len(means)), simple][:, None] - cost
    matters = ((gain + above).max(axis=1) >= choice.delta) & (gain.max(axis=1) > 0)
    return np.asarray(np.where(matters, champion, simple))


def _paired_errors(sample: Sample, models: np.ndarray, counts: np.ndarray, best: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Return the standard error of each model's difference to the best one, (n_samples, n_models).

    It comes from the residuals of the blocks drawn; those of all pairs would be too many, so their sum of squares is expanded,
    and the cross terms of all samples with the same best model are one matrix product.

    Args:
        sample: of the losses.
        models: (n_models,) columns.
        counts: (n_samples, n_blocks) how often each block is drawn.
        best: (n_samples,) place of the best model among models.
        apart: (n_samples, n_models) difference of means to the best model.
    """
    n_blocks = len(sample.sizes)
    centred = sample.centred[:, models]
    lead = int(sample.mean[models].argmin())
    residuals = centred - centred[:, [lead]]  # what all columns share cancels, and with it most rounding
    squares, along = counts @ residuals**2, counts @ (residuals * sample.sizes[:, None])
    cross = np.empty_like(squares)
    for place in np.unique(best):
        mine = best == place
        cross[mine] = (counts[mine] * residuals[:, place]) @ residuals
    mean = sample.mean[models]
    moved = apart - (mean - mean[best][:, None])  # by how much the difference of this sample is not that of all blocks
    row = np.arange(len(best))
    sum_of_squares = squares - 2 * cross + squares[row, best][:, None]
    sum_of_squares += moved * (moved * (counts @ sample.sizes**2)[:, None] - 2 * (along - along[row, best][:, None]))
    error = np.sqrt(np.maximum(sum_of_squares, 0.0) * (n_blocks / max(1, n_blocks - 1))) / (counts @ sample.sizes)[:, None]
    return np.asarray(error * _inflation(sample, models, residuals)[best])


def _inflation(sample: Sample, models: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Return by how much neighbouring blocks that resemble each other widen the error of a difference, (n_models, n_models)."""
    if sample.resampled is None or sample.mean_run == 1:
        return np.ones((len(models), len(models)))
    means = sample.resampled.means[:, models]
    runs, single = np.cov(means - means[:, [0]], rowvar=False, ddof=0), residuals.T @ residuals / sample.sizes.sum() ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sqrt(_of_difference(np.atleast_2d(runs)) / _of_difference(single))
    return np.asarray(np.where(np.isfinite(found), found, 1.0) * sample.widening)


def _of_difference(covariance: np.ndarray) -> np.ndarray:
    """Return the variance of the difference of each pair, (n, n)."""
    alone = np.diag(covariance)
    return np.asarray(np.maximum(alone[:, None] + alone - 2 * covariance, 0.0))


def _corrected(sample: Sample, pick: int, chosen: np.ndarray) -> Corrected:
    """Move the mean of a column by what the columns chosen in each sample, (n_samples,), cost more than it on blocks not drawn."""
    low, high = sample.interval(pick)
    if sample.resampled is None:
        return Corrected(float(sample.mean[pick]), low, high)
    left_out = sample.resampled.left_out
    moved = float(np.nanmean(left_out[np.arange(len(chosen)), chosen] - left_out[:, pick]))
    return Corrected(float(sample.mean[pick]) + moved, low + moved, high + moved)


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


def _error(residuals: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the standard error of a mean from what each block has beyond it, along the first axis."""
    n_blocks = len(sizes)
    return np.asarray(np.sqrt((residuals**2).sum(axis=0) * n_blocks / (n_blocks - 1)) / sizes.sum())


def _reach(deviations: np.ndarray, confidence: float, degrees: int) -> tuple[float, np.ndarray]:
    """Return the tail beyond which the largest deviation of a sample lies too seldom, and how heavy each column's tail is.

    A column that nothing rare has befallen yet looks lighter than it is, and is the likeliest to be claimed too much of. So none
    counts as lighter than most: heavier ones, which have gone astray, are told apart, and the others share what they risk.

    Args:
        deviations: (n_samples, n_columns) in units of their standard errors.
        confidence: the share of samples in which no column's deviation may lie beyond the tail.
        degrees: of freedom of a deviation, were losses normal.

    Returns:
        The tail, as one of Student's, and (n_columns,) how many times as far as Student's each column's own reaches, at least 1.
    """
    from scipy import stats

    tail = max(RARE, (1 - LEVEL) / deviations.shape[1])
    own = np.maximum(1.0, np.quantile(deviations, 1 - tail, axis=0) / stats.t.isf(tail, degrees))
    heavy = np.maximum(own, np.quantile(own, ORDINARY, method="lower"))
    return float(stats.t.sf(np.quantile((deviations / heavy).max(axis=1), confidence), degrees)), heavy


def _errors_drawn(residuals: np.ndarray, sizes: np.ndarray, counts: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Return the standard error of each mean from the blocks of each sample alone, (n_samples, n_columns).

    Args:
        residuals: (n_blocks, n_columns) what each block has beyond the mean of all.
        sizes: (n_blocks,) of the blocks.
        counts: (n_samples, n_blocks) how often each block is drawn.
        moved: (n_samples, n_columns) the mean of a sample minus that of all blocks.
    """
    n_blocks = len(sizes)
    squares = counts @ residuals**2 - 2 * moved * (counts @ (residuals * sizes[:, None])) + moved**2 * (counts @ sizes**2)[:, None]
    return np.asarray(np.sqrt(np.maximum(squares, 0.0) * n_blocks / (n_blocks - 1)) / (counts @ sizes)[:, None])


def _shortfall(variance: np.ndarray, drawn: np.ndarray) -> float:
    """Return by how much runs that end make errors too small: the median over columns, at least 1.

    Args:
        variance: (n_columns,) of the mean, by its long-run variance; empty where blocks do not follow each other.
        drawn: (n_columns,) variance of the mean among bootstrap samples.
    """
    known = drawn[: len(variance)] > 0
    ratios = variance[known] / drawn[: len(variance)][known]
    return float(np.sqrt(max(1.0, np.median(ratios)))) if known.any() else 1.0
