"""Frames and plain data of a comparison."""

from __future__ import annotations

import json
import math

import pandas as pd

from piste.core.report.tables import as_json, flat, leaderboard, scores
from tests.comparisons import classification, regression

DESIGN_COLUMNS = {
    *("framing", "family", "rule", "params", "cost", "cost_lo", "cost_hi", "gain_vs_baseline", "tied_with_best"),
    *("metrics", "train_metrics", "fit_seconds", "predict_seconds", "status", "reason"),
}


def test_the_leaderboard_has_the_columns_that_the_docs_name_and_the_title():
    assert set(leaderboard(regression()).columns) == DESIGN_COLUMNS | {"title"}


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


def test_scores_are_the_cost_of_each_row_on_each_fold():
    comparison = regression()
    frame = scores(comparison)
    wide = frame.pivot_table(index="fold", columns="family", values="cost", observed=True)
    assert wide.shape == (4, 12)
    assert wide.loc["season 2022-23", "tree"] == comparison.row("mean/tree/mean").fold_costs[1]


def test_json_holds_what_the_docs_promise_and_no_nan():
    comparison = regression()
    data = as_json(comparison, "http://127.0.0.1:5000/#/x")
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert list(data) == ["problem", "digest", "verdict", "champion", "cost_name", "leaderboard", "findings", "link"]
    assert set(data["leaderboard"][0]) == DESIGN_COLUMNS | {"title"}
    assert data["champion"] == comparison.judged[0].id
    assert data["leaderboard"][-1]["cost"] is None
    assert data["leaderboard"][-1]["tied_with_best"] is None
    assert data["findings"] == [{"message": "12 rows without a target left out"}]


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
    from dataclasses import replace

    comparison = regression()
    frame = leaderboard(replace(comparison, judged=()))
    assert frame["status"].tolist() == ["skipped", "failed"]
    assert flat(replace(comparison, judged=()))["reason"].notna().all()
