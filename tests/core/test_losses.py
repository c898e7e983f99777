"""From predictions to the loss matrix."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from piste.core.data import Target
from piste.core.decision import dispersion
from piste.core.losses import Judgements, by_row, loss_matrix, make_column
from piste.core.metrics import METRICS
from piste.core.split import Fold, Folds
from piste.framings import framings

ROWS = np.arange(12)


def folds(*tests: list[int], repeats: tuple[int, ...] = ()) -> Folds:
    """Return folds that test these rows."""
    made = tuple(
        Fold(f"fold {i}", repeats[i] if repeats else 0, np.setdiff1d(ROWS, test), np.zeros(12 - len(test), dtype=bool), np.array(test))
        for i, test in enumerate(tests)
    )
    return Folds(made, Fold("all", 0, ROWS, ROWS < 0, ROWS[:0]), ROWS, False, ROWS[:0])


TWICE = folds([0, 1, 2], [3, 4, 5], [0, 3, 4], [1, 2, 5], repeats=(0, 0, 1, 1))
FORWARD = folds([3, 4], [5, 6, 7], [8, 9, 10, 11])


def test_lines_come_fold_after_fold_and_know_their_row():
    lines = Judgements.of(TWICE, forward=False)
    assert lines.row.tolist() == [0, 1, 2, 3, 4, 5, 0, 3, 4, 1, 2, 5]
    assert lines.fold.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert lines.repeat.tolist() == [0] * 6 + [1] * 6
    assert lines.judged.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(lines.judged[lines.place], lines.row)


def test_rows_that_no_fold_tests_are_not_judged():
    assert Judgements.of(FORWARD, forward=True).judged.tolist() == list(range(3, 12))


def test_a_fold_is_taught_by_the_other_folds_of_its_own_repeat():
    lines = Judgements.of(TWICE, forward=False)
    for fold in range(4):
        others = lines.others(fold)
        assert set(lines.fold[others]) == {(1, 0, 3, 2)[fold]}
        assert not set(lines.row[others]) & set(TWICE.folds[fold].test)  # through no repeat does its own row teach it


def test_forward_in_time_a_fold_is_taught_by_earlier_folds_only():
    lines = Judgements.of(FORWARD, forward=True)
    assert [sorted(set(lines.fold[lines.others(fold)])) for fold in range(3)] == [[], [0], [0, 1]]


def column(framing: str, raw: np.ndarray, target: Target, metric: str, lines: Judgements):
    """Make a column of raw predictions."""
    return make_column(framings()[framing], "entry", 0, {}, raw, target, METRICS[metric], lines)


def test_over_repeats_a_loss_is_the_mean_of_the_losses_never_the_loss_of_the_mean():
    lines = Judgements.of(TWICE, forward=False)
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=12), rng.normal(size=12)
    matrix = loss_matrix([column("mean", raw, Target("y", "numeric", y), "rmse", lines)], lines)
    for place, row in enumerate(lines.judged):
        predictions = raw[lines.row == row]
        assert len(predictions) == 2
        assert matrix[place, 0] == pytest.approx(np.mean((predictions - y[row]) ** 2))
        assert matrix[place, 0] > (predictions.mean() - y[row]) ** 2


def test_the_same_holds_for_probabilities():
    lines = Judgements.of(TWICE, forward=False)
    p = np.random.default_rng(0).uniform(0.1, 0.9, 12)
    y = np.array([0, 1] * 6)
    matrix = loss_matrix(
        [column("classes", np.column_stack([1 - p, p]), Target("y", "binary", y, ("no", "yes")), "log_loss", lines)], lines
    )
    for place, row in enumerate(lines.judged):
        given = np.where(y[row] == 1, p, 1 - p)[lines.row == row]
        assert matrix[place, 0] == pytest.approx(-np.log(given).mean())


def test_each_column_of_the_matrix_is_a_candidate_and_each_row_a_judged_row():
    lines = Judgements.of(FORWARD, forward=True)
    target = Target("y", "numeric", np.arange(12.0))
    columns = [column("mean", np.full(9, level), target, "mae", lines) for level in (0.0, 5.0)]
    np.testing.assert_array_equal(loss_matrix(columns, lines), np.abs(np.arange(3.0, 12)[:, None] - [0.0, 5.0]))


def test_a_distribution_of_counts_is_spread_by_the_errors_of_the_other_folds():
    lines = Judgements.of(TWICE, forward=False)
    y = np.array([0.0, 9.0, 2.0, 20.0, 1.0, 5.0] + [0.0] * 6)
    raw = np.full(12, 6.0)
    made = column("distribution", raw, Target("n", "count", y), "mae", lines)
    for fold in range(4):
        others = lines.others(fold)
        spread = dispersion(y[lines.row[others]], raw[others])
        expected = stats.nbinom.ppf(0.5, 1 / spread, (1 / spread) / (1 / spread + 6.0))
        np.testing.assert_array_equal(made.action[lines.fold == fold], expected)


@pytest.mark.parametrize("forward", [False, True])
def test_what_came_in_a_fold_does_not_move_the_actions_of_that_fold(forward):
    lines = Judgements.of(FORWARD, forward=forward)
    rng = np.random.default_rng(1)
    y = rng.poisson(8.0, 12).astype(float)
    raw = rng.uniform(5, 10, 9)
    before = column("distribution", raw, Target("n", "count", y), "mae", lines).action
    changed = y.copy()
    changed[5:8] = 500.0
    after = column("distribution", raw, Target("n", "count", changed), "mae", lines).action
    np.testing.assert_array_equal(before[lines.fold == 1], after[lines.fold == 1])
    np.testing.assert_array_equal(before[lines.fold == 0] == after[lines.fold == 0], forward)  # later folds teach nothing forward
    assert (before[lines.fold == 2] != after[lines.fold == 2]).any()


def test_columns_of_one_framing_entry_and_rule_share_a_leaderboard_row():
    lines = Judgements.of(FORWARD, forward=True)
    target = Target("n", "count", np.arange(12.0))
    made = [
        make_column(framings()[framing], entry, number, {}, np.ones(9), target, METRICS["rmse"], lines)
        for framing, entry, number in (("mean", "a", 0), ("mean", "b", 0), ("distribution", "a", 0), ("mean", "a", 1))
    ]
    assert by_row(made) == {
        ("mean", "a", "plug_in"): [0, 3],
        ("mean", "b", "plug_in"): [1],
        ("distribution", "a", "min_expected_cost"): [2],
    }
    assert made[3].name == "mean/a/1/plug_in"
