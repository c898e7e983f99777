"""Where rows come from, and what is refused as a source."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from piste.core.data import Raw
from piste.core.errors import PisteError
from piste.core.problem import Problem
from piste.edges import files
from piste.edges.sources import digest, read

FRAME = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "x": [0.1, np.nan, 3.0],
        "name": ["007", "NA", None],
        "on": [True, False, True],
        "day": pd.to_datetime(["2020-01-01 00:00", "2020-01-02 18:30", None]),
    }
)


def read_data(folder: Path, data: object, **options: object) -> Raw:
    return read(Problem.model_validate({"data": data, "target": "y"}), folder, **options)


def refusal(folder: Path, data: object, **options: object) -> str:
    with pytest.raises(PisteError) as caught:
        read_data(folder, data, **options)
    return str(caught.value)


def test_a_frame_is_read_as_it_is():
    raw = read_data(Path(), FRAME.set_index("n", drop=False))

    assert {name: str(dtype) for name, dtype in raw.frame.dtypes.items()} == {
        "n": "int64",
        "x": "float64",
        "name": "str",
        "on": "bool",
        "day": "datetime64[us]",
    }
    assert raw.frame["name"].tolist()[:2] == ["007", "NA"]
    assert (raw.at(0), raw.path) == ("row 1", "the frame")


@pytest.mark.parametrize("ending", ["parquet", "pq"])
def test_parquet_is_read_with_its_types(tmp_path, ending):
    FRAME.to_parquet(tmp_path / f"a.{ending}")

    pd.testing.assert_frame_equal(read_data(tmp_path, f"a.{ending}").frame, read_data(tmp_path, FRAME).frame)


def test_the_index_of_parquet_is_left_out_where_it_numbers_the_rows(tmp_path):
    FRAME.set_axis([7, 3, 5]).to_parquet(tmp_path / "a.parquet")

    raw = read_data(tmp_path, "a.parquet")

    assert list(raw.frame) == list(FRAME)
    assert "numbers the rows" in raw.notes[0]


def test_json_lines_are_read_with_their_lines(tmp_path):
    rows = ['{"x": 1, "name": "a"}', "", '{"name": "b", "on": true}', '{"x": NaN, "name": null}']
    (tmp_path / "a.jsonl").write_text("\n".join(rows))

    raw = read_data(tmp_path, "a.jsonl")

    assert raw.lines.tolist() == [1, 3, 4]
    assert raw.frame["x"].isna().tolist() == [False, True, True]
    assert raw.frame["name"].isna().tolist() == [False, False, True]
    assert raw.frame["on"].dtype == "boolean"


@pytest.mark.parametrize(
    ("row", "said"), [("[1]", "list"), ("3", "int"), ('{"x": }', "none"), ('{"x": {"y": 1}}', "dict"), ("[" * 10_000, "none")]
)
def test_a_json_line_that_is_no_row_is_refused_at_its_line(tmp_path, row, said):
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n' + row + "\n")

    message = refusal(tmp_path, "a.jsonl")

    assert "a.jsonl:2:" in message
    assert said in message


def test_excel_is_read_with_its_types_and_rows(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as writer:
        FRAME.to_excel(writer, sheet_name="first", index=False, startrow=2)
        FRAME[["n"]].to_excel(writer, sheet_name="second", index=False)

    raw = read_data(tmp_path, "a.xlsx")

    assert (raw.header_line, raw.lines.tolist(), raw.at(0)) == (3, [4, 5, 6], "row 4")
    assert raw.frame["name"].tolist()[:2] == ["007", "NA"]
    assert raw.frame["day"][1] == pd.Timestamp("2020-01-02 18:30")
    assert list(read_data(tmp_path, {"path": "a.xlsx", "sheet": "second"}).frame) == ["n"]


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    FRAME.to_excel(tmp_path / "a.xlsx", sheet_name="Visits")

    assert "Did you mean 'Visits'?" in refusal(tmp_path, {"path": "a.xlsx", "sheet": "visit"})


@pytest.mark.parametrize("part", ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_damaged_workbook_is_refused_in_one_line(tmp_path, part):
    FRAME.to_excel(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, whole.read(name)[: 40 if name == part else None])

    message = refusal(tmp_path, "a.xlsx")

    assert "Excel workbook" in message
    assert "\n" not in message


def test_a_locked_workbook_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))

    assert "password" in refusal(tmp_path, "a.xlsx")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.txt", "A.CSV"])
def test_text_tables_may_be_packed_whatever_their_name(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"x,y\n1,2\n"))

    assert read_data(tmp_path, name).frame["x"].tolist() == ["1"]


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 1 << 20)
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"1,2\n" * (1 << 20)))
    FRAME.iloc[np.zeros(200_000, dtype=int)].assign(x=np.arange(200_000) / 7).to_parquet(tmp_path / "a.parquet")

    assert "at most 1 MiB" in refusal(tmp_path, "a.csv")
    assert "at most 1 MiB" in refusal(tmp_path, "a.parquet")


@pytest.mark.parametrize(
    ("name", "target", "classes"),
    [
        ("iris", "target", {"setosa", "versicolor", "virginica"}),
        ("wine", "target", {"class_0", "class_1", "class_2"}),
        ("breast_cancer", "target", {"malignant", "benign"}),
        ("digits", "target", set("0123456789")),
    ],
)
def test_sets_of_scikit_learn_come_with_the_names_of_their_classes(name, target, classes):
    raw = read_data(Path(), f"sklearn:{name}")

    assert set(raw.frame[target]) == classes
    assert raw.path == f"sklearn:{name}"


def test_diabetes_comes_in_its_own_units():
    assert read_data(Path(), "sklearn:diabetes").frame["age"].between(19, 79).all()


def test_linnerud_has_its_three_targets():
    assert {"Weight", "Waist", "Pulse"} < set(read_data(Path(), "sklearn:linnerud").frame)


GENERATOR = """
from __future__ import annotations
from dataclasses import dataclass
import pandas as pd

@dataclass
class Row:
    x: int

def rows():
    return pd.DataFrame([Row(1), Row(2)])

def broken():
    import math
    return math.sqrt(
        -1)
"""


def test_code_of_the_folder_runs_and_that_is_said(tmp_path):
    (tmp_path / "make.py").write_text(GENERATOR)
    said: list[str] = []

    raw = read_data(tmp_path, "python:make.py:rows", say=said.append)

    assert raw.frame["x"].tolist() == [1, 2]
    assert said == [f"running rows() of {tmp_path / 'make.py'}"]
    assert os.listdir(tmp_path) == ["make.py"]  # no bytecode beside it


def test_code_does_not_run_where_it_must_not(tmp_path):
    (tmp_path / "make.py").write_text("open('ran', 'w')")

    assert "must not run code here" in refusal(tmp_path, "python:make.py:rows", code=False)


def test_an_error_of_the_code_names_its_own_line(tmp_path):
    (tmp_path / "make.py").write_text(GENERATOR)

    assert "make.py:15: must return the rows, but raises ValueError" in refusal(tmp_path, "python:make.py:broken")


@pytest.mark.parametrize(
    ("code", "said"),
    [("def rows(:\n", "make.py:1:"), ("import sys\nsys.exit(3)\n", "make.py:2:"), ("import nothing_of_this_name", "make.py:1:")],
)
def test_code_that_does_not_load_is_refused_at_its_line(tmp_path, code, said):
    (tmp_path / "make.py").write_text(code)

    assert said in refusal(tmp_path, "python:make.py:rows")


def test_code_outside_the_folder_is_refused_even_behind_a_link(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "make.py").write_text("raise RuntimeError('it ran')")
    (tmp_path / "inside" / "make.py").symlink_to(tmp_path / "make.py")

    assert "outside of it" in refusal(tmp_path / "inside", "python:make.py:rows")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "a.csv")

    assert "a pipe or a device" in refusal(tmp_path, "a.csv")


def test_a_device_is_refused(tmp_path):
    (tmp_path / "a.csv").symlink_to("/dev/zero")

    assert "a pipe or a device" in refusal(tmp_path, "a.csv")


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    monkeypatch.setattr(files.os, "open", denied)  # root may read anything, so no mode of the file would do

    assert "cannot: Permission denied" in refusal(tmp_path, "a.csv")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    class Growing(io.FileIO):
        def read(self, size: int = -1) -> bytes:
            content = super().read(size)
            with path.open("a") as more:
                more.write("3,4\n")
            return content

    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n")
    monkeypatch.setattr(files, "open_regular", Growing)

    assert "must not change while it is read" in refusal(tmp_path, "a.csv")


def test_several_levels_of_names_are_refused():
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))

    assert "one level" in refusal(Path(), frame)


def test_a_column_of_lists_is_refused_with_its_name_and_row():
    assert "row 2 holds a value of type list" in refusal(Path(), pd.DataFrame({"x": [None, [1], 2]}))


SAME = pd.DataFrame({"x": ["1.5", "", "é"], "y": ["a", "b", "c"]}, dtype="str")


@pytest.mark.parametrize(
    "write", [{}, {"sep": ";"}, {"quoting": 1}, {"lineterminator": "\r\n"}, {"encoding": "utf-16"}, {"compression": "gzip"}]
)
def test_the_digest_is_of_the_data_however_the_file_is_written(tmp_path, write):
    SAME.to_csv(tmp_path / "a.csv", index=False, **write)

    assert read_data(tmp_path, "a.csv").digest == digest(SAME)


def test_parquet_and_memory_have_one_digest(tmp_path):
    FRAME.to_parquet(tmp_path / "a.parquet", compression="gzip", row_group_size=1)

    assert read_data(tmp_path, "a.parquet").digest == read_data(tmp_path, FRAME).digest


@pytest.mark.parametrize(
    "other",
    [
        SAME.rename(columns={"x": "z"}),
        SAME[["y", "x"]],
        SAME.iloc[::-1],
        SAME.iloc[:2],
        SAME.assign(x=["1.5", None, "é"]),
        SAME.assign(x=["1.5", "é", ""]),
        SAME.assign(x=["1.", "5", "é"]),
        SAME.assign(x=[1.5, 2, 3]),
        SAME.assign(more="x"),
    ],
)
def test_any_difference_in_the_data_gives_another_digest(other):
    assert digest(other) != digest(SAME)


def test_a_part_of_a_longer_column_has_the_digest_of_its_own():
    assert digest(SAME.iloc[1:].reset_index(drop=True)) == digest(pd.DataFrame({"x": ["", "é"], "y": ["b", "c"]}, dtype="str"))


LOADED = """
import sys
import zipfile
from pathlib import Path
from piste.core.problem import Problem
from piste.core.table import make_table
from piste.edges.sources import read
problem = Problem.model_validate({"data": "a.csv", "target": "y"})
make_table(problem, read(problem, Path(sys.argv[1])))
print(sorted({"torch", "mlflow", "sklearn", "scipy", "sqlalchemy", "openpyxl"} & set(sys.modules)))
"""


def test_reading_a_text_table_loads_nothing_heavy(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")

    done = subprocess.run([sys.executable, "-c", LOADED, str(tmp_path)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_path_is_named_without_detours_unless_these_lead_elsewhere(tmp_path):
    (tmp_path / "deep" / "folder").mkdir(parents=True)
    (tmp_path / "bikes").symlink_to(tmp_path / "deep" / "folder", target_is_directory=True)
    (tmp_path / "rows.csv").write_text("x,y\n1,2\n")
    assert read_data(tmp_path / "deep", "../rows.csv").path == str(tmp_path / "rows.csv")
    (tmp_path / "deep" / "rows.csv").write_text("x,y\n3,4\n")
    assert read_data(tmp_path / "bikes", "../rows.csv").frame["x"].tolist() == ["3"]
