"""Where rows come from: files, databases, scikit-learn's own sets, the user's own code, frames in memory."""

from __future__ import annotations

import hashlib
import json
import os
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from piste.core.data import Raw
from piste.core.errors import Fault, PisteError, Place, either, near
from piste.core.problem import Data, Problem
from piste.edges import database, delimited, formats
from piste.edges.code import module_of
from piste.edges.files import Refused, content_of, open_regular
from piste.edges.header import check_width

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
JSON_LINES = (".jsonl", ".ndjson")
EXCEL = (".xlsx", ".xlsm")
SQLITE = (".sqlite", ".sqlite3", ".db")
ENDINGS = (*TEXT, *PARQUET, *JSON_LINES, *EXCEL, *SQLITE)


def silent(_: str) -> None:
    """Say nothing: the default of `read`."""


def read(problem: Problem, folder: Path, *, code: bool = True, say: Callable[[str], None] = silent) -> Raw:
    """Read the rows of a problem.

    Args:
        problem: names the source.
        folder: of the problem; relative paths start there.
        code: whether the user's own code may run.
        say: told when it does.

    Raises:
        PisteError: the source is not there, is not what it is said to be, or holds rows that cannot be read.
    """
    data = problem.data
    try:
        if data.frame is not None:
            return _signed(_from_frame(data.frame, "the frame"))
        if data.sklearn is not None:
            return _signed(_sklearn(data.sklearn))
        if data.python is not None:
            return _signed(_generated(data.python, folder, code=code, say=say))
        if data.url is not None:
            return _signed(_database(*database.read_url(data.url, data.query or "", folder)))
        assert data.path is not None, "the schema asks for one source"
        return _file(_plain(folder / data.path), data)
    except Refused as error:
        field = next(name for name in ("frame", "sklearn", "python", "url", "path") if getattr(data, name) is not None)
        raise PisteError(problem.fault(f"data.{field}", str(error))) from error
    except database.QueryError as error:
        raise PisteError(problem.fault("data.query", f"must give rows by one SELECT, but {error}")) from error


def _plain(path: Path) -> Path:
    """Return a path without the detours that lead nowhere else: "bikes/../hour.csv" is "hour.csv"."""
    straight = Path(os.path.normpath(path))
    return straight if straight.exists() and path.exists() and straight.samefile(path) else path


def read_file(path: Path, data: Data | None = None) -> Raw:
    """Read rows that belong to no problem, such as those to predict, from a file of any kind that a problem may name.

    Args:
        path: of a regular file.
        data: how it is written, where that is not plain.

    Raises:
        PisteError: it cannot be read; the place says where.
    """
    try:
        return _file(path, data or Data.model_validate(str(path)))
    except (Refused, database.QueryError) as error:
        raise PisteError(Fault(str(error), "", Place(str(path)))) from error


def _file(path: Path, data: Data) -> Raw:
    """Read a file by its ending."""
    ending = path.name.lower().removesuffix(".gz")
    if not ending.endswith(ENDINGS):
        kinds = either(ENDINGS)
        raise Refused(f"must end in {kinds}, but is '{path.name}'{' (save an old workbook as .xlsx)' if ending.endswith('.xls') else ''}")
    if ending.endswith(SQLITE):
        open_regular(path).close()
        if not data.query:
            raise Refused(f"must come with a query, since '{path.name}' is a database: `data: {{path: {path.name}, query: SELECT ...}}`")
        return _signed(_database(str(path), database.read_sqlite(path, data.query)))
    if data.query:
        raise Refused(f"must be a database to have a query, but is '{path.name}'")
    content = content_of(path)
    if ending.endswith(PARQUET):
        return _signed(formats.parquet(content, str(path)))
    if ending.endswith(JSON_LINES):
        return _signed(formats.json_lines(content, str(path)))
    if ending.endswith(EXCEL):
        return _signed(formats.excel(content, str(path), data.sheet))
    return _signed(delimited.parse(content, str(path), data))


def _database(address: str, rows: database.Rows) -> Raw:
    check_width(len(rows[0]), Place(address))
    return formats.settled(database.frame_of(rows), rows[0], address)


def _sklearn(name: str) -> Raw:
    from sklearn import datasets

    plain = {"scaled": False} if name == "diabetes" else {}  # the scaled form has seen every row
    bunch = getattr(datasets, f"load_{name}")(as_frame=True, **plain)
    frame = bunch.frame
    if "target" in frame and "target_names" in bunch:
        frame = frame.assign(target=[str(bunch.target_names[code]) for code in frame["target"]])
    return _from_frame(frame, f"sklearn:{name}")


def _generated(reference: str, folder: Path, *, code: bool, say: Callable[[str], None]) -> Raw:
    """Run the user's own function for the rows."""
    file, _, function = reference.rpartition(":")
    if not code:
        raise Refused(f"must not run code here, but '{reference}' is code")
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise Refused(f"must be a file in the problem's own folder, but '{file}' is outside of it")
    open_regular(path).close()
    say(f"running {function}() of {folder / file}")
    try:
        module = module_of(path)
        if not callable(getattr(module, function, None)):
            known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
            raise Refused(f"must name a function of {file}, but there is no '{function}' in it.{near(function, known)}")
        frame = getattr(module, function)()
    except Refused:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything; it is reported as theirs
        raise PisteError(_own_fault(error, path, folder / file)) from error
    if not isinstance(frame, pd.DataFrame):
        raise Refused(f"must return a pandas DataFrame, but {function}() of {file} returns a {type(frame).__name__}")
    return _from_frame(frame, str(folder / file))


def _own_fault(error: BaseException, path: Path, shown: Path) -> Fault:
    """Word an error of the user's code: its last line in their file."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Fault(f"must be Python, but is not: {error.msg}", "", Place(str(shown), error.lineno or 0))
    own = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    said = " ".join(str(error).split())
    return Fault(
        f"must return the rows, but raises {type(error).__name__}{f': {said}' if said else ''}",
        "",
        Place(str(shown), own[-1] or 0 if own else 0),
    )


def _from_frame(frame: pd.DataFrame, path: str) -> Raw:
    if isinstance(frame.columns, pd.MultiIndex):
        raise Refused("must have one level of column names, but has several")
    check_width(frame.shape[1], Place(path))
    names = list(frame.columns)
    numbered = pd.DataFrame({i: frame.iloc[:, i].reset_index(drop=True) for i in range(len(names))})
    return formats.settled(numbered, names, path)


def _signed(raw: Raw) -> Raw:
    return replace(raw, digest=digest(raw.frame))


def digest(frame: pd.DataFrame) -> str:
    """Return the sha256 of all cells, names and types: 64 hexadecimal digits, the same however a file packs them.

    Every part goes in with its length, so that no two tables run together into one.
    """
    seal = hashlib.sha256(f"{len(frame)} rows".encode())
    for name, values in frame.items():
        seal.update(json.dumps([name, str(values.dtype.kind if isinstance(values.dtype, np.dtype) else values.dtype)]).encode())
        missing = values.isna().to_numpy()
        seal.update(np.packbits(missing).tobytes())
        if isinstance(values.dtype, pd.StringDtype):
            for part in _packed(values):
                seal.update(part)
        elif pd.api.types.is_datetime64_any_dtype(values):
            seal.update(values.astype("datetime64[us]").to_numpy().astype("<i8").tobytes())
        else:
            plain = values.to_numpy(dtype=float, na_value=0.0) if values.dtype == "boolean" else values.to_numpy()
            plain = np.where(missing, 0, plain) + 0  # one NaN, one zero
            seal.update(plain.astype(plain.dtype.newbyteorder("<")).tobytes())
    return seal.hexdigest()


def _packed(texts: pd.Series) -> tuple[bytes, bytes]:
    """Return the length of every text, and all texts on end, in UTF-8."""
    import pyarrow as pa

    column = pa.array(texts.fillna(""), pa.large_string())
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    _, starts, content = column.buffers()
    ends = np.frombuffer(starts, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    return np.diff(ends).astype("<i8").tobytes(), content.to_pybytes()[ends[0] : ends[-1]] if content else b""
