"""The schema of a problem: short forms, defaults, and what its parts must not say against each other."""

from __future__ import annotations

import pickle
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from piste.core.contradictions import contradictions
from piste.core.errors import Place
from piste.core.problem import Ask, Data, Entry, Levels, Problem, Success, located


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


def test_targets_in_a_list_are_one_column_of_values() -> None:
    target = problem(target=["heating", "cooling"]).target
    assert (target.column, target.columns) == ("value", ("heating", "cooling"))
    assert problem(target={"columns": ["a", "b"], "column": "load"}).target.column == "load"


def test_classes_of_an_order_may_be_whole_numbers() -> None:
    assert problem(target={"column": "quality", "order": [3, 4, "5"]}).target.order == ("3", "4", "5")


def test_levels_are_named_by_their_cuts_where_they_have_no_names() -> None:
    assert Levels(cuts=(0.3, 0.55)).labels == ("below 0.3", "0.3 to 0.55", "from 0.55")
    assert Levels(cuts=(0.3,), names=("calm", "busy")).labels == ("calm", "busy")
    assert Levels.model_validate({"cuts": 3}).cuts == (3.0,)


@pytest.mark.parametrize(
    ("target", "levels"),
    [
        ({"levels": {"cuts": [1, 2]}}, 3),
        ({"order": ["a", "b", "c", "d"]}, 4),
        ({"kind": "binary"}, 2),
        ({"positive": "yes"}, 2),
        ({"kind": "category"}, None),
        ({"kind": "ordered"}, None),
        ({}, None),
    ],
)
def test_the_number_of_levels_is_known_where_the_author_says_it(target: dict[str, Any], levels: int | None) -> None:
    assert problem(target={"column": "y", **target}).target.n_levels == levels


def test_slices_may_be_a_list_of_columns() -> None:
    assert problem(slices=["a", "b"]).slices == problem(slices={"columns": ["a", "b"], "worse_than_overall": "25%"}).slices


def test_success_has_its_usual_thresholds() -> None:
    assert problem().success == Success(beat="best_baseline", by="5%", same="1%", confidence=0.95, worthwhile=None)


def test_an_ask_is_placed_where_it_was_written() -> None:
    asks = problem(framings={"mean": None, "early": {"as": "mean", "add": "x"}})
    mapping = located(asks, "a.yaml", {"framings.mean": Place("a.yaml", 4, 3), "framings.early": Place("a.yaml", 5, 3)})
    assert [mapping.at(ask) for ask in mapping.framings or ()] == ["framings.mean", "framings.early"]
    listed = located(
        problem(framings=["mean", {"early": {"as": "mean", "add": "x"}}]), "a.yaml", {"framings.1.early": Place("a.yaml", 5, 3)}
    )
    assert [listed.at(ask) for ask in listed.framings or ()] == ["framings.0", "framings.1.early"]
    assert [problem(framings=["mean"]).at(Ask(name="mean", as_="mean"))] == ["framings.0"]


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
        ({"target": {"column": "y", "kind": "binary", "order": ["a", "b"]}}, "target.order"),
        ({"target": {"column": "y", "positive": "a", "order": ["a", "b"]}}, "target.positive"),
        ({"target": {"columns": ["y", "z"], "kind": "category"}}, "target.kind"),
        ({"target": {"columns": ["y", "z"], "levels": {"cuts": 3}}}, "target.levels"),
        ({"target": ["y", "z"], "unit": ["a", "z"]}, "unit"),
        ({"target": ["y", "z"], "columns": {"z": "drop"}}, "columns.z"),
        ({"target": {"column": "y", "kind": "binary", "levels": {"cuts": 3}}}, "target.levels"),
        ({"target": {"column": "y", "levels": {"cuts": 3, "names": ["a"]}}}, "target.levels.names"),
        ({"target": {"column": "y", "levels": {"cuts": 3, "of": "mean(y)"}}}, "target.levels.of"),
        ({"target": {"column": "y", "levels": {"cuts": 3, "of": "y@-1d"}}}, "target.levels.of"),
        ({"target": {"column": "y", "levels": {"cuts": 3, "of": "x / 2"}}}, "target.levels.of"),
        ({"target": {"column": "y", "kind": "ordered"}, "decision": {"cost": {"over": 1, "under": 2}}}, "decision.cost"),
        ({"target": {"column": "y", "order": ["a", "b", "c"]}, "decision": {"cost": {"false_alarm": 1, "miss": 2}}}, "decision.cost"),
        ({"target": ["y", "z"], "decision": {"cost": {"false_alarm": 1, "miss": 2}}}, "decision.cost"),
        ({"target": ["y", "z"], "decision": {"cost": {"a": [0, 1], "b": [1, 0]}}}, "decision.cost"),
        ({"target": {"column": "y", "kind": "binary"}, "decision": {"cost": {"a": [0, 1, 2], "b": [1, 0]}}}, "decision.cost.a"),
        ({"decision": {"cost": {"a": [0, 4], "b": [3, 0], "c": [3, 1]}}}, "decision.cost.c"),
        ({"decision": {"cost": {"a": [0, 4], "b": [0, 5]}}}, "decision.cost"),
        ({"decision": {"cost": {"a": [0, 4], "b": [3, 0]}, "actions": ["a"]}}, "decision.actions"),
        (
            {"decision": {"cost": {"a": [0, 4], "b": [3, 0]}, "budget": {"units": 1, "uses": {"c": 1}, "per": "g"}}},
            "decision.budget.uses.c",
        ),
        (
            {"decision": {"cost": {"a": [0, 4], "b": [3, 0]}, "budget": {"units": 1, "uses": {"a": 1, "b": 1}, "per": "g"}}},
            "decision.budget.uses",
        ),
        ({"decision": {"cost": {"a": [0, 4], "b": [3, 0]}, "budget": 1}}, "decision.budget"),  # shared by nobody knows which rows
        ({"decision": {"cost": {"over": 1, "under": 2}, "actions": ["a", "b"]}}, "decision.actions"),
        ({"decision": {"cost_range": [0.5, 2]}}, "decision.cost_range"),
        ({"success": {"beat": "last_value"}}, "success.beat"),
        ({"success": {"beat": "climatology"}, "baselines": {"a": "mean(y)"}}, "success.beat"),
        ({"success": {"by": 1, "same": 2}}, "success.same"),
        ({"success": {"worthwhile": 100}, "decision": {"cost": {"over": 1, "under": 2}}}, "success.worthwhile"),
        ({"slices": ["a", "y"]}, "slices"),
        ({"truth": "a.py:f"}, "truth"),
        ({"framings": {"b": {"as": "mean", "add": ["x", "z"]}}, "known_at": {"after": "z"}}, "framings.b.add.1"),
        ({"framings": {"b": {"as": "mean", "add": "q90(x)"}}}, "framings.b.add.0"),
        (
            {"framings": {"b": {"as": "mean", "add": "x@-7d"}}, "time": "t", "split": {"scheme": "predefined", "by": "f"}},
            "framings.b.add.0",
        ),
        ({"framings": {"b": {"wide": "a"}}, "unit": ["a"]}, "framings.b.wide"),
        ({"framings": {"b": {"wide": "t"}}, "unit": ["a", "t"], "time": "t"}, "framings.b.wide"),
        ({"framings": {"a": {"as": "quantiles"}, "b": {"like": "a", "wide": "g"}}, "unit": ["g", "t"]}, "framings.b.wide"),
        ({"framings": {"a": {"wide": "g"}, "b": {"like": "a", "as": "classes"}}, "unit": ["g", "t"]}, "framings.b.as"),
        ({"framings": {"a": {"wide": "g"}, "b": {"like": "a", "apart": "g"}}, "unit": ["g", "t"]}, "framings.b.apart"),
        ({"framings": {"a": {"like": "a"}}}, "framings.a.like"),
        ({"framings": {"a": {"like": "mean"}, "b": {"like": "a"}}}, "framings.a.like"),
        ({"framings": {"a": {"as": "mean", "predict": "level"}}, "target": {"column": "y", "levels": {"cuts": 3}}}, "framings.a.predict"),
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
        {"target": {"column": "y", "kind": "ordered", "order": ["a", "b", "c"]}, "decision": {"cost": {"p": [0, 1, 2], "q": [2, 1, 0]}}},
        {"target": {"column": "y", "levels": {"of": "y / room", "cuts": 0.5}}, "decision": {"cost": {"false_alarm": 1, "miss": 2}}},
        {"target": {"column": "y", "positive": "a"}, "decision": {"cost": {"false_alarm": 1, "miss": 2}}},
        {"target": ["y", "z"], "decision": {"cost": {"over": 1, "under": 2}}, "framings": {"all": {"wide": "output"}}},
        {"decision": {"cost": {"a": [0, 4], "b": [3, 0]}, "actions": ["b", "a"], "budget": {"units": 8, "uses": {"b": 2}, "per": "g"}}},
        {"time": "t", "decision": {"cost": {"none": [0, 9], "some": [0, 8]}, "budget": 8}},  # the dearer one leaves units to others
        {"decision": {"made_at": "-1d 18:00", "owner": "me", "per_year": 10, "currency": "EUR"}},
        {"success": {"beat": "climatology"}},
        {"success": {"beat": "last_value", "same": "10%"}, "time": "t"},
        {"success": {"beat": "climatology"}, "baselines": {"a": "mean(y)"}, "decision": {"cost": {"over": 1, "under": 2}}},
        {"data": "python:a.py:rows", "truth": "a.py:draws"},
        {"framings": {"a": {"like": "b"}, "b": {"like": "c", "add": "y@-8d"}, "c": {"wide": "g"}}, "unit": ["g", "t"], "time": "t"},
        {"framings": {"a": {"as": "classes", "predict": "level"}}, "target": {"column": "y", "levels": {"cuts": 3}}},
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
    assert contradictions(problem(decision={"actions": ["a", "b"]}), {"decision.cost"}) == []
    uncut = problem(target={"column": "y", "kind": "count"}, decision={"cost": {"a": [0, 4], "b": [3, 0]}})
    assert contradictions(uncut, {"target.levels"}) == []
    assert contradictions(problem(framings={"b": {"like": "a"}}), {"framings.a"}) == []
    assert contradictions(problem(framings={"b": {"wide": "g"}}), {"unit.0"}) == []
    assert contradictions(problem(success={"beat": "mine"}), {"baselines.mine"}) == []
    assert contradictions(problem(truth="a.py:f"), {"data.python"}) == []


def test_what_is_wrong_with_the_target_hides_nothing_of_the_actions() -> None:
    priced = problem(decision={"cost": {"a": [0, 4], "b": [3, 0], "c": [3, 1]}})
    assert [fault.field for fault in contradictions(priced, {"target.kind"})] == ["decision.cost.c"]
