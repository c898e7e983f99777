"""A problem goes on without one of its fields; what stands behind it is still named at its own line."""

from __future__ import annotations

import pytest

from piste.core.aside import set_aside
from piste.core.errors import Place
from piste.core.problem import Problem, located

KEYS = {
    "data": {"path": "a.csv", "decimal": ","},
    "target": {"column": "y", "levels": {"cuts": [1, 2]}},
    "time": "day",
    "unit": ["day", "run"],
    "columns": {"a.b": "number", "a": "category"},
    "known_at": {"always": ["day", "x"], "after": ["x", "z"]},
    "split": {"folds": 5, "gap": "1d"},
    "baselines": {"week": "y@-7d"},
    "families": ["linear", {"mine": {"family": "tree", "max_depth": 3}}],
    "slices": {"columns": ["run"]},
}


def problem() -> Problem:
    return Problem(**KEYS)


def without(field: str) -> tuple[Problem, str]:
    found = set_aside(problem(), field)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("field", "gone", "part", "left"),
    [
        ("split.folds", "split.folds", "split.folds", None),
        ("split.scheme", "split", "split.folds", None),
        ("known_at.after.0", "known_at.after.0", "known_at.after", ("z",)),
        ("unit.1", "unit.1", "unit", ("day",)),
        ("columns.a.b", "columns.a.b", "columns", {"a": "category"}),
        ("baselines.week", "baselines.week", "baselines", {}),
        ("families.1.mine.max_depth", "families.1.mine.max_depth", "families.0.name", "linear"),
        ("families.mine", "families.mine", "families.0.name", "linear"),
        ("target.levels.cuts", "target.levels.cuts", "target.levels", None),
        ("data.decimal", "data.decimal", "data.decimal", None),
        ("slices.0", "slices.0", "slices", None),
    ],
)
def test_a_field_is_set_aside_or_what_cannot_do_without_it(field, gone, part, left):
    found, name = without(field)
    assert name == gone
    value = found
    for word in part.split("."):
        value = value[int(word)] if word.isdecimal() else getattr(value, word)
    assert value == left


@pytest.mark.parametrize("field", ["data", "data.path", "target", "target.column", "", "metric"])
def test_nothing_is_left_without_the_data_or_the_target_and_what_is_not_said_cannot_be_set_aside(field):
    assert set_aside(problem(), field) is None


def test_what_was_set_aside_counts_as_not_given():
    found, _ = without("split")
    assert "split" not in found.model_fields_set


def test_where_the_usual_split_cannot_be_made_either_the_time_goes():
    found, name = set_aside(without("split")[0], "split.scheme")
    assert (name, found.time) == ("time", None)


def test_what_is_said_to_be_known_only_after_stays_so_when_it_is_said_to_be_known_before_too():
    found, _ = without("known_at.after")
    assert (found.known_at.always, found.known_at.after) == (("day",), ("x", "z"))


def test_items_behind_one_that_is_gone_are_still_named_at_their_own_line():
    places = {"unit": Place("p", 3, 1), "unit.0": Place("p", 3, 8), "unit.1": Place("p", 3, 13), "seed": Place("p", 4, 1)}
    found, _ = set_aside(located(problem(), "p", places), "unit.0")
    assert found.unit == ("run",)
    assert found.fault("unit.0", "").place == Place("p", 3, 13)
    assert found.fault("unit.1", "").place == Place("p", 3, 1)
    assert found.fault("seed", "").place == Place("p", 4, 1)
    assert found.stands("unit.1") is None
