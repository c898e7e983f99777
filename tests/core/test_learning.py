"""The learning curves of a comparison: what they are drawn from, and what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.comparison import Curve
from piste.core.entrants import Outcomes, court_of, entrants_of
from piste.core.fit import Failed
from piste.core.learning import Answers, drawn_for, learning_curve
from piste.core.plan import MOST_CURVE_FOLDS, SHARES, curve_cells
from piste.work import compute
from tests.cases import Written, answers, fitted, prepared, weigh, written

N = 400
RNG = np.random.default_rng(0)
X = RNG.uniform(-3, 3, N)
Y = 10 * np.sin(2 * X) + RNG.normal(size=N)
ROWS = pd.DataFrame({"x": X, "site": np.arange(N) % 8, "day": pd.date_range("2020-01-01", periods=N), "y": Y})
KFOLD: dict[str, Any] = {"split": {"folds": 5, "repeats": 1}, "metric": "mse"}


def curves(made: Written, said: dict[str, dict[float, np.ndarray]]) -> Curve | None:
    """Draw the curves of entries that at each share of the training rows said this."""
    champion = drawn_for(made.case)
    assert champion is not None
    cells = curve_cells(made.case.plan, made.case.folds, champion)
    found: dict[Any, dict[int, Any]] = {}
    for cell in cells:
        if cell.share in said.get(cell.entry, {}):
            outcome = answers(made.at, said[cell.entry][cell.share])[cell.fold]
            found.setdefault((cell.candidates[0].key, cell.share), {})[cell.fold] = outcome
    return learning_curve(made.case, cells, found)


def losing(cost: float, seed: int = 1) -> np.ndarray:
    """Return predictions that cost as much on average."""
    return Y + np.sqrt(cost * np.random.default_rng(seed).uniform(0.5, 1.5, N))


def test_curves_are_drawn_of_the_champion_and_of_every_familys_default_on_at_most_three_folds():
    made = written(ROWS, {"linear": losing(9), "tree": [losing(4), losing(3)]}, trials=2, split={"folds": 5, "repeats": 2}, metric="mse")
    champion = drawn_for(made.case)
    assert champion.key == ("mean", "tree", 1)
    cells = curve_cells(made.case.plan, made.case.folds, champion)
    assert {cell.candidates[0].key for cell in cells} == {("mean", "tree", 1), ("mean", "tree", 0), ("mean", "linear", 0)}
    assert {cell.share for cell in cells} == {1 / 8, 1 / 4, 1 / 2} == set(SHARES[:-1])  # the whole is there already
    folds = {cell.fold for cell in cells}
    assert len(folds) == MOST_CURVE_FOLDS == 3
    assert all(made.at.folds.folds[fold].repeat == 0 for fold in folds)
    assert len(cells) == 3 * 3 * 3


def test_forward_in_time_the_latest_folds_are_used_and_never_the_one_that_warms_up():
    made = written(ROWS, {"linear": losing(9)}, time="day", split={"scheme": "forward", "folds": 2}, metric="mse")
    cells = curve_cells(made.case.plan, made.case.folds, drawn_for(made.case))
    assert {made.at.folds.folds[cell.fold].name for cell in cells} == {fold.name for fold in made.at.folds.shown}


def test_of_a_blend_the_best_member_is_drawn():
    families = ["linear", "tree", "blend"]
    other = 2 * Y - losing(4, seed=2)  # errs to the other side
    made = written(ROWS, {"linear": losing(5), "tree": other}, families=families, **KFOLD)
    blend = next(i for i, each in enumerate(made.case.entrants) if each.column.entry == "blend")
    assert made.case.champion == blend
    assert drawn_for(made.case).entry == "tree"


def test_of_a_rule_nothing_is_drawn():
    assert drawn_for(written(ROWS, {"linear": losing(500)}, **KFOLD).case) is None


FALLS = {1 / 8: losing(16), 1 / 4: losing(12), 1 / 2: losing(9.5)}


def test_a_curve_that_falls_says_so_and_what_twice_the_rows_would_bring():
    made = written(ROWS, {"linear": losing(8)}, **KFOLD)
    found = curves(made, {"linear": FALLS})
    assert found.falls > 0.8
    assert 5 < found.at_double.mean < 8
    assert found.at_double.low <= found.at_double.mean <= found.at_double.high
    assert found.sentences[-1].startswith(f"Twice the rows would bring the mse to about {found.at_double.mean:.3g} (")


def test_a_model_that_learns_nothing_more_is_flat():
    same = losing(8)
    made = written(ROWS, {"linear": same}, **KFOLD)
    found = curves(made, {"linear": dict.fromkeys(SHARES[:-1], same)})
    assert found.falls < 0.2
    assert found.at_double.mean == pytest.approx(found.points["cost"].iloc[-1], rel=1e-3)
    assert found.sentences == ("Twice the rows would hardly lower the mse",)


def test_points_are_the_costs_on_the_folds_used_at_each_number_of_training_rows():
    made = written(ROWS, {"linear": losing(8)}, **KFOLD)
    points = curves(made, {"linear": FALLS}).points
    assert points["entry"].tolist() == ["linear"] * 4
    assert points["rows"].tolist() == [40, 80, 160, 320]
    assert points["blocks"].tolist() == [40, 80, 160, 320]
    judged = np.concatenate([fold.test for fold in made.at.folds.folds[-3:]])
    for cost, said in zip(points["cost"], (*FALLS.values(), losing(8)), strict=True):
        assert cost == pytest.approx(np.mean((Y - said)[judged] ** 2))
    assert (points["cost_lo"] < points["cost"]).all()
    assert (points["cost"] < points["cost_hi"]).all()


def test_costs_are_shown_as_the_board_shows_them():
    made = written(ROWS, {"linear": losing(8)}, **KFOLD | {"metric": "rmse"})
    points = curves(made, {"linear": FALLS}).points
    judged = np.concatenate([fold.test for fold in made.at.folds.folds[-3:]])
    assert points["cost"].iloc[0] == pytest.approx(np.sqrt(np.mean((Y - FALLS[1 / 8])[judged] ** 2)))


def test_a_decision_is_drawn_in_its_cost_under_the_champions_rule():
    decision = {"cost": {"over": 1, "under": 4}}
    made = written(ROWS, {"linear": losing(8)}, **KFOLD | {"decision": decision})
    assert made.case.entrants[made.case.champion].column.rule == "dressed"
    points = curves(made, {"linear": FALLS}).points
    last = made.comparison().row("mean/linear/dressed").cost
    assert points["cost"].iloc[-1] == pytest.approx(last, rel=0.2)  # on three folds of five


def test_who_overtakes_whom_is_said_with_the_number_of_rows():
    flat = dict.fromkeys(SHARES[:-1], losing(10, seed=3))
    made = written(ROWS, {"linear": losing(10, seed=3), "tree": losing(4)}, families=["linear", "tree"], **KFOLD)
    falling = {1 / 8: losing(30), 1 / 4: losing(16), 1 / 2: losing(8)}
    said = curves(made, {"linear": flat, "tree": falling}).sentences
    [crossing] = [each for each in said if "overtakes" in each]
    assert crossing.startswith("the decision tree overtakes the linear ")
    rows = float(crossing.rpartition(" rows")[0].rpartition(" ")[2].replace(",", ""))
    assert 80 < rows < 160


def test_how_likely_twice_the_rows_reach_what_matters_counts_what_is_gained_already():
    made = written(ROWS, {"linear": losing(8)}, **KFOLD | {"success": {"by": "5%"}})
    assert curves(made, {"linear": FALLS}).matters > 0.8  # it gains that much already
    much = written(ROWS, {"linear": losing(8)}, **KFOLD | {"success": {"by": "90%"}})
    assert curves(much, {"linear": FALLS}).matters < 0.2


def test_a_size_that_failed_is_left_out_and_two_sizes_are_no_curve():
    made = written(ROWS, {"linear": losing(8)}, **KFOLD)
    champion = drawn_for(made.case)
    cells = curve_cells(made.case.plan, made.case.folds, champion)

    def without(*shares: float) -> Answers:
        found: dict[Any, dict[int, Any]] = {}
        for cell in cells:
            outcome = Failed("no luck") if cell.share in shares and cell.fold == 3 else answers(made.at, FALLS[cell.share])[cell.fold]
            if cell.entry == "linear":
                found.setdefault((cell.candidates[0].key, cell.share), {})[cell.fold] = outcome
        return found

    assert learning_curve(made.case, cells, without(1 / 4)).points["rows"].tolist() == [40, 160, 320]
    assert learning_curve(made.case, cells, without(1 / 4, 1 / 8)) is None


def test_shares_that_come_to_the_same_groups_are_one_size():
    """Of seven training sites an eighth and a quarter are one and two: of five, both are one."""
    for sites, sizes in ((8, [1, 2, 4, 7]), (6, [1, 2, 5])):
        frame = ROWS.assign(site=np.arange(N) % sites)
        made = written(frame, {"linear": losing(8)}, split={"scheme": "leave_one_out", "by": "site"}, metric="mse")
        assert curves(made, {"linear": FALLS}).points["blocks"].tolist() == sizes


def test_few_groups_are_no_curve():
    frame = ROWS.assign(site=np.arange(N) % 3)
    made = written(frame, {"linear": losing(8)}, split={"scheme": "leave_one_out", "by": "site"}, metric="mse")
    assert curves(made, {"linear": FALLS}) is None


def test_what_another_season_would_teach_no_curve_shows_and_it_says_so():
    frame = ROWS.assign(day=pd.to_datetime("2000-12-01") + pd.to_timedelta(np.arange(N) % 100 + 365 * (np.arange(N) // 100), unit="D"))
    made = written(frame, {"linear": losing(8)}, time="day", split={"scheme": "forward", "by": "season"}, metric="mse")
    assert curves(made, {"linear": FALLS}).sentences[-1].endswith("what another season would teach, no curve within these can show")


def test_a_split_of_one_fold_has_a_curve_too():
    frame = ROWS.assign(part=np.where(np.arange(N) < 300, "train", "test"))
    decision = {"cost": {"over": 1, "under": 4}}
    made = written(frame, {"linear": losing(8)}, split={"scheme": "predefined", "by": "part"}, decision=decision)
    found = curves(made, {"linear": FALLS})
    assert found.points["rows"].tolist() == [38, 75, 150, 300]
    assert np.isfinite(found.points["cost"]).all()


def test_a_tree_learns_more_from_more_rows_of_a_wave_and_a_line_does_not():
    """Fitted, not written down: eight waves need more than forty rows of a tree, and a line has two numbers to learn."""
    frame = pd.DataFrame({"x": X, "y": 10 * np.sin(4 * X) + 4 * X + RNG.normal(size=N)})
    at = prepared(frame, **KFOLD)
    outcomes: Outcomes = {candidate.key: fitted(at, candidate) for candidate in at.plan.candidates}
    court = court_of(at.resolved, at.folds)
    entrants = [each for c in at.plan.candidates for each in entrants_of(at.resolved, at.folds, at.plan, court, c, outcomes[c.key])]
    case = weigh(at.resolved, at.folds, at.plan, court, entrants, outcomes, None)
    assert case.entrants[case.champion].column.entry == "tree"
    cells = curve_cells(at.plan, at.folds, drawn_for(case))
    found: dict[Any, dict[int, Any]] = {}
    for cell in cells:
        [outcome] = compute(at.study, cell, at.plan.entries[cell.entry][0], Path())
        found.setdefault((cell.candidates[0].key, cell.share), {})[cell.fold] = outcome
    drawn = learning_curve(case, cells, found)
    costs = {entry: each["cost"].to_numpy() for entry, each in drawn.points.groupby("entry", sort=False)}
    assert (np.diff(costs["tree"]) < 0).all()
    assert costs["tree"][0] > 2 * costs["tree"][-1]
    assert costs["linear"][0] < 1.2 * costs["linear"][-1]
    assert drawn.falls > 0.8
