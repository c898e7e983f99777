"""The folds as they go out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.foldsheet import FoldSheet, fold_sheet
from piste.prepare import Prepared, prepare
from piste.watch import silent


def frame(n: int = 60) -> pd.DataFrame:
    """Return rows of numbers over days, three a day."""
    rng = np.random.default_rng(0)
    day = np.repeat(pd.date_range("2024-01-01", periods=n // 3), 3)
    return pd.DataFrame({"day": day, "place": np.tile(["a", "b", "c"], n // 3), "x": rng.normal(size=n), "y": rng.normal(size=n)})


def prepared(rows: pd.DataFrame, **keys) -> Prepared:
    """Prepare a problem on some rows."""
    return prepare(piste.Problem(data=rows, families=["linear"], **{"target": "y", **keys}), (), silent, quick=True, code=False)


def sheet(at: Prepared) -> FoldSheet:
    """Lay the folds of a problem out."""
    return fold_sheet(at.resolved.table, at.resolved.problem.unit, at.folds)


def test_every_test_row_of_every_fold_has_a_line_in_the_order_of_the_folds():
    at = prepared(frame(), split={"folds": 4, "repeats": 2}, columns={"day": "drop"})
    tests = sheet(at).tests
    assert tests["row"].tolist() == [row for fold in at.folds.folds for row in fold.test]
    assert tests.groupby("fold")["name"].unique().map(list).tolist() == [[fold.name] for fold in at.folds.folds]
    assert tests.groupby("repeat")["row"].agg(sorted).tolist() == [list(range(60))] * 2


def test_the_rows_that_a_fold_may_learn_from_stand_under_its_number():
    at = prepared(frame(), time="day", unit=["day", "place"])
    trains = sheet(at).trains
    assert [group["row"].tolist() for _, group in trains.groupby("fold")] == [fold.train.tolist() for fold in at.folds.folds]


def test_the_fold_that_warms_up_is_there_and_not_judged():
    tests = sheet(prepared(frame(), time="day", unit=["day", "place"])).tests
    assert (tests["judged"] == (tests["name"] != "warm-up")).all()
    assert not tests["judged"].all()
    assert set(tests.loc[~tests["judged"], "row"]).isdisjoint(tests.loc[tests["judged"], "row"])


def test_lines_name_their_row_by_unit_and_by_where_it_stood_though_rows_without_a_target_are_left_out():
    rows = frame()
    rows.loc[[0, 7], "y"] = np.nan
    tests = sheet(prepared(rows, time="day", unit=["day", "place"])).tests
    stood = rows.iloc[tests["line"] - 1].reset_index(drop=True)
    pd.testing.assert_series_equal(tests["place"].astype(object), stood["place"].astype(object))
    pd.testing.assert_series_equal(tests["day"], stood["day"], check_dtype=False)
    assert stood["y"].notna().all()


def test_a_column_of_the_unit_that_is_called_as_ours_is_told_apart():
    rows = frame().rename(columns={"place": "fold"})
    tests = sheet(prepared(rows, time="day", unit=["day", "fold"])).tests
    assert set(tests["fold of the table"]) == {"a", "b", "c"}
    assert pd.api.types.is_integer_dtype(tests["fold"])


@pytest.mark.parametrize(
    "other",
    [
        {"rows": frame().assign(y=lambda each: each["y"] + (each.index == 5))},
        {"target": "x"},
        {"seed": 1},
        {"split": {"folds": 5, "repeats": 1}},
    ],
    ids=["a target changed", "another target", "another seed", "other folds"],
)
def test_the_word_for_the_split_is_another_where_anything_is_that_matters(other):
    usual = {"split": {"folds": 4, "repeats": 1}, "columns": {"day": "drop"}}
    first = sheet(prepared(frame(), **usual)).split
    rows = other.pop("rows", frame())
    assert sheet(prepared(rows, **{**usual, **other})).split != first
    assert sheet(prepared(frame(), **usual)).split == first


def test_the_word_for_the_split_does_not_change_with_what_is_fitted():
    usual = {"split": {"folds": 4, "repeats": 1}, "columns": {"day": "drop"}}
    assert sheet(prepared(frame(), **usual, metric="mae")).split == sheet(prepared(frame(), **usual)).split


def test_of_several_targets_each_has_a_line_of_its_own():
    tests = sheet(prepared(frame(), target=["x", "y"], columns={"day": "drop"}, split={"folds": 3, "repeats": 1})).tests
    assert tests.groupby("output").size().to_dict() == {"x": 60, "y": 60}
    assert tests.groupby("line")["fold"].nunique().eq(1).all()
