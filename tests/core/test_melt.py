"""Targets in a list as one: every row once for each, and one line again."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from piste.core.melt import OUTPUT, ROW, Melt, settled
from piste.core.problem import Problem

TARGETS = pd.DataFrame({"heating": [10.0, 20.0, 60.0], "cooling": [0.1, 0.4, 0.1]})
FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0], "glass": pd.Series(["a", None, "b"], dtype="str")})


@pytest.fixture
def melt() -> Melt:
    """Return one as a model file brings it back."""
    return Melt.from_json(json.loads(json.dumps(Melt.alike(TARGETS).to_json())))


def problem(**written: object) -> Problem:
    return Problem.model_validate({"data": "data.csv", "target": ["heating", "cooling"], **written})


def test_every_row_stands_once_for_each_target(melt):
    long = melt.rows(FRAME, np.array([2, 5, 6]))

    assert long["x"].tolist() == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert long[OUTPUT].tolist() == ["heating", "cooling"] * 3
    assert long[ROW].tolist() == ["2", "2", "5", "5", "6", "6"]
    assert long.dtypes.astype(str).tolist() == ["float64", "str", "str", "str"]


def test_values_stand_beside_the_row_that_they_are_of():
    assert Melt.plain(("heating", "cooling")).values(TARGETS).tolist() == [10.0, 0.1, 20.0, 0.4, 60.0, 0.1]


def test_targets_in_different_units_count_alike(melt):
    values = melt.values(TARGETS).reshape(3, 2)

    np.testing.assert_allclose(values.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(values.std(axis=0), 1.0)


def test_r2_of_all_values_is_the_mean_of_the_targets_own(melt):
    predictions = TARGETS + np.random.default_rng(0).normal(size=TARGETS.shape) * [5.0, 0.05]

    found = r2_score(melt.values(TARGETS), melt.values(predictions))

    assert found == pytest.approx(r2_score(TARGETS, predictions, multioutput="uniform_average"))


@pytest.mark.parametrize("melt", [Melt.alike(TARGETS), Melt.plain(("heating", "cooling"))], ids=["alike", "plain"])
def test_answers_come_back_in_the_unit_of_their_target(melt):
    values = melt.values(TARGETS)

    back = melt.back(pd.DataFrame({"prediction": values, "q95": melt.values(TARGETS + 1.0)}))

    assert list(back) == ["heating", "heating q95", "cooling", "cooling q95"]
    np.testing.assert_allclose(back[["heating", "cooling"]], TARGETS)
    np.testing.assert_allclose(back[["heating q95", "cooling q95"]], TARGETS + 1.0)


def test_words_of_an_answer_come_back_as_they_are(melt):
    back = melt.back(pd.DataFrame({"prediction": [0.0, 0.0], "action": ["open", "close"]}))

    assert back[["heating action", "cooling action"]].iloc[0].tolist() == ["open", "close"]


def test_no_rows_stay_none(melt):
    assert len(melt.rows(FRAME.iloc[:0])) == 0
    assert len(melt.back(pd.DataFrame({"prediction": np.empty(0)}))) == 0


@pytest.mark.parametrize(
    ("written", "unit", "together", "by"),
    [
        ({}, ("row", "output"), "row", None),
        ({"unit": ["house", "room"]}, ("house", "room", "output"), "row", None),
        ({"unit": ["row", "output"], "split": {"together": "row"}}, ("row", "output"), "row", None),
        ({"split": {"together": "house"}}, ("row", "output"), "house", None),
        ({"time": "date"}, ("date", "output"), None, None),
        ({"time": "date", "split": {"scheme": "kfold"}}, ("date", "output"), "row", None),
        ({"split": {"by": "house"}}, ("row", "output"), None, "house"),
        ({"split": {"scheme": "predefined", "by": "house"}}, ("row", "output"), "row", "house"),
        ({"split": {"scheme": "leave_one_out"}}, ("row", "output"), None, "row"),
    ],
)
def test_what_a_row_became_stands_or_falls_together(written, unit, together, by):
    found = settled(problem(**written))

    assert (found.unit, found.split.together, found.split.by) == (unit, together, by)


def test_a_problem_is_settled_once():
    once = settled(problem(time="date", split={"scheme": "kfold"}))

    assert settled(once) == once


def test_one_target_needs_nothing():
    plain = Problem.model_validate({"data": "data.csv", "target": "heating"})

    assert settled(plain) is plain
