"""Intervals by resampling blocks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from piste.core.statistics import sample


def test_the_mean_is_weighted():
    found = sample(np.array([[1.0], [4.0]]), np.array([3.0, 1.0]), np.array([0, 1]), ordered=False, seed=0)
    assert found.mean[0] == pytest.approx(1.75)


def test_under_ten_blocks_the_interval_is_students():
    means = np.array([3.0, 4.0, 5.0, 7.0])
    losses = np.repeat(means, 5)[:, None]
    found = sample(losses, np.ones(20), np.repeat(np.arange(4), 5), ordered=False, seed=0)
    expected = stats.t.interval(0.95, 3, loc=means.mean(), scale=stats.sem(means))
    assert found.draws is None
    assert found.interval(0) == pytest.approx(expected)


def test_one_block_says_nothing_of_another():
    found = sample(np.ones((5, 2)), np.ones(5), np.zeros(5, dtype=int), ordered=False, seed=0)
    assert np.isnan(found.interval(0)).all()
    assert np.isnan(found.difference(0, 1)).all()


def test_the_bootstrap_agrees_with_a_slow_loop():
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 30, 200)
    losses = rng.gamma(2, size=(200, 1)) + blocks[:, None] / 10
    found = sample(losses, np.ones(200), blocks, ordered=False, seed=0)
    slow = []
    for _ in range(2000):
        drawn = rng.integers(0, 30, 30)
        rows = np.concatenate([np.flatnonzero(blocks == block) for block in drawn])
        slow.append(losses[rows, 0].mean())
    assert found.draws is not None
    assert found.draws[:, 0].std() == pytest.approx(np.std(slow), rel=0.08)
    assert found.interval(0) == pytest.approx(np.quantile(slow, [0.025, 0.975]), rel=0.03)


def test_rows_of_a_block_do_not_count_as_independent():
    rng = np.random.default_rng(2)
    blocks = np.repeat(np.arange(40), 25)
    losses = np.repeat(rng.normal(size=40), 25)[:, None]
    low, high = sample(losses, np.ones(1000), blocks, ordered=False, seed=0).interval(0)
    naive_low, naive_high = sample(losses, np.ones(1000), np.arange(1000), ordered=False, seed=0).interval(0)
    assert high - low > 4 * (naive_high - naive_low)


def test_days_that_follow_each_other_are_drawn_in_runs():
    rng = np.random.default_rng(3)
    days = np.zeros(400)
    for day in range(1, 400):
        days[day] = 0.9 * days[day - 1] + rng.normal()
    runs = sample(days[:, None], np.ones(400), np.arange(400), ordered=True, seed=0)
    single = sample(days[:, None], np.ones(400), np.arange(400), ordered=False, seed=0)
    assert runs.draws is not None
    assert single.draws is not None
    assert runs.draws.std() > 1.5 * single.draws.std()


def test_a_paired_difference_is_narrower_than_two_intervals():
    rng = np.random.default_rng(4)
    shared = rng.gamma(2, size=500)
    losses = np.stack([shared, shared + 0.05 + rng.normal(scale=0.05, size=500)], axis=1)
    found = sample(losses, np.ones(500), np.arange(500), ordered=False, seed=0)
    error, low, high = found.difference(1, 0)
    assert error == pytest.approx(0.05 / np.sqrt(500), rel=0.1)
    assert 0 < low < 0.05 < high
    assert high - low < 0.2 * (found.interval(0)[1] - found.interval(0)[0])


def test_many_rows_are_gathered_without_changing_the_variance():
    rng = np.random.default_rng(5)
    losses = rng.gamma(2, size=(20_000, 1))
    found = sample(losses, np.ones(20_000), np.arange(20_000), ordered=False, seed=0)
    assert found.draws is not None
    assert found.draws.std() == pytest.approx(losses.std() / np.sqrt(20_000), rel=0.06)


@pytest.mark.parametrize("ordered", [True, False])
def test_the_same_seed_gives_the_same_interval(ordered):
    losses = np.random.default_rng(6).gamma(2, size=(100, 2))
    first, same = (sample(losses, np.ones(100), np.arange(100), ordered=ordered, seed=7).interval(0) for _ in range(2))
    assert first == same


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(8)
    hits = 0
    for seed in range(200):
        losses = rng.exponential(size=(60, 1))
        low, high = sample(losses, np.ones(60), np.arange(60), ordered=False, seed=seed).interval(0)
        hits += low <= 1.0 <= high
    assert stats.binomtest(hits, 200, 0.92).pvalue > 0.001  # skewed losses: a little under 95 %
