"""Predictive distributions, each against draws made by hand and against scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from piste.core.predictive import Classes, Curve, Draws, Dressed, NegativeBinomial, Point, Predictive, dispersion

MEANS = np.array([0.02, 0.7, 3.0, 41.5, 900.0])
N = 40_000
LEVELS = (0.02, 0.1, 0.35, 0.5, 0.8, 0.97)

Made = tuple[Predictive, np.ndarray]  # a distribution of each row, and values drawn from it, (n_rows, N)


def by_pieces(rng: np.random.Generator, knots: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Draw a piece by its mass, and a place within it: (n_rows, N)."""
    found = []
    for ends, mass in zip(knots, masses, strict=True):
        piece = rng.choice(len(mass), N, p=mass)
        found.append(ends[piece] + rng.random(N) * (ends[piece + 1] - ends[piece]))
    return np.stack(found)


def point(rng: np.random.Generator) -> Made:
    value = rng.normal(0, 5, 4)
    return Point(value), np.tile(value[:, None], N)


def dressed(rng: np.random.Generator) -> Made:
    value, residuals = rng.normal(20, 5, 4), np.sort(rng.standard_t(3, 60))
    return Dressed(value, residuals, ratio=False), value[:, None] + rng.choice(residuals, (4, N))


def dressed_by_ratios(rng: np.random.Generator) -> Made:
    value, ratios = rng.gamma(2, 10, 4), np.sort(rng.gamma(4, 0.25, 60))
    return Dressed(value, ratios, ratio=True), (value[:, None] + 1) * rng.choice(ratios, (4, N)) - 1


def counts(rng: np.random.Generator) -> Made:
    mean = np.array([0.4, 3.0, 40.0])
    rate = mean[:, None] * rng.gamma(1 / 0.6, 0.6, (3, N))
    return NegativeBinomial(mean, 0.6), rng.poisson(rate).astype(float)


def poisson(rng: np.random.Generator) -> Made:
    mean = np.array([0.4, 3.0, 40.0])
    return NegativeBinomial(mean, 0.0), rng.poisson(mean[:, None], (3, N)).astype(float)


def curve(rng: np.random.Generator) -> Made:
    masses = rng.dirichlet(np.ones(6))
    knots = np.sort(rng.normal(0, 10, (4, 7)), axis=1)
    return Curve(knots, np.concatenate([[0], np.cumsum(masses)])), by_pieces(rng, knots, np.tile(masses, (4, 1)))


def curve_with_a_floor(rng: np.random.Generator) -> Made:
    masses = rng.dirichlet(np.ones(6))
    knots = np.maximum(np.sort(rng.normal(2, 5, (4, 7)), axis=1), 0.0)
    return Curve(knots, np.concatenate([[0], np.cumsum(masses)])), by_pieces(rng, knots, np.tile(masses, (4, 1)))


def levels(rng: np.random.Generator) -> Made:
    masses, capacity = rng.dirichlet(np.ones(3), 4), rng.uniform(50, 100, (4, 1))
    thresholds = capacity * [0.3, 0.55]
    ends = (0.0, 150.0)
    knots = np.concatenate([np.full((4, 1), ends[0]), thresholds, np.full((4, 1), ends[1])], axis=1)
    return Classes(masses, thresholds, ends), by_pieces(rng, knots, masses)


def draws(rng: np.random.Generator) -> Made:
    values = rng.gamma(2, 5, (4, 500))
    return Draws(values), rng.permuted(np.tile(values, N // 500), axis=1)


ALL = (point, dressed, dressed_by_ratios, counts, poisson, curve, curve_with_a_floor, levels, draws)


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.__name__)
def test_the_mean_is_that_of_what_is_drawn(made: Callable[[np.random.Generator], Made]):
    predictive, drawn = made(np.random.default_rng(1))
    error = drawn.std(axis=1) / np.sqrt(N)
    assert (np.abs(predictive.mean() - drawn.mean(axis=1)) <= 5 * error + 1e-9).all()


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.__name__)
@pytest.mark.parametrize("level", LEVELS)
def test_a_quantile_has_its_share_of_what_is_drawn_below_it(made, level):
    predictive, drawn = made(np.random.default_rng(2))
    found = predictive.quantile(level)[:, None]
    away, error = 1e-9 * (1 + np.abs(found)), 5 * np.sqrt(level * (1 - level) / N)
    assert ((drawn <= found + away).mean(axis=1) >= level - error).all()
    assert ((drawn < found - away).mean(axis=1) <= level + error).all()


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.__name__)
def test_a_threshold_is_reached_as_often_as_by_what_is_drawn(made):
    predictive, drawn = made(np.random.default_rng(3))
    low, high = np.quantile(drawn, [0.1, 0.9], axis=1)
    thresholds = np.stack([low - 1, low, (low + high) / 2, high, drawn.max(axis=1) + 1, *np.round([low, high])], axis=1)
    found = predictive.reaches(thresholds)
    share = (drawn[:, :, None] >= thresholds[:, None, :] - 1e-9).mean(axis=1)
    assert found.shape == thresholds.shape
    np.testing.assert_allclose(found, share, atol=5 * 0.5 / np.sqrt(N))


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.__name__)
def test_what_is_reached_falls_as_thresholds_rise_and_quantiles_rise_with_their_level(made):
    predictive, drawn = made(np.random.default_rng(4))
    thresholds = np.linspace(drawn.min() - 1, drawn.max() + 1, 200)
    reached = predictive.reaches(np.tile(thresholds, (len(drawn), 1)))
    assert (np.diff(reached, axis=1) <= 1e-12).all()
    assert ((reached >= -1e-12) & (reached <= 1 + 1e-12)).all()
    assert (np.diff([predictive.quantile(level) for level in np.linspace(0.001, 0.999, 80)], axis=0) >= -1e-12).all()


def test_a_value_that_meets_its_threshold_reaches_it_though_the_arithmetic_is_inexact():
    residuals = np.array([0.1])
    assert Dressed(np.array([0.2]), residuals, ratio=False).reaches(np.array([[0.3]]))[0, 0] == 1.0  # 0.3 - 0.2 is below 0.1 by a bit
    assert Dressed(np.array([0.7]), residuals, ratio=False).reaches(np.array([[0.8]]))[0, 0] == 1.0  # 0.8 - 0.7 is above it by one
    counts = np.arange(200.0)
    exact = Dressed(counts, np.array([1 / 3]), ratio=True)
    assert (exact.reaches(((counts + 1) / 3 - 1)[:, None]) == 1).all()


def test_all_that_lies_on_a_floor_reaches_the_floor():
    floored = Curve(np.array([[0.0, 0.0, 0.0, 5.0]]), np.array([0.0, 0.2, 0.7, 1.0]))
    np.testing.assert_allclose(floored.reaches(np.array([[-1.0, 0.0, 1e-9, 2.5, 5.0, 6.0]])), [[1, 1, 0.3, 0.15, 0, 0]], atol=1e-8)
    assert floored.quantile(0.5)[0] == 0.0
    assert floored.mean()[0] == pytest.approx(0.3 * 2.5)


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.5, 3.0])
@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_a_quantile_is_the_smallest_count_that_reaches_the_level(spread, level):
    found = NegativeBinomial(MEANS, spread).quantile(level)
    for mean, quantile in zip(MEANS, found, strict=True):
        exact = stats.nbinom(1 / spread, (1 / spread) / (1 / spread + mean)) if spread else stats.poisson(mean)
        share = exact.pmf(np.arange(int(mean * 40 + 400))).cumsum()  # summed one by one, apart from scipy's own ppf
        assert quantile == np.flatnonzero(share >= level)[0]


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.5, 3.0])
def test_a_count_is_reached_with_scipys_probability(spread):
    thresholds = np.tile([-3.0, 0.0, 0.2, 1.0, 3.0, 40.5, 900.0, 2e4], (len(MEANS), 1))
    found = NegativeBinomial(MEANS, spread).reaches(thresholds)
    for mean, mine, at in zip(MEANS, found, thresholds, strict=True):
        exact = stats.nbinom(1 / spread, (1 / spread) / (1 / spread + mean)) if spread else stats.poisson(mean)
        np.testing.assert_allclose(mine, exact.sf(np.ceil(at) - 1), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("spread", [0.05, 0.5, 3.0])
def test_the_variance_is_the_mean_and_dispersion_times_its_square(spread):
    mean = 7.0
    at = np.arange(1.0, 4000.0)
    reached = NegativeBinomial(np.array([mean]), spread).reaches(at[None])[0]
    second = float((2 * at - 1) @ reached)  # E y^2, summed from the tails
    assert reached.sum() == pytest.approx(mean, rel=1e-6)
    assert second - mean**2 == pytest.approx(mean + spread * mean**2, rel=1e-6)


def test_the_least_dispersion_is_that_of_poisson():
    for level in (0.05, 0.5, 0.95):
        np.testing.assert_array_equal(NegativeBinomial(MEANS, 1e-8).quantile(level), stats.poisson.ppf(level, MEANS))


def test_a_mean_of_zero_has_no_counts():
    for spread in (0.0, 0.5):
        none = NegativeBinomial(np.zeros(3), spread)
        np.testing.assert_array_equal(none.quantile(0.95), np.zeros(3))
        np.testing.assert_allclose(none.reaches(np.array([[0.0, 1.0]] * 3)), [[1.0, 0.0]] * 3, atol=1e-11)


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


def test_a_row_of_weight_2_counts_for_two_rows_of_the_dispersion():
    y, mean = np.array([0.0, 9.0, 4.0]), np.array([3.0, 3.0, 2.0])
    assert dispersion(y, mean, np.array([1.0, 2.0, 1.0])) == pytest.approx(dispersion(y[[0, 1, 1, 2]], mean[[0, 1, 1, 2]]))


def test_classes_that_are_no_levels_of_a_number_have_no_values():
    for ask in (lambda it: it.mean(), lambda it: it.quantile(0.5), lambda it: it.reaches(np.zeros((1, 1)))):
        with pytest.raises(AssertionError, match="no levels of a number"):
            ask(Classes(np.array([[0.3, 0.7]])))
