"""Reading a problem: what is taken, what is refused, and that every fault is said at its line, all at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from piste.core.errors import PisteError, Place
from piste.core.problem import Ask, Problem
from piste.edges.load import load_problem, make_problem, salvaged, worded
from tests.journeys.bad_config import CASES, MINIMAL, BadCase


def folder(path: Path, case: BadCase) -> None:
    for name, content in case.files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    if case.mode != 0o644:
        (path / "problem.yaml").chmod(case.mode)


def load(path: Path, text: str = MINIMAL, *overrides: str) -> Problem:
    (path / "problem.yaml").write_text(text, encoding="utf-8")
    return load_problem(path, overrides)


def refused(path: Path, text: str, *overrides: str) -> str:
    with pytest.raises(PisteError) as caught:
        load(path, text, *overrides)
    return str(caught.value).replace(f"{path}{os.sep}", "")


@pytest.mark.parametrize("case", [case for case in CASES if not case.needs_data], ids=lambda case: case.name)
def test_a_bad_file_is_refused_with_its_line_and_field(case: BadCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, case)
    if case.mode == 0 and os.access(tmp_path / "problem.yaml", os.R_OK):  # root may read everything
        monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PisteError) as caught:
        load_problem(Path())
    lines = str(caught.value).splitlines()
    assert any(line.startswith(case.expected[0]) for line in lines), lines
    assert all(fragment in str(caught.value) for fragment in case.expected), lines


@pytest.mark.parametrize("case", [case for case in CASES if case.needs_data], ids=lambda case: case.name)
def test_what_only_the_data_can_tell_is_let_pass(case: BadCase, tmp_path: Path) -> None:
    folder(tmp_path, case)
    assert isinstance(load_problem(tmp_path), Problem)


def test_case_names_are_unique_so_that_a_failure_says_which() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("content", ["\ufeff" + MINIMAL, MINIMAL.replace("\n", "\r\n"), "---\n" + MINIMAL + "...\n", MINIMAL.rstrip()])
def test_marks_of_other_editors_are_taken(content: str, tmp_path: Path) -> None:
    (tmp_path / "problem.yaml").write_bytes(content.encode())
    assert load_problem(tmp_path).target.column == "y"


def test_a_modeline_for_editors_is_a_comment(tmp_path: Path) -> None:
    assert load(tmp_path, f"# yaml-language-server: $schema=../../docs/problem.schema.json\n{MINIMAL}").target.column == "y"


def test_a_problem_may_be_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(MINIMAL)
    assert load_problem(tmp_path / "first.yaml").target.column == "y"


def test_a_misspelt_file_is_told_from_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(MINIMAL)
    with pytest.raises(PisteError, match=r"Did you mean 'first\.yaml'\?"):
        load_problem(tmp_path / "frist.yaml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "problem.yaml")
    with pytest.raises(PisteError, match="a pipe or a device"):
        load_problem(tmp_path)


def test_values_mean_what_yaml_1_2_says(tmp_path: Path) -> None:
    text = "data: {path: rows.csv, missing: [no, on, 18:00, 2025-11-03, 007, 1_000]}\ntarget: y\nseed: 0x1F\nsplit: {holdout: 2e-1}\n"
    problem = load(tmp_path, text)
    assert problem.data.missing == ("no", "on", "18:00", "2025-11-03", "007", "1_000")
    assert problem.seed == 31
    assert problem.split.holdout == 0.2


def test_every_field_knows_its_line(tmp_path: Path) -> None:
    problem = load(tmp_path, MINIMAL + "split:\n  folds: 4\nfamilies:\n  - tree\n  - linear: {alpha: 1}\n")
    file = str(tmp_path / "problem.yaml")
    assert problem.fault("split.folds", "x").place == Place(file, 4, 3)
    assert problem.fault("families.1.linear.alpha", "x").place == Place(file, 7, 14)
    assert problem.fault("split.scheme", "x").place == Place(file, 3, 1)


def test_all_faults_are_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """data: rows.csv
target: y
time: 3
split: {scheme: forward, folds: 1}
add: {a: "log(x, 2)", b: 1 +, c: mean(x)}
families: [tree, forrest, {linear: {C: [[1]]}}]
seed: -1
weight: y
serach: {trials: 3}
"""
    places = [line.split(": ")[0] + ": " + line.split(": ")[1] for line in refused(tmp_path, text).splitlines()]
    assert places == [
        "problem.yaml:3:1: time",
        "problem.yaml:4:26: split.folds",
        "problem.yaml:5:16: add.a",
        "problem.yaml:5:29: add.b",
        "problem.yaml:5:31: add.c",
        "problem.yaml:6:18: families.1",
        "problem.yaml:6:37: families.2.linear.C",
        "problem.yaml:7:1: seed",
        "problem.yaml:8:1: weight",
        "problem.yaml:9:1: serach",
    ]


def test_a_fault_in_reading_hides_none_in_meaning(tmp_path: Path) -> None:
    said = refused(tmp_path, MINIMAL + "seed: .nan\nsplit: {folds: 1}\nseed: 2\n").splitlines()
    assert [line.split(": ")[0] for line in said] == ["problem.yaml:3:7", "problem.yaml:4:9", "problem.yaml:5:1"]


def test_no_line_of_a_message_is_a_traceback_or_a_name_of_a_library() -> None:
    for case in CASES:
        assert not any(word in " ".join(case.expected) for word in ("Traceback", "pydantic", "Input should", "ScannerError"))


@pytest.mark.parametrize("text", ["data: a.csv\ntarget: {column: }\n", "data:\ntarget: y\n", "data: a.csv\ntarget: y\nsplit: {folds: }\n"])
def test_an_empty_value_is_one_fault(text: str, tmp_path: Path) -> None:
    [said] = refused(tmp_path, text).splitlines()
    assert said.endswith("must not be empty: give a value, or leave the key out")


# changes from the command line


@pytest.mark.parametrize(
    ("override", "field", "value"),
    [
        ("search.trials=3", "search.trials", 3),
        ("split.folds=4", "split.folds", 4),
        ("target.kind=count", "target.kind", "count"),
        ("target=z", "target.column", "z"),
        ("data=sklearn:iris", "data.sklearn", "iris"),
        ("data.delimiter=;", "data.delimiter", ";"),
        ("seed=7", "seed", 7),
        ("metric=null", "metric", None),
        ("framings=[mean]", "framings", (Ask(name="mean", as_="mean"),)),
        ("target.delay=1d", "target.delay", "1d"),
        ("success.by=10%", "success.by", "10%"),
        ("decision.made_at=-1d 18:00", "decision.made_at", "-1d 18:00"),
        ("target.levels.cuts=[3, 6]", "target.levels.cuts", (3.0, 6.0)),
        ("known_at.after=x", "known_at.after", ("x",)),
        ("question=a = b", "question", "a = b"),
    ],
)
def test_a_key_can_be_set_from_outside(override: str, field: str, value: object, tmp_path: Path) -> None:
    found = load(tmp_path, MINIMAL + "metric: rmse\n", override)
    for name in field.split("."):
        found = getattr(found, name)
    assert found == value


def test_families_can_be_set_from_outside(tmp_path: Path) -> None:
    problem = load(tmp_path, MINIMAL, "families=[linear, {tree: {max_depth: 3}}]")
    assert [(entry.name, dict(entry.params)) for entry in problem.families or ()] == [("linear", {}), ("tree", {"max_depth": 3})]


def test_a_fault_in_what_is_set_from_outside_names_it(tmp_path: Path) -> None:
    said = refused(tmp_path, MINIMAL, "split.folds=1", "families=[tre", "seed", "unit.a=3", "serach.trials=3").splitlines()
    assert said[0].startswith("--set families=[tre:1:1: the bracket that opens here is not closed")
    assert said[1] == "--set seed: must be key=value, such as search.trials=3"
    assert said[2].startswith("--set serach.trials=3: serach: is not a key of a problem. Did you mean 'search'?")
    assert said[3].startswith("--set split.folds=1: split.folds: must be a whole number")
    assert said[4].startswith("--set unit.a=3: unit: must be a list")


def test_a_fault_of_the_file_that_is_overridden_is_gone(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL + "seed: x\n", "seed=1").seed == 1


def test_a_list_is_set_whole(tmp_path: Path) -> None:
    assert "unit.a: must be set whole, since unit is a list" in refused(tmp_path, MINIMAL + "unit: [g]\n", "unit.a=1")


# code of the problem's own


def test_own_files_are_found_in_the_folder_of_the_problem(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text("")
    problem = load(tmp_path, "data: python:own/mine.py:rows\ntarget: y\nfamilies: [./own/mine.py, {made: own/mine.py:make}]\n")
    assert [(entry.name, entry.file, entry.factory) for entry in problem.families or ()] == [
        ("mine", "./own/mine.py", None),
        ("made", None, "own/mine.py:make"),
    ]


def test_a_link_out_of_the_folder_is_no_way_out(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "out.py").write_text("")
    (inside / "mine.py").symlink_to(tmp_path / "out.py")
    assert "leads out of it" in refused(inside, MINIMAL + "families: [mine.py]\n")


def test_data_may_lie_elsewhere(tmp_path: Path) -> None:
    assert load(tmp_path, "data: ../shared/rows.csv\ntarget: y\n").data.path == "../shared/rows.csv"


# from Python


def test_a_problem_can_be_made_in_python() -> None:
    frame = pd.DataFrame({"x": [1], "y": [2]})
    problem = make_problem(data=frame, target="y", families=["tree"], search={"trials": 2}, metric=None)
    assert problem.data.frame is frame
    assert problem.search.trials == 2


def test_a_problem_made_in_python_is_refused_in_the_same_words() -> None:
    with pytest.raises(PisteError) as caught:
        make_problem(data="rows.csv", target="y", weight="y", seed=np.int64(3), famlies=["tree"], add={"a": "log("})
    assert str(caught.value).splitlines() == [
        "add.a: must be an expression, but the parenthesis opened at character 4 is not closed; "
        "did YAML split this at a comma? Then quote the whole text",
        "seed: must be a whole number from 0 to 4294967295, but is of type int64",
        "famlies: is not a key of a problem. Did you mean 'families'?",
        "weight: must be another column than the target, but is 'y'",
    ]


def test_a_frame_beside_a_fault_is_not_compared() -> None:
    with pytest.raises(PisteError, match=r"^target\.column: must be the name of a column, but is 3: put it in quotes\nseed: must be"):
        make_problem(data=pd.DataFrame({"y": [1, 2]}), target={"column": 3}, seed=-1)


def test_an_error_of_pydantic_can_be_worded() -> None:
    with pytest.raises(ValidationError) as caught:
        Problem.model_validate({"data": "a.csv", "target": "y", "split": {"scheme": "kfolds"}})
    assert "split.scheme: must be 'kfold', " in str(worded(caught.value))
    assert "Did you mean 'kfold'?" in str(worded(caught.value))


# any file at all

LINES = st.sampled_from(
    [
        *(
            "data: rows.csv",
            "target: y",
            "target: {column: y}",
            "time: day",
            "split: {scheme: forward, folds: 3}",
            "split:",
            "  by: season",
        ),
        *("families: [tree, {linear: {alpha: [1, 2]}}]", "add: {a: log(x)}", "baselines: {b: mean(y) by g, c: y@-7d}", "unit: [a, a]"),
        *("&a b: *a", "!!int x", "x: |", "  text", '"a', "'b'", "{", "]", "%Y", "---", "...", "\t", "k: v: w", "\u200bk: 1", "- x", "? y"),
    ]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


def outcome(place: Path) -> Problem | PisteError:
    try:
        return load_problem(place)
    except PisteError as error:
        return error


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode), st.lists(LINES, max_size=8).map("\n".join).map(str.encode)))
def test_any_file_is_a_problem_or_refused(place: Path, content: bytes) -> None:
    (place / "problem.yaml").write_bytes(content)
    found = outcome(place)
    assert isinstance(found, Problem) or all(fault.place.path and fault.message for fault in found.faults)


@given(st.dictionaries(st.sampled_from([*Problem.model_fields, "schema", "serach"]), VALUES, max_size=5))
def test_any_values_are_a_problem_or_refused_with_the_name_of_their_field(place: Path, values: dict[str, object]) -> None:
    written = {"data": "rows.csv", "target": "y", **values}
    (place / "problem.yaml").write_text(json.dumps(written), encoding="utf-8", errors="surrogatepass")
    found = outcome(place)
    assert isinstance(found, Problem) or {fault.field.split(".")[0] for fault in found.faults} <= {*written, ""}


WHOLE: dict[str, object] = {
    "data": "python:s.py:rows",
    "target": {"column": "y", "kind": "count", "levels": {"of": "y / room", "cuts": [0.3, 0.6], "names": ["a", "b", "c"]}, "delay": "1d"},
    "time": "t",
    "unit": ["run", "t"],
    "decision": {"made_at": "-1d 18:00", "cost": {"a": [0, 6, 24], "b": [4, 0, 9]}, "budget": {"units": 8, "uses": {"b": 1}, "per": ["t"]}},
    "success": {"by": "10%", "same": 0.5},
    "slices": {"columns": ["run"], "worse_than_overall": "30%"},
    "framings": {"mean": None, "all": {"wide": "run"}, "early": {"like": "mean", "add": ["y@-2d"]}},
    "truth": "s.py:draws",
}
STRANGE = st.one_of(VALUES, st.sampled_from(["y", "mean", "-1d", "120%", {"over": 1}, {"over": 1, "under": 2}, {"a": [1]}, ["run"]]))


def ways(value: object, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """List the way to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [deeper for key, each in inner for deeper in ((*way, key), *ways(each, (*way, key)))]


@given(st.lists(st.tuples(st.integers(0, 200), STRANGE), max_size=3))
def test_a_whole_problem_with_strange_values_is_taken_or_refused_at_its_lines(place: Path, changes: list[tuple[int, object]]) -> None:
    written = json.loads(json.dumps(WHOLE))
    for number, value in changes:
        *way, last = ways(written)[number % len(ways(written))]
        home = written
        for key in way:
            home = home[key]
        home[last] = json.loads(json.dumps(value))
    (place / "s.py").touch()
    (place / "problem.yaml").write_text(json.dumps(written), encoding="utf-8", errors="surrogatepass")
    found = outcome(place)
    assert isinstance(found, Problem) or all(fault.place.line and fault.message for fault in found.faults)
    assert changes or isinstance(found, Problem)


def test_loading_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "problem.yaml").write_text(MINIMAL)
    code = f"""
import sys
from pathlib import Path
from piste.edges.load import load_problem
load_problem(Path({str(tmp_path)!r}))
heavy = [name for name in ("numpy", "pandas", "sklearn", "torch", "mlflow", "scipy", "matplotlib") if name in sys.modules]
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("{over: , under: 3}", ["decision.cost.over: must be a number above 0, what one unit too much costs, but is still empty"]),
        (
            "{false_alarm: , miss: }",
            [
                "decision.cost.false_alarm: must be a number above 0, what acting costs where nothing comes, but is still empty",
                "decision.cost.miss: must be a number above 0, what not acting costs where it comes, but is still empty",
            ],
        ),
        (
            "{wait: [0, 5], act: }",
            ["decision.cost.act: must be a list, what 'act' costs at each level, the lowest level first, but is still empty"],
        ),
        ("{over: 12, undr: 40}", ["decision.cost: must give 'under' beside 'over', but gives 'undr'. Did you mean 'under'?"]),
        (
            "{ovr: 12, undr: 40}",
            [
                "decision.cost: must be {over, under}, {false_alarm, miss} or lists of costs, but gives one number for 'ovr'. "
                "Did you mean 'over'?"
            ],
        ),
    ],
    ids=["one blank", "both blank", "an action without costs", "one misspelt", "both misspelt"],
)
def test_a_cost_that_is_not_written_yet_or_misspelt_is_asked_for_in_words(tmp_path, cost, said):
    (tmp_path / "problem.yaml").write_text(f"data: a.csv\ntarget: y\ndecision: {{cost: {cost}, currency: EUR}}\n")
    faults = salvaged(tmp_path).faults
    assert [f"{fault.field}: {fault.message}" for fault in faults] == said
