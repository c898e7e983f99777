"""Repairs learnt out of sample: probabilities, quantiles, residuals."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from piste.core.calibrate import Conform, Temper, conform, residuals, temper

LEVELS = np.array([0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95])


def classes(n: int, seed: int, *, n_classes: int = 3, sure: float = 1.0, neighbours: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, `sure` times as sure as they may be or as shares of so many neighbours, and the classes."""
    rng = np.random.default_rng(seed)
    p = np.exp(rng.normal(0, 1.5, (n, n_classes)))
    p /= p.sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    said = rng.multinomial(neighbours, p) / neighbours if neighbours else p**sure
    return said / said.sum(axis=1, keepdims=True), y


def log_loss(p: np.ndarray, y: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        return float(-np.log(p[np.arange(len(y)), y]).mean())


def pinball(q: np.ndarray, y: np.ndarray) -> float:
    off = y[:, None] - q
    return float(np.maximum(LEVELS * off, (LEVELS - 1) * off).mean())


# Probabilities


@pytest.mark.parametrize("neighbours", [0, 4])
@pytest.mark.parametrize("n", [40, 700])
def test_temperature_and_mix_are_those_that_a_general_optimiser_finds(n, neighbours):
    p, y = classes(n, seed=1, sure=1.8, neighbours=neighbours)
    weight = np.random.default_rng(0).uniform(0.2, 3, n)
    found = temper(p, y, weight)
    scaled = weight * weight.sum() / np.sum(weight**2)
    prior = (np.bincount(y, weights=scaled) + 0.5) / (scaled.sum() + 1.5)

    def penalised(point: np.ndarray) -> float:
        repaired = ((1 - point[1]) * p + point[1] * prior) ** (1 / point[0])
        repaired /= repaired.sum(axis=1, keepdims=True)
        return float(-scaled @ np.log(repaired[np.arange(n), y]) + np.log(point[0]) ** 2 / (2 * 0.5**2) + point[1] / 0.1)

    bounds = [(0.1, 10), (0.5 / (scaled.sum() + 1), 1)]
    best = min(optimize.minimize(penalised, (t, m), bounds=bounds).fun for t in (0.5, 1, 2) for m in (0.01, 0.1, 0.7))
    assert found.prior == pytest.approx(prior)
    assert penalised(np.array([found.temperature, found.mix])) == pytest.approx(best, abs=0.02)


@pytest.mark.parametrize("sure", [0.5, 2.0])
def test_probabilities_that_are_too_sure_or_not_sure_enough_improve_on_fresh_rows(sure):
    repair = temper(*classes(1000, seed=0, sure=sure), np.ones(1000))
    p, y = classes(5000, seed=1, sure=sure)
    right, _ = classes(5000, seed=1)
    assert repair.temperature == pytest.approx(sure, rel=0.15)
    assert log_loss(repair.apply(p), y) < log_loss(p, y) - 0.02
    assert log_loss(repair.apply(p), y) == pytest.approx(log_loss(right, y), abs=0.01)


def test_probabilities_that_are_right_are_left_alone_within_noise():
    lost = []
    for seed in range(20):
        repair = temper(*classes(300, seed=seed), np.ones(300))
        p, y = classes(2000, seed=1000 + seed)
        lost.append(log_loss(repair.apply(p), y) - log_loss(p, y))
    assert np.mean(lost) < 2.5 / 300  # a maximum likelihood fit of two numbers loses 2 / (2 n)


def test_shares_of_neighbours_with_zeros_get_a_finite_loss():
    repair = temper(*classes(400, seed=0, neighbours=5), np.ones(400))
    p, y = classes(5000, seed=1, neighbours=5)
    assert log_loss(p, y) == np.inf
    assert log_loss(repair.apply(p), y) < stats.entropy(np.bincount(y))


def test_nothing_is_impossible_even_after_rows_without_a_surprise():
    sure = np.tile(np.eye(2), (100, 1))
    repaired = temper(sure, np.tile([0, 1], 100), np.ones(200)).apply(np.eye(2))
    assert 0 < repaired[0, 1] < 0.01


def test_a_class_that_never_came_keeps_a_probability():
    repaired = temper(np.tile([[0.7, 0.3, 0.0]], (50, 1)), np.zeros(50, dtype=int), np.ones(50)).apply(np.array([[0.7, 0.3, 0.0]]))
    assert repaired[0, 2] > 0


@pytest.mark.parametrize("n", [5, 50, 500])
def test_a_repair_is_never_worse_than_the_shares_of_the_classes(n):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p, y = rng.dirichlet([0.2] * 3, n), rng.integers(0, 3, n)  # sure of nothing that comes
        repair = temper(p, y, np.ones(n))
        shares = np.tile(repair.prior, (n, 1))
        assert log_loss(repair.apply(p), y) <= log_loss(shares, y) + 1e-12


def test_few_rows_change_little():
    p, y = classes(6, seed=0, n_classes=2)
    repair = temper(p, y, np.ones(6))
    assert 0.5 < repair.temperature < 2
    assert repair.mix < 0.1


def test_of_many_rows_some_are_enough():
    p, y = classes(60_000, seed=0, sure=2.0)
    some, few = temper(p, y, np.ones(60_000)), temper(p[:5000], y[:5000], np.ones(5000))
    assert some.temperature == pytest.approx(few.temperature, rel=0.05)
    assert some == temper(p, y, np.ones(60_000))


def test_the_narrow_valley_between_temperature_and_mix_is_followed_to_its_end():
    for seed in range(4):
        p, y = classes(5000, seed=seed, n_classes=2, neighbours=10)
        repair = temper(p, y, np.ones(5000))
        grid = [Temper(t, m, repair.prior).apply(p) for t in np.geomspace(0.5, 2, 13) for m in np.geomspace(1e-3, 0.5, 13)]
        assert log_loss(repair.apply(p), y) <= min(log_loss(repaired, y) for repaired in grid) + 1e-4


def test_rows_count_by_their_weight():
    p, y = classes(500, seed=0, sure=2.0)
    q, z = classes(500, seed=1, sure=0.5)
    both = temper(np.concatenate([p, q]), np.concatenate([y, z]), np.r_[np.ones(500), np.full(500, 1e-6)])
    assert both.temperature == pytest.approx(temper(p, y, np.ones(500)).temperature, rel=1e-3)


@given(st.floats(0.1, 10), st.floats(1e-4, 0.99), st.floats(0.01, 0.99))
def test_with_two_classes_the_order_stays(temperature, mix, prior):
    p = np.linspace(0, 1, 101)
    repaired = Temper(temperature, mix, (1 - prior, prior)).apply(np.stack([1 - p, p], axis=1))
    assert (np.diff(repaired[:, 1]) >= 0).all()
    assert repaired.sum(axis=1) == pytest.approx(1)


def test_repairs_survive_json():
    repair = temper(*classes(100, seed=0), np.ones(100))
    again = Temper(**json.loads(json.dumps(asdict(repair))))
    p, _ = classes(10, seed=1)
    assert again.apply(p).tolist() == repair.apply(p).tolist()
    shift = conform(np.sort(np.random.default_rng(0).random((50, 10))), np.ones(50), LEVELS, np.ones(50))
    assert Conform(**json.loads(json.dumps(asdict(shift)))).apply(np.eye(10)).tolist() == shift.apply(np.eye(10)).tolist()


# Quantiles


def counts(n: int, seed: int, *, said: float, true: float = 0.15, bias: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return quantiles of negative binomial counts under a dispersion (and a bias) that need not be the true one, and counts."""
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(3.5, 1, n))
    y = rng.negative_binomial(1 / true, 1 / (1 + true * mean)).astype(float)
    return stats.nbinom.ppf(LEVELS, 1 / said, 1 / (1 + said * bias * mean[:, None])), y


def test_the_share_below_each_quantile_becomes_its_level():
    rng = np.random.default_rng(0)
    spread = rng.gamma(2, 1, 999)
    y = rng.normal(0, 1, 999) * spread
    q = stats.norm.ppf(LEVELS) * 0.3 * spread[:, None] + 1
    repaired = conform(q, y, LEVELS, np.ones(999)).apply(q)
    assert (y[:, None] <= repaired).mean(axis=0) == pytest.approx(LEVELS, abs=0.002)


@pytest.mark.parametrize("n", [19, 39])
def test_a_new_row_falls_below_each_quantile_as_often_as_its_level_says_however_few_rows_taught_it(n):
    rng = np.random.default_rng(1)
    below = []
    for _ in range(2000):
        y = rng.gamma(2, 1, n + 1)
        q = np.tile(np.linspace(1, 1.5, 10), (n + 1, 1))
        repaired = conform(q[:n], y[:n], LEVELS, np.ones(n)).apply(q[n:])
        below.append(y[n] <= repaired[0])
    assert np.mean(below, axis=0) == pytest.approx(LEVELS, abs=4 * np.sqrt(0.25 / 2000))


@pytest.mark.parametrize(("said", "bias"), [(0.03, 1.0), (0.5, 1.0), (0.15, 1.2)])
def test_quantiles_of_counts_improve_on_fresh_rows(said, bias):
    repair = conform(*counts(500, seed=0, said=said, bias=bias), LEVELS, np.ones(500))
    q, y = counts(4000, seed=1, said=said, bias=bias)
    right, _ = counts(4000, seed=1, said=0.15)
    assert pinball(repair.apply(q), y) < 0.98 * pinball(q, y)
    assert pinball(repair.apply(q), y) < 1.03 * pinball(right, y)
    assert (y[:, None] <= repair.apply(q)).mean(axis=0) == pytest.approx(LEVELS, abs=0.06)


@pytest.mark.parametrize(("said", "bias"), [(0.03, 1.0), (0.5, 1.0), (0.15, 1.2)])
def test_shifts_in_units_of_the_spread_lose_less_than_shifts_in_the_targets_unit(said, bias):
    taught, came = counts(1000, seed=2, said=said, bias=bias)
    q, y = counts(4000, seed=3, said=said, bias=bias)
    plain = [np.quantile(came - taught[:, j], level, method="weibull") for j, level in enumerate(LEVELS)]
    repaired = conform(taught, came, LEVELS, np.ones(1000)).apply(q)
    assert pinball(repaired, y) < 0.99 * pinball(np.sort(q + plain), y)


def test_quantiles_that_are_right_lose_little():
    lost = []
    for seed in range(10):
        repair = conform(*counts(300, seed=seed, said=0.15), LEVELS, np.ones(300))
        q, y = counts(2000, seed=100 + seed, said=0.15)
        lost.append(pinball(repair.apply(q), y) / pinball(q, y) - 1)
    assert np.mean(lost) < 0.01


def test_repaired_quantiles_ascend():
    rng = np.random.default_rng(0)
    q = rng.normal(size=(200, 10))
    repaired = conform(q, rng.normal(size=200), LEVELS, np.ones(200)).apply(q)
    assert (np.diff(repaired, axis=1) >= 0).all()


def test_a_row_of_weight_two_is_a_row_that_came_twice():
    rng = np.random.default_rng(0)
    q, y = np.sort(rng.normal(size=(200, 10))), rng.normal(size=200)
    twice = rng.integers(1, 3, 200)
    weighted = conform(q, y, LEVELS, twice.astype(float))
    repeated = conform(np.repeat(q, twice, axis=0), np.repeat(y, twice), LEVELS, np.ones(twice.sum()))
    assert weighted.shifts == pytest.approx(repeated.shifts, abs=0.05)
    assert weighted.least == pytest.approx(repeated.least)


@pytest.mark.parametrize("n_levels", [1, 3])
def test_without_any_spread_shifts_are_in_the_targets_unit(n_levels):
    rng = np.random.default_rng(0)
    q, y = np.tile(rng.normal(size=(99, 1)), n_levels), rng.normal(5, 1, 99)
    levels = np.array([0.25, 0.5, 0.75])[-n_levels:]
    repair = conform(q, y, levels, np.ones(99))
    assert repair.least == 0
    assert (y[:, None] <= repair.apply(q)).mean(axis=0) == pytest.approx(levels, abs=0.01)


def test_rows_without_spread_among_others_do_not_break_it():
    q, y = counts(300, seed=0, said=0.15)
    q[:50] = 0.0
    y[:50] = np.arange(50) % 3
    repaired = conform(q, y, LEVELS, np.ones(300)).apply(q)
    assert np.isfinite(repaired).all()


def test_lightgbms_quantiles_of_a_later_season_cover_better_once_repaired(shared):
    import lightgbm

    table = pd.read_csv(shared("bike_hour") / "hour.csv").iloc[::3]
    X, y = table.drop(columns=["instant", "dteday", "casual", "registered", "cnt"]).to_numpy(float), table["cnt"].to_numpy(float)
    start, middle, end = np.array([0.4, 0.7, 1.0]) * len(y) // 1
    early, later, last = np.arange(start), np.arange(start, middle), np.arange(middle, end)

    def learn(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        settings = {"objective": "quantile", "num_leaves": 15, "verbose": -1, "num_threads": 1, "seed": 0}
        rows = [array.astype(int) for array in (train, test)]
        fitted = [lightgbm.train({**settings, "alpha": level}, lightgbm.Dataset(X[rows[0]], y[rows[0]]), 50) for level in LEVELS]
        return np.stack([booster.predict(X[rows[1]]) for booster in fitted], axis=1)

    repair = conform(learn(early, later), y[later.astype(int)], LEVELS, np.ones(len(later)))
    q, came = learn(np.concatenate([early, later]), last), y[last.astype(int)]
    repaired = repair.apply(q)

    def covered(quantiles: np.ndarray) -> float:
        ascending = np.sort(quantiles, axis=1)
        return float(((ascending[:, 0] <= came) & (came <= ascending[:, -1])).mean())

    assert abs(covered(repaired) - 0.9) < abs(covered(q) - 0.9)


# Residuals


def test_residuals_are_differences_or_for_counts_ratios():
    y, prediction = np.array([3.0, 0.0, 7.0]), np.array([1.0, -2.0, 3.0])
    assert residuals(y, prediction, np.ones(3), counts=False).tolist() == [2.0, 2.0, 4.0]
    assert residuals(y, prediction, np.ones(3), counts=True).tolist() == [1.0, 2.0, 2.0]


def test_thinned_residuals_keep_the_weighted_distribution():
    rng = np.random.default_rng(0)
    y, weight = rng.lognormal(0, 1.5, 30_000), rng.integers(1, 5, 30_000).astype(float)
    kept = residuals(y, np.zeros(30_000), weight, counts=False)
    whole = np.repeat(y, weight.astype(int))
    assert len(kept) == 1000
    assert kept.mean() == pytest.approx(whole.mean(), rel=1e-9)
    assert (np.diff(kept) >= 0).all()
    shares = [0.01, 0.1, 0.5, 0.9, 0.99]
    assert np.quantile(kept, shares) == pytest.approx(np.quantile(whole, shares), rel=0.05)


def test_few_residuals_of_unequal_weight_count_by_it():
    kept = residuals(np.array([1.0, 2.0]), np.zeros(2), np.array([3.0, 1.0]), counts=False, most=8)
    assert kept.tolist() == [1.0] * 6 + [2.0] * 2
