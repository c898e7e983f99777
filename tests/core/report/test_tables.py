"""Frames and plain data of a comparison."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from piste.core.comparison import Claimed, Interval, Versus
from piste.core.report.tables import as_json, findings, flat, leaderboard, references, scores
from tests.comparisons import classification, regression
from tests.terminal.boards import ACTIONS, decided

DESIGN_COLUMNS = {
    *("framing", "family", "rule", "params", "cost", "cost_lo", "cost_hi", "gain_vs_baseline", "tied_with_best"),
    *("metrics", "train_metrics", "fit_seconds", "predict_seconds", "status", "reason"),
}
MORE_COLUMNS = {"title", "gain_lo", "gain_hi", "value", "n_trials", "actions"}


def test_the_leaderboard_has_the_columns_that_the_docs_name_and_what_only_a_decision_has():
    assert set(leaderboard(regression()).columns) == DESIGN_COLUMNS | MORE_COLUMNS


def test_rows_come_best_first_and_those_without_a_result_last():
    frame = leaderboard(regression())
    assert frame["status"].tolist() == ["ok"] * 12 + ["skipped", "failed"]
    assert frame["cost"][:12].is_monotonic_increasing


def test_what_a_row_without_a_result_lacks_is_missing_and_its_reason_is_there():
    absent = leaderboard(regression()).iloc[-1]
    assert absent["reason"] == "ValueError: 2 features, but 3 <were> expected"
    assert all(pd.isna(absent[name]) for name in ("rule", "cost", "cost_lo", "gain_vs_baseline", "tied_with_best", "fit_seconds"))
    assert absent["metrics"] == {}


def test_the_flat_leaderboard_has_a_column_for_each_metric_on_test_and_training_rows():
    comparison = regression()
    frame = flat(comparison)
    best = comparison.judged[0]
    assert frame["r2"][0] == best.metrics["r2"]
    assert frame["train_r2"][0] == best.train_metrics["r2"]
    assert "num_leaves=15" in set(frame["params"].str.split(", ").explode())


def test_the_flat_leaderboard_has_a_column_for_the_share_of_each_action_and_plain_cells_only():
    frame = flat(decided())
    assert {name: frame[f"action {name}"][0] for name in ACTIONS} == ACTIONS
    assert not [name for name in frame if frame[name].map(lambda cell: isinstance(cell, dict | list)).any()]


def test_what_nobody_could_ship_is_no_line_of_the_leaderboard_and_has_its_columns():
    comparison = decided()
    assert references(comparison)["cost"].tolist() == [0.0, 33.8]
    assert list(references(comparison).columns) == list(leaderboard(comparison).columns)
    assert "reference" not in set(leaderboard(comparison)["family"])


def test_a_comparison_without_references_or_findings_has_empty_tables_of_the_same_columns():
    comparison = regression()
    assert references(comparison).shape == (0, leaderboard(comparison).shape[1])
    assert list(findings(comparison).columns) == list(findings(decided()).columns)
    assert findings(comparison).empty


def test_scores_are_the_cost_of_each_row_on_each_fold():
    comparison = regression()
    frame = scores(comparison)
    wide = frame.pivot_table(index="fold", columns="family", values="cost", observed=True)
    assert wide.shape == (4, 12)
    assert wide.loc["season 2022-23", "tree"] == comparison.row("mean/tree/mean").fold_costs[1]


@pytest.mark.parametrize("made", [regression, classification, decided], ids=lambda made: made.__name__)
def test_json_is_plain_data_without_a_nan(made):
    data = as_json(made(), "http://127.0.0.1:5000/#/x")
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_json_holds_what_the_docs_promise():
    comparison = regression()
    data = as_json(comparison, "http://127.0.0.1:5000/#/x")
    assert {"problem", "digest", "verdict", "champion", "cost_name", "leaderboard", "findings", "link"} <= set(data)
    assert set(data["leaderboard"][0]) == DESIGN_COLUMNS | MORE_COLUMNS
    assert data["champion"] == comparison.judged[0].id
    assert data["best_baseline"] == comparison.best_baseline
    assert data["leaderboard"][-1]["cost"] is None
    assert data["leaderboard"][-1]["tied_with_best"] is None
    assert data["notes"] == ["12 rows without a target left out"]


def test_json_holds_every_finding_with_its_evidence_and_its_cure():
    first, *others = as_json(decided(), "")["findings"]
    assert first == {
        "check": "M06",
        "severity": "warn",
        "on": "grade 0",
        "number": 0.3,
        "threshold": 0.25,
        "message": "Grade 0 costs more",
        "fix": "keep the rule there",
        "consequence": "",
        "paste": "",
        "field": "",
        "acknowledged": "",
        "harm": 0.0,
    }
    assert len(others) == 6


def test_json_holds_what_is_claimed_and_expected_and_what_cannot_be_told_is_null():
    gain, nothing = Interval(18.4, 11.4, 24.8), float("nan")
    claimed = Claimed(gain, Interval(0.31, 0.19, nothing), 0.44, 5.9, 0.1, 496, float("inf"), "blocks drawn again")
    told = replace(decided(), estimate=Interval(41.6, 38.0, 45.3), claimed=claimed, versus=Versus("mean/svm/dressed", 0.1, 0.6, 0.3))
    data = as_json(told, "")
    assert data["estimate"] == {"mean": 41.6, "low": 38.0, "high": 45.3}
    assert data["claimed"]["gain"] == {"mean": 18.4, "low": 11.4, "high": 24.8}
    assert data["claimed"]["share"]["high"] is None
    assert data["claimed"]["n_required"] is None
    assert data["versus"]["same"] == 0.6
    assert as_json(decided(), "")["estimate"] is None


def test_json_holds_the_learning_curve_with_its_points_and_sentences():
    comparison = decided()
    data = as_json(comparison, "")["curve"]
    assert data["at_double"] == {"mean": 39.0, "low": 37.0, "high": 41.0}
    assert data["sentences"] == ["The network overtakes the forest at about 3,000 rows"]
    assert len(data["points"]) == len(comparison.curve.points)


def test_numbers_in_json_carry_six_significant_digits():
    comparison = classification()
    first = as_json(comparison, "")["leaderboard"][0]
    for written, exact in [
        (first["cost"], comparison.judged[0].cost),
        (first["metrics"]["accuracy"], comparison.judged[0].metrics["accuracy"]),
    ]:
        assert math.isclose(written, exact, rel_tol=5e-6)
        assert len(f"{written}".replace(".", "").lstrip("0")) <= 6


def test_a_comparison_in_which_everything_failed_still_makes_a_table():
    comparison = regression()
    frame = leaderboard(replace(comparison, judged=()))
    assert frame["status"].tolist() == ["skipped", "failed"]
    assert flat(replace(comparison, judged=()))["reason"].notna().all()
