"""How often the statistics are right: long simulations of loss matrices whose truth is known, and the time that they take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from piste.core.statistics import Choice, Corrected, Sample, choose, claim, procedure, sample, within

COST, SPREAD = 12.0, 3.0  # mean and standard deviation of a row's loss, as in the reference's table
EARLY, HOPELESS = 0.4, 0.01  # columns are dropped after this share of the rows, if this unlikely to be better than the best so far
DELTA = 0.6  # the gain that matters: 5 % of the cost
TIERS = 6

Losses = Callable[[np.random.Generator, int, np.ndarray, float], np.ndarray]


def normal(rng: np.random.Generator, n_blocks: int, means: np.ndarray, correlation: float) -> np.ndarray:
    """Draw losses with these means, (n_blocks, n_columns), of which every two columns share so much."""
    shared, own = rng.normal(size=(n_blocks, 1)), rng.normal(size=(n_blocks, len(means)))
    return means + SPREAD * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)


def rare(rng: np.random.Generator, n_blocks: int, means: np.ndarray, correlation: float) -> np.ndarray:
    """Draw losses that are mostly small and sometimes the cost of a miss, 200; of events, this share is missed by all or none."""
    event, alike = rng.random((n_blocks, 1)) < 0.12, rng.random((n_blocks, 1)) < correlation
    luck = np.where(alike, rng.random((n_blocks, 1)), rng.random((n_blocks, len(means))))
    return 200.0 * (event & (luck < means / 24))


def skewed(rng: np.random.Generator, n_blocks: int, means: np.ndarray, _correlation: float) -> np.ndarray:
    """Draw lognormal losses, each column's by its own luck: the first, a rule, hardly varies; of the others few rows make up most."""
    spread = np.where(np.arange(len(means)) == 0, 0.2, 1.0)
    return means * np.exp(spread * rng.normal(size=(n_blocks, len(means))) - spread**2 / 2)


def lasting(past: float) -> Losses:
    """Return a world like `normal`, whose losses are autoregressive in time with this coefficient."""

    def losses(rng: np.random.Generator, n_blocks: int, means: np.ndarray, correlation: float) -> np.ndarray:
        series = normal(rng, n_blocks, np.zeros(len(means)), correlation)
        for t in range(1, n_blocks):
            series[t] = past * series[t - 1] + np.sqrt(1 - past**2) * series[t]
        return means + series

    return losses


@dataclass(frozen=True)
class Estimates:
    """What was said of the cost of what was chosen, minus its true cost: one entry per replicate."""

    naive: np.ndarray
    corrected: np.ndarray
    covered: np.ndarray

    def __str__(self) -> str:
        error = self.corrected.std(ddof=1) / np.sqrt(len(self.corrected))
        return (
            f"naive {self.naive.mean():+.3f}   corrected {self.corrected.mean():+.3f} (se {error:.3f})   covers {self.covered.mean():.1%}"
        )


def drawn(losses: np.ndarray, seed: int, *, ordered: bool = False) -> Sample:
    """Resample a loss matrix whose rows are its blocks."""
    n_rows = len(losses)
    return sample(losses, np.ones(n_rows), np.arange(n_rows), ordered=ordered, seed=seed)


def survivors(losses: np.ndarray, seed: int) -> np.ndarray:
    """Return the columns that a bootstrap test on the first rows does not drop."""
    early = drawn(losses[: int(EARLY * len(losses))], seed)
    assert early.draws is not None, "there are at least ten early rows"
    better = (early.draws < early.draws[:, [int(early.mean.argmin())]]).mean(axis=0)
    return np.flatnonzero((better >= HOPELESS) | (early.mean == early.mean.min()))


def estimates(
    n_replicates: int,
    n_blocks: int,
    means: np.ndarray,
    correlation: float,
    choice: Choice | None = None,
    *,
    dropping: bool = False,
    losses: Losses = normal,
) -> Estimates:
    """Choose, estimate, and compare with the truth, again and again.

    The truth is the expected cost of the procedure on these data: the true mean of the column that it picked on them.

    Args:
        n_replicates: how often.
        n_blocks: judged.
        means: (n_columns,) true costs.
        correlation: of the losses of two columns.
        choice: the rule; the lowest mean where there is none.
        dropping: whether hopeless columns are dropped early, so that they have no column.
        losses: the world.
    """
    found = []
    for replicate in range(n_replicates):
        rng = np.random.default_rng([replicate, n_blocks, len(means)])
        table = losses(rng, n_blocks, means, correlation)
        kept = survivors(table, replicate) if dropping else np.arange(len(means))
        have = drawn(table[:, kept], replicate)
        said: Corrected
        if choice is None:
            pick, said = int(have.mean.argmin()), within(have, [range(len(kept))])[0]
        else:
            pick, said = choose(have, choice), procedure(have, choice)
        truth = means[kept[pick]]
        found.append((have.mean[pick] - truth, said.mean - truth, said.low <= truth <= said.high))
    naive, corrected, covered = np.array(found).T
    return Estimates(naive, corrected, covered)


def claims(
    n_replicates: int, n_blocks: int, n_models: int, gain: float, losses: Losses = normal, *, ordered: bool = False
) -> tuple[float, float]:
    """Return how often some of these models, all of this true gain over a baseline, are said to gain DELTA, and none to be able to.

    How alike the columns are does not matter to either: it only scales all differences.
    """
    means = np.full(n_models + 1, COST - gain)
    means[0] = COST
    shipped = dismissed = 0
    for replicate in range(n_replicates):
        rng = np.random.default_rng([replicate, n_blocks, n_models, 7])
        bounds = claim(drawn(losses(rng, n_blocks, means, 0.7), replicate, ordered=ordered), 0, range(1, n_models + 1))
        shipped += bool((bounds.lower >= DELTA).any())
        dismissed += bool(bounds.upper.max() < DELTA)
    return shipped / n_replicates, dismissed / n_replicates


def contest(n_models: int, spread: float) -> tuple[np.ndarray, Choice]:
    """Return true costs of a baseline and of models in tiers, best and worst mixed, with the rule that chooses among them."""
    models = COST - DELTA + spread * np.random.default_rng(0).permutation(np.linspace(0, 1, n_models))
    rank = np.concatenate([[0], np.arange(n_models) * TIERS // n_models]).astype(float)
    return np.concatenate([[COST], models]), Choice(tuple(range(1, n_models + 1)), (0,), rank, 0.01 * COST, 0.05 * COST)


def autocorrelated(n_replicates: int, n_blocks: int, past: float) -> tuple[float, float]:
    """Return how often a 95 % interval of the mean of an AR(1) covers it, and the mean run that was drawn."""
    hits, runs = 0, []
    for replicate in range(n_replicates):
        rng = np.random.default_rng([replicate, n_blocks])
        have = drawn(lasting(past)(rng, n_blocks, np.array([COST]), 0.0), replicate, ordered=True)
        low, high = have.interval(0)
        hits += low <= COST <= high
        runs.append(have.mean_run)
    return hits / n_replicates, float(np.mean(runs))


def degrees(n_replicates: int, n_blocks: int, past: float) -> tuple[float, float]:
    """Return the degrees of freedom that the variance of a gain is said to have, in the median, and those by which it varies."""
    said, variances = [], []
    for replicate in range(n_replicates):
        rng = np.random.default_rng([replicate, n_blocks, 9])
        have = drawn(lasting(past)(rng, n_blocks, np.full(21, COST), 0.7), replicate, ordered=True)
        said.append(have.degrees)
        variances.append(have.difference(0, 1)[0] ** 2)
    return float(np.median(said)), float(2 * np.mean(variances) ** 2 / np.var(variances))


def seconds(n_blocks: int, n_columns: int, *, ordered: bool) -> dict[str, float]:
    """Return the CPU seconds of each thing that a comparison asks for; ten columns to a row of the leaderboard."""
    means, choice = contest(n_columns - 1, 1.0)
    losses = normal(np.random.default_rng(0), n_blocks, means, 0.8)
    start = time.process_time()
    have = drawn(losses, 0, ordered=ordered)
    taken = {"sample": time.process_time() - start}
    asked: dict[str, Callable[[], object]] = {
        "within": lambda: within(have, [range(first, first + 10) for first in range(0, n_columns, 10)]),
        "choose": lambda: choose(have, choice),
        "procedure": lambda: procedure(have, choice),
        "claim": lambda: claim(have, 0, range(1, n_columns)),
    }
    for name, work in asked.items():
        start = time.process_time()
        work()
        taken[name] = time.process_time() - start
    return taken


def speed(_n: int) -> None:
    """Print how long a large comparison takes."""
    print("CPU seconds, 2,000 samples x 300 columns x 1,000 blocks (the first includes the import of scipy)")
    for ordered in (False, True, False):
        taken = seconds(1_000, 300, ordered=ordered)
        parts = "  ".join(f"{name} {value:.3f}" for name, value in taken.items())
        print(f"  {'in runs' if ordered else 'one by one':10}  {parts}  together {sum(taken.values()):.2f}", flush=True)


def equal(n: int) -> None:
    """Print what is said of the best of equal columns."""
    print(f"The best of equal columns: error of its estimate, {n} replicates")
    for n_blocks, n_columns, correlation in ((200, 60, 0.7), (200, 60, 0.9), (200, 300, 0.8), (1_000, 60, 0.9), (30, 60, 0.9)):
        for dropping in (False, True):
            found = estimates(n, n_blocks, np.full(n_columns, COST), correlation, dropping=dropping)
            print(
                f"  {n_blocks:5} blocks {n_columns:3} columns corr {correlation} {'dropped' if dropping else 'all':8} {found}", flush=True
            )


def whole(n: int) -> None:
    """Print what is said of the cost of the whole procedure."""
    print(f"The whole procedure, 60 models that differ by up to so much, {n} replicates")
    for losses in (normal, rare):
        for n_blocks in (30, 200):
            for spread in (0.0, 0.3, 1.0, 3.0):
                means, choice = contest(60, spread)
                found = estimates(n, n_blocks, means, 0.8, choice, losses=losses)
                print(f"  {losses.__name__:8} {n_blocks:5} blocks spread {spread} {found}", flush=True)


def false(n: int) -> None:
    """Print how often a gain of exactly delta is said to be at least delta, and to be less."""
    print(f"False claims at a gain of exactly delta, 5 % allowed, {n} replicates")
    for losses, sizes in ((normal, (8, 12, 30, 200)), (rare, (30, 200, 1_000)), (skewed, (200, 1_000))):
        for n_blocks in sizes:
            for n_models in (1, 5, 20, 60):
                ship, dismiss = claims(n, n_blocks, n_models, DELTA, losses)
                print(
                    f"  {losses.__name__:8} {n_blocks:5} blocks {n_models:3} models  shipped {ship:.1%}  dismissed {dismiss:.1%}",
                    flush=True,
                )


def power(n: int) -> None:
    """Print how often a gain above delta is shown."""
    print(f"Power, 200 blocks, {n} replicates")
    for n_models in (1, 5, 20, 60):
        rates = [f"{times} x delta {claims(n, 200, n_models, times * DELTA)[0]:.1%}" for times in (1.5, 2.0, 3.0)]
        print(f"  {n_models:3} models  {'  '.join(rates)}", flush=True)


def time_series(n: int) -> None:
    """Print how often the interval of a mean of autocorrelated blocks covers it."""
    print(f"The mean of an AR(1), {n} replicates")
    for n_blocks in (12, 30, 100, 400):
        for past in (0.0, 0.3, 0.6, 0.9):
            covered, run = autocorrelated(n, n_blocks, past)
            print(f"  {n_blocks:5} blocks memory {past}  covers {covered:.1%}  mean run {run:.1f}", flush=True)


def runs(n: int) -> None:
    """Print how often false claims are made of autocorrelated blocks, and how much is known of their variance."""
    print(f"False claims at a gain of exactly delta, 5 % allowed, of blocks in time, {n} replicates")
    for n_blocks in (30, 100, 400):
        for past in (0.0, 0.3, 0.6, 0.9):
            rates = []
            for n_models in (1, 20):
                ship, dismiss = claims(n, n_blocks, n_models, DELTA, lasting(past), ordered=True)
                rates.append(f"{n_models:2} models  shipped {ship:.1%}  dismissed {dismiss:.1%}")
            said, varied = degrees(n, n_blocks, past)
            print(
                f"  {n_blocks:5} blocks memory {past}  {'  '.join(rates)}  degrees said {said:.1f}, by which it varies {varied:.1f}",
                flush=True,
            )


TABLES: dict[str, Callable[[int], None]] = {table.__name__: table for table in (speed, equal, whole, false, power, time_series, runs)}


def main(arguments: Sequence[str]) -> None:
    """Print the tables named, or all; a number says how many replicates there are."""
    n = next((int(word) for word in arguments if word.isdigit()), 1_000)
    for name in [word for word in arguments if not word.isdigit()] or TABLES:
        TABLES[name](n)


if __name__ == "__main__":
    main(sys.argv[1:])
