"""The numbers of a leaderboard, against the same by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from piste.core.fit import Predicted
from piste.core.leaderboard import Facts, Label, rows
from piste.core.losses import Column, Judgements, loss_matrix
from piste.core.metrics import METRICS
from piste.core.split import Fold, Folds
from piste.core.statistics import sample

N = 200
RNG = np.random.default_rng(0)
Y = RNG.normal(10, 3, N)
WEIGHT = RNG.uniform(0.5, 2.0, N)


def facts(predictions: dict[str, list[np.ndarray]], *, metric: str = "rmse", blocks: np.ndarray | None = None, notes=()) -> Facts:
    """Return the facts about columns that made these predictions, in two folds of neighbouring rows."""
    halves = np.array_split(np.arange(N), 2)
    none = np.array([], dtype=int)
    folds = tuple(Fold(f"fold {i}", 0, np.setdiff1d(np.arange(N), h), np.zeros(N - len(h), dtype=bool), h) for i, h in enumerate(halves))
    lines = Judgements.of(Folds(folds, folds[0], np.arange(N), False, none), forward=False)
    how = METRICS[metric]
    columns = [
        Column("mean", entry, number, "plug_in", {"k": number}, raw, raw, how.loss(Y, raw))
        for entry, each in predictions.items()
        for number, raw in enumerate(each)
    ]
    losses = loss_matrix(columns, lines)
    drawn = sample(losses, WEIGHT, np.arange(N) if blocks is None else blocks, ordered=False, seed=0)
    tiers = {"baseline:constant": 0, "linear": 1, "tree": 2}
    labels = [Label(f"{column.entry} {column.number}", tiers.get(column.entry, 5)) for column in columns]
    parts = [
        tuple(
            Predicted(raw, {"rmse": 1.0 + i, "r2": 0.5} if i else {"rmse": 1.0}, 2.0 + i, 0.5, notes[i] if notes else ()) for i in range(2)
        )
        for raw in (column.raw for column in columns)
    ]
    return Facts(columns, losses, drawn, labels, parts, Y, WEIGHT, lines, how, "numeric")


CONSTANT = np.full(N, 10.0)
GOOD = Y + RNG.normal(0, 1, N)
FAIR = Y + RNG.normal(0, 2, N)
PREDICTIONS = {"baseline:constant": [CONSTANT], "linear": [FAIR, GOOD], "tree": [FAIR + RNG.normal(0, 0.1, N)]}


def test_rows_come_best_first_and_each_shows_its_best_column():
    found = rows(facts(PREDICTIONS), {})
    assert [(row.family, row.params["k"], row.n_trials) for row in found] == [("linear", 1, 2), ("tree", 0, 1), ("baseline:constant", 0, 1)]
    assert [row.title for row in found] == ["linear 1", "tree 0", "baseline:constant 0"]


@pytest.mark.parametrize(("metric", "truth"), [("rmse", metrics.root_mean_squared_error), ("mae", metrics.mean_absolute_error)])
def test_the_cost_is_the_metric_of_scikit_learn(metric, truth):
    for row, raw in zip(rows(facts(PREDICTIONS, metric=metric), {}), (GOOD, PREDICTIONS["tree"][0], CONSTANT), strict=True):
        assert row.cost == pytest.approx(truth(Y, raw, sample_weight=WEIGHT))


def test_the_gain_is_what_of_the_best_baselines_cost_is_saved():
    best, fair, base = rows(facts(PREDICTIONS | {"baseline:other": [CONSTANT + 5]}), {})[:3]
    assert best.gain_vs_baseline == pytest.approx(1 - best.cost / base.cost)
    assert fair.gain_vs_baseline == pytest.approx(1 - fair.cost / base.cost)
    assert (base.family, base.gain_vs_baseline, base.gain_lo, base.gain_hi) == ("baseline:constant", 0.0, 0.0, 0.0)


def test_intervals_are_those_of_a_slow_bootstrap_of_whole_blocks():
    blocks = np.arange(N) // 4
    row = rows(facts(PREDICTIONS, blocks=blocks), {})[0]
    rng = np.random.default_rng(99)
    costs, gains = [], []
    for _ in range(4000):
        drawn = rng.integers(0, 50, 50)
        chosen = np.concatenate([np.flatnonzero(blocks == block) for block in drawn])
        mine, base = (np.sqrt(np.average((Y - raw)[chosen] ** 2, weights=WEIGHT[chosen])) for raw in (GOOD, CONSTANT))
        costs.append(mine)
        gains.append(1 - mine / base)
    np.testing.assert_allclose((row.cost_lo, row.cost_hi), np.quantile(costs, [0.025, 0.975]), rtol=0.02)
    np.testing.assert_allclose((row.gain_lo, row.gain_hi), np.quantile(gains, [0.025, 0.975]), rtol=0.02)
    assert row.cost_lo < row.cost < row.cost_hi
    assert row.gain_lo < row.gain_vs_baseline < row.gain_hi


def test_under_ten_blocks_the_intervals_are_those_of_a_t_test_on_block_means():
    blocks = np.arange(N) // 50
    row = rows(facts(PREDICTIONS, metric="mae", blocks=blocks), {})[0]
    each = [np.average(np.abs(Y - GOOD)[blocks == b], weights=WEIGHT[blocks == b]) for b in range(4)]
    base = [np.average(np.abs(Y - CONSTANT)[blocks == b], weights=WEIGHT[blocks == b]) for b in range(4)]
    reach = stats.t.ppf(0.975, 3) * np.std(each, ddof=1) / 2
    np.testing.assert_allclose((row.cost_lo, row.cost_hi), (row.cost - reach, row.cost + reach))
    gaps = np.subtract(each, base)
    reach = stats.t.ppf(0.975, 3) * np.std(gaps, ddof=1) / 2 / np.average(np.abs(Y - CONSTANT), weights=WEIGHT)
    np.testing.assert_allclose((row.gain_lo, row.gain_hi), (row.gain_vs_baseline - reach, row.gain_vs_baseline + reach))


def test_one_block_says_nothing_of_another():
    row = rows(facts(PREDICTIONS, blocks=np.zeros(N, dtype=int)), {})[0]
    assert np.isnan([row.cost_lo, row.cost_hi, row.gain_lo, row.gain_hi]).all()
    assert row.tied_with_best


def test_a_row_is_tied_where_the_paired_difference_to_the_best_may_be_nothing():
    twin = GOOD + RNG.normal(0, 0.02, N)  # errs as the best does, row by row
    tied = {row.family: row.tied_with_best for row in rows(facts(PREDICTIONS | {"twin": [twin]}), {})}
    assert tied == {"linear": True, "twin": True, "tree": False, "baseline:constant": False}


def test_a_tie_is_paired_two_whose_own_intervals_overlap_may_still_be_told_apart():
    slightly = Y + 1.08 * (GOOD - Y)
    best, other = rows(facts({"baseline:constant": [CONSTANT], "linear": [GOOD], "tree": [slightly]}), {})[:2]
    assert other.cost_lo < best.cost_hi
    assert not other.tied_with_best


def test_costs_of_folds_are_those_of_their_rows():
    row = rows(facts(PREDICTIONS), {})[0]
    each = [np.sqrt(np.average((Y - GOOD)[half] ** 2, weights=WEIGHT[half])) for half in np.array_split(np.arange(N), 2)]
    assert row.fold_costs == pytest.approx(each)


def test_the_usual_metrics_stand_beside_and_times_and_training_metrics_are_means_over_folds():
    row = rows(facts(PREDICTIONS), {})[0]
    assert row.metrics["r2"] == pytest.approx(metrics.r2_score(Y, GOOD, sample_weight=WEIGHT))
    assert row.train_metrics == {"rmse": 1.5}  # a metric that a fold lacks has no mean
    assert (row.fit_seconds, row.predict_seconds) == (2.5, 0.5)


def test_a_note_says_in_how_many_folds_it_held():
    everywhere, once = ("not converged",), ("only one class in the training rows",)
    row = rows(facts(PREDICTIONS, notes=(everywhere, everywhere + once)), {})[0]
    assert row.notes == ("not converged", "only one class in the training rows in 1 of 2 folds")


def test_trials_that_failed_are_counted_with_the_reason_of_the_first():
    found = {row.family: row.notes for row in rows(facts(PREDICTIONS), {("mean", "linear"): ["no luck", "no memory"]})}
    assert found == {"linear": ("2 of its trials failed: no luck",), "tree": (), "baseline:constant": ()}


def test_a_rule_without_a_single_error_leaves_no_gain_to_speak_of():
    found = {row.family: row for row in rows(facts({"baseline:constant": [Y], "linear": [GOOD]}), {})}
    assert found["baseline:constant"].cost == 0.0
    assert not found["linear"].gain_vs_baseline > 0
