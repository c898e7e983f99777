"""How the cells of one column are read: as numbers, categories, booleans or dates, and which of them cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from piste.core.problem import ColumnKind

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "?", "-", "#N/A")  # in place of a number or a date
MISSING_TEXT = ("", "?")  # in place of a category: there, "NA" or "None" is a level like any other
TRUTHS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}  # what is taken for a boolean unasked
DECLARED_TRUTHS = TRUTHS | {"1": 1.0, "0": 0.0, "t": 1.0, "f": 0.0, "y": 1.0, "n": 0.0}
LARGEST = 1e300  # sums of squares of anything larger overflow
CURRENCIES = "$€£¥"
LONGEST_SHOWN = 60  # characters of a cell in a message

ISO = "ISO8601"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_OFFSET = r":[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})$"
_DAYS = (
    "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
    "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DIRECTIVES = {
    "%Y": r"[0-9]{4}", "%y": r"[0-9]{2}", "%m": r"[0-9]{1,2}", "%d": r"[0-9]{1,2}", "%b": "[A-Za-z]{3}", "%B": "[A-Za-z]{3,9}",
    "%H": r"[0-9]{1,2}", "%I": r"[0-9]{1,2}", "%M": r"[0-9]{2}", "%S": r"[0-9]{2}", "%p": "[AaPp][Mm]",
}  # fmt: skip


def _date_pattern(form: str) -> str:
    pattern = re.escape(form).replace(r"\ ", " ")
    for directive, expression in _DIRECTIVES.items():
        pattern = pattern.replace(directive, expression)
    return pattern


DATE_PATTERNS = {ISO: _ISO, **{form: _date_pattern(form) for form in (*(day + time for day in _DAYS for time in _TIMES), "%Y%m%d")}}


@dataclass(frozen=True, slots=True)
class Form:
    """How a column is written, so that new rows are read as the old ones were; plain values only."""

    kind: ColumnKind
    missing: tuple[str, ...] = MISSING
    decimal: str = "."
    thousands: str = ""
    prefix: str = ""  # a currency sign that every cell carries
    suffix: str = ""  # a currency sign or "%" that every cell carries
    date: str = ISO  # or as strptime writes it
    offset: str = ""  # from UTC, of the clock that the dates are on, where they say

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> Form:
        """Read what `to_json` wrote."""
        return Form(**{**state, "missing": tuple(state["missing"])})


@dataclass(frozen=True, slots=True)
class Cells:
    """The distinct texts of a column, blanks around them removed, and which of them stands in each row."""

    distinct: pd.Series  # (n_distinct,) str
    codes: np.ndarray  # (n_rows,) int; -1 where missing

    @staticmethod
    def of(values: pd.Series, missing: Iterable[str]) -> Cells:
        """Take the texts of a column.

        Args:
            values: (n_rows,) str.
            missing: texts that stand for a missing value.
        """
        codes, distinct = pd.factorize(values.str.strip())
        return Cells(pd.Series(distinct, dtype="str"), codes).without(missing)

    def without(self, missing: Iterable[str]) -> Cells:
        """Take more texts for missing values."""
        gone = self.distinct.isin(list(missing)).to_numpy()
        if not gone.any():
            return self
        renumbered = np.append(np.where(gone, -1, np.cumsum(~gone) - 1), -1)  # the last serves code -1
        return Cells(self.distinct[~gone].reset_index(drop=True), renumbered[self.codes])

    @property
    def counts(self) -> np.ndarray:
        """Return how often each distinct text occurs."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.distinct))

    @property
    def total(self) -> int:
        """Return the number of cells that are not missing."""
        return int((self.codes >= 0).sum())

    def row(self, distinct: int) -> int:
        """Return the first row that holds a distinct text."""
        return int(np.argmax(self.codes == distinct))

    def spread(self, values: np.ndarray, missing: Any = np.nan) -> np.ndarray:
        """Return the value of each row, given that of each distinct text."""
        spread: np.ndarray = np.append(values, np.asarray([missing], dtype=values.dtype))[self.codes]
        return spread


@dataclass(frozen=True, slots=True)
class Readout:
    """A column as it was read."""

    values: pd.Series  # (n_rows,) float64, str or datetime64
    unread: np.ndarray  # (n_rows,) mask: cells that hold something else


def read(values: pd.Series, form: Form) -> Readout:
    """Read a column in a given form.

    Args:
        values: (n_rows,) text, or numbers, booleans or dates, as `settle` returns them.
        form: how it is written.
    """
    if form.kind in ("category", "identifier", "drop"):
        return Readout(_texts(values, form), np.zeros(len(values), dtype=bool))
    native = _native(values, form)
    if native is not None:
        return native
    cells = Cells.of(as_text(values), form.missing)
    if form.kind == "datetime":
        found = dates(cells.distinct, form)
        times = pd.Series(pd.Series(found.to_numpy()).reindex(cells.codes).to_numpy())
        return Readout(times, times.isna().to_numpy() & (cells.codes >= 0))
    if form.kind == "boolean":
        numbers = cells.distinct.str.casefold().map(DECLARED_TRUTHS).to_numpy(dtype=float)
    else:
        numbers = as_numbers(cells.distinct, form)
    spread = cells.spread(numbers)
    return Readout(pd.Series(spread), np.isnan(spread) & (cells.codes >= 0))


def _native(values: pd.Series, form: Form) -> Readout | None:
    """Read a column whose source has typed it as wanted; None where it has not."""
    is_bool, is_number = pd.api.types.is_bool_dtype(values), pd.api.types.is_numeric_dtype(values)
    if form.kind == "datetime" and pd.api.types.is_datetime64_any_dtype(values):
        return Readout(values, np.zeros(len(values), dtype=bool))
    if is_bool if form.kind == "boolean" else form.kind == "number" and is_number:
        numbers = values.to_numpy(dtype=float, na_value=np.nan).copy()
        for text in form.missing:
            if re.fullmatch(number_pattern(Form("number")), text):
                numbers[numbers == float(text)] = np.nan
        return Readout(pd.Series(numbers), np.zeros(len(values), dtype=bool))
    return None


def _texts(values: pd.Series, form: Form) -> pd.Series:
    cells = Cells.of(as_text(values), form.missing)
    whole = cells.distinct.str.replace(r"^([+-]?[0-9]+)\.0+$", r"\1", regex=True)  # 3 and 3.0 are one level, however a file writes them
    return pd.Series(cells.spread(whole.to_numpy(dtype=object)), dtype="str")


NO_CELLS = (bytes, complex, pd.Timedelta, timedelta, np.timedelta64, pd.Period, pd.Interval)


class UnsettledError(ValueError):
    """What the cells of a column hold that no table can, and the first row that does."""

    def __init__(self, held: str, row: int = 0) -> None:
        """Keep both as arguments, so that the error survives the way from a worker process."""
        super().__init__(held, row)
        self.held = held
        self.row = row

    def __str__(self) -> str:
        return self.held


def settle(values: pd.Series) -> pd.Series:
    """Return a column as text, numbers, booleans or dates on their own clock, whatever holds it.

    Raises:
        UnsettledError: the cells hold something else, such as lists.
    """
    values = values.reset_index(drop=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype != object and pd.api.types.is_string_dtype(values):
        return values.astype("str")
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.dt.tz_localize(None).astype("datetime64[us]")
    if pd.api.types.is_bool_dtype(values) and values.dtype != object:
        return values.astype("boolean" if values.hasnans else bool)
    if pd.api.types.is_complex_dtype(values):
        raise UnsettledError("complex numbers")
    if pd.api.types.is_numeric_dtype(values):
        return _plain_numbers(values)
    if values.dtype != object:
        raise UnsettledError(f"values of type {values.dtype}")
    return _settle_objects(values)


def _plain_numbers(values: pd.Series) -> pd.Series:
    if not pd.api.types.is_extension_array_dtype(values):
        return values
    return pd.Series(values.to_numpy(dtype=float, na_value=np.nan)) if values.hasnans else pd.Series(values.to_numpy())


def _settle_objects(values: pd.Series) -> pd.Series:
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind == "string":
        return values.astype("str")
    if kind == "empty":
        return pd.Series(np.full(len(values), np.nan))
    if kind == "boolean":
        return values.astype("boolean") if values.hasnans else values.astype(bool)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        exact = kind != "integer" or all(abs(int(value)) < 2**53 for value in values.dropna())
        if exact:
            whole = kind == "integer" and not values.hasnans
            return values.astype("int64") if whole else pd.Series(values.to_numpy(dtype=float, na_value=np.nan))
    elif kind in ("datetime", "datetime64", "date"):
        try:
            return settle(pd.to_datetime(values))
        except ValueError as error:
            raise UnsettledError("dates of several time zones") from error
    for row, value in enumerate(values):
        if not (pd.api.types.is_scalar(value) or isinstance(value, time)) or isinstance(value, NO_CELLS):
            raise UnsettledError(f"a value of type {type(value).__name__}", row)
    return pd.Series([None if pd.isna(value) else _cell_text(value) for value in values], dtype="str")


def _cell_text(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def as_text(values: pd.Series) -> pd.Series:
    """Write a settled column as text: whole numbers without a decimal mark, dates by ISO 8601, missing cells as NA."""
    if isinstance(values.dtype, pd.StringDtype):
        return values
    if pd.api.types.is_datetime64_any_dtype(values):
        form = "%Y-%m-%d" if (values.dropna() == values.dropna().dt.normalize()).all() else "%Y-%m-%dT%H:%M:%S.%f"
        return values.dt.strftime(form).astype("str")
    if pd.api.types.is_float_dtype(values):
        codes, distinct = pd.factorize(values)
        texts = np.array([*(_cell_text(float(value)) for value in distinct), None], dtype=object)  # the last serves code -1
        return pd.Series(texts[codes], dtype="str")
    return values.astype("str")


def shown(value: object) -> str:
    """Write a cell in one line, as people read it: a text in quotes, cut where it is long."""
    if isinstance(value, pd.Timestamp):
        return str(value.date() if value == value.normalize() else value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int | np.integer):
        return str(value)
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(value))
    return f"'{text}'" if len(text) <= LONGEST_SHOWN else f"'{text[: LONGEST_SHOWN - 3]}...'"


def number_pattern(form: Form, *, infinite: bool = True) -> str:
    """Return the regular expression of the numbers of a form."""
    mark, group = re.escape(form.decimal), re.escape(form.thousands)
    whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})*" if form.thousands else r"[0-9]+"
    body = rf"(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    before, after = re.escape(form.prefix), re.escape(form.suffix)
    sign = rf"(?:[+-]?{before} ?|{before} ?[+-]?)" if form.prefix else "[+-]?"
    pattern = rf"{sign}{body}{' ?' + after if form.suffix else ''}"
    return rf"(?:{pattern}|[+-]?(?i:inf|infinity))" if infinite else pattern


def as_numbers(texts: pd.Series, form: Form) -> np.ndarray:
    """Read texts as numbers of a form; NaN where a text is none."""
    fits = texts.str.fullmatch(number_pattern(form)).to_numpy(dtype=bool)
    plain = texts[fits]
    for piece in (form.prefix, form.suffix, form.thousands):
        plain = plain.str.replace(piece, "", regex=False) if piece else plain
    if form.decimal != ".":
        plain = plain.str.replace(form.decimal, ".", regex=False)
    numbers = np.full(len(texts), np.nan)
    numbers[fits] = plain.str.replace(" ", "", regex=False).astype("float64")
    return numbers


def dates(texts: pd.Series, form: Form) -> pd.Series:
    """Read texts as dates of a form, on the form's clock; NaT where a text is none."""
    if form.date != ISO:
        fits = texts.str.fullmatch(DATE_PATTERNS[form.date])
        return pd.to_datetime(texts.where(fits), format=form.date, errors="coerce").astype("datetime64[us]")
    fits = texts.str.fullmatch(_ISO)
    aware = has_offset(texts)
    plain = pd.to_datetime(texts.where(fits & ~aware), format=ISO, errors="coerce").astype("datetime64[us]")
    if not aware.any():
        return plain
    moved = pd.to_datetime(texts.where(fits & aware), format=ISO, errors="coerce", utc=True)
    clock = pd.Timestamp(f"2000-01-01T00:00:00{form.offset or 'Z'}").tz
    return plain.fillna(moved.dt.tz_convert(clock).dt.tz_localize(None).astype("datetime64[us]"))


def date_formats(texts: pd.Series) -> list[str]:
    """Return the ways to write dates that some of the first texts fit."""
    sample = [text for text in texts.head(25) if re.match(r"[0-9]+[-/.][0-9]+[-/.][0-9]|[0-9]+.[A-Za-z]{3}|[A-Za-z]{3,9} [0-9]", text)]
    return [form for form, pattern in DATE_PATTERNS.items() if any(re.fullmatch(pattern, text) for text in sample)]


def has_offset(texts: pd.Series) -> pd.Series:
    """Mark the dates of ISO 8601 that say their offset from UTC."""
    return texts.str.contains(_OFFSET)


def offsets(texts: pd.Series) -> set[str]:
    """Return the offsets from UTC of dates of ISO 8601 that all say it."""
    found = texts.str.extract(r"(Z|[+-][0-9]{2}:?[0-9]{2})$")[0]
    return {"+00:00" if text == "Z" else text for text in found.unique()}
