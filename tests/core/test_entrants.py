"""What takes part in a comparison: columns of candidates, and blends of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.entrants import court_of, entrants_of
from piste.core.fit import Failed
from tests.cases import answers, prepared, written

N = 120
RNG = np.random.default_rng(0)
Y = 50 + 5 * RNG.normal(size=N)
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "day": np.arange(N) // 4, "w": RNG.uniform(1, 2, N), "y": Y})
LEVELS = {"column": "y", "levels": {"cuts": [48, 52], "names": ["low", "mid", "high"]}}
MATRIX = {"wait": [0, 4, 12], "half": [3, 0, 6], "all": [8, 4, 0]}


def test_a_candidate_has_a_column_for_every_rule_of_its_framing():
    made = written(ROWS, {"linear": Y + 1}, decision={"cost": {"over": 1, "under": 4}})
    assert [each.column.name for each in made.case.entrants if each.is_model] == ["mean/linear/0/plug_in", "mean/linear/0/dressed"]
    unpriced = written(ROWS, {"linear": Y + 1})
    assert [each.column.name for each in unpriced.case.entrants if each.is_model] == ["mean/linear/0/plug_in"]


def test_rules_are_decided_from_the_same_predictions():
    made = written(ROWS, {"linear": Y + 1}, decision={"cost": {"over": 1, "under": 4}})
    plain, dressed = (made.case.entrants[made.column("linear", rule=rule)].column for rule in ("plug_in", "dressed"))
    assert plain.raw is dressed.raw
    assert (plain.action != dressed.action).any()


def test_a_candidate_that_lacks_a_fold_has_no_column():
    at = prepared(ROWS)
    court = court_of(at.resolved, at.folds)
    candidate = next(each for each in at.plan.candidates if each.entry == "linear")
    found = answers(at, Y)
    assert len(entrants_of(at.resolved, at.folds, at.plan, court, candidate, found)) == 1
    found[2] = Failed("no luck")
    assert entrants_of(at.resolved, at.folds, at.plan, court, candidate, found) == []


def test_a_column_is_called_as_its_family_calls_the_candidate_and_is_as_simple_as_the_family():
    made = written(ROWS, {"tree": Y + 1})
    [entrant] = [each for each in made.case.entrants if each.is_model]
    assert entrant.label.title.startswith("Decision tree (")
    assert entrant.label.tier == made.at.plan.entries["tree"][1].tier
    assert entrant.members == ((1.0, next(each for each in made.at.plan.candidates if each.entry == "tree")),)
    assert not entrant.is_baseline


def test_parts_are_those_of_the_folds_that_are_judged():
    frame = ROWS.assign(date=pd.date_range("2020-01-01", periods=N))
    made = written(frame, {"linear": Y + 1}, time="date", split={"scheme": "forward", "folds": 3})
    [entrant] = [each for each in made.case.entrants if each.is_model]
    assert len(made.at.folds.folds) == 4
    assert len(entrant.parts) == 3
    assert len(entrant.column.raw) == sum(len(fold.test) for fold in made.at.folds.folds)


def test_what_came_is_known_by_value_by_level_and_by_where_levels_begin():
    at = prepared(ROWS, target=LEVELS, decision={"cost": MATRIX})
    court = court_of(at.resolved, at.folds)
    rows = court.lines.row
    np.testing.assert_array_equal(court.came.y, Y[rows])
    np.testing.assert_array_equal(court.came.level, np.digitize(Y, [48, 52])[rows])
    np.testing.assert_array_equal(court.came.thresholds, np.tile([48.0, 52.0], (len(rows), 1)))
    assert court.came.together is None
    plain = court_of(prepared(ROWS).resolved, at.folds)
    assert (plain.came.level, plain.came.thresholds) == (None, None)


def test_a_budget_is_shared_by_the_rows_of_a_day_in_one_repeat():
    decision = {"cost": MATRIX, "budget": {"units": 2, "per": ["day"]}}
    at = prepared(ROWS, target=LEVELS, decision=decision, split={"folds": 3, "repeats": 2, "together": "day"})
    court = court_of(at.resolved, at.folds)
    lines, together = court.lines, court.came.together
    for code in np.unique(together):
        mine = together == code
        assert len(set(ROWS["day"].to_numpy()[lines.row[mine]])) == len(set(lines.repeat[mine])) == 1
        assert mine.sum() == 4
    assert len(np.unique(together)) == 2 * 30


BLENDED: dict[str, Any] = {"families": ["linear", "tree", "forest", "blend"], "metric": "mse"}


def opposite(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions that err by as much to either side, but for some noise of each."""
    rng = np.random.default_rng(seed)
    error = 3 * rng.normal(size=N)
    return Y + error + 0.2 * rng.normal(size=N), Y - error + 0.2 * rng.normal(size=N)


def blend_of(made: Any) -> Any:
    found = [each for each in made.case.entrants if each.column.entry == "blend"]
    return found[0] if found else None


def test_two_that_err_to_opposite_sides_make_a_blend_that_is_better_than_either():
    one, other = opposite()
    made = written(ROWS, {"linear": one, "tree": other}, **BLENDED)
    blend = blend_of(made)
    assert blend.label.tier == 7
    shares = {candidate.entry: share for share, candidate in blend.members}
    assert shares == pytest.approx({"linear": 0.5, "tree": 0.5}, abs=0.05)
    assert blend.label.title == f"Blend ({', '.join(f'{share:.2g} {entry}' for entry, share in shares.items())})"
    assert np.mean((blend.column.action - Y[made.case.court.lines.row]) ** 2) < 0.2
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_rule_is_no_member_and_one_model_alone_is_no_blend():
    one, other = opposite()
    assert blend_of(written(ROWS, {"linear": one}, **BLENDED)) is None
    assert blend_of(written(ROWS, {"linear": one, "baseline:constant": other}, **BLENDED)) is None
    assert blend_of(written(ROWS, {"linear": one, "tree": other}, families=["linear", "tree"])) is None


def test_members_that_get_no_share_are_not_members():
    one, other = opposite()
    made = written(ROWS, {"linear": one, "tree": other, "forest": Y + 40}, **BLENDED)
    assert {candidate.entry for _, candidate in blend_of(made).members} == {"linear", "tree"}
    assert "forest" not in blend_of(made).label.title


def test_a_blend_costs_what_its_members_cost_together():
    one, other = opposite()
    blend = blend_of(written(ROWS, {"linear": one, "tree": other}, **BLENDED))
    assert [(part.fit_seconds, part.predict_seconds) for part in blend.parts] == [(2.0, pytest.approx(0.2))] * 5
    assert all(part.train_metrics == {} for part in blend.parts)


def test_each_framing_has_its_own_blend_under_every_rule():
    one, other = opposite()
    said = {("mean", "linear"): one, ("mean", "boosting"): other}
    spread = np.linspace(-3, 3, 10)
    said |= {("quantiles", "linear"): one[:, None] + spread, ("quantiles", "boosting"): other[:, None] + spread}
    keys = {"families": ["linear", "boosting", "blend"], "framings": ["mean", "quantiles"], "decision": {"cost": {"over": 1, "under": 4}}}
    made = written(ROWS, said, **keys)
    assert [each.column.name for each in made.case.entrants if each.column.entry == "blend"] == [
        "mean/blend/0/plug_in",
        "mean/blend/0/dressed",
        "quantiles/blend/0/quantile",
    ]


def test_a_blend_of_a_fold_hangs_on_the_answers_of_the_other_folds_alone():
    one, other = opposite()
    made = written(ROWS, {"linear": one, "tree": other}, **BLENDED)
    fold = made.at.folds.folds[1]
    moved = ROWS.assign(y=np.where(np.isin(np.arange(N), fold.test), 1000.0 + Y, Y))
    again = written(moved, {"linear": one, "tree": other}, **BLENDED)
    mine = made.case.court.lines.fold == 1
    np.testing.assert_array_equal(blend_of(made).column.raw[mine], blend_of(again).column.raw[mine])
    assert (blend_of(made).column.raw[~mine] != blend_of(again).column.raw[~mine]).any()


def test_shares_are_learnt_by_the_metric_where_it_judges_what_families_say():
    """By absolute errors the one with rare large ones is better, by squared errors the other: each blend leans to its own."""
    rng = np.random.default_rng(4)
    rare = Y + np.where(rng.random(N) < 0.1, 12, 0.1)
    steady = Y + 2.5
    shares = {}
    for metric in ("mae", "mse"):
        members = blend_of(written(ROWS, {"linear": rare, "tree": steady}, **{**BLENDED, "metric": metric})).members
        shares[metric] = {candidate.entry: share for share, candidate in members}
    assert shares["mae"].get("linear", 0) > 0.9
    assert shares["mse"].get("linear", 0) < shares["mae"]["linear"]


def test_rules_and_models_and_what_comes_from_elsewhere_are_told_apart():
    made = written(ROWS, {"linear": Y + 1})
    rule, model = made.case.entrants
    elsewhere = replace(model, column=replace(model.column, entry="outside:sheet"))
    assert (rule.is_baseline, rule.is_model, rule.is_outside) == (True, False, False)
    assert (model.is_baseline, model.is_model, model.is_outside) == (False, True, False)
    assert (elsewhere.is_baseline, elsewhere.is_model, elsewhere.is_outside) == (False, False, True)


def test_a_choice_inside_the_training_rows_is_a_row_that_says_what_was_chosen_and_how_often():
    at = prepared(ROWS, families=["linear"])
    court = court_of(at.resolved, at.folds)
    candidate = next(each for each in at.plan.candidates if each.entry == "linear")
    points = tuple({"penalty": "ridge", "alpha": alpha / 96} for alpha in (0.1, 1.0, 10.0))  # of 96 training rows
    several = replace(candidate, params={"tuned": 3}, points=points)

    def said(*chosen: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
        found = [replace(each, chosen=numbers) for each, numbers in zip(answers(at, Y), chosen, strict=True)]
        [entrant] = entrants_of(at.resolved, at.folds, at.plan, court, several, found)
        return entrant.label.title, entrant.label.details

    title = "Linear regression (the best of 3 settings, chosen inside the training rows)"
    assert said((1,), (1,), (1,), (1,), (1,)) == (title, ("chose ridge, alpha 1 in all 5 folds",))
    assert said((1,), (1,), (0,), (1,), (1,))[1] == ("chose ridge, alpha 1 in 4 of 5 folds, ridge, alpha 0.1 in 1",)
    assert said((2,), (1,), (0,), (1,), (1,))[1] == ("chose ridge, alpha 1 in 3 of 5 folds, 2 others in 2",)
    assert said((2, 2), (1, 2), (0, 0), (1, 1), (2, 2))[1] == ("chose ridge, alpha 10 in 5 of 10 fits, 2 others in 5",)
