"""Infer from the cells of a column what it holds and how it is written, or say why no one could."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from piste.core.notation import (
    CURRENCIES,
    DECLARED_TRUTHS,
    ISO,
    MISSING,
    MISSING_TEXT,
    TRUTHS,
    Cells,
    Form,
    as_numbers,
    as_text,
    date_formats,
    dates,
    has_offset,
    number_pattern,
    offsets,
    shown,
)
from piste.core.problem import ColumnKind

MOSTLY = 0.9  # above this share of numbers (or dates) the other cells are mistakes, not a category
EXACT = 2**53  # floats count no further
Decimal = Literal[".", ","] | None  # None: unsaid, and the delimiter does not tell
GROUP_MARK = {".": ",", ",": "."}  # between thousands, by decimal mark


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a column cannot be taken as it is, and the row that shows it."""

    message: str  # without place and column: "must ..., but ..."
    row: int
    kind: ColumnKind  # what it would be, but for the trouble
    mostly: bool = False  # declaring it a category would help too


def infer(values: pd.Series, missing: tuple[str, ...], decimal: Decimal, at: Callable[[int], str]) -> Form | Trouble:
    """Infer how a column is written.

    Args:
        values: (n_rows,) as `settle` returns them.
        missing: own texts for a missing value.
        decimal: the decimal mark of its text cells.
        at: names the place of a row, such as "line 7".
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return Form("datetime", (*MISSING, *missing))
    if pd.api.types.is_bool_dtype(values):
        return Form("boolean", (*MISSING_TEXT, *missing))
    if pd.api.types.is_numeric_dtype(values) and not (pd.api.types.is_integer_dtype(values) and (values.abs() >= EXACT).any()):
        return Form("number", (*MISSING, *missing))
    return _infer_text(as_text(values), missing, decimal, at)


def _infer_text(values: pd.Series, missing: tuple[str, ...], decimal: Decimal, at: Callable[[int], str]) -> Form | Trouble:
    levels = Cells.of(values, (*MISSING_TEXT, *missing))
    cells = levels.without(MISSING)
    category = Form("category", (*MISSING_TEXT, *missing))
    if cells.total == 0:
        return Form("number", (*MISSING, *missing)) if levels.total == 0 else category
    return (
        _boolean(levels, category, at)
        or _names(cells, category)
        or _date(cells, Form("datetime", (*MISSING, *missing)), at)
        or _number(cells, Form("number", (*MISSING, *missing)), decimal, at)
        or category
    )


def _boolean(levels: Cells, category: Form, at: Callable[[int], str]) -> Form | Trouble | None:
    if len(levels.distinct) > len(DECLARED_TRUTHS) * 2:
        return None
    words = set(levels.distinct.str.casefold())
    if words <= {"true", "false"} or words <= {"yes", "no"}:
        return replace(category, kind="boolean")
    if words <= DECLARED_TRUTHS.keys() and words & TRUTHS.keys():
        mixed = " and ".join(f"{shown(text)} ({at(levels.row(i))})" for i, text in enumerate(levels.distinct[:3]))
        return Trouble(f"must write yes and no in one way, but mixes {mixed}. Use true and false, or yes and no", levels.row(1), "boolean")
    return None


def _names(cells: Cells, category: Form) -> Form | None:
    """Digits that are names, not amounts: with leading zeros, or too long for a number to hold them."""
    return category if cells.distinct.str.fullmatch(r"[+-]?(?:0[0-9]+|[0-9]{16,})").any() else None


def _date(cells: Cells, form: Form, at: Callable[[int], str]) -> Form | Trouble | None:
    texts, counts = cells.distinct, cells.counts
    forms = [replace(form, date=date) for date in date_formats(texts)]
    if not forms:
        return None
    times = [dates(texts, date) for date in forms]
    read = np.array([time.notna().to_numpy() for time in times])  # (n_forms, n_distinct)
    whole = np.flatnonzero(read.all(axis=1))
    if len(whole):
        other = next((times[i] for i in whole[1:] if not times[i].equals(times[whole[0]])), None)
        return _clock(cells, forms[int(whole[0])], at) if other is None else _two_readings(cells, times[whole[0]], other, at)
    if counts[read.any(axis=0)].sum() <= MOSTLY * cells.total:
        return None
    best = int(np.argmax(read @ counts))
    odd = ~read[best]
    first = int(np.argmax(odd))
    like, row, share = texts[int(np.argmax(read[best]))], cells.row(first), _share(int(counts[odd].sum()), cells.total)
    return Trouble(
        f"must hold dates written like {shown(like)}, but {share} not: the first is {shown(texts[first])} "
        f"({at(row)}). Write all dates as year-month-day, mark what is none by `data: {{missing: [{shown(texts[first])}]}}`",
        row,
        "datetime",
        mostly=True,
    )


def _two_readings(cells: Cells, first: pd.Series, second: pd.Series, at: Callable[[int], str]) -> Trouble:
    distinct = int(np.argmax(first != second))
    row = cells.row(distinct)
    either = f"{first[distinct].date()} or {second[distinct].date()}"
    message = f"must be dates of one reading, but {shown(cells.distinct[distinct])} ({at(row)}) may be {either}, and no other cell tells"
    return Trouble(f"{message}. Write the dates as year-month-day", row, "datetime")


def _clock(cells: Cells, form: Form, at: Callable[[int], str]) -> Form | Trouble:
    """Tell the offset from UTC of dates that carry one: their own where it is one, else UTC itself."""
    aware = has_offset(cells.distinct).to_numpy() if form.date == ISO else np.zeros(len(cells.distinct), dtype=bool)
    if not aware.any():
        return form
    if not aware.all():
        row = cells.row(int(np.argmin(aware)))
        bare = shown(cells.distinct[cells.codes[row]])
        return Trouble(f"must say the time zone in every cell or in none, but {bare} ({at(row)}) lacks it", row, "datetime")
    found = offsets(cells.distinct)
    return replace(form, offset=found.pop() if len(found) == 1 else "+00:00")


def _number(cells: Cells, form: Form, decimal: Decimal, at: Callable[[int], str]) -> Form | Trouble | None:
    texts, counts = cells.distinct, cells.counts
    forms = number_forms(texts, form)
    read = np.array([texts.str.fullmatch(number_pattern(one)).to_numpy(dtype=bool) for one in forms])
    whole = [one for one, fits in zip(forms, read, strict=True) if fits.all()]
    if whole:
        return _decimal(cells, whole, decimal, at)
    if counts[read.any(axis=0)].sum() <= MOSTLY * cells.total:
        return None
    best = int(np.argmax(read @ counts))
    odd = ~read[best]
    row = cells.row(int(np.argmax(odd)))
    text = texts[int(np.argmax(odd))]
    share = _share(int(counts[odd].sum()), cells.total)
    like = f" written like {shown(texts[int(np.argmax(read[best]))])}" if read[:, odd].any() else ""
    return Trouble(
        f"must hold numbers{like} throughout, but {share} not: the first is {shown(text)} ({at(row)}). "
        f"Correct it, mark it missing by `data: {{missing: [{shown(text)}]}}`",
        row,
        "number",
        mostly=True,
    )


def number_forms(texts: pd.Series, form: Form) -> list[Form]:
    """Return the ways to write numbers that texts may follow, the plainest first."""
    if not texts.str.contains(f"[,{CURRENCIES}%]|\\..*\\.").any():
        return [form]
    before = texts.str.extract(rf"^[+-]?([{CURRENCIES}])")[0].dropna().unique()
    after = texts.str.extract(rf"([{CURRENCIES}%])$")[0].dropna().unique()
    signs = [("", ""), *((str(sign), "") for sign in before), *(("", str(sign)) for sign in after)]
    return [
        replace(form, decimal=mark, thousands=group, prefix=prefix, suffix=suffix)
        for prefix, suffix in signs
        for mark in GROUP_MARK
        for group in ("", GROUP_MARK[mark])
    ]


def _decimal(cells: Cells, whole: list[Form], decimal: Decimal, at: Callable[[int], str]) -> Form | Trouble:
    """Choose among forms that all fit: 1,234 may be a thousand or little more than one."""
    marks = {form.decimal: form for form in reversed(whole)}
    if decimal in marks:
        return marks[decimal]
    texts = cells.distinct
    if len(marks) == 1:
        mark, form = marks.popitem()
        if decimal is None:
            return form
        if not cells.distinct.str.contains(mark, regex=False).any():  # whole numbers: no mark to be wrong about
            return replace(form, decimal=decimal)
        return _other_mark(cells, mark, at)
    point, comma = (as_numbers(texts, marks[mark]) for mark in ".,")
    if np.array_equal(point, comma):
        return whole[0]
    row = cells.row(int(np.argmax(point != comma)))
    message = f"must hold numbers of one reading, but {shown(texts[cells.codes[row]])} ({at(row)}) may have a decimal mark or thousands"
    return Trouble(f"{message}. Say `data: {{decimal: '.'}}` or `data: {{decimal: ','}}`", row, "number")


def _other_mark(cells: Cells, mark: str, at: Callable[[int], str]) -> Trouble:
    """Word that numbers have another decimal mark than the file, or thousands marked in some cells only."""
    texts = cells.distinct
    marked = texts.str.contains(mark, regex=False)
    first = int(np.argmax(marked))
    row, example = cells.row(first), f"{shown(texts[first])} ({at(cells.row(first))})"
    if texts[marked].str.fullmatch(rf"[^0-9]*[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+[^0-9]*").all():
        plain = int(np.argmax(texts.str.contains(r"[0-9]{4}")))
        other = f"{shown(texts[plain])} ({at(cells.row(plain))})"
        return Trouble(
            f"must mark thousands in every number or in none, but {example} does and {other} does not", cells.row(plain), "number"
        )
    name = {",": "comma", ".": "point"}[mark]
    return Trouble(f"must hold numbers, but {example} has a decimal {name}. Say `data: {{decimal: '{mark}'}}`", row, "number")


def decimal_mark(columns: Iterable[pd.Series], missing: tuple[str, ...]) -> Decimal:
    """Tell the decimal mark of a text table from the columns that leave no choice; None where none does or they differ."""
    seen: set[str] = set()
    for values in columns:
        cells = Cells.of(values, (*MISSING, *missing))
        if cells.total == 0 or ("." in seen and not cells.distinct.str.contains(",", regex=False).any()):
            continue
        forms = [form for form in number_forms(cells.distinct, Form("number")) if not np.isnan(as_numbers(cells.distinct, form)).any()]
        marks = {form.decimal for form in forms}
        if len(marks) == 1 and cells.distinct.str.contains(next(iter(marks)), regex=False).any():
            seen |= marks
    return "," if seen == {","} else "." if seen == {"."} else None


def _share(n: int, total: int) -> str:
    return f"{n:,} of {total:,} cells {'is' if n == 1 else 'are'}"


def what(kind: ColumnKind, form: Form) -> str:
    """Say in words how a column is written, where that is worth saying: "dates like 31/12/2020"."""
    if kind == "number":
        signs = [f"'{sign}'" for sign in (form.prefix, form.suffix) if sign]
        return "; ".join(
            [f"read without its {sign}" for sign in signs]
            + ([f"'{form.thousands}' between thousands"] if form.thousands else [])
            + (["decimal comma"] if form.decimal == "," else [])
        )
    if kind == "datetime" and form.date != ISO:
        return f"written like {pd.Timestamp(2020, 12, 31, 18, 30).strftime(form.date)}"
    return ""
