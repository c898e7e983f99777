"""Data files and columns that cannot work, each with what the one message must say."""

from __future__ import annotations

import gzip
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BadCase:
    """The files of a problem's folder, and fragments that the message must hold, in any order."""

    name: str
    files: dict[str, bytes | str]
    expected: tuple[str, ...]


def case(name: str, table: bytes | str, *expected: str, problem: str = "data: data.csv\ntarget: y\n", file: str = "data.csv") -> BadCase:
    """Return a case of one data file; by default data.csv with the target y."""
    return BadCase(name, {"problem.yaml": problem, file: table}, expected)


def lines(header: str, *rows: str, times: int = 1) -> str:
    """Return a text table whose rows are repeated."""
    return "\n".join([header, *rows * times]) + "\n"


def database() -> bytes:
    """Return an SQLite file with a table t(x, y)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript("CREATE TABLE t (x REAL, y REAL); INSERT INTO t VALUES (1, 2), (2, 3), (3, 5);")
        connection.close()
        return path.read_bytes()


def numbered(row: Callable[[int], str], n: int, *odd: tuple[int, str]) -> str:
    """Return the table x,y of n rows, of which some stand out: (row number from 0, its text)."""
    rows = [row(i) for i in range(n)]
    for at, text in odd:
        rows[at] = text
    return lines("x,y", *rows)


GOOD = numbered(lambda i: f"{i * i},{i}", 30)
DATED = lines("d,x,y", *(f"2020-01-{i:02d},{i * i},{i}" for i in range(1, 29)))
CLASSES = lines("x,y", "1,a", "2,b", "3,a", "4,b", times=5)

FILES = (
    case(
        "a file that is not there", GOOD, "problem.yaml:1", "there is no", "Did you mean 'data.csv'?", problem="data: dat.csv\ntarget: y\n"
    ),
    case(
        "a folder in place of a file", GOOD, "problem.yaml:1", "is a folder", problem="data: sub.csv\ntarget: y\n", file="sub.csv/data.csv"
    ),
    case("an empty file", "", "data.csv", "is empty"),
    case("blanks alone", " \n\n", "data.csv", "is empty"),
    case("a header alone", "x,y\n", "data.csv:1:", "holds none"),
    case("one row", "x,y\n1,2\n", "data.csv:1:", "at least 2 rows", "holds 1"),
    case(
        "another delimiter than it is told", GOOD, "data.csv:1:", "semicolon", problem='data: {path: data.csv, delimiter: ";"}\ntarget: y\n'
    ),
    case("a decimal comma in quotes", lines("x,y", '"1,5",1', '"2,25",2', times=9), "data.csv:2: x:", "decimal comma", "decimal: ','"),
    case("a comma that may part decimals or thousands", lines("x;y", "1,234;1", "5,678;2"), "data.csv:2: x:", "'1,234'", "decimal: '.'"),
    case("latin-1 unsaid", "x,y\nok,1\ncaf\xe9,2\n".encode("latin-1"), "data.csv:3:", "0xE9", "encoding: latin-1"),
    case("utf-16 without a mark", "x,y\n1,2\n3,4\n".encode("utf-16-le"), "data.csv:1:", "NUL", "utf-16-le"),
    case("a NUL byte", b"x,y\n1,2\n3\x00,4\n", "data.csv:3:", "NUL byte"),
    case("a web page", "<!DOCTYPE html>\n<html><body>404</body></html>\n", "data.csv:1:", "web page"),
    case("JSON named csv", '[{"x": 1, "y": 2}]\n', "data.csv:1:", "JSON", ".jsonl"),
    case("a workbook named csv", b"PK\x03\x04 and more", "data.csv", "Excel", ".xlsx"),
    case("parquet named csv", b"PAR1 and more", "data.csv", "parquet"),
    case("damaged gzip", gzip.compress(GOOD.encode())[:40], "problem.yaml:1", "gzip"),
    case("a comment above the names", "# made in 2020\n" + GOOD, "data.csv:2:", "but has 2", "line 1"),
    case("no names", lines("5.1,3.5", "4.9,3.0", "4.7,3.2"), "data.csv:1:", "name the columns", "'5.1'"),
    case("a row of units", lines("x,y", "mm,s", *(f"{i},{i}" for i in range(30))), "data.csv:2: x:", "'mm'", "missing: ['mm']"),
    case("a total below", numbered(lambda i: f"{i * i},{i}", 30, (29, "Total,406")), "data.csv:31: x:", "'Total'", "category"),
    case("a long row", numbered(lambda i: f"{i},{i}", 9, (4, "1,2,3")), "data.csv:6:", "2 cells", "has 3"),
    case("short rows", numbered(lambda i: f"{i},{i}", 9, (4, "1"), (6, "1")), "data.csv:6:", "has 1", "2 of 9 rows"),
    case("every row one cell longer than the names", lines("x,y", "1,2,3", "4,5,6"), "data.csv:2:", "every row has one more", "line 1"),
    case("a quote that is never closed", 'x,y\n1,2\n"3,4\n5,6\n', "data.csv:3:", "never closed"),
    case("a lone quote inside a quoted cell", 'x,y\n1,2\n"5" pipe",4\n', "data.csv:3:", "double a quote"),
    case("a cell of a megabyte", f"x,y\n1,2\n{'a' * 1_000_000},4\n", "data.csv:3:", "131,072 characters"),
    case("an unknown ending", GOOD, "problem.yaml:1", "'.csv'", "rows.dat", problem="data: rows.dat\ntarget: y\n", file="rows.dat"),
    case("an old workbook", GOOD, "problem.yaml:1", ".xlsx", problem="data: rows.xls\ntarget: y\n", file="rows.xls"),
    case("parquet that is none", b"PAR1rubbish", "problem.yaml:1", "parquet", problem="data: a.parquet\ntarget: y\n", file="a.parquet"),
    case("a workbook that is none", b"rubbish", "problem.yaml:1", "Excel", problem="data: a.xlsx\ntarget: y\n", file="a.xlsx"),
    case("a JSON line that is none", '{"x": 1, "y": 2}\n{"x": 1,\n', "a.jsonl:2:", problem="data: a.jsonl\ntarget: y\n", file="a.jsonl"),
    case(
        "a JSON line with a list", '{"x": [1], "y": 2}\n' * 3, "a.jsonl:1: x:", "list", problem="data: a.jsonl\ntarget: y\n", file="a.jsonl"
    ),
    case(
        "a JSON line with a name twice", '{"x": 1, "x": 2}\n', "a.jsonl:1:", "twice", problem="data: a.jsonl\ntarget: y\n", file="a.jsonl"
    ),
    case("a database without a query", database(), "problem.yaml:1", "query", problem="data: a.sqlite\ntarget: y\n", file="a.sqlite"),
    case(
        "two statements",
        database(),
        "problem.yaml:1",
        "more than one statement",
        problem="data: {path: a.sqlite, query: 'SELECT * FROM t; DROP TABLE t'}\ntarget: y\n",
        file="a.sqlite",
    ),
    case(
        "a query that changes rows",
        database(),
        "problem.yaml:1",
        "SELECT",
        "'DELETE'",
        problem="data: {path: a.sqlite, query: DELETE FROM t}\ntarget: y\n",
        file="a.sqlite",
    ),
    case(
        "a table that is not there",
        database(),
        "problem.yaml:1",
        "no such table",
        problem="data: {path: a.sqlite, query: SELECT * FROM u}\ntarget: y\n",
        file="a.sqlite",
    ),
    case(
        "a generator that raises",
        "def rows():\n    raise ValueError('no snow')\n",
        "make.py:2:",
        "ValueError: no snow",
        problem="data: python:make.py:rows\ntarget: y\n",
        file="make.py",
    ),
    case(
        "a generator that is not there",
        "def rows():\n    return 1\n",
        "problem.yaml:1",
        "'row'",
        "Did you mean 'rows'?",
        problem="data: python:make.py:row\ntarget: y\n",
        file="make.py",
    ),
    case(
        "a generator of something else",
        "def rows():\n    return [1]\n",
        "problem.yaml:1",
        "DataFrame",
        "list",
        problem="data: python:make.py:rows\ntarget: y\n",
        file="make.py",
    ),
)

COLUMNS = (
    case(
        "a target that is not there",
        GOOD,
        "problem.yaml:2",
        "target: no column 'z'",
        "data.csv (line 1)",
        problem="data: data.csv\ntarget: z\n",
    ),
    case("a target in another case", GOOD, "problem.yaml:2", "Did you mean 'y'?", problem="data: data.csv\ntarget: Y\n"),
    case("two columns of one name", lines("x,x,y", "1,2,3", "4,5,6"), "data.csv:1:", "2 are named 'x'", "columns 1 and 2"),
    case("the target twice", lines("x,y,y", "1,2,2", "4,5,5"), "data.csv:1:", "2 are named 'y'"),
    case("a column without a name", lines("x,,y", "1,2,3", "4,5,6"), "data.csv:1:", "column 2 has no name"),
    case("a line break in a name", 'x,"a\nb",y\n1,2,3\n4,5,6\n', "data.csv:1:", "line break"),
    case(
        "too many columns",
        lines(",".join(f"c{i}" for i in range(10_001)), ",".join("1" * 10_001), times=2),
        "data.csv:1:",
        "10,000",
        "10,001",
    ),
    case("the target alone", lines("y", "1", "2", "3"), "problem.yaml:1", "a column to learn from"),
    case("no column that varies", lines("x,y", "1,1", "1,2", "1,3"), "problem.yaml:1", "a column to learn from", "x: every row holds 1"),
    case("a constant target", lines("x,y", "1,5", "2,5"), "problem.yaml:2", "target", "every row holds 5"),
    case("a target that is always missing", lines("x,y", "1,", "2,"), "problem.yaml:2", "target", "missing"),
    case("a class with one row", CLASSES + "9,c\n", "problem.yaml:2", "'c'", "line 22", "missing: ['c']"),
    case(
        "classes that differ by case", lines("x,y", "1,yes", "2,Yes", "3,no", times=5), "problem.yaml:2", "'yes' (line 2)", "'Yes' (line 3)"
    ),
    case("classes that differ by a blank", lines("x,y", "1,p", "2,p ", "3,q", times=5), "problem.yaml:2", "'p' (line 2)", "'p ' (line 3)"),
    case(
        "fractions as classes",
        lines("x,y", "1,0.5", "2,1.5", "3,0.5", times=5),
        "problem.yaml:2",
        "0.5 (line 2)",
        "kind: numeric",
        problem="data: data.csv\ntarget: {column: y, kind: category}\n",
    ),
    case("more than a thousand classes", lines("x,y", *(f"{i},k{i}" for i in range(1001)), times=2), "problem.yaml:2", "1,000", "1,001"),
    case("text for regression", CLASSES, "problem.yaml:2", "'a'", "line 2", problem="data: data.csv\ntarget: {column: y, kind: numeric}\n"),
    case(
        "negative counts",
        lines("x,y", "1,0", "2,-3", "3,4"),
        "problem.yaml:2",
        "-3 (line 3)",
        "kind: numeric",
        problem="data: data.csv\ntarget: {column: y, kind: count}\n",
    ),
    case(
        "fractional counts",
        lines("x,y", "1,0", "2,3", "3,4.5"),
        "problem.yaml:2",
        "4.5 (line 4)",
        problem="data: data.csv\ntarget: {column: y, kind: count}\n",
    ),
    case(
        "three classes for a yes or no",
        lines("x,y", "1,a", "2,b", "3,c", times=5),
        "problem.yaml:2",
        "two classes",
        "holds 3",
        problem="data: data.csv\ntarget: {column: y, kind: binary}\n",
    ),
    case(
        "a positive class that is not there",
        CLASSES,
        "problem.yaml:2",
        "target.positive",
        "'a' or 'b'",
        "'c'",
        problem="data: data.csv\ntarget: {column: y, positive: c}\n",
    ),
    case(
        "a target that is mostly numbers",
        numbered(lambda i: f"{i * i},{i}", 30, (3, "9,many")),
        "problem.yaml:2",
        "'many' (line 5)",
        "1 of 30",
    ),
    case("dates as target", lines("x,y", "1,2020-01-01", "2,2020-01-02", "3,2020-01-03"), "problem.yaml:2", "dates", "days"),
    case("infinity", numbered(lambda i: f"{i * i},{i}", 30, (2, "inf,2")), "data.csv:4: x:", "'inf'", "finite"),
    case("a number at the end of floats", numbered(lambda i: f"{i * i},{i}", 30, (2, "1e308,2")), "data.csv:4: x:", "'1e308'", "1e300"),
    case("an infinite target", numbered(lambda i: f"{i * i},{i}", 30, (2, "2,1e999")), "problem.yaml:2", "line 4", "finite"),
    case(
        "numbers and some text", numbered(lambda i: f"{i * i},{i}", 30, (5, "low,5")), "data.csv:7: x:", "'low'", "columns: {x: category}"
    ),
    case(
        "thousands with and without a comma",
        lines("x,y", '"1,200",1', '"3,400",2', "5600,3", times=9),
        "data.csv:4: x:",
        "'5600'",
        "'1,200'",
    ),
    case("two currencies", lines("x,y", "$5,1", "$7,2", "€6,3", times=9), "data.csv:4: x:", "'€6'", "'$5'"),
    case("yes and no in several ways", lines("x,y", "true,1", "1,2", "no,3", times=9), "data.csv:3: x:", "'true' (line 2)", "'1' (line 3)"),
    case(
        "mixed dates",
        lines("x,y", "2020-01-01,1", "02/13/2020,2", "2020-01-03,3", times=9),
        "data.csv:3: x:",
        "'02/13/2020'",
        "year-month-day",
    ),
    case("dates of two readings", lines("x,y", "01/02/2020,1", "03/04/2020,2", times=9), "data.csv:2: x:", "2020-02-01 or 2020-01-02"),
    case("mostly dates", DATED.replace("2020-01-05", "soon"), "data.csv:6: d:", "'soon'", "2020-01-01"),
    case("time zones here and there", DATED.replace("2020-01-05", "2020-01-05T10:00Z"), "data.csv:2: d:", "time zone"),
    case(
        "a declared number that is none",
        lines("x,z,y", "a,1,1", "7,4,2", "b,5,3"),
        "problem.yaml:3",
        "columns.x",
        "2 of 3 cells",
        "'a' (line 2)",
        problem="data: data.csv\ntarget: y\ncolumns: {x: number}\n",
    ),
    case(
        "a declared date that is none",
        lines("x,z,y", "soon,1,1", "2020-01-01,4,2"),
        "problem.yaml:3",
        "columns.x",
        "dates",
        "'soon' (line 2)",
        problem="data: data.csv\ntarget: y\ncolumns: {x: datetime}\n",
    ),
    case(
        "a kind for no column",
        GOOD,
        "problem.yaml:3",
        "columns: no column 'xx'",
        "Did you mean 'x'",
        problem="data: data.csv\ntarget: y\ncolumns: {xx: number}\n",
    ),
    case("a weight that is not there", GOOD, "problem.yaml:3", "weight: no column 'w'", problem="data: data.csv\ntarget: y\nweight: w\n"),
    case(
        "a negative weight",
        lines("x,w,y", "1,1,1", "2,-1,2", "3,1,3"),
        "problem.yaml:3",
        "weight",
        "-1 in line 3",
        problem="data: data.csv\ntarget: y\nweight: w\n",
    ),
    case(
        "a missing weight",
        lines("x,w,y", "1,1,1", "2,,2", "3,1,3"),
        "problem.yaml:3",
        "weight",
        "missing in line 3",
        problem="data: data.csv\ntarget: y\nweight: w\n",
    ),
    case(
        "weights all 0",
        lines("x,w,y", "1,0,1", "2,0,2", "3,0,3"),
        "problem.yaml:3",
        "weight",
        "0 in every row",
        problem="data: data.csv\ntarget: y\nweight: w\n",
    ),
    case(
        "words as weight",
        lines("x,w,y", "1,much,1", "2,little,2"),
        "problem.yaml:3",
        "'much' (line 2)",
        problem="data: data.csv\ntarget: y\nweight: w\n",
    ),
    case(
        "something not known after",
        GOOD,
        "problem.yaml:3",
        "known_at.after: no column 'scans'",
        problem="data: data.csv\ntarget: y\nknown_at: {after: [scans]}\n",
    ),
    case(
        "an added column of nothing",
        GOOD,
        "problem.yaml:3",
        "add.z",
        "'xx'",
        "Did you mean 'x'",
        problem="data: data.csv\ntarget: y\nadd: {z: log(xx)}\n",
    ),
    case(
        "an added column that is there", GOOD, "problem.yaml:3", "add.x", "new name", problem="data: data.csv\ntarget: y\nadd: {x: y * 2}\n"
    ),
    case(
        "added columns upside down",
        GOOD,
        "problem.yaml:4",
        "add.a",
        "'b'",
        "move it up",
        problem="data: data.csv\ntarget: y\nadd:\n  a: b + 1\n  b: x\n",
    ),
    case("arithmetic on text", CLASSES, "problem.yaml:3", "add.z", "'y'", problem="data: data.csv\ntarget: x\nadd: {z: y + 1}\n"),
    case(
        "a unit that names two rows",
        lines("run,day,x,y", "a,1,1,1", "b,1,2,2", "a,2,3,3", "a,1,4,4"),
        "problem.yaml:3",
        "unit",
        "lines 2 and 5",
        "run 'a' and day 1",
        problem="data: data.csv\ntarget: y\nunit: [run, day]\n",
    ),
)

SPLITS = (
    case(
        "years as time",
        lines("t,x,y", "2019,1,1", "2020,2,2", "2021,3,3"),
        "problem.yaml:3",
        "time",
        "'2019' (line 2)",
        problem="data: data.csv\ntarget: y\ntime: t\n",
    ),
    case(
        "quarters as time",
        lines("t,x,y", "2019Q1,1,1", "2019Q2,2,2"),
        "problem.yaml:3",
        "time",
        "year-month-day",
        problem="data: data.csv\ntarget: y\ntime: t\n",
    ),
    case("a time that is not there", DATED, "problem.yaml:3", "time: no column 'date'", problem="data: data.csv\ntarget: y\ntime: date\n"),
    case(
        "a missing time",
        DATED.replace("2020-01-05", ""),
        "problem.yaml:3",
        "time",
        "line 6",
        problem="data: data.csv\ntarget: y\ntime: d\n",
    ),
    case(
        "a missing group",
        lines("g,x,y", "a,1,1", ",2,2", "b,3,3"),
        "problem.yaml:3",
        "split.together",
        "line 3",
        problem="data: data.csv\ntarget: y\nsplit: {together: g}\n",
    ),
    case("a group that is not there", GOOD, "problem.yaml:3", "no column 'g'", problem="data: data.csv\ntarget: y\nsplit: {together: g}\n"),
    case(
        "a fold column that is not there",
        GOOD,
        "problem.yaml:3",
        "no column 'fold'",
        problem="data: data.csv\ntarget: y\nsplit: {scheme: predefined, by: fold}\n",
    ),
    case(
        "a period of no time",
        GOOD,
        "problem.yaml:3",
        "split.by",
        "time: COLUMN",
        problem="data: data.csv\ntarget: y\nsplit: {scheme: leave_one_out, by: month}\n",
    ),
)

CASES = (*FILES, *COLUMNS, *SPLITS)
