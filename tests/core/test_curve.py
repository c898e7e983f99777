"""Learning curves: what more data would bring, and who overtakes whom."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from piste.core.curve import Crossing, Curve, crossings, fit_curve, nested

SIZES = np.array([25, 50, 100, 200])


def blocks(level: np.ndarray, n_blocks: int, seed: int, *, shared: float = 0.5, own: float = 0.2) -> np.ndarray:
    """Return losses of judged blocks around a level per size: some blocks are harder at all sizes, and some luck is at one."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(-(shared**2) / 2, shared, n_blocks) + rng.normal(-(own**2) / 2, own, (len(level), n_blocks))
    return level[:, None] * np.exp(noise)


def fit(losses: np.ndarray, sizes: np.ndarray = SIZES, **changes: Any) -> Curve:
    settings = {"weight": np.ones(losses.shape[1]), "rope": 0.02, "delta": 0.1, "ordered": False, "seed": 0} | changes
    return fit_curve(sizes, losses, **settings)


@pytest.mark.parametrize("law", [(1.0, 4.0, 0.5), (0.0, 3.0, 0.2), (0.3, 9.0, 1.0)])
def test_a_power_law_without_noise_is_found_again(law):
    a, b, c = law
    sizes = np.array([10, 20, 40, 80, 160])
    curve = fit(np.tile((a + b * sizes**-c)[:, None], 12), sizes)
    assert curve.fitted == pytest.approx(law, rel=0.02, abs=0.01)
    assert curve.at_double == pytest.approx([a + b * 320**-c] * 3, rel=1e-3)


def test_the_fit_is_the_constrained_least_squares_of_a_general_optimiser():
    level = np.array([1.9, 1.5, 1.35, 1.2, 1.22, 1.15])
    sizes = np.array([20, 40, 80, 160, 320, 640])
    losses = blocks(level, 60, seed=3)
    curve = fit(losses, sizes)
    trust = 1 / (curve.high - curve.low)

    def off(point: np.ndarray) -> np.ndarray:
        return trust * (point[0] + point[1] * (sizes / 640) ** -point[2] - curve.mean)

    starts = [(1.0, 0.3, c) for c in (0.1, 0.5, 1.5)]
    bounds = ([0, 0, 0.05], [np.inf, np.inf, 2])
    best = min(optimize.least_squares(off, start, bounds=bounds, xtol=1e-12, ftol=1e-12).cost for start in starts)
    a, b, c = curve.fitted
    assert 0.5 * np.sum(off(np.array([a, b * 640**-c, c])) ** 2) <= best * (1 + 1e-4)


def test_eighty_percent_bands_hold_what_twice_the_data_brings_and_probabilities_come_true():
    rng = np.random.default_rng(1)
    held, said, came = [], [], []
    for seed in range(200):
        a, b, c = rng.uniform(0.5, 1.5), rng.uniform(0, 3) * (rng.random() < 0.7), rng.uniform(0.2, 1.2)
        truth = a + b * 400.0**-c
        curve = fit(blocks(a + b * SIZES**-c, 100, seed), seed=seed)
        held.append(curve.at_double[1] <= truth <= curve.at_double[2])
        said.append(curve.p_rope)
        came.append(a + b * 200.0**-c - truth > 0.02)
    sure, open_ = np.array(said) > 0.8, (np.array(said) > 0.2) & (np.array(said) < 0.8)
    assert 0.68 < np.mean(held) < 0.9
    assert np.mean(said) == pytest.approx(np.mean(came), abs=0.08)
    assert np.mean(np.array(came)[sure]) > 0.8
    assert 0.2 < np.mean(np.array(came)[open_]) < 0.8
    assert np.mean(np.array(came)[np.array(said) < 0.2]) < 0.15


def test_a_curve_that_has_levelled_out_is_flat_and_one_that_still_falls_is_not():
    assert fit(blocks(np.full(4, 1.0), 200, seed=0, own=0.05)).flat
    falling = fit(blocks(1 + 20 / SIZES, 200, seed=0, own=0.05))
    assert not falling.flat
    assert falling.p_rope > 0.95


def test_a_curve_that_rises_is_flat_and_not_extrapolated_upwards():
    curve = fit(blocks(np.array([1.0, 1.1, 1.2, 1.3]), 200, seed=0, own=0.05))
    assert curve.flat
    assert curve.fitted[1] == 0
    assert curve.at_double[0] <= curve.mean.max()


def test_what_must_be_saved_to_be_worth_it_is_judged_beside_what_can_be_told():
    curve = fit(blocks(1 + 10 / SIZES, 300, seed=0, own=0.05), rope=0.005, delta=0.2)
    assert curve.p_rope > 0.9
    assert curve.p_delta < 0.05


def test_blocks_count_by_their_weight():
    losses = blocks(1 + 10 / SIZES, 40, seed=5)
    repeated = fit(np.repeat(losses, 3, axis=1))
    weighted = fit(losses, weight=np.full(40, 3.0))
    uneven = fit(losses, weight=np.r_[np.ones(20), np.zeros(20) + 1e-9])
    assert weighted.mean == pytest.approx(repeated.mean)
    assert uneven.mean == pytest.approx(losses[:, :20].mean(axis=1), rel=1e-6)


def test_three_sizes_are_enough():
    sizes = np.array([10, 20, 40])
    curve = fit(blocks(1 + 8 / sizes, 100, seed=0, own=0.02), sizes)
    assert curve.at_double[1] < 1 + 8 / 80 < curve.at_double[2]


def test_under_ten_blocks_the_band_is_as_wide_as_students_t():
    one = blocks(np.full(4, 1.0), 4, seed=2)
    curve = fit(one)
    expected = stats.t.interval(0.8, 3, loc=one.mean(axis=1), scale=stats.sem(one, axis=1))
    assert curve.high - curve.low == pytest.approx(expected[1] - expected[0], rel=0.2)


def test_days_that_resemble_their_neighbours_tell_less():
    rng = np.random.default_rng(0)
    days = np.cumsum(rng.normal(0, 0.1, 300))
    losses = (1 + 10 / SIZES)[:, None] * np.exp(days - days.mean())
    in_time, apart = fit(losses, ordered=True), fit(losses)
    assert (in_time.high - in_time.low > 2 * (apart.high - apart.low)).all()


def test_losses_may_lie_below_zero_where_the_least_possible_one_is_named():
    losses = blocks(1 + 20 / SIZES, 100, seed=1)
    moved, plain = fit(losses - 5, least=-5.0), fit(losses)
    assert moved.at_double == pytest.approx(np.array(plain.at_double) - 5)
    assert moved.p_rope == plain.p_rope


@pytest.mark.parametrize(
    ("sizes", "losses"),
    [
        (np.array([10, 20]), np.ones((2, 30))),
        (np.array([10, 20, 40]), np.ones((3, 1))),
        (np.array([10, 20, 20]), np.ones((3, 30))),
        (np.array([10, 20, 40]), -np.ones((3, 30))),
    ],
)
def test_what_no_curve_can_be_fitted_to_is_refused(sizes, losses):
    with pytest.raises(ValueError):
        fit(losses, sizes)


def test_a_curve_is_not_read_beyond_twice_its_data():
    curve = fit(blocks(1 + 10 / SIZES, 30, seed=0))
    assert curve.at(400) == pytest.approx(curve.at_double[0])
    with pytest.raises(AssertionError):
        curve.at(401)


def test_the_same_seed_gives_the_same_curve():
    losses = blocks(1 + 10 / SIZES, 30, seed=0)
    assert fit(losses).at_double == fit(losses).at_double


def test_a_crossing_is_found_where_the_curves_meet():
    sizes = np.array([500, 1000, 2000, 4000, 8000])
    network, forest = 1 + 300 / sizes, 1.1 - 0 / sizes  # meet at 3,000
    curves = {"the network": (sizes, blocks(network, 200, 1, own=0.01)), "the forest": (sizes, blocks(forest, 200, 1, own=0.01))}
    (crossing,) = crossings(curves, np.ones(200), ordered=False, seed=0)
    assert (crossing.winner, crossing.loser) == ("the network", "the forest")
    assert crossing.size == pytest.approx(3000, rel=0.1)


def test_noise_crosses_nothing():
    found = []
    for seed in range(40):
        curves = {name: (SIZES, blocks(np.ones(4), 60, 2 * seed + i)) for i, name in enumerate(("one", "other"))}
        found += crossings(curves, np.ones(60), ordered=False, seed=seed)
    assert len(found) <= 2


def test_curves_are_compared_where_both_have_a_size():
    flat, falling = np.full(3, 1.0), np.array([1.5, 0.9, 0.8])
    curves = {
        "flat": (np.array([10, 20, 40]), blocks(flat, 50, 1, own=0.01)),
        "falling": (np.array([10, 40, 80]), blocks(falling, 50, 1, own=0.01)),
    }
    (crossing,) = crossings(curves, np.ones(50), ordered=False, seed=0)
    assert crossing.winner == "falling"
    assert 10 < crossing.size < 40
    assert crossings({"flat": curves["flat"]}, np.ones(50), ordered=False, seed=0) == []


@pytest.mark.parametrize(("size", "words"), [(2951.0, "3,000"), (148.0, "150"), (31.6, "32"), (125_400.0, "130,000")])
def test_a_crossing_is_told_with_two_digits(size, words):
    assert Crossing("the network", "the forest", size).sentence() == f"the network overtakes the forest at about {words} rows"


def test_choices_are_nested_and_of_whole_blocks():
    rng = np.random.default_rng(0)
    block = rng.integers(0, 60, 900)
    train = np.sort(rng.choice(900, 700, replace=False))
    chosen = nested(block, train, seed=1)
    for smaller, larger in pairwise(chosen):
        assert set(smaller) < set(larger)
    for rows in chosen:
        assert set(rows) == set(train[np.isin(block[train], block[rows])])
    assert chosen[-1].tolist() == train.tolist()


def test_choices_hold_their_share_of_the_blocks():
    chosen = nested(np.repeat(np.arange(80), 5), np.arange(400), seed=3)
    assert [len(rows) // 5 for rows in chosen] == [10, 20, 40, 80]


def test_few_blocks_give_fewer_choices():
    chosen = nested(np.array([0, 0, 1, 1, 2, 2]), np.arange(6), seed=0)
    assert [len(rows) for rows in chosen] == [2, 4, 6]


def test_choices_are_spread_over_time():
    small = nested(np.arange(1000), np.arange(1000), seed=4)[0]
    assert abs(np.mean(small) - 500) < 100


def test_another_seed_gives_another_choice():
    first, second = (nested(np.arange(100), np.arange(100), seed=seed)[0].tolist() for seed in (0, 1))
    assert first != second
