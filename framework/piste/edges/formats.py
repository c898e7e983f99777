"""Files that type their cells: parquet, JSON lines, Excel workbooks."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from typing import Any, Literal

import numpy as np
import pandas as pd

from piste.core import notation
from piste.core.data import Raw
from piste.core.errors import Fault, PisteError, Place, either, near
from piste.edges import files
from piste.edges.files import Refused
from piste.edges.header import check_width, named

OLD_OFFICE = b"\xd0\xcf\x11\xe0"


def parquet(content: bytes, path: str) -> Raw:
    """Read a parquet file; the index that pandas keeps in it counts as a first column without a name.

    Raises:
        Refused: it is none, or unpacks to too much.
        PisteError: its columns cannot stand.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        meta = file.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if size > files.MOST_BYTES:
            raise Refused(f"must unpack to at most {files.MOST_BYTES >> 20:,} MiB, but holds {size >> 20:,} MiB")
        check_width(len(file.schema_arrow), Place(path))
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise Refused(f"must be parquet, but is not: {str(error).splitlines()[0]}") from error
    names = ["" if name.startswith("__index_level_") else name for name in table.column_names]
    order = sorted(range(len(names)), key=lambda i: names[i] != "")  # pandas writes its index last
    columns = {at: table.column(i).to_pandas() for at, i in enumerate(order)}
    return settled(pd.DataFrame(columns), [names[i] for i in order], path)


def json_lines(content: bytes, path: str) -> Raw:
    """Read JSON objects, one a line; the columns are all names that occur, in the order of their first.

    Raises:
        PisteError: a line holds something else, or a column cannot stand; the line says where.
    """
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
    return settled(frame, names, path, lines=np.array(lines), word="line")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _constant(text: str) -> float | None:
    """Take NaN, which Python writes though JSON has none, for a missing value."""
    return None if text == "NaN" else float(text)


def excel(content: bytes, path: str, sheet: str | None) -> Raw:
    """Read a sheet of a workbook, the first where none is named; its first row that holds anything has the names.

    Raises:
        Refused: it is no workbook, has no such sheet, or unpacks to too much.
        PisteError: the sheet is empty, or its columns cannot stand.
    """
    if content.startswith(OLD_OFFICE):
        raise Refused("must be a workbook of .xlsx, but is an older one or locked by a password. Save it as a plain .xlsx")
    try:
        rows = _workbook_rows(content, sheet)
    except Refused:
        raise
    except Exception as error:  # a damaged workbook makes openpyxl raise whatever its parsing stumbles over
        raise Refused(f"must be an Excel workbook, but cannot be read as one: {' '.join(str(error).split())}") from error
    if not rows:
        raise PisteError(Fault("must hold a table, but the sheet is empty", "", Place(path)))
    header_line = rows[0][0]
    width = max(i for _, row in rows for i, cell in enumerate(row, start=1) if cell is not None)
    check_width(width, Place(path, header_line))
    padded = [(*row, *[None] * width)[:width] for _, row in rows]
    frame = pd.DataFrame({i: pd.Series([row[i] for row in padded[1:]], dtype=object) for i in range(width)})
    return settled(frame, list(padded[0]), path, lines=np.array([number for number, _ in rows[1:]], dtype=int), header_line=header_line)


def _workbook_rows(content: bytes, sheet: str | None) -> list[tuple[int, tuple[Any, ...]]]:
    """Return the rows of a sheet that hold anything, each with its number."""
    import openpyxl

    size = sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(content)).infolist())
    if size > files.MOST_BYTES:
        raise Refused(f"must unpack to at most {files.MOST_BYTES >> 20:,} MiB, but unpacks to {size >> 20:,} MiB")
    with warnings.catch_warnings(action="ignore"):  # of styles and validations, which no table needs
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        names = book.sheetnames
        if sheet is not None and sheet not in names:
            raise Refused(f"must name a sheet of the workbook, but there is no '{sheet}'.{near(sheet, names)} It has {either(names)}")
        page = book[sheet] if sheet is not None else book.worksheets[0]
        numbered = enumerate(page.iter_rows(values_only=True), start=1)
        return [(number, row) for number, row in numbered if any(cell is not None for cell in row)]


def settled(
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
            columns[i] = notation.settle(frame[i])
        except notation.UnsettledError as error:
            place = Place(path, int(at[error.row]) if word == "line" else 0)
            faults.append(
                Fault(f"must hold numbers, texts, dates or yes and no, but {word} {at[error.row]} holds {error}", str(name), place)
            )
    if faults:
        raise PisteError(*faults)
    clean, notes = named(pd.DataFrame(columns), names, Place(path))
    return Raw(clean, path, at, header_line, word=word, notes=notes)
