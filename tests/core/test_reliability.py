"""Probabilities beside shares, intervals beside coverage."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from piste.core.reliability import coverage, reliability


def events(n: int, seed: int, *, sure: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, their log-odds `sure` times those that the events follow, and the events."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1.2, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    return 1 / (1 + np.exp(-sure * odds)), y


def test_shares_meet_probabilities_that_are_right():
    p, y = events(20_000, seed=0)
    found = reliability(p, y, np.ones(20_000), np.arange(20_000))
    assert found.bins["n"].tolist() == [2000] * 10
    assert found.bins["share"].to_numpy() == pytest.approx(found.bins["p"].to_numpy(), abs=0.035)


@pytest.mark.parametrize("sure", [0.5, 1.0, 2.0])
def test_the_slope_is_what_the_log_odds_were_out_by(sure):
    p, y = events(20_000, seed=1, sure=sure)
    found = reliability(p, y, np.ones(20_000), np.arange(20_000))
    assert found.slope == pytest.approx(1 / sure, abs=3 * found.slope_error)
    assert found.slope_error < 0.05 / sure


def test_the_slope_is_that_of_scikit_learns_logistic_regression():
    p, y = events(600, seed=2, sure=1.4)
    weight = np.random.default_rng(0).integers(1, 4, 600).astype(float)
    odds = np.log(p / (1 - p))[:, None]
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(odds, y, sample_weight=weight).coef_[0, 0]
    assert reliability(p, y, weight, np.arange(600)).slope == pytest.approx(theirs, rel=1e-3)


def test_the_error_of_the_slope_is_how_much_it_varies_between_samples():
    slopes, errors = [], []
    for seed in range(150):
        p, y = events(40, seed)
        p, y, block = np.repeat(p, 5), np.repeat(y, 5), np.repeat(np.arange(40), 5)
        found = reliability(p, y, np.ones(200), block)
        slopes.append(found.slope)
        errors.append(found.slope_error)
    assert np.median(errors) == pytest.approx(np.subtract(*np.quantile(slopes, [0.84, 0.16])) / 2, rel=0.3)


def test_rows_of_a_block_do_not_count_as_independent():
    p, y = events(200, seed=3)
    p, y, block = np.repeat(p, 25), np.repeat(y, 25), np.repeat(np.arange(200), 25)
    weight = np.ones(5000)
    together, apart = reliability(p, y, weight, block), reliability(p, y, weight, np.arange(5000))
    assert together.slope == apart.slope
    assert together.slope_error == pytest.approx(5 * apart.slope_error, rel=0.05)


def test_rows_of_equal_probability_stay_together():
    p = np.r_[np.zeros(700), np.full(300, 0.4)]
    y = np.r_[np.ones(70), np.zeros(630), np.ones(120), np.zeros(180)]
    found = reliability(p, y, np.ones(1000), np.arange(1000))
    assert found.bins.to_numpy() == pytest.approx(np.array([[0, 0.1, 700], [0.4, 0.4, 300]]))
    assert np.isfinite([found.slope, found.slope_error]).all()


def test_bins_are_weighted_as_the_rows_are():
    p, y = np.array([0.2, 0.4]), np.array([0.0, 1.0])
    found = reliability(p, y, np.array([1.0, 3.0]), np.arange(2), bins=1)
    assert found.bins.iloc[0].tolist() == pytest.approx([0.35, 0.75, 2])


@pytest.mark.parametrize(
    ("p", "y", "blocks"),
    [
        (np.full(50, 0.3), np.arange(50) % 2, np.arange(50)),  # one probability for all
        (np.linspace(0.1, 0.9, 50), np.zeros(50), np.arange(50)),  # the event never came
    ],
)
def test_where_no_slope_can_be_told_there_is_none(p, y, blocks):
    found = reliability(p, y, np.ones(50), blocks)
    assert np.isnan([found.slope, found.slope_error]).all()
    assert found.bins["n"].sum() == 50


def test_separable_events_have_a_finite_slope():
    p = np.r_[np.linspace(0.3, 0.45, 50), np.linspace(0.55, 0.7, 50)]
    assert 1.5 < reliability(p, (p > 0.5).astype(float), np.ones(100), np.arange(100)).slope < 100


def test_one_block_has_no_error():
    p, y = events(50, seed=0)
    assert np.isnan(reliability(p, y, np.ones(50), np.zeros(50)).slope_error)
    assert np.isnan(coverage(p - 1, p, y, np.ones(50), np.zeros(50))[1])


def test_coverage_is_a_weighted_share_with_its_bounds_included():
    low, high, y = np.zeros(4), np.ones(4), np.array([0.0, 1.0, 1.1, -0.1])
    assert coverage(low, high, y, np.array([1.0, 2.0, 3.0, 4.0]), np.arange(4))[0] == pytest.approx(0.3)


def test_the_error_of_coverage_is_how_much_it_varies_between_blocks():
    rng = np.random.default_rng(0)
    shares, errors = [], []
    for _ in range(300):
        day = np.repeat(rng.normal(size=60), 8)
        share, error = coverage(np.full(480, -1.0), np.ones(480), day + rng.normal(0, 0.3, 480), np.ones(480), np.repeat(np.arange(60), 8))
        shares.append(share)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(shares), rel=0.12)
