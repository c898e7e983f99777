"""Where rows come from: files, databases, scikit-learn's own sets, the user's own code, frames in memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import sys
import traceback
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pandas as pd

from piste.core import cells
from piste.core.data import Raw
from piste.core.errors import Fault, PisteError, Place, either, near
from piste.core.problem import Data, Problem
from piste.edges import database, delimited
from piste.edges.header import check_width, named

MOST_BYTES = 1 << 30  # of a file once unpacked; more does not fit beside the models
GZIP = b"\x1f\x8b"
TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
JSON_LINES = (".jsonl", ".ndjson")
EXCEL = (".xlsx", ".xlsm")
SQLITE = (".sqlite", ".sqlite3", ".db")
ENDINGS = (*TEXT, *PARQUET, *JSON_LINES, *EXCEL, *SQLITE)


class Refused(ValueError):
    """Why a source cannot be read, in words that begin with "must"."""


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
        return _file(folder / data.path, data)
    except Refused as error:
        field = next(name for name in ("frame", "sklearn", "python", "url", "path") if getattr(data, name) is not None)
        raise PisteError(problem.fault(f"data.{field}", str(error))) from error
    except database.QueryError as error:
        raise PisteError(problem.fault("data.query", f"must give rows by one SELECT, but {error}")) from error


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
        _open(path).close()
        if not data.query:
            raise Refused(f"must come with a query, since '{path.name}' is a database: `data: {{path: {path.name}, query: SELECT ...}}`")
        return _signed(_database(str(path), database.read_sqlite(path, data.query)))
    if data.query:
        raise Refused(f"must be a database to have a query, but is '{path.name}'")
    content = _unpacked(_content(path))
    if ending.endswith(PARQUET):
        return _signed(_parquet(content, str(path)))
    if ending.endswith(JSON_LINES):
        return _signed(_json_lines(content, str(path)))
    if ending.endswith(EXCEL):
        return _signed(_excel(content, str(path), data.sheet))
    return _signed(delimited.parse(content, str(path), data))


def _open(path: Path) -> io.BufferedReader:
    """Open a regular file; anything else is refused before a byte of it is read, since a pipe would wait for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise Refused(f"must be a file, but there is no '{path}'.{near(path.name, beside)}") from error
    except OSError as error:
        raise Refused(f"must be a file that can be read, but '{path}' cannot: {error.strerror}") from error
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(kind) else "a pipe or a device"
        raise Refused(f"must be a file, but '{path}' is {what}")
    return os.fdopen(descriptor, "rb")


def _content(path: Path) -> bytes:
    """Read a file whole, and see that it held still."""
    with _open(path) as file:
        before = os.fstat(file.fileno())
        content = file.read()
        after = os.fstat(file.fileno())
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not still or (before.st_size and len(content) != before.st_size):
        raise Refused(f"must not change while it is read, but '{path}' does. Run again when it is written")
    if not content:
        raise PisteError(Fault("must hold a table, but is empty", "", Place(str(path))))
    return content


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"must be whole, but its gzip data are damaged: {error}") from error
    if len(unpacked) > MOST_BYTES:
        raise Refused(f"must unpack to at most {MOST_BYTES >> 20:,} MiB, but unpacks to more")
    return unpacked


def _parquet(content: bytes, path: str) -> Raw:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        meta = file.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if size > MOST_BYTES:
            raise Refused(f"must unpack to at most {MOST_BYTES >> 20:,} MiB, but holds {size >> 20:,} MiB")
        check_width(len(file.schema_arrow), Place(path))
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise Refused(f"must be parquet, but is not: {str(error).splitlines()[0]}") from error
    names = ["" if name.startswith("__index_level_") else name for name in table.column_names]
    order = sorted(range(len(names)), key=lambda i: names[i] != "")  # pandas writes its index last
    columns = {at: table.column(i).to_pandas() for at, i in enumerate(order)}
    return _settled(pd.DataFrame(columns), [names[i] for i in order], path)


def _json_lines(content: bytes, path: str) -> Raw:
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PisteError(
            Fault(f"must be utf-8, but byte 0x{content[error.start]:02X} does not belong in it", "", Place(path, line))
        ) from error
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            row = json.loads(written, object_pairs_hook=_object, parse_constant=_constant)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise PisteError(Fault(f"must hold one JSON object a line, but this line is none: {reason}", "", Place(path, line))) from error
        if not isinstance(row, dict):
            raise PisteError(Fault(f"must hold one JSON object a line, but this line holds a {type(row).__name__}", "", Place(path, line)))
        rows.append(row)
        lines.append(line)
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_width(len(names), Place(path))
    frame = pd.DataFrame({i: pd.Series([row.get(name) for row in rows], dtype=object) for i, name in enumerate(names)})
    return _settled(frame, names, path, lines=np.array(lines), word="line")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _constant(text: str) -> float | None:
    """Take NaN, which Python writes though JSON has none, for a missing value."""
    return None if text == "NaN" else float(text)


def _excel(content: bytes, path: str, sheet: str | None) -> Raw:
    import openpyxl

    try:
        size = sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(content)).infolist())
        if size > MOST_BYTES:
            raise Refused(f"must unpack to at most {MOST_BYTES >> 20:,} MiB, but unpacks to {size >> 20:,} MiB")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, openpyxl.utils.exceptions.InvalidFileException) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"must be an Excel workbook, but is not: {error}") from error
    if sheet is not None and sheet not in book.sheetnames:
        raise Refused(
            f"must name a sheet of the workbook, but there is no '{sheet}'.{near(sheet, book.sheetnames)} It has {either(book.sheetnames)}"
        )
    page = book[sheet] if sheet is not None else book.worksheets[0]
    rows = [(number, row) for number, row in enumerate(page.iter_rows(values_only=True), start=1) if any(cell is not None for cell in row)]
    if not rows:
        raise PisteError(Fault(f"must hold a table, but sheet '{page.title}' is empty", "", Place(path)))
    header_line, header = rows[0]
    width = max(i for _, row in rows for i, cell in enumerate(row, start=1) if cell is not None)
    check_width(width, Place(path, header_line))
    frame = pd.DataFrame({i: pd.Series([row[i] for _, row in rows[1:]], dtype=object) for i in range(width)})
    return _settled(
        frame, list(header[:width]), path, lines=np.array([number for number, _ in rows[1:]], dtype=int), header_line=header_line
    )


def _database(address: str, rows: database.Rows) -> Raw:
    check_width(len(rows[0]), Place(address))
    return _settled(database.frame_of(rows), rows[0], address)


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
    _open(path).close()
    say(f"running {function}() of {folder / file}")
    try:
        module = _module(path)
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


def _module(path: Path) -> ModuleType:
    """Run a file as a module under a name of its own, without leaving bytecode beside it."""
    name = f"piste_source_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # before it runs: a dataclass looks its module up there
    exec(compile(_content(path), str(path), "exec"), vars(module))
    return module


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
    return _settled(numbered, names, path)


def _settled(
    frame: pd.DataFrame,
    names: list[Any],
    path: str,
    *,
    lines: np.ndarray | None = None,
    header_line: int = 1,
    word: Literal["line", "row"] = "row",
) -> Raw:
    """Bring the columns of a typed source to plain types, and name them."""
    if frame.empty:
        raise PisteError(Fault("must hold rows, but holds none", "", Place(path)))
    at = np.arange(1, len(frame) + 1) if lines is None else lines
    columns: dict[int, pd.Series] = {}
    faults = []
    for i, name in enumerate(names):
        try:
            columns[i] = cells.settle(frame[i])
        except cells.UnsettledError as error:
            place = Place(path, int(at[error.row]) if word == "line" else 0)
            faults.append(
                Fault(f"must hold numbers, texts, dates or yes and no, but {word} {at[error.row]} holds {error}", str(name), place)
            )
    if faults:
        raise PisteError(*faults)
    clean, notes = named(pd.DataFrame(columns), names, Place(path))
    return Raw(clean, path, at, header_line, word=word, notes=notes)


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
