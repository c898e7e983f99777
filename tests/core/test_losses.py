"""From predictions to the loss matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from piste.core.data import Target
from piste.core.decision import Actions, ByMetric, Came, Quantity, Yardstick, probabilities
from piste.core.framing import Asked, Form, Rule
from piste.core.losses import MOST_PARTS, Column, Court, Judgements, by_row, loss_matrix
from piste.core.metrics import METRICS
from piste.core.predictive import dispersion
from piste.core.split import Fold, Folds
from piste.framings import framings
from piste.prepare import Prepared
from tests.cases import prepared
from tests.fits import ALL_OF_LEVELS, CUT, MARSHALS, PROBLEMS, SMALL, case_of, rows

ROWS = np.arange(12)


def folds(*tests: list[int], repeats: tuple[int, ...] = (), n: int = 12, warm_up: bool = False) -> Folds:
    """Return folds that test these rows; the first may only warm up."""
    rows = np.arange(n)
    made = tuple(
        Fold(f"fold {i}", repeats[i] if repeats else 0, np.setdiff1d(rows, test), np.zeros(n - len(test), dtype=bool), np.array(test),
             warm_up=warm_up and i == 0)
        for i, test in enumerate(tests)
    )  # fmt: skip
    return Folds(made, Fold("all", 0, rows, rows < 0, rows[:0]), rows, False, rows[:0])


TWICE = folds([0, 1, 2], [3, 4, 5], [0, 3, 4], [1, 2, 5], repeats=(0, 0, 1, 1))
FORWARD = folds([3, 4], [5, 6, 7], [8, 9, 10, 11])
WARMED = folds([1, 2], [3, 4], [5, 6, 7], [8, 9, 10, 11], warm_up=True)


def court(target: Target, yardstick: Yardstick | str, lines: Judgements, weight: np.ndarray | None = None) -> Court:
    """Return a court; a text names a metric."""
    measure = ByMetric(METRICS[yardstick]) if isinstance(yardstick, str) else yardstick
    rows, n = lines.row, len(target.values)
    level = target.codes[rows] if target.classes else None
    thresholds = None if target.thresholds is None else target.thresholds[rows]
    return Court(target, np.ones(n) if weight is None else weight, Came(target.values[rows], level, thresholds), measure, lines)


def column(
    framing: str, raw: np.ndarray, target: Target, yardstick: Yardstick | str, lines: Judgements, rule: Rule | None = None
) -> Column:
    """Make a column of the last rule of a framing, or of the one that is named."""
    at = court(target, yardstick, lines)
    asked = Asked(framing, framings()[framing], Form(framing))
    return at.column(asked, rule or asked.framing.rules(at.yardstick)[-1], "entry", 0, {}, raw)


def test_lines_come_fold_after_fold_and_know_their_row():
    lines = Judgements.of(TWICE, forward=False)
    assert lines.row.tolist() == [0, 1, 2, 3, 4, 5, 0, 3, 4, 1, 2, 5]
    assert lines.fold.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert lines.repeat.tolist() == [0] * 6 + [1] * 6
    assert lines.judged.tolist() == [0, 1, 2, 3, 4, 5]
    assert lines.counts.all()
    np.testing.assert_array_equal(lines.judged[lines.place], lines.row)


def test_rows_that_no_fold_tests_are_not_judged():
    assert Judgements.of(FORWARD, forward=True).judged.tolist() == list(range(3, 12))


def test_the_fold_that_only_warms_up_has_lines_and_is_never_judged():
    lines = Judgements.of(WARMED, forward=True)
    assert lines.row.tolist() == list(range(1, 12))
    assert lines.counts.tolist() == [False] * 2 + [True] * 9
    assert lines.judged.tolist() == list(range(3, 12))
    target = Target("y", "numeric", np.arange(12.0))
    raw = np.arange(1.0, 12.0)
    raw[:2] = 1e9  # of the warm-up: lost, and it costs nothing
    np.testing.assert_array_equal(loss_matrix([column("mean", raw, target, "mse", lines)], lines), 0.0)
    assert [lines.others(part).tolist() for part in range(4)] == [[], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6]]  # it teaches all


def test_a_fold_is_taught_by_the_other_folds_of_its_own_repeat():
    lines = Judgements.of(TWICE, forward=False)
    for fold in range(4):
        others = lines.others(fold)
        assert set(lines.fold[others]) == {(1, 0, 3, 2)[fold]}
        assert not set(lines.row[others]) & set(TWICE.folds[fold].test)  # through no repeat does its own row teach it


def test_forward_in_time_a_fold_is_taught_by_earlier_folds_only():
    lines = Judgements.of(FORWARD, forward=True)
    assert [sorted(set(lines.fold[lines.others(fold)])) for fold in range(3)] == [[], [0], [0, 1]]


def test_many_folds_share_parts_and_no_row_teaches_itself():
    lines = Judgements.of(folds(*([row] for row in range(37)), n=37), forward=False)
    assert len(np.unique(lines.part)) == MOST_PARTS
    for line, row in enumerate(lines.row):
        others = lines.others(lines.part[line])
        assert row not in lines.row[others]
        assert len(others) >= 37 - 4


def test_many_folds_forward_in_time_stay_as_they_are():
    lines = Judgements.of(folds(*([row] for row in range(1, 30)), n=30), forward=True)
    np.testing.assert_array_equal(lines.part, lines.fold)


def test_repeats_of_many_folds_stay_apart():
    tests = [[row] for row in range(12)] * 2
    lines = Judgements.of(folds(*tests, repeats=(0,) * 12 + (1,) * 12), forward=False)
    for part in np.unique(lines.part):
        mine = lines.part == part
        others = lines.others(part)
        assert len(set(lines.repeat[mine]) | set(lines.repeat[others])) == 1
        assert not set(lines.row[mine]) & set(lines.row[others])


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


def test_the_same_holds_for_costs_of_decisions():
    lines = Judgements.of(TWICE, forward=False)
    y, raw = np.arange(12.0), np.random.default_rng(0).uniform(0, 6, 12)
    quantity = Quantity("EUR", 1.0, 4.0)
    matrix = loss_matrix([column("mean", raw, Target("y", "numeric", y), quantity, lines, "plug_in")], lines)
    for place, row in enumerate(lines.judged):
        costs = [4 * (y[row] - q) if q < y[row] else q - y[row] for q in raw[lines.row == row]]
        assert matrix[place, 0] == pytest.approx(np.mean(costs))


def test_each_column_of_the_matrix_is_a_candidate_and_each_row_a_judged_row():
    lines = Judgements.of(FORWARD, forward=True)
    target = Target("y", "numeric", np.arange(12.0))
    columns = [column("mean", np.full(9, level), target, "mae", lines, "plug_in") for level in (0.0, 5.0)]
    np.testing.assert_array_equal(loss_matrix(columns, lines), np.abs(np.arange(3.0, 12)[:, None] - [0.0, 5.0]))


def test_probabilities_are_tempered_by_the_other_folds():
    from piste.core.calibrate import temper

    lines = Judgements.of(folds(list(range(6)), list(range(6, 12))), forward=False)
    p = np.random.default_rng(0).uniform(0.1, 0.9, 12)
    raw, y = np.column_stack([1 - p, p]), np.array([0, 1] * 6)
    made = column("classes", raw, Target("y", "binary", y, ("no", "yes")), "log_loss", lines)
    for fold in range(2):
        mine, others = lines.fold == fold, lines.fold != fold
        expected = temper(raw[others], y[others], np.ones(6)).apply(raw[mine])
        np.testing.assert_allclose(made.action[mine], expected)
        np.testing.assert_allclose(made.lines[mine], -np.log(expected[np.arange(6), y[mine]]))


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


def test_a_prediction_is_dressed_in_the_errors_of_the_other_folds():
    lines = Judgements.of(folds(list(range(6)), list(range(6, 12))), forward=False)
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=12), rng.normal(size=12)
    made = column("mean", raw, Target("y", "numeric", y), Quantity("EUR", 1.0, 4.0), lines, "dressed")
    for fold in range(2):
        mine, others = lines.fold == fold, lines.fold != fold
        errors = np.sort((y - raw)[others])  # the 0.8-quantile of six: the fifth
        np.testing.assert_allclose(made.action[mine], raw[mine] + errors[4])


LEVELLED = {"levels": ("low", "mid", "high"), "thresholds": np.tile([4.0, 9.0], (12, 1))}
SKI = Actions("EUR", ("none", "one", "two"), np.array([[0.0, 60.0, 240.0], [40.0, 0.0, 90.0], [90.0, 45.0, 0.0]]))
ASKED = (
    ("mean", "plug_in", 1),
    ("mean", "dressed", 1),
    ("distribution", "min_expected_cost", 1),
    ("quantiles", "min_expected_cost", 10),
    ("classes", "plug_in", 3),
    ("classes", "min_expected_cost", 3),
    ("ordered", "min_expected_cost", 2),
)


def predictions(framing: str, width: int, n: int) -> np.ndarray:
    """Return raw predictions as a family would give them in this framing."""
    rng = np.random.default_rng(1)
    if framing in ("mean", "distribution"):
        return rng.uniform(3, 10, n)
    if framing == "quantiles":
        return np.sort(rng.uniform(0, 15, (n, width)), axis=1)
    return rng.dirichlet(np.ones(width), n) if framing == "classes" else np.sort(rng.random((n, width)), axis=1)[:, ::-1]


@pytest.mark.parametrize(("framing", "rule", "width"), ASKED)
@pytest.mark.parametrize("at", [TWICE, folds([0, 1, 2], [3, 4, 5, 6], [7, 8, 9, 10, 11])], ids=["repeats", "kfold"])
def test_what_came_in_a_fold_does_not_move_the_actions_of_that_fold(framing, rule, width, at):
    lines = Judgements.of(at, forward=False)
    y = np.random.default_rng(2).poisson(6.0, 12).astype(float)
    raw = predictions(framing, width, len(lines.row))
    mine = lines.fold == 1
    changed = y.copy()
    changed[at.folds[1].test] = np.roll(y, 5)[at.folds[1].test] + 9
    for yardstick in (SKI, Quantity("EUR", 1.0, 4.0)):
        if framing in ("classes", "ordered") and yardstick is not SKI:
            continue
        before, after = (
            column(framing, raw, Target("n", "count", each, **LEVELLED), yardstick, lines, rule).action for each in (y, changed)
        )
        np.testing.assert_array_equal(before[mine], after[mine])


@pytest.mark.parametrize(("framing", "rule", "width"), ASKED)
@pytest.mark.parametrize("fold", [1, 2, 3])
def test_forward_in_time_nothing_that_came_later_moves_an_earlier_decision_by_a_bit(framing, rule, width, fold):
    lines = Judgements.of(WARMED, forward=True)
    y = np.random.default_rng(2).poisson(6.0, 12).astype(float)
    raw = predictions(framing, width, len(lines.row))
    later = np.isin(np.arange(12), lines.row[lines.fold >= fold])
    changed = np.where(later, np.roll(y, 5) + 9, y)
    made = [court(Target("n", "count", each, **LEVELLED), SKI, lines) for each in (y, changed)]
    asked = Asked(framing, framings()[framing], Form(framing))
    before, after = (each.column(asked, rule, "entry", 0, {}, raw) for each in made)
    upto = lines.fold <= fold
    np.testing.assert_array_equal(before.action[upto], after.action[upto])
    believed = [[probabilities(each, np.tile([4.0, 9.0], (len(mine), 1))) for mine, each in at.spreads(asked, rule, raw)] for at in made]
    same = [np.array_equal(one, other) for one, other in zip(*believed, strict=True)]
    assert all(same[: fold + 1])
    assert all(same) == (rule == "plug_in" or fold == 3)  # what came does move the later ones


DECIDED = {
    "target": CUT,
    "framings": ALL_OF_LEVELS,
    "decision": {"cost": MARSHALS},
    "families": SMALL,
    "columns": PROBLEMS["actions"]["columns"],
}


def columns(frame: pd.DataFrame, **keys: Any) -> tuple[Prepared, list[Column]]:
    """Return every column of a comparison, blends among them."""
    of = case_of(prepared(frame, unit=["day", "run"], **DECIDED | keys))
    return of.at, [each.column for each in of.case.entrants]


def test_forward_in_time_what_came_later_moves_no_decision_of_the_same_fold_or_before_by_a_bit_from_the_fit_to_the_blend():
    frame = rows(40)
    at, before = columns(frame, time="day", split={"folds": 3})
    assert any(column.entry == "blend" for column in before)
    fold = at.folds.folds[2]  # the second that is judged
    later = frame["day"] >= frame["day"].iloc[fold.test].min()
    changed = frame.assign(count=np.where(later, np.roll(frame["count"], 7) + 3, frame["count"]))
    again, after = columns(changed, time="day", split={"folds": 3})
    upto = np.concatenate([each.test for each in at.folds.folds[:3]])
    assert [each.test.tolist() for each in again.folds.folds] == [each.test.tolist() for each in at.folds.folds]
    for one, other in zip(before, after, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.action[: len(upto)], other.action[: len(upto)], err_msg=one.name)


def test_of_one_fold_what_came_in_its_test_moves_none_of_its_decisions_from_the_fit_to_the_blend():
    frame = rows(40)
    frame["part"] = np.where(frame["day"] < frame["day"].quantile(0.7), "train", "test")
    split = {"split": {"scheme": "predefined", "by": "part"}}
    at, before = columns(frame, **split)
    tested = at.folds.folds[-1].test
    changed = frame.assign(count=np.where(frame["part"] == "test", np.roll(frame["count"], 7) + 3, frame["count"]))
    _, after = columns(changed, **split)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.action[-len(tested) :], other.action[-len(tested) :], err_msg=one.name)


def test_rows_of_weight_0_teach_no_spread():
    lines = Judgements.of(folds(list(range(6)), list(range(6, 12))), forward=False)
    y = np.array([0.0, 1, 2, 3, 4, 1e6] * 2)
    asked = Asked("mean", framings()["mean"], Form("mean"))
    weight = np.where(y < 1e6, 1.0, 0.0)
    at = court(Target("y", "numeric", y), Quantity("EUR", 1.0, 99.0), lines, weight)
    assert at.column(asked, "dressed", "entry", 0, {}, np.zeros(12)).action.max() == pytest.approx(4.0)


def test_columns_of_one_framing_entry_and_rule_share_a_leaderboard_row():
    lines = Judgements.of(FORWARD, forward=True)
    at = court(Target("n", "count", np.arange(12.0)), "rmse", lines)
    made = []
    for framing, entry, number in (("mean", "a", 0), ("mean", "b", 0), ("distribution", "a", 0), ("mean", "a", 1)):
        asked = Asked(framing, framings()[framing], Form(framing))
        made.append(at.column(asked, asked.framing.rules(at.yardstick)[0], entry, number, {}, np.ones(9)))
    assert by_row(made) == {
        ("mean", "a", "plug_in"): [0, 3],
        ("mean", "b", "plug_in"): [1],
        ("distribution", "a", "min_expected_cost"): [2],
    }
    assert made[3].name == "mean/a/1/plug_in"
