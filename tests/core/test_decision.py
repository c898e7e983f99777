"""Predictive distributions, and the summaries that a loss asks of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from piste.core.decision import Classes, NegativeBinomial, Point, dispersion

MEANS = np.array([0.02, 0.7, 3.0, 41.5, 900.0])


@pytest.mark.parametrize("spread", [0.05, 0.5, 3.0])
@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_a_quantile_is_the_smallest_count_that_reaches_the_level(spread, level):
    found = NegativeBinomial(MEANS, spread).quantile(level)
    for mean, quantile in zip(MEANS, found, strict=True):
        shape = 1 / spread
        counts = np.arange(int(mean * 40 + 400))
        share = stats.nbinom(shape, shape / (shape + mean)).pmf(counts).cumsum()  # summed one by one, apart from scipy's own ppf
        assert quantile == np.flatnonzero(share >= level)[0]


@pytest.mark.parametrize("spread", [0.05, 0.5, 3.0])
def test_the_variance_is_the_mean_and_dispersion_times_its_square(spread):
    mean = 7.0
    counts = np.arange(3000)
    levels = np.array([NegativeBinomial(np.array([mean]), spread).quantile(level)[0] for level in (np.arange(2000) + 0.5) / 2000])
    exact = stats.nbinom(1 / spread, (1 / spread) / (1 / spread + mean))
    assert exact.pmf(counts) @ (counts - mean) ** 2 == pytest.approx(mean + spread * mean**2, rel=1e-6)
    assert levels.mean() == pytest.approx(mean, rel=0.01)  # the quantiles are those of that distribution
    assert levels.var() == pytest.approx(mean + spread * mean**2, rel=0.05)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_without_dispersion_it_is_poisson(level):
    found = NegativeBinomial(MEANS, 0.0).quantile(level)
    np.testing.assert_array_equal(found, stats.poisson.ppf(level, MEANS))
    np.testing.assert_array_equal(NegativeBinomial(MEANS, 1e-8).quantile(level), found)  # and the limit is reached


def test_a_mean_of_zero_has_no_counts():
    for spread in (0.0, 0.5):
        np.testing.assert_array_equal(NegativeBinomial(np.zeros(3), spread).quantile(0.95), np.zeros(3))


def test_each_loss_gets_the_summary_that_it_asks_for():
    counts = NegativeBinomial(MEANS, 0.5)
    np.testing.assert_array_equal(counts.functional("mean"), MEANS)
    np.testing.assert_array_equal(counts.functional("median"), counts.quantile(0.5))
    np.testing.assert_array_equal(Point(MEANS).functional("median"), MEANS)
    shares = np.array([[0.3, 0.7]])
    np.testing.assert_array_equal(Classes(shares).functional("probabilities"), shares)


def test_the_median_costs_less_in_absolute_error_and_the_mean_in_squared():
    y = np.random.default_rng(0).negative_binomial(2, 2 / (2 + 5.0), 20_000)
    counts = NegativeBinomial(np.full(len(y), 5.0), 0.5)
    mean, median = counts.functional("mean"), counts.functional("median")
    assert np.abs(y - median).mean() < np.abs(y - mean).mean()
    assert ((y - mean) ** 2).mean() < ((y - median) ** 2).mean()


@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0])
def test_the_dispersion_that_counts_were_drawn_with_is_found(spread):
    rng = np.random.default_rng(1)
    mean = rng.gamma(3.0, 10.0, 200_000)
    rate = mean * rng.gamma(1 / spread, spread, len(mean)) if spread else mean
    assert dispersion(rng.poisson(rate).astype(float), mean) == pytest.approx(spread, abs=0.01 + 0.03 * spread)


@pytest.mark.parametrize(
    ("y", "mean", "expected"),
    [
        ([1.0, 3.0], [2.0, 2.0], 0.0),  # less spread than Poisson
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([], [], 0.0),
        ([0.0, 6.0], [3.0, 3.0], (9 + 9 - 6) / 18),
    ],
)
def test_the_dispersion_by_hand(y, mean, expected):
    assert dispersion(np.array(y), np.array(mean)) == pytest.approx(expected)
