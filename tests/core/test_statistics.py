"""What a loss matrix lets one claim of its columns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics import COST, DELTA, claims, contest, degrees, estimates, lasting, normal, rare, skewed
from piste.core import statistics
from piste.core.statistics import (
    Choice,
    Claim,
    Sample,
    choose,
    claim,
    correlated_t,
    memory,
    nadeau_bengio,
    next_period,
    procedure,
    required_blocks,
    sample,
    within,
)

REPLICATES = 200


def drawn(losses, **given) -> Sample:
    """Resample a loss matrix; unless told otherwise its rows are its blocks, and weigh the same."""
    settings = {"weight": np.ones(len(losses)), "blocks": np.arange(len(losses)), "ordered": False, "seed": 0}
    return sample(losses, **(settings | given))


def autoregressive(memory, n, seed=0):
    rng = np.random.default_rng(seed)
    series, noise = np.zeros(n), rng.normal(size=n)
    for t in range(1, n):
        series[t] = memory * series[t - 1] + noise[t]
    return series


def uneven(seed, n_columns=12, n_rows=150, n_blocks=25):
    """Rows of uneven blocks and weights, whose columns share much and differ a little."""
    rng = np.random.default_rng(seed)
    blocks = np.concatenate([np.arange(n_blocks), rng.integers(0, n_blocks, n_rows - n_blocks)])
    shared = rng.gamma(2, size=(n_rows, 1)) + blocks[:, None] / 20
    losses = shared + 0.5 * rng.normal(size=(n_rows, n_columns)) + np.linspace(0.4, 0, n_columns)
    return losses, rng.gamma(3, size=n_rows), blocks


@pytest.fixture
def quick(monkeypatch):
    """Fewer bootstrap samples, for what is repeated hundreds of times."""
    monkeypatch.setattr(statistics, "N_SAMPLES", 400)


# Intervals ------------------------------------------------------------------------------------------------------------


def test_the_mean_is_weighted():
    assert drawn(np.array([[1.0], [4.0]]), weight=np.array([3.0, 1.0])).mean[0] == pytest.approx(1.75)


def test_under_ten_blocks_the_interval_is_students():
    means = np.array([3.0, 4.0, 5.0, 7.0])
    found = drawn(np.repeat(means, 5)[:, None], blocks=np.repeat(np.arange(4), 5))
    expected = stats.t.interval(0.95, 3, loc=means.mean(), scale=stats.sem(means))
    assert found.draws is None
    assert found.interval(0) == pytest.approx(expected)


def test_one_block_says_nothing_of_another():
    found = drawn(np.ones((5, 2)), blocks=np.zeros(5, dtype=int))
    assert np.isnan(found.interval(0)).all()
    assert np.isnan(found.difference(0, 1)).all()
    assert claim(found, 0, [1]).lower[0] == -np.inf


def test_blocks_without_weight_are_no_blocks():
    losses, weight = np.arange(24.0)[:, None], np.repeat([1.0, 0.0], 12)
    found, expected = drawn(losses, weight=weight), drawn(losses[:12])
    np.testing.assert_array_equal(found.sums, expected.sums)
    assert found.interval(0) == expected.interval(0)


@pytest.mark.parametrize("ordered", [False, True])
def test_the_bootstrap_is_a_slow_loop_over_the_blocks_drawn(ordered):
    losses, weight, blocks = uneven(1)
    found = drawn(losses, weight=weight, blocks=blocks, ordered=ordered)
    for number in range(50):
        times = found.resampled.counts[number]
        rows = np.concatenate([np.tile(np.flatnonzero(blocks == block), int(n)) for block, n in enumerate(times)])
        np.testing.assert_allclose(found.draws[number], np.average(losses[rows], axis=0, weights=weight[rows]))
        left = np.isin(blocks, np.flatnonzero(times == 0))
        np.testing.assert_allclose(found.resampled.left_out[number], np.average(losses[left], axis=0, weights=weight[left]))


def test_the_bootstrap_agrees_with_scipys():
    losses = np.random.default_rng(2).gamma(2, size=(60, 1))
    expected = stats.bootstrap((losses[:, 0],), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(0))
    found = drawn(losses)
    assert found.draws[:, 0].std() == pytest.approx(expected.standard_error, rel=0.05)


@pytest.mark.parametrize("n_blocks", [10, 60])
def test_percentiles_are_stretched_as_students_interval_is_wider_than_the_normal_one(n_blocks):
    losses = np.random.default_rng(2).gamma(2, size=(n_blocks, 1))
    found, mean = drawn(losses), losses.mean()
    stretch = np.sqrt(n_blocks / (n_blocks - 1)) * stats.t.ppf(0.975, n_blocks - 1) / stats.norm.ppf(0.975)
    assert found.interval(0) == pytest.approx([mean + stretch * (np.quantile(found.draws, tail) - mean) for tail in (0.025, 0.975)])


def test_rows_of_a_block_do_not_count_as_independent():
    losses = np.repeat(np.random.default_rng(2).normal(size=40), 25)[:, None]
    low, high = drawn(losses, blocks=np.repeat(np.arange(40), 25)).interval(0)
    naive_low, naive_high = drawn(losses).interval(0)
    assert high - low > 4 * (naive_high - naive_low)


def test_a_paired_difference_is_narrower_than_two_intervals():
    rng = np.random.default_rng(4)
    shared = rng.gamma(2, size=500)
    found = drawn(np.stack([shared, shared + 0.05 + rng.normal(scale=0.05, size=500)], axis=1))
    error, low, high = found.difference(1, 0)
    assert error == pytest.approx(0.05 / np.sqrt(500), rel=0.1)
    assert 0 < low < 0.05 < high
    assert high - low < 0.2 * (found.interval(0)[1] - found.interval(0)[0])


@pytest.mark.parametrize("ordered", [True, False])
def test_many_rows_are_gathered_without_changing_the_variance(ordered):
    losses = np.random.default_rng(5).gamma(2, size=(20_000, 1))
    found = drawn(losses if ordered else np.sort(losses, axis=0), ordered=ordered)
    assert (len(found.sizes), found.n_blocks) == (2_000, 20_000)
    assert found.draws.std() == pytest.approx(losses.std() / np.sqrt(20_000), rel=0.06)


@pytest.mark.parametrize("ordered", [True, False])
def test_the_same_seed_gives_the_same_interval(ordered):
    losses = np.random.default_rng(6).gamma(2, size=(100, 2))
    first, same = (drawn(losses, ordered=ordered, seed=7).interval(0) for _ in range(2))
    assert first == same


@pytest.mark.parametrize("n_blocks", [10, 15, 60])
@pytest.mark.usefixtures("quick")
def test_an_interval_covers_as_often_as_it_says_however_few_the_blocks(n_blocks):
    covered = 0
    for seed in range(REPLICATES):
        low, high = drawn(np.random.default_rng([seed, n_blocks]).normal(size=(n_blocks, 1)), seed=seed).interval(0)
        covered += low <= 0 <= high
    assert stats.binomtest(covered, REPLICATES, 0.95).pvalue > 0.001


# Time -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "expected"),  # arch 8.0.0: optimal_block_length(x)["stationary"], the same 500 numbers
    [(-0.5, 10.117766315682637), (0.3, 4.618573595655305), (0.6, 10.855414319619499), (0.9, 26.11945365300038)],
)
def test_runs_are_as_long_as_archs_optimal_block_length(past, expected):
    assert memory(autoregressive(past, 500)[:, None])[0][0] == pytest.approx(expected, rel=1e-9)


def test_runs_and_long_run_variance_of_an_ar1_are_those_of_theory():
    past, n = 0.6, 2_000
    series = np.stack([autoregressive(past, n, seed) for seed in range(40)], axis=1)
    runs, variance = memory(series)
    assert np.median(runs) == pytest.approx((2 * past / (1 - past**2)) ** (2 / 3) * n ** (1 / 3), rel=0.1)
    assert np.median(variance) == pytest.approx(1 / (1 - past) ** 2, rel=0.1)


def test_days_that_do_not_resemble_each_other_are_drawn_nearly_one_by_one():
    assert drawn(np.random.default_rng(0).normal(size=(500, 20)), ordered=True).mean_run < 2


def test_errors_are_widened_by_the_memory_that_runs_cut_off():
    series = autoregressive(0.8, 500)[:, None]
    found = drawn(series, ordered=True)
    counted = 2 * found.mean_run - 1  # autocovariances that add up in a run of this mean length
    long_run = np.sqrt(memory(series)[1][0] / 500)
    assert found.draws.std() < 0.95 * long_run
    assert found.draws.std() * found.widening == pytest.approx(long_run / np.sqrt(1 - counted / 500))


def test_autocovariances_counted_in_the_variance_of_a_mean_of_runs_are_two_runs_less_one():
    """A run of geometric length goes on with probability 1 - 1 / mean: its lags weigh that to the power of the lag, on both sides."""
    mean_run = 7.5
    lags = np.arange(1, 1_000)
    assert 1 + 2 * np.sum((1 - 1 / mean_run) ** lags) == pytest.approx(2 * mean_run - 1)


def test_blocks_drawn_one_by_one_have_one_degree_of_freedom_less_than_there_are():
    assert drawn(np.random.default_rng(0).normal(size=(40, 2))).degrees == 39


@pytest.mark.parametrize(("n_blocks", "past"), [(100, 0.6), (400, 0.9)])
@pytest.mark.usefixtures("quick")
def test_degrees_of_freedom_say_how_much_the_variance_of_a_gain_varies(n_blocks, past):
    said, varied = degrees(REPLICATES, n_blocks, past)
    assert said == pytest.approx(varied, rel=0.4)


def test_a_series_without_change_has_no_memory():
    found = drawn(np.ones((40, 2)), ordered=True)
    assert (found.mean_run, found.widening) == (1.0, pytest.approx(np.sqrt(40 / 39)))


@pytest.mark.usefixtures("quick")
def test_days_that_resemble_each_other_leave_the_interval_nearly_right():
    covered = {True: 0, False: 0}
    for seed in range(REPLICATES):
        series = autoregressive(0.6, 500, seed)[100:, None]
        for ordered in covered:
            low, high = drawn(series, ordered=ordered, seed=seed).interval(0)
            covered[ordered] += low <= 0 <= high
    assert covered[True] >= stats.binom.ppf(0.001, REPLICATES, 0.93)
    assert covered[False] < 0.75 * REPLICATES


# What was chosen costs more than it seems -------------------------------------------------------------------------------


@pytest.mark.parametrize("dropping", [False, True])
@pytest.mark.parametrize(("n_blocks", "correlation"), [(200, 0.7), (200, 0.9), (1_000, 0.9)])
@pytest.mark.usefixtures("quick")
def test_the_best_of_sixty_equal_columns_seems_better_than_it_is_until_corrected(n_blocks, correlation, dropping):
    found = estimates(REPLICATES, n_blocks, np.full(60, COST), correlation, dropping=dropping)
    error = found.corrected.std(ddof=1) / np.sqrt(REPLICATES)
    assert found.naive.mean() < -8 * error
    assert abs(found.corrected.mean()) < 3 * error
    assert abs(found.corrected.mean()) < 0.2 * abs(found.naive.mean())


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
@pytest.mark.usefixtures("quick")
def test_the_interval_of_the_whole_procedure_covers_what_its_pick_truly_costs(spread):
    means, choice = contest(60, spread)
    covered = estimates(REPLICATES, 200, means, 0.8, choice).covered.sum()
    assert stats.binom.ppf(0.001, REPLICATES, 0.93) <= covered <= stats.binom.ppf(0.999, REPLICATES, 0.99)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_column_that_was_not_chosen_from_others_stands_as_it_is(ordered):
    losses, weight, blocks = uneven(3)
    found = drawn(losses, weight=weight, blocks=blocks, ordered=ordered)
    alone = within(found, [[4]])[0]
    assert (alone.mean, alone.low, alone.high) == (found.mean[4], *found.interval(4))


def test_under_ten_blocks_the_choice_stands_uncorrected():
    losses = np.random.default_rng(0).normal(size=(8, 5))
    found = drawn(losses)
    best = int(losses.mean(axis=0).argmin())
    assert within(found, [range(5)])[0].mean == pytest.approx(losses.mean(axis=0).min())
    assert (within(found, [range(5)])[0].low, within(found, [range(5)])[0].high) == found.interval(best)


def slow_rule(losses, weight, blocks, times, choice, reach):
    """Apply the rule to rows repeated as often as their block was drawn, one model at a time."""
    n = int(times.sum())
    whole = np.repeat(np.arange(len(times)), times.astype(int))
    sizes = np.array([weight[blocks == block].sum() for block in whole])
    sums = np.array([(weight[blocks == block, None] * losses[blocks == block]).sum(axis=0) for block in whole])
    mean = sums.sum(axis=0) / sizes.sum()
    best = min(choice.models, key=lambda column: mean[column])
    base = min(choice.baselines, key=lambda column: mean[column])
    if mean[best] >= mean[base] or max(mean[base] - mean[j] + r for j, r in zip(choice.models, reach, strict=True)) < choice.delta:
        return base
    eligible = []
    for column in choice.models:
        gap = mean[column] - mean[best]
        residuals = sums[:, column] - sums[:, best] - gap * sizes
        error = np.sqrt(np.sum(residuals**2) * n / (n - 1)) / sizes.sum()
        if gap <= max(choice.rope, error):
            eligible.append(column)
    return min(eligible, key=lambda column: (choice.rank[column], mean[column]))


def test_the_whole_rule_in_every_bootstrap_sample_is_a_slow_loop(monkeypatch):
    monkeypatch.setattr(statistics, "N_SAMPLES", 300)
    losses, weight, blocks = uneven(5)
    choice = Choice(tuple(range(2, 12)), (0, 1), np.array([0, 0, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3.0]), rope=0.01, delta=0.45)
    found = drawn(losses, weight=weight, blocks=blocks)
    bounds = claim(found, int(found.mean[:2].argmin()), choice.models)
    reach = bounds.upper - bounds.gain
    pick = slow_rule(losses, weight, blocks, np.ones(25), choice, reach)
    chosen = [slow_rule(losses, weight, blocks, times, choice, reach) for times in found.resampled.counts]
    left_out = found.resampled.left_out
    assert len(set(chosen)) > 5
    assert min(chosen) < 2
    assert choose(found, choice) == pick
    expected = found.mean[pick] + np.mean([left_out[i, column] - left_out[i, pick] for i, column in enumerate(chosen)])
    assert procedure(found, choice).mean == pytest.approx(expected, rel=1e-12)


# Champion -------------------------------------------------------------------------------------------------------------


def champion(means, *, rank, rope=0.0, delta=0.0, noise=0.02, baselines=(0,)):
    """Choose among columns of these very means, whose differences vary a little from block to block."""
    rng = np.random.default_rng(0)
    own = rng.normal(size=(100, len(means)))
    losses = np.array(means) + rng.gamma(2, size=(100, 1)) + noise * (own - own.mean(axis=0))
    models = tuple(column for column in range(len(means)) if column not in baselines)
    return choose(drawn(losses), Choice(models, baselines, np.array(rank, dtype=float), rope, delta))


def test_of_models_within_one_standard_error_the_simplest_is_champion():
    assert champion([5, 3.002, 3.0, 3.1], rank=[0, 1, 3, 0]) == 1


def test_a_simpler_model_that_is_clearly_worse_is_not():
    assert champion([5, 3.01, 3.0], rank=[0, 1, 3]) == 2


def test_a_difference_too_small_to_matter_does_not_count():
    assert champion([5, 3.01, 3.0], rank=[0, 1, 3], rope=0.02) == 1


def test_of_equally_simple_models_the_cheaper_is_champion():
    assert champion([5, 3.002, 3.001, 3.0], rank=[0, 1, 1, 2]) == 2


def test_the_best_baseline_is_champion_where_no_model_gains():
    assert champion([3.2, 3.0, 3.1], rank=[0, 0, 1], baselines=(0, 1)) == 1


def test_a_model_that_may_gain_enough_but_did_not_is_no_champion():
    assert champion([3.0, 3.05], rank=[0, 1], delta=0.01, noise=1.0) == 0


def test_the_best_baseline_is_champion_where_no_model_can_gain_enough():
    assert champion([3.0, 2.9], rank=[0, 1], delta=0.2) == 0


def test_a_model_that_may_gain_enough_is_champion():
    assert champion([3.0, 2.9], rank=[0, 1], delta=0.2, noise=1.0) == 1


def test_without_models_the_best_baseline_is_champion_and_without_baselines_a_model():
    losses = np.random.default_rng(0).normal(size=(30, 2)) + np.array([1.0, 0.0])
    found = drawn(losses)
    for choice in (Choice((), (0, 1), np.zeros(2), 0, 0), Choice((0, 1), (), np.zeros(2), 0, 0)):
        assert choose(found, choice) == 1
        assert procedure(found, choice).mean == pytest.approx(losses[:, 1].mean(), abs=1e-9)


def test_days_that_resemble_each_other_make_more_models_as_good_as_the_best():
    own = np.stack([autoregressive(0.8, 200, seed) for seed in range(2)], axis=1)
    losses = np.array([3.0, 3.0]) + own - own.mean(axis=0)
    single = stats.sem(losses[:, 0] - losses[:, 1])
    losses[:, 0] += 1.5 * single
    choice = Choice((0, 1), (), np.array([0.0, 1.0]), 0.0, 0.0)
    assert choose(drawn(losses), choice) == 1
    assert choose(drawn(losses, ordered=True), choice) == 0


# Claims ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("losses", "n_blocks", "n_models"), [(normal, 200, 1), (normal, 200, 5), (normal, 200, 20), (normal, 200, 60), (rare, 1_000, 20)]
)
@pytest.mark.usefixtures("quick")
def test_a_gain_of_exactly_delta_is_seldom_shipped_however_many_are_tried(losses, n_blocks, n_models):
    shipped, _ = claims(REPLICATES, n_blocks, n_models, DELTA, losses)
    assert shipped * REPLICATES <= stats.binom.ppf(0.99, REPLICATES, 0.07)


@pytest.mark.usefixtures("quick")
def test_a_gain_of_three_delta_is_shipped():
    assert claims(50, 200, 20, 3 * DELTA)[0] == 1.0


@pytest.mark.parametrize(("losses", "n_blocks"), [(normal, 200), (rare, 1_000)])
@pytest.mark.usefixtures("quick")
def test_a_gain_of_exactly_delta_is_seldom_dismissed(losses, n_blocks):
    _, dismissed = claims(REPLICATES, n_blocks, 1, DELTA, losses)
    assert dismissed * REPLICATES <= stats.binom.ppf(0.99, REPLICATES, 0.07)


@pytest.mark.parametrize("ordered", [False, True])
def test_bounds_are_those_of_a_slow_loop(monkeypatch, ordered):
    monkeypatch.setattr(statistics, "N_SAMPLES", 200)
    losses, weight, blocks = uneven(6, n_columns=6)
    found = drawn(losses, weight=weight, blocks=blocks, ordered=ordered)
    assert (found.mean_run > 1) == ordered
    bounds = claim(found, 0, range(1, 6))
    sizes, sums = found.sizes, found.sums[:, [0]] - found.sums[:, 1:]
    gain = sums.sum(axis=0) / sizes.sum()

    def error(times, gain):
        residuals = sums - gain * sizes[:, None]
        return np.sqrt((times[:, None] * residuals**2).sum(axis=0) * 25 / 24) / (times @ sizes)

    whole, gains, errors = error(np.ones(25), gain), [], []
    for times in found.resampled.counts:
        here = times @ sums / (times @ sizes)
        gains.append(here)
        errors.append(np.maximum(error(times, here), whole / 3))
    spread = np.std(gains, axis=0)
    t = [(here - gain) / (own * spread / np.sqrt(np.mean(np.square(errors), axis=0))) for here, own in zip(gains, errors, strict=True)]
    expected = {}
    for side in (1, -1):
        deviations = side * np.array(t)
        tails = [max(1.0, np.quantile(column, 0.99) / stats.t.ppf(0.99, 24)) for column in deviations.T]
        tails = np.maximum(tails, sorted(tails)[3])  # the ninth decile of five or the one below it
        largest = [max(one / tails) for one in deviations]
        expected[side] = stats.t.isf(stats.t.sf(np.quantile(largest, 0.95), 24), found.degrees) * tails * spread * found.widening
    np.testing.assert_allclose(bounds.gain, gain)
    np.testing.assert_allclose(bounds.error, spread * found.widening)
    np.testing.assert_allclose(bounds.gain - bounds.lower, expected[1])
    np.testing.assert_allclose(bounds.upper - bounds.gain, expected[-1])


def test_under_ten_blocks_bounds_are_bonferronis():
    losses = np.random.default_rng(0).normal(size=(8, 4))
    bounds = claim(drawn(losses), 0, [1, 2, 3])
    gains = losses[:, [0]] - losses[:, 1:]
    assert bounds.critical == pytest.approx(stats.t.ppf(1 - 0.05 / 3, 7))
    np.testing.assert_allclose(bounds.lower, gains.mean(axis=0) - bounds.critical * stats.sem(gains))


@pytest.mark.parametrize("n_blocks", [8, 100])
def test_a_column_that_never_differs_from_the_base_disturbs_no_bound(n_blocks):
    losses = np.random.default_rng(0).gamma(2, size=(n_blocks, 3))
    alone = claim(drawn(losses), 0, [1, 2])
    crowd = np.column_stack([losses, losses[:, 0], losses[:, 0] - 0.5])
    found = claim(drawn(crowd), 0, [1, 2, 3, 4])
    np.testing.assert_allclose(found.lower[:2], alone.lower)
    np.testing.assert_allclose(found.lower[2:], [0.0, 0.5], atol=1e-12)
    np.testing.assert_allclose(found.upper[2:], [0.0, 0.5], atol=1e-12)


def test_a_column_that_differs_from_the_base_in_a_single_block_leaves_the_other_bounds_finite():
    losses = np.random.default_rng(0).gamma(2, size=(100, 3))
    almost = losses[:, 0].copy()
    almost[7] += 1.0
    found = claim(drawn(np.column_stack([losses, almost])), 0, [1, 2, 3])
    assert found.critical <= 3.1


def test_a_column_gone_astray_disturbs_no_other():
    rng = np.random.default_rng(0)
    losses = rng.gamma(2, size=(100, 4)) + np.array([0.5, 0.0, 0.0, 0.1])
    astray = np.column_stack([losses, np.where(rng.random(100) < 0.1, np.inf, losses[:, 0])])
    choice = Choice((1, 2, 3), (0,), np.array([0.0, 3.0, 2.0, 1.0, 0.0]), 0.01, 0.1)
    both = Choice((1, 2, 3, 4), (0,), choice.rank, 0.01, 0.1)
    for ordered in (False, True):
        alone, crowd = drawn(losses, ordered=ordered), drawn(astray, ordered=ordered)
        assert choose(crowd, both) == choose(alone, choice)
        assert within(crowd, [[1, 4]])[0].mean == pytest.approx(losses[:, 1].mean())
        if not ordered:
            np.testing.assert_allclose(claim(crowd, 0, [1, 2, 3]).lower, claim(alone, 0, [1, 2, 3]).lower)
            assert procedure(crowd, both).mean == pytest.approx(procedure(alone, choice).mean, rel=1e-6)
        assert np.isfinite(claim(crowd, 0, [1, 2, 3, 4]).lower).all()


def beside_one_that_explodes(n_models, *, ordered):
    """Resample a rule, so many models, and one that explodes twice: columns 0, 1 to n_models, and the last."""
    losses = lasting(0.6 * ordered)(np.random.default_rng(0), 300, np.full(n_models + 2, COST), 0.7)
    losses[[20, 200], -1] += 10_000
    return drawn(losses, ordered=ordered)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_column_that_explodes_leaves_the_bounds_of_many_others_as_they_are(ordered):
    found = beside_one_that_explodes(22, ordered=ordered)
    alone, crowd = claim(found, 0, range(1, 23)), claim(found, 0, range(1, 24))
    np.testing.assert_allclose(crowd.gain[:22] - crowd.lower[:22], alone.gain - alone.lower, rtol=0.05)
    np.testing.assert_allclose(crowd.upper[:22] - crowd.gain[:22], alone.upper - alone.gain, rtol=0.05)
    assert crowd.gain[22] - crowd.lower[22] > 1.05 * crowd.critical * crowd.error[22]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("n_models", [1, 3])
def test_a_column_that_explodes_widens_the_bounds_of_few_others_to_bonferronis_at_most(n_models, ordered):
    found = beside_one_that_explodes(n_models, ordered=ordered)
    bounds = claim(found, 0, range(1, n_models + 2))
    bonferroni = stats.t.isf(0.05 / (n_models + 1), found.degrees)
    assert ((bounds.gain - bounds.lower)[:-1] <= 1.1 * bonferroni * bounds.error[:-1]).all()


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.usefixtures("quick")
def test_bounds_hold_for_a_column_that_explodes_now_and_then_as_for_the_others(ordered):
    def exploding(rng, n_blocks, means, correlation):
        losses = lasting(0.6 * ordered)(rng, n_blocks, means, correlation)
        losses[:, -1] += 100 * ((rng.random(n_blocks) < 0.05) - 0.05)
        return losses

    shipped, dismissed = claims(REPLICATES, 300, 10, DELTA, exploding, ordered=ordered)
    assert shipped * REPLICATES <= stats.binom.ppf(0.99, REPLICATES, 0.07)
    assert dismissed * REPLICATES <= stats.binom.ppf(0.99, REPLICATES, 0.07)


@pytest.mark.usefixtures("quick")
def test_a_column_that_nothing_rare_has_befallen_is_not_believed_more_than_the_others():
    shipped, _ = claims(2 * REPLICATES, 200, 20, DELTA, skewed)
    assert shipped * 2 * REPLICATES <= stats.binom.ppf(0.99, 2 * REPLICATES, 0.07)


@pytest.mark.parametrize(("n_blocks", "past"), [(100, 0.6), (400, 0.9)])
@pytest.mark.parametrize("n_models", [1, 20])
@pytest.mark.usefixtures("quick")
def test_of_days_that_resemble_each_other_a_gain_of_exactly_delta_is_seldom_shipped_or_dismissed(n_models, n_blocks, past):
    shipped, dismissed = claims(REPLICATES, n_blocks, n_models, DELTA, lasting(past), ordered=True)
    assert shipped * REPLICATES <= stats.binom.ppf(0.99, REPLICATES, 0.07)
    assert dismissed * REPLICATES <= stats.binom.ppf(0.99, REPLICATES, 0.07)


@pytest.mark.parametrize("n_models", [1, 20])
@pytest.mark.usefixtures("quick")
def test_runs_do_not_count_twice(n_models):
    """Bounds lie as far from the gains as the largest of them strays in as many worlds."""
    strayed, reach = [], []
    for replicate in range(REPLICATES):
        losses = lasting(0.6)(np.random.default_rng([replicate, 400]), 400, np.full(n_models + 1, COST), 0.7)
        bounds = claim(drawn(losses, ordered=True, seed=replicate), 0, range(1, n_models + 1))
        strayed.append(bounds.gain.max())
        reach.append(np.median(bounds.gain - bounds.lower))
    assert np.median(reach) == pytest.approx(np.quantile(strayed, 0.95), rel=0.15)


def test_the_more_columns_the_wider_the_bounds():
    found = drawn(np.random.default_rng(0).normal(size=(200, 61)))
    few, many = claim(found, 0, range(1, 6)), claim(found, 0, range(1, 61))
    assert many.critical > few.critical > 1.7


def test_errors_of_another_source_set_the_bounds():
    losses = np.random.default_rng(0).normal(size=(200, 3))
    same = claim(drawn(losses[:, [0, 0, 1]]), 0, [1, 2], errors=np.array([1.0, 2.0]))
    assert (same.lower[0], same.upper[0]) == (0, 0)
    found = drawn(losses)
    plain, other = claim(found, 0, [1, 2]), claim(found, 0, [1, 2], errors=np.array([1.0, 2.0]), degrees=4)
    assert other.critical > plain.critical
    assert other.critical == pytest.approx(stats.t.isf(stats.t.sf(plain.critical, 199), 4))
    stretched = (plain.gain - plain.lower) / plain.error / plain.critical
    np.testing.assert_allclose(other.gain - other.lower, stretched * other.critical * np.array([1.0, 2.0]))


def test_blocks_required_are_those_that_would_bring_the_lower_bound_to_delta():
    bounds = Claim(np.array([3.0, 1.0]), np.ones(2), np.array([1.0, -1.0]), np.array([5.0, 3.0]), critical=1.9, n=50)
    assert required_blocks(bounds, 0, 2.0) == 200
    assert required_blocks(bounds, 1, 1.0) == np.inf


# Few splits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rope", [0.01, 0.1])
@pytest.mark.parametrize("n_repeats", [1, 10])
def test_the_correlated_t_is_baycomps(rope, n_repeats):
    import baycomp

    rng = np.random.default_rng(0)
    first, second = rng.normal(0.8, 0.05, 10 * n_repeats), rng.normal(0.82, 0.05, 10 * n_repeats)
    expected = baycomp.CorrelatedTTest(first, second, rope, runs=n_repeats).probs()
    assert correlated_t(second - first, rope, n_train=90, n_test=10) == pytest.approx(expected, abs=1e-12)


def test_a_difference_that_never_varies_is_certain():
    assert correlated_t(np.full(5, 0.2), 0.1, 80, 20) == (0, 0, 1)
    assert nadeau_bengio(np.full(5, 0.25), 80, 20).p == 0
    assert nadeau_bengio(np.zeros(5), 80, 20)[::3] == (0, 0.5)


def test_without_shared_training_rows_nadeau_and_bengios_is_the_plain_t():
    differences = np.random.default_rng(0).normal(0.1, 1, 20)
    expected = stats.ttest_1samp(differences, 0, alternative="greater")
    found = nadeau_bengio(differences, n_train=1, n_test=0)
    assert (found.t, found.p, found.degrees) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue), 19)


def test_splits_that_share_training_rows_count_for_less():
    differences = np.random.default_rng(0).normal(0.1, 1, 100)
    naive = nadeau_bengio(differences, n_train=1, n_test=0).error
    assert nadeau_bengio(differences, n_train=90, n_test=10).error == pytest.approx(naive * np.sqrt(1 + 100 / 9))


@pytest.mark.parametrize("call", [lambda one: nadeau_bengio(one, 80, 20), lambda one: correlated_t(one, 0.1, 80, 20), next_period])
def test_one_split_is_refused(call):
    with pytest.raises(ValueError, match="at least 2"):
        call(np.array([1.0]))


def test_the_next_period_falls_into_its_interval():
    hits = 0
    for seed in range(4_000):
        gains = np.random.default_rng(seed).normal(3, 1, 5)
        _, low, high = next_period(gains[:4])
        hits += low <= gains[4] <= high
    assert stats.binomtest(hits, 4_000, 0.95).pvalue > 0.001
