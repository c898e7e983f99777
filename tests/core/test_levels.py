"""A number is cut into levels, by thresholds of each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.data import Raw, Target, level_of
from piste.core.errors import PisteError
from piste.core.levels import Cuts, cut, cuts_of
from piste.core.problem import Problem

N = 24
FRAME = pd.DataFrame(
    {"count": np.arange(N, dtype=float), "capacity": [10.0, 20.0, 40.0] * 8, "grade": pd.Series(["a", "b"] * 12, dtype="str")}
)
RAW = Raw(FRAME, "data.csv", np.arange(2, N + 2))
SHARE = {"of": "count / capacity", "cuts": [0.3, 0.55], "names": ["low", "medium", "high"]}


def levels(written: dict[str, Any], frame: pd.DataFrame = FRAME, late: dict[str, str] | None = None) -> Target:
    problem = Problem.model_validate({"data": "data.csv", "target": {"column": "count", "levels": written}})
    return cut(problem, RAW, frame, Target("count", "count", frame["count"].to_numpy()), late or {})


def test_the_level_of_a_row_is_the_number_of_cuts_that_the_expression_has_reached():
    found = levels(SHARE)

    expected = np.digitize(FRAME["count"] / FRAME["capacity"], [0.3, 0.55])
    np.testing.assert_array_equal(found.codes, expected)
    assert found.levels == found.classes == ("low", "medium", "high")


def test_thresholds_are_in_the_unit_of_the_target():
    np.testing.assert_array_equal(levels(SHARE).thresholds[:3], [[3.0, 5.5], [6.0, 11.0], [12.0, 22.0]])


@pytest.mark.parametrize("capacity", [3.0, 7.0, 10.0, 90.0, 110.0, 1700.0])
def test_a_value_that_stands_on_a_cut_has_reached_it_and_one_below_has_not(capacity):
    cuts = Cuts("count / capacity", tuple(i / 10 for i in range(1, 10)), "count")
    frame = pd.DataFrame({"capacity": [capacity]})

    on = np.array([float(i * capacity / 10) for i in range(1, 10)])
    thresholds = cuts.thresholds(frame)

    assert [int(level_of(np.array([value]), thresholds)[0]) for value in np.round(on, 9)] == list(range(1, 10))
    assert [int(level_of(np.array([value]), thresholds)[0]) for value in np.round(on, 9) - 1e-6] == list(range(9))


@pytest.mark.parametrize(
    ("of", "of_row"),
    [
        ("count / capacity - 0.1", lambda count, capacity: count / capacity - 0.1),
        ("(count - capacity) * 2", lambda count, capacity: (count - capacity) * 2),
        ("100 * count / (capacity + 3)", lambda count, capacity: 100 * count / (capacity + 3)),
        ("count * (if grade == 'a' then 2 else 1)", None),
    ],
)
def test_any_straight_line_that_rises_will_do(of, of_row):
    values = of_row(FRAME["count"], FRAME["capacity"]) if of_row else FRAME["count"] * np.where(FRAME["grade"] == "a", 2, 1)
    middle = float(values.median())

    np.testing.assert_array_equal(levels({"of": of, "cuts": [middle]}).codes, values >= middle)


def test_the_target_itself_is_cut_where_no_expression_is_given():
    found = levels({"cuts": [3, 7.5]})

    np.testing.assert_array_equal(found.codes, np.digitize(FRAME["count"], [3, 7.5]))
    assert found.levels == ("below 3", "3 to 7.5", "from 7.5")


def test_a_target_with_blanks_in_its_name_can_be_cut():
    problem = Problem.model_validate({"data": "data.csv", "target": {"column": "all skiers", "levels": {"cuts": [3]}}})

    found = cut(problem, RAW, FRAME.rename(columns={"count": "all skiers"}), Target("all skiers", "count", FRAME["count"].to_numpy()), {})

    np.testing.assert_array_equal(found.thresholds, np.full((N, 1), 3.0))


def test_new_rows_have_thresholds_without_a_target():
    problem = Problem.model_validate({"data": "data.csv", "target": {"column": "count", "levels": SHARE}})
    cuts = cuts_of(problem)

    assert cuts.columns == {"capacity"}
    np.testing.assert_array_equal(cuts.thresholds(FRAME.drop(columns="count")), levels(SHARE).thresholds)


def test_a_new_row_that_does_not_say_what_levels_are_made_of_is_refused():
    with pytest.raises(PisteError, match="row 2 must have levels of count / capacity, but 'capacity' is missing"):
        Cuts("count / capacity", (0.3,), "count").thresholds(pd.DataFrame({"capacity": [1.0, np.nan]}))


@pytest.mark.parametrize(
    ("written", "field", "said"),
    [
        ({"of": "0 - count", "cuts": [0.3]}, "of", "must rise with 'count' in a straight line, but falls in line 2"),
        ({"of": "log(count + 1)", "cuts": [0.3]}, "of", "but bends in line 2"),
        ({"of": "log(count)", "cuts": [0.3]}, "of", "but bends in line 2"),
        ({"of": "count * count", "cuts": [0.3]}, "of", "but bends in line 2"),
        ({"of": "if count > 12 then count + 1 else count", "cuts": [0.3]}, "of", "but bends in line 2"),
        ({"of": "count - count", "cuts": [0.3]}, "of", "but stays the same in line 2"),
        ({"of": "count * (25 - capacity)", "cuts": [0.3]}, "of", r"but falls in line 4 \(the first of 8 such rows\)"),
        ({"of": "count / (capacity - 20)", "cuts": [0.3]}, "of", "must be a number in every row, but cannot be computed in line 3"),
        ({"of": "count / grade", "cuts": [0.3]}, "of", "must fit its columns"),
        ({**SHARE, "cuts": [0.3, 9]}, "cuts", "must leave rows in every level, but no row is 'high'"),
        ({**SHARE, "cuts": [-2, -1]}, "cuts", "no row is 'low' or 'medium'"),
    ],
)
def test_what_cannot_be_cut_is_refused_at_its_line(written, field, said):
    with pytest.raises(PisteError, match=said) as caught:
        levels(written)

    assert [fault.field for fault in caught.value.faults] == [f"target.levels.{field}"]


def test_a_row_without_what_levels_are_made_of_is_named():
    with pytest.raises(PisteError, match="must be a number in every row, but 'capacity' is missing in line 6"):
        levels(SHARE, FRAME.assign(capacity=FRAME["capacity"].where(np.arange(N) != 4)))


def test_levels_are_made_of_what_is_known_before():
    with pytest.raises(PisteError, match="must not use 'capacity': known only after"):
        levels(SHARE, late={"capacity": "known only after"})


def test_classes_are_not_cut():
    problem = Problem.model_validate({"data": "data.csv", "target": {"column": "count", "levels": SHARE}})

    with pytest.raises(PisteError, match="must cut numbers, but 'count' holds classes"):
        cut(problem, RAW, FRAME, Target("count", "binary", np.zeros(N, dtype=int), ("no", "yes")), {})
