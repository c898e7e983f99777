"""Text tables: cells between delimiters, read as text, with the line of every row."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from piste.core.data import Raw
from piste.core.errors import Fault, PisteError, Place
from piste.core.problem import Data
from piste.edges.header import check_width, named

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SNIFFED_ROWS = 200
CHUNK_ROWS = 8192  # bounds the memory that cells take before they are packed
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FOREIGN = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", ". Name an Excel workbook .xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", ". Save it as .xlsx or .csv"),
    (b"PAR1", "parquet", ". Name it .parquet"),
    (b"SQLite format 3\x00", "an SQLite database", ". Name it .sqlite, and give a query"),
    (b"%PDF", "a PDF", ""),
    (b"BZh", "compressed by bzip2", ". Unpack it, or use gzip"),
    (b"\xfd7zXZ", "compressed by xz", ". Unpack it, or use gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", ". Unpack it, or use gzip"),
)  # fmt: skip


def parse(content: bytes, path: str, data: Data) -> Raw:
    """Read a text table.

    Args:
        content: of the file, unpacked.
        path: how faults name it.
        data: delimiter, encoding and decimal mark, where given.

    Raises:
        PisteError: it is no text table, its encoding is another, its rows differ in length, a quote is not closed, or
            its names cannot stand; the line says where.
    """
    text = _decode(content, path, data.encoding)
    if not text.strip():
        raise PisteError(Fault("must hold a table, but is empty", "", Place(path)))
    delimiter = data.delimiter or _sniff(text)
    rows = _rows(text, delimiter, path)
    header_line, header = next(rows)
    place = Place(path, header_line)
    if data.delimiter is not None and len(header) == 1:
        raise PisteError(Fault(f"must be parted by the {_name(delimiter)} that `data` gives, but line {header_line} holds none", "", place))
    check_width(len(header), place)
    frame, lines = _cells(rows, header, header_line, delimiter, path)
    _refuse_headless(header, place)
    frame, notes = named(frame, header, place)
    if frame.empty:
        raise PisteError(Fault("must hold rows below the names, but holds none", "", place))
    decimal = data.decimal or ("." if delimiter == "," else None)
    return Raw(frame, path, lines, header_line, decimal=decimal, notes=notes)


def _decode(content: bytes, path: str, encoding: str | None) -> str:
    for magic, name, advice in FOREIGN:
        if content.startswith(magic):
            raise PisteError(Fault(f"must be a text table, but is {name}{advice}", "", Place(path)))
    marked = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), None)
    wanted = marked or encoding or "utf-8"
    try:
        text = content.decode(wanted)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        advice = "" if encoding else f". Say how it is written: `data: {{path: {path.rpartition('/')[2]}, encoding: latin-1}}` (or cp1252)"
        message = f"must be {wanted}, but byte 0x{content[error.start]:02X} does not belong in it{advice}"
        raise PisteError(Fault(message, "", Place(path, line))) from error
    _refuse_other_texts(text, path)
    return text


def _refuse_other_texts(text: str, path: str) -> None:
    nul = text.find("\0")
    if nul >= 0:
        advice = ". If it is UTF-16, say so: `data: {path: ..., encoding: utf-16-le}`" if text.count("\0") > len(text) // 4 else ""
        raise PisteError(Fault(f"must be text, but holds a NUL byte{advice}", "", Place(path, text.count("\n", 0, nul) + 1)))
    start = text[:2000].lstrip()
    if re.match(r"<(!doctype|html|\?xml|head|body)\b", start, re.IGNORECASE):
        raise PisteError(
            Fault("must be a text table, but is a web page (HTML) or XML: perhaps the error page of a download", "", Place(path, 1))
        )
    if re.match(r"(\{\s*(\"|\}|$)|\[\s*(\{|\[|\]|\"|$))", start):
        raise PisteError(Fault("must be a text table, but is JSON. One object a line is read from a file named .jsonl", "", Place(path, 1)))


def _rows(text: str, delimiter: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line where each row starts, and its cells; blank lines are passed over.

    Any end of line will do, and a cell in quotes may hold line ends: lines are counted as editors count them.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise PisteError(_quote_fault(str(error), line, reader.line_num, path)) from error


def _quote_fault(error: str, start: int, end: int, path: str) -> Fault:
    if "end of data" in error:
        return Fault("must close every quote, but the one that opens in this row is never closed", "", Place(path, start))
    if "field larger" in error:
        return Fault(
            f"must hold cells of at most {csv.field_size_limit():,} characters, but one is longer: perhaps a quote is not closed",
            "",
            Place(path, start),
        )
    return Fault('must double a quote inside a quoted cell ("5"" pipe"), but one stands alone', "", Place(path, end))


def _sniff(text: str) -> str:
    """Find the delimiter: the one by which most of the first rows have as many cells, over one, as the names."""
    best, most = ",", (0.0, 0)
    head = text[: 64 * SNIFFED_ROWS * 100]
    for delimiter in DELIMITERS:
        widths = _widths(head, delimiter)
        if not widths or widths[0] < 2:
            continue
        score = (round(sum(width == widths[0] for width in widths) / len(widths), 1), widths[0])
        if score > most:
            best, most = delimiter, score
    return best


def _widths(text: str, delimiter: str) -> list[int]:
    """Count the cells of the first rows; a broken quote ends the count and is reported later, when all rows are read."""
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True):
            widths += [len(row)] if row else []
            if len(widths) == SNIFFED_ROWS:
                break
    except csv.Error:
        return widths
    return widths


def _cells(
    rows: Iterator[tuple[int, list[str]]], header: Sequence[str], header_line: int, delimiter: str, path: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Pack the rows into text columns, and refuse rows of another length."""
    width, lines, odd = len(header), [], []
    chunks: list[pd.DataFrame] = []
    pending: list[list[str]] = []
    total = 0
    for line, row in rows:
        total += 1
        if len(row) != width:
            odd.append((line, len(row)))
            continue
        lines.append(line)
        pending.append(row)
        if len(pending) == CHUNK_ROWS:
            chunks.append(_packed(pending, width))
            pending = []
    if odd:
        raise PisteError(_length_fault(odd, total, width, header_line, delimiter, path))
    chunks.append(_packed(pending, width))
    return pd.concat(chunks, ignore_index=True), np.array(lines, dtype=np.int64)


def _packed(rows: Sequence[Sequence[str]], width: int) -> pd.DataFrame:
    columns = zip(*rows, strict=True) if rows else [()] * width
    return pd.DataFrame({i: pd.array(list(cells), dtype="str") for i, cells in enumerate(columns)})


def _length_fault(odd: Sequence[tuple[int, int]], total: int, width: int, header_line: int, delimiter: str, path: str) -> Fault:
    line, found = odd[0]
    names = f"{width} cell{'s' * (width > 1)} like the names in line {header_line}"
    others = f"; {len(odd):,} of {total:,} rows differ" if len(odd) > 1 else ""
    if width == 1:
        advice = f"say `data: {{path: ..., delimiter: ...}}`, or, if line {header_line} does not name the columns, remove it"
    elif len(odd) == total > 1 and {cells for _, cells in odd} == {width + 1}:
        message = f"must have {names}, but every row has one more. Name the extra column in line {header_line}, or remove it"
        return Fault(message, "", Place(path, line))
    elif found > width:
        advice = f"put cells that hold a {_name(delimiter)} in quotes"
    else:
        advice = "fill the row up, or remove it"
    return Fault(f"must have {names}, but has {found}{others}. To mend it, {advice}", "", Place(path, line))


def _refuse_headless(header: Sequence[str], place: Place) -> None:
    numbers = [cell for cell in header if NUMBER.fullmatch(cell.strip())]
    if len(numbers) * 2 > len(header) and any("." in cell for cell in numbers):
        shown = " and ".join(f"'{cell}'" for cell in numbers[:2])
        raise PisteError(Fault(f"must name the columns, but holds numbers such as {shown}. Add a line of names", "", place))


def _name(delimiter: str) -> str:
    return DELIMITERS.get(delimiter, f"'{delimiter}'")
