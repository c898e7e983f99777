"""The schema of a problem: short forms, defaults, and what its parts must not say against each other."""

from __future__ import annotations

import pickle
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from piste.core.contradictions import contradictions
from piste.core.errors import Place
from piste.core.problem import Data, Entry, Problem, located


def problem(**keys: Any) -> Problem:
    return Problem.model_validate({"data": "rows.csv", "target": "y", **keys})


def said(**keys: Any) -> dict[str, str]:
    return {fault.field: fault.message for fault in contradictions(problem(**keys))}


def test_only_data_and_target_are_required() -> None:
    with pytest.raises(ValidationError) as caught:
        Problem.model_validate({})
    assert [error["loc"] for error in caught.value.errors()] == [("data",), ("target",)]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("rows.csv", {"path": "rows.csv"}),
        ("sklearn:iris", {"sklearn": "iris"}),
        ("python:make.py:rows", {"python": "make.py:rows"}),
        ("a:b.csv", {"path": "a:b.csv"}),
    ],
)
def test_data_may_be_one_text(short: str, long: dict[str, str]) -> None:
    assert problem(data=short).data == Data.model_validate(long)


def test_data_may_be_a_frame() -> None:
    frame = pd.DataFrame({"y": [1]})
    assert problem(data=frame).data.frame is frame


def test_a_target_may_be_one_text() -> None:
    assert problem(target="count").target.column == "count"


def test_names_may_be_one_text_or_a_list() -> None:
    assert problem(unit="run").unit == ("run",)
    assert problem(unit=["run", "hour"]).unit == ("run", "hour")


@pytest.mark.parametrize(
    ("written", "entry"),
    [
        ("tree", Entry(name="tree", family="tree")),
        ({"tree": None}, Entry(name="tree", family="tree")),
        ({"tree": {"max_depth": 3}}, Entry(name="tree", family="tree", params={"max_depth": 3})),
        ({"tree": {"max_depth": [3, None]}}, Entry(name="tree", family="tree", params={"max_depth": (3, None)})),
        ({"small": {"family": "tree", "max_depth": 3}}, Entry(name="small", family="tree", params={"max_depth": 3})),
        ("./own/mine.py", Entry(name="mine", file="./own/mine.py")),
        ({"mine": "other.py"}, Entry(name="mine", file="other.py")),
        ({"mine": {"file": "other.py", "a": 1}}, Entry(name="mine", file="other.py", params={"a": 1})),
        ({"mine": "model.py:make"}, Entry(name="mine", factory="model.py:make")),
        ({"mine": {"factory": "model.py:make", "a": 1}}, Entry(name="mine", factory="model.py:make", params={"a": 1})),
    ],
)
def test_an_entry_of_families_has_these_forms(written: Any, entry: Entry) -> None:
    assert problem(families=[written]).families == (entry,)


def test_entries_made_in_python_are_taken_as_they_are() -> None:
    entry = Entry(name="small", family="tree", params={"max_depth": 3})
    assert problem(families=(entry,)).families == (entry,)


def test_whole_numbers_of_a_holdout_are_values_of_by() -> None:
    assert problem(split={"by": "year", "holdout": 2025}).split.holdout == ("2025",)
    assert problem(split={"by": "year", "holdout": [2024, 2025]}).split.holdout == ("2024", "2025")
    assert problem(split={"holdout": 0.2}).split.holdout == 0.2


@pytest.mark.parametrize("file", ["/etc/own.py", "../own.py", "a/../../own.py", "C:\\own.py", "a\\own.py"])
def test_code_must_lie_below_the_problem(file: str) -> None:
    with pytest.raises(ValidationError, match="in the problem's own folder"):
        problem(families=[file])
    with pytest.raises(ValidationError, match="in the problem's own folder"):
        problem(data={"python": f"{file}:make"})


def test_a_problem_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        problem().seed = 1  # type: ignore[misc]


def test_a_problem_survives_the_way_to_a_worker_with_its_places() -> None:
    sent = located(problem(), "a.yaml", {"target": Place("a.yaml", 2, 1)})
    back = pickle.loads(pickle.dumps(sent))
    assert back == sent
    assert back.fault("target", "x").place == Place("a.yaml", 2, 1)


def test_a_fault_is_placed_at_its_field_or_at_the_nearest_one_around_it() -> None:
    placed = located(problem(), "a.yaml", {"split": Place("a.yaml", 4, 1), "split.by": Place("a.yaml", 5, 3)})
    assert str(placed.fault("split.by", "must be ...")) == "a.yaml:5:3: split.by: must be ..."
    assert str(placed.fault("split.folds", "must be ...")) == "a.yaml:4:1: split.folds: must be ..."
    assert str(placed.fault("seed", "must be ...")) == "a.yaml: seed: must be ..."


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"weight": "y"}, "weight"),
        ({"time": "y"}, "time"),
        ({"unit": ["a", "y"]}, "unit"),
        ({"split": {"together": "y"}}, "split.together"),
        ({"split": {"scheme": "leave_one_out", "by": "y"}}, "split.by"),
        ({"known_at": {"always": ["y"]}}, "known_at.always"),
        ({"known_at": {"decision": "y"}}, "known_at.decision"),
        ({"columns": {"y": "number"}}, "columns.y"),
        ({"weight": "t", "time": "t"}, "weight"),
        ({"known_at": {"always": ["a"], "after": ["a"]}}, "known_at.after"),
        ({"target": {"column": "y", "kind": "count", "positive": 1}}, "target.positive"),
        ({"data": {"sklearn": "iris", "delimiter": ";"}}, "data.delimiter"),
        ({"data": {"python": "a.py:f", "query": "SELECT"}}, "data.query"),
        ({"split": {"scheme": "forward"}}, "split.scheme"),
        ({"split": {"scheme": "predefined"}}, "split.scheme"),
        ({"split": {"scheme": "kfold", "by": "a"}}, "split.by"),
        ({"split": {"scheme": "leave_one_out", "by": "a", "folds": 3}}, "split.folds"),
        ({"split": {"scheme": "forward", "repeats": 2}, "time": "t"}, "split.repeats"),
        ({"split": {"gap": "1d"}}, "split.gap"),
        ({"split": {"scheme": "kfold", "gap": "1d"}, "time": "t"}, "split.gap"),
        ({"split": {"holdout": "2025"}}, "split.holdout"),
        ({"add": {"a": "mean(x)"}}, "add.a"),
        ({"add": {"a": "x@-7d"}, "time": "t"}, "add.a"),
        ({"baselines": {"a": "y * 2"}}, "baselines.a"),
        ({"baselines": {"a": "mean(x) by y"}}, "baselines.a"),
        ({"baselines": {"a": "y@-7d"}}, "baselines.a"),
        ({"baselines": {"a": "y@-7d"}, "time": "t", "split": {"scheme": "kfold"}}, "baselines.a"),
    ],
)
def test_a_contradiction_is_named_at_its_field(keys: dict[str, Any], field: str) -> None:
    assert list(said(**keys)) == [field]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"known_at": {"after": ["y"]}},
        {"split": {"scheme": "leave_one_out"}},
        {"split": {"scheme": "forward", "by": "season", "gap": "1d", "holdout": "2025"}, "time": "t", "unit": ["t", "run"]},
        {"split": {"together": "t"}, "time": "t"},
        {"split": {"by": "g"}},
        {"split": {"repeats": 3, "folds": 5}},
        {"split": {"scheme": "forward", "repeats": 1}, "time": "t"},
        {"target": {"column": "y", "kind": "binary", "positive": "yes"}},
        {"baselines": {"mean": "mean(y) by g", "lag": "y@-7d", "rule": "2 * x", "zero": 0}, "time": "t"},
        {"add": {"log_x": "log(x)", "y": "log(z)"}},
        {"data": {"url": "sqlite:///a.db", "query": "SELECT", "missing": "?"}},
    ],
)
def test_what_can_work_is_let_pass(keys: dict[str, Any]) -> None:
    assert said(**keys) == {}


def test_nothing_is_said_of_the_absence_of_what_was_written_wrongly() -> None:
    lagged = problem(split={"scheme": "forward", "gap": "1d"}, baselines={"a": "y@-7d"})
    assert contradictions(lagged, {"time"}) == []
    grouped = problem(split={"scheme": "predefined", "holdout": "2025"})
    assert contradictions(grouped, {"split.by"}) == []
