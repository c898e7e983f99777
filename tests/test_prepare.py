"""A problem with faults is made ready as far as it can be; what is wrong is said at its line, once, and the rest is there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.errors import PisteError
from piste.prepare import lenient, prepare
from piste.watch import silent
from tests.journeys.bad_config import CASES, MINIMAL, ROWS

KEPT = [case for case in CASES if case.mode == 0o644 and "rows.csv" in case.files and "problem.yaml" in case.files]


def write(folder, text, rows=ROWS):
    (folder / "problem.yaml").write_text(text)
    (folder / "rows.csv").write_text(rows)
    return lenient(folder, (), silent, code=True)


@pytest.mark.parametrize("case", KEPT, ids=lambda case: case.name)
def test_whatever_is_wrong_is_said_as_a_run_says_it_and_never_more_than_that_is_lost(case, tmp_path, monkeypatch):
    for name, content in case.files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PisteError) as refused:
        prepare(".", (), silent, quick=True, code=True)
    found = lenient(".", (), silent, code=True)
    assert {*map(str, refused.value.faults)} <= {*map(str, found.faults)}
    assert any(str(fault).startswith(case.expected[0]) for fault in found.faults)
    assert len({*map(str, found.faults)}) == len(found.faults)


def test_faults_of_the_file_of_the_columns_and_of_the_split_are_all_said_at_once(tmp_path):
    rows = ROWS.replace("0,a,", "n.v.,a,", 1)
    found = write(tmp_path, "data: rows.csv\ntarget: y\nseed: -1\nknown_at: {after: [w, gg]}\nsplit: {folds: 61}\nadd: {z: log(q)}\n", rows)
    said = [str(fault).removeprefix(f"{tmp_path}/") for fault in found.faults]
    assert [line.split(": ")[0:2] for line in said] == [
        ["problem.yaml:3:1", "seed"],
        ["problem.yaml:4:23", "known_at.after"],
        ["problem.yaml:5:9", "split.folds"],
        ["problem.yaml:6:7", "add.z"],
        ["rows.csv:2", "x"],
    ]
    assert {*found.aside} == {"seed", "known_at.after.1", "split.folds", "add.z", "x"}
    kinds = {column.name: column.role for column in found.prepared.resolved.table.columns}
    assert (kinds["x"], kinds["w"], kinds["g"]) == ("dropped", "after", "feature")
    assert found.prepared.resolved.rule.folds == 5


def test_a_fault_that_only_follows_from_what_was_set_aside_is_not_said(tmp_path):
    text = (
        MINIMAL
        + "time: dya\nunit: [day, g]\nsplit: {scheme: forward, gap: 1d, by: month}\nbaselines: {last: y@-7d}\nsuccess: {beat: last}\n"
    )
    found = write(tmp_path, text)
    assert [fault.field for fault in found.faults] == ["time"]
    assert found.prepared is not None
    assert {"time", "split.scheme", "split.gap", "baselines.last"} <= {*found.aside}


def test_a_unit_that_names_two_rows_is_the_finding_of_a_check_and_goes(tmp_path):
    found = write(tmp_path, MINIMAL + "unit: [g]\n")
    assert [(fault.check, fault.field) for fault in found.faults] == [("F07", "unit")]
    assert found.prepared.resolved.problem.unit == ()


@pytest.mark.parametrize(
    ("text", "field"),
    [("data: rows.csv\ntarget: z\n", "target"), ("data: rws.csv\ntarget: y\n", "data.path"), ("data: rows.csv\ntarget: sick\n", "target")],
)
def test_without_rows_or_an_answer_there_is_nothing_to_look_at(tmp_path, text, field):
    rows = ROWS.replace("y\n", "y,sick\n", 1).replace(".5\n", ".5,no\n")
    found = write(tmp_path, text, rows)
    assert found.prepared is None
    assert [fault.field for fault in found.faults] == [field]


def test_a_column_that_others_are_computed_from_takes_them_along(tmp_path):
    rows = ROWS.replace("0,a,", "n.v.,a,", 1)
    found = write(tmp_path, MINIMAL + "add: {double: 2 * x, more: double + w}\n", rows)
    assert found.prepared is not None
    assert [fault.field for fault in found.faults] == ["x"]
    assert "double" not in found.prepared.resolved.table.frame
    assert "more" not in found.prepared.resolved.table.frame


def test_where_no_column_is_left_it_is_said_unless_that_is_for_want_of_one_that_cannot_be_read(tmp_path):
    counted = "n,y\n" + "".join(f"{i},{i * 7 % 11 + 0.5}\n" for i in range(60))
    found = write(tmp_path, MINIMAL + "metric: log_loss\nseed: -1\n", counted)
    assert [fault.field for fault in found.faults] == ["data", "seed"]
    found = write(tmp_path, MINIMAL, counted.replace("n,y\n0,", "n,y\nn.v.,", 1))
    assert [fault.field for fault in found.faults] == ["n"]


def test_a_sound_problem_is_the_same_as_for_a_run(tmp_path):
    found = write(tmp_path, MINIMAL)
    assert (found.faults, found.aside) == ((), ())
    assert found.prepared.printed == prepare(tmp_path, (), silent, quick=False, code=True).printed


def test_a_problem_from_python_too():
    frame = pd.DataFrame({"x": [*range(39), "n.v."], "g": list("ab") * 20, "y": np.arange(40.0)})
    found = lenient(piste.Problem(data=frame, target="y", unit="g", split={"together": "h"}), (), silent, code=True)
    assert [fault.field for fault in found.faults] == ["split.together", "unit", "x"]
    assert found.prepared is not None


def test_a_file_of_the_authors_own_that_cannot_be_read_takes_its_row_along(tmp_path):
    (tmp_path / "mine.py").write_text("FAMILY = (\n")
    found = write(tmp_path, MINIMAL + "families: [linear, ./mine.py]\n")
    assert [fault.place.path for fault in found.faults] == [str(tmp_path / "mine.py")]
    assert [entry.name for entry in found.prepared.resolved.entries] == ["linear"]
