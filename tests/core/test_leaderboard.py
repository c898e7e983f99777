"""The rows of a leaderboard, against the same by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from piste.core.comparison import Judged
from piste.core.entrants import entrants_of
from piste.core.fit import Failed, Outcome, Predicted
from piste.core.leaderboard import Facts, rows
from tests.cases import Written, weigh, written

N = 240
RNG = np.random.default_rng(0)
X, Y, WEIGHT = RNG.normal(size=N), RNG.normal(10, 3, N), RNG.uniform(0.5, 2.0, N)
ROWS = pd.DataFrame({"x": X, "block": np.arange(N) // 4, "w": WEIGHT, "y": Y})
GOOD, FAIR = Y + RNG.normal(0, 1, N), Y + RNG.normal(0, 2, N)
SAID: dict[str, Any] = {"linear": [FAIR, GOOD], "tree": FAIR + RNG.normal(0, 0.1, N)}


def made(said: dict[str, Any], **keys: Any) -> Written:
    """Judge predictions of weighted rows, four of which stand or fall together."""
    usual = {"weight": "w", "split": {"folds": 5, "together": "block", "repeats": 1}}
    return written(keys.pop("frame", ROWS), said, **usual | keys)


def board(said: dict[str, Any], **keys: Any) -> dict[str, Judged]:
    """Return the rows by entry; of an entry's rules the best one."""
    return {row.family: row for row in reversed(made(said, **keys).case.rows)}


def test_rows_come_best_first_and_each_shows_its_best_column():
    case = made(SAID).case
    assert [(row.family, row.n_trials) for row in case.rows] == [("linear", 2), ("tree", 1), ("baseline:constant", 1)]
    assert case.entrants[case.numbers["mean/linear/plug_in"]].column.number == 1
    [candidate] = [each for each in case.plan.candidates if each.key == ("mean", "linear", 1)]
    assert dict(case.rows[0].params) == dict(candidate.params)


@pytest.mark.parametrize(("metric", "truth"), [("rmse", metrics.root_mean_squared_error), ("mae", metrics.mean_absolute_error)])
def test_the_cost_of_a_row_of_one_setting_is_the_metric_of_scikit_learn(metric, truth):
    rows_ = {row.id: row for row in made({"tree": GOOD}, metric=metric).case.rows}
    assert rows_["mean/tree/plug_in"].cost == pytest.approx(truth(Y, GOOD, sample_weight=WEIGHT))


def test_the_cost_of_a_row_is_corrected_for_the_best_of_its_settings_having_been_chosen():
    """Forty settings cost 4 in truth: the lowest of them looks cheaper every time, and its row on average does not."""
    lowest, shown = [], []
    for seed in range(8):
        losses = np.random.default_rng(seed).chisquare(2, (40, N)) * 2
        case = made({"neural": [*(Y + np.sqrt(losses))]}, families=["neural"], metric="mse", weight=None).case
        [row] = [row for row in case.rows if row.family == "neural"]
        assert row.n_trials == 40
        lowest.append(losses.mean(axis=1).min())
        shown.append(row.cost)
    assert np.mean(lowest) < 3.6
    assert np.mean(shown) == pytest.approx(4.0, abs=0.2)


def test_settings_of_one_row_do_not_move_another():
    alone, beside = board({"tree": FAIR}), board({"tree": FAIR, "linear": [GOOD, FAIR]})
    assert beside["tree"].cost == alone["tree"].cost
    assert (beside["tree"].cost_lo, beside["tree"].cost_hi) == (alone["tree"].cost_lo, alone["tree"].cost_hi)


def test_the_gain_is_what_of_the_best_baselines_cost_is_saved():
    found = board({"tree": GOOD}, frame=ROWS.assign(far=20.0), baselines={"far": "far"})
    base = found["baseline:constant"]
    assert found["tree"].gain_vs_baseline == pytest.approx(1 - found["tree"].cost / base.cost)
    assert (base.gain_vs_baseline, base.gain_lo, base.gain_hi) == (0.0, 0.0, 0.0)
    assert found["baseline:far"].gain_vs_baseline < 0


def test_gains_are_bounded_at_once_for_all_columns():
    case = made(SAID, metric="mse").case
    base = float(case.sample.mean[case.base])
    for row in case.rows:
        column = case.numbers[row.id]
        assert row.gain_lo == pytest.approx(case.claim.lower[column] / base)
        assert row.gain_hi == pytest.approx(min(1.0, case.claim.upper[column] / base))
    alone = made({"linear": [GOOD]}, metric="mse").case
    one, of_three = (next(row for row in each.rows if row.family == "linear") for each in (alone, case))
    assert of_three.gain_lo < one.gain_lo


def test_intervals_of_costs_are_those_of_a_slow_bootstrap_of_whole_blocks():
    row = board({"tree": GOOD})["tree"]
    rng = np.random.default_rng(99)
    costs = []
    for _ in range(4000):
        chosen = np.concatenate([4 * block + np.arange(4) for block in rng.integers(0, 60, 60)])
        costs.append(np.sqrt(np.average((Y - GOOD)[chosen] ** 2, weights=WEIGHT[chosen])))
    np.testing.assert_allclose((row.cost_lo, row.cost_hi), np.quantile(costs, [0.025, 0.975]), rtol=0.02)


def test_one_block_says_nothing_of_another():
    frame = ROWS.assign(part=np.where(np.arange(N) < 160, "train", "test"), site=np.where(np.arange(N) < 160, 0, 1))
    row = board({"tree": GOOD}, frame=frame, split={"scheme": "predefined", "by": "part", "together": "site"})["tree"]
    assert np.isnan([row.cost_lo, row.cost_hi, row.gain_lo, row.gain_hi]).all()
    assert row.gain_vs_baseline > 0
    assert row.tied_with_best


def test_a_row_is_tied_where_the_paired_difference_to_the_best_may_be_nothing():
    twin = GOOD + np.random.default_rng(2).normal(0, 0.02, N)  # errs as the best does, row by row
    tied = {
        entry: row.tied_with_best
        for entry, row in board({"linear": GOOD, "tree": twin, "forest": FAIR}, families=["linear", "tree", "forest"]).items()
    }
    assert tied["linear"]
    assert tied["tree"]
    assert not tied["forest"]
    assert not tied["baseline:constant"]


def test_a_tie_is_paired_two_whose_own_intervals_overlap_may_still_be_told_apart():
    found = board({"linear": GOOD, "tree": Y + 1.08 * (GOOD - Y)})
    assert found["tree"].cost_lo < found["linear"].cost_hi
    assert not found["tree"].tied_with_best


def test_costs_of_folds_are_those_of_their_rows_repeats_apart():
    trial = made({"tree": GOOD}, split={"folds": 3, "repeats": 2})
    row = next(row for row in trial.case.rows if row.family == "tree")
    each = [np.sqrt(np.average((Y - GOOD)[fold.test] ** 2, weights=WEIGHT[fold.test])) for fold in trial.at.folds.folds]
    assert len(each) == 6
    assert row.fold_costs == pytest.approx(each)


def test_a_fold_that_only_warms_up_has_no_cost():
    frame = ROWS.assign(day=pd.date_range("2020-01-01", periods=N))
    trial = made({"tree": GOOD}, frame=frame, time="day", split={"scheme": "forward", "folds": 3})
    assert len(trial.at.folds.folds) == 4
    assert all(len(row.fold_costs) == 3 for row in trial.case.rows)


DECIDED = {"cost": {"wait": [0, 9], "act": [2, 1]}, "currency": "EUR"}
LEVELS = {"column": "y", "levels": {"cuts": [11]}}


def test_a_priced_row_says_how_often_it_takes_each_action_and_what_of_foresights_saving_it_reaches():
    trial = made({("mean", "tree"): GOOD}, decision=DECIDED, target=LEVELS, weight=None)
    row = next(row for row in trial.case.rows if (row.family, row.rule) == ("tree", "plug_in"))
    acts = GOOD >= 11
    assert row.actions == pytest.approx({"wait": 1 - acts.mean(), "act": acts.mean()})
    cost = np.where(acts, np.where(Y >= 11, 1, 2), np.where(Y >= 11, 9, 0)).mean()
    foresight = np.where(Y >= 11, 1, 0).mean()
    base = float(trial.case.sample.mean[trial.case.base])
    assert row.cost == pytest.approx(cost)
    assert row.value == pytest.approx((base - cost) / (base - foresight))


def test_where_foresight_saves_nothing_no_share_of_it_is_reached():
    found = made(
        {"tree": GOOD}, frame=ROWS.assign(sure=Y), baselines={"sure": "sure"}, decision={"cost": {"over": 1, "under": 1}}
    ).case.rows
    assert found[0].cost == 0.0
    assert all(np.isnan([row.value, row.gain_vs_baseline]).all() for row in found)


def test_unpriced_rows_take_no_actions():
    assert all(row.actions == {} and np.isnan(row.value) for row in made(SAID).case.rows)


def test_the_usual_metrics_stand_beside():
    row = board({"tree": GOOD})["tree"]
    assert row.metrics["r2"] == pytest.approx(metrics.r2_score(Y, GOOD, sample_weight=WEIGHT))
    assert row.own_score == pytest.approx(np.average((Y - GOOD) ** 2, weights=WEIGHT))


def weighed(change: Any) -> list[Judged]:
    """Return the rows of a case whose tree gave something else beside its predictions, fold by fold."""
    trial = made(SAID)
    outcomes = dict(trial.outcomes)
    key = ("mean", "tree", 0)
    outcomes[key] = [change(number, each) for number, each in enumerate(outcomes[key])]
    at, court = trial.at, trial.case.court
    entrants = [
        each
        for candidate in at.plan.candidates
        if candidate.key in outcomes
        for each in entrants_of(at.resolved, at.folds, at.plan, court, candidate, outcomes[candidate.key])
    ]
    return list(weigh(at.resolved, at.folds, at.plan, court, entrants, outcomes, None).rows)


def tree(found: list[Judged]) -> Judged:
    return next(row for row in found if row.family == "tree")


def test_times_and_training_metrics_are_means_over_folds_and_a_metric_that_a_fold_lacks_has_none():
    def change(number: int, each: Predicted) -> Outcome:
        known = {"rmse": 1.0 + number, "r2": 0.5} if number else {"rmse": 1.0}
        return replace(each, train_metrics=known, fit_seconds=2.0 + number, predict_seconds=0.5)

    row = tree(weighed(change))
    assert row.train_metrics == {"rmse": 3.0}
    assert (row.fit_seconds, row.predict_seconds) == (4.0, 0.5)


def test_a_note_says_in_how_many_folds_it_held():
    notes = ("not converged",)
    row = tree(weighed(lambda number, each: replace(each, notes=notes + ("one class",) * (number == 2))))
    assert row.notes == ("not converged", "one class in 1 of 5 folds")


def test_how_a_row_came_about_stands_apart_from_what_is_to_be_looked_after():
    trial = made(SAID)
    story = ("chose depth 3 in all 5 folds",)
    entrants = [
        replace(each, label=replace(each.label, details=story)) if each.column.entry == "tree" else each for each in trial.case.entrants
    ]
    facts = Facts(entrants, trial.case.sample, trial.case.court, trial.at.plan.asked, trial.case.base, trial.case.claim, None)
    judged = rows(facts, {("mean", "tree"): ["no luck"]}, {("mean", "tree"): "budget spent"})
    found = {row.family: (row.notes, row.details) for row in judged}
    assert found["tree"] == (("budget spent", "1 of its trials failed: no luck"), story)
    assert found["linear"] == ((), ())


def test_a_setting_that_failed_on_one_fold_is_left_out_and_its_row_counts_it():
    trial = made(SAID)
    facts = Facts(trial.case.entrants, trial.case.sample, trial.case.court, trial.at.plan.asked, trial.case.base, trial.case.claim, None)
    found = {row.family: row.notes for row in rows(facts, {("mean", "linear"): ["no luck", "no memory"]})}
    assert found == {"linear": ("2 of its trials failed: no luck",), "tree": (), "baseline:constant": ()}
    assert not [row for row in weighed(lambda number, each: Failed("no luck") if number == 3 else each) if row.family == "tree"]
