"""When a row happened, what names it, and which rows belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from piste.core.audit.measures.copied import one_way
from piste.core.audit.names import words
from piste.core.audit.numbered import LAST, ONLY, UNIQUE
from piste.core.data import Column, Table

OF_ROWS = {"date", "time", "datetime", "timestamp", "day", "when", "dt", "ts"}
OF_LATER = {
    "end",
    "ended",
    "closed",
    "finished",
    "updated",
    "modified",
    "due",
    "expires",
    "expiry",
    "paid",
    "shipped",
    "delivered",
    "exported",
}
OF_BIRTH = {"birth", "born", "dob", "birthday", "birthdate"}
FEWEST_TIMES = 3
BY_CHANCE = 20.0  # repeats that chance would give: where there is none, the columns name rows
MOST_LEVELS = 2_000  # of a column that names a row together with others
FEWEST_PER_LEVEL = 3  # rows of a level of such a column, on average
FIRST_ROWS = 4_000  # that show most repeats
MOST_TRIED = 400  # sets of columns
FEWEST_GROUPS = 10
LARGEST = 0.1  # of the rows: a larger group is a kind of rows, not one of many things that rows are of
FEWEST_LEVELS, LEAST_LEVELS = 30, 0.02  # values of a text that may name groups: so many, and so many for each row
REPEATING = 0.05  # of the rows share their group with another
SIDES = {"train", "training", "test", "testing", "valid", "validation", "val", "dev"}


def clock(table: Table) -> str | None:
    """Return the column that most likely says when a row happened; None where none does."""
    found = []
    for place, column in enumerate(table.columns):
        values = table.frame[column.name]
        its = set(words(column.name))
        if column.role == "target" or not pd.api.types.is_datetime64_any_dtype(values) or values.isna().any() or its & OF_BIRTH:
            continue
        if values.nunique() >= FEWEST_TIMES:
            found.append((bool(its & OF_LATER), not one_way(values.to_numpy().astype("int64")), not its & OF_ROWS, place, column.name))
    return min(found)[-1] if found else None


def name(table: Table, time: str | None) -> tuple[str, ...]:
    """Return the fewest columns that together name one row; none where no set of columns does.

    That no row comes twice tells something only where chance would make some: so of a set of columns the repeats are
    counted that their values would give if they were drawn apart from each other.
    """
    n = len(table.frame)
    if time and table.frame[time].is_unique:
        return (time,)
    names = [column.name for column in table.columns if _may_name(table, column) and column.name != time]
    for more in (1, 2) if time else ():
        if found := _smallest(table, [time] if time else [], names, more):
            return found
        if more == 1 and (alone := _identifier(table)):
            return (alone,)
    if time or n < FEWEST_TIMES:
        return ()
    alone = _identifier(table)
    return (alone,) if alone else _smallest(table, [], [each for each in names if each not in counters(table)], 2)


def counters(table: Table) -> tuple[str, ...]:
    """Return the columns that count the rows of each value of a text, from 1: in an order that may come from the answer."""
    texts = [np.asarray(pd.factorize(table.frame[column.name])[0]) for column in table.columns if column.kind in ("category", "identifier")]
    numbers = [column.name for column in table.columns if column.role == "feature" and column.kind == "number"]
    return tuple(name for name in numbers if any(_counts(codes, table.frame[name].to_numpy()) for codes in texts))


def _counts(codes: np.ndarray, x: np.ndarray) -> bool:
    """Tell whether a number counts the rows of every group from 1, leaving out none."""
    if np.isnan(x).any() or x.min() != 1 or codes.min() < 0 or int(np.sum(x == 1)) != codes.max() + 1 or codes.max() + 1 == len(x):
        return False
    order = np.lexsort((x, codes))
    return bool((np.diff(x[order])[np.diff(codes[order]) == 0] == 1).all())


def _identifier(table: Table) -> str | None:
    """Return a column that names rows by itself: a text that differs in every row, or a number that is called an id."""
    for column in table.columns:
        values = table.frame[column.name]
        if column.role in ("feature", "identifier") and values.notna().all() and values.is_unique and (column.kind != "datetime"):
            is_text = not pd.api.types.is_float_dtype(values)
            if is_text or words(column.name)[-1] in LAST:
                return column.name
    return None


def _may_name(table: Table, column: Column) -> bool:
    """Tell whether a column may name a row together with others: no measurement, no row number, none missing."""
    values = table.frame[column.name]
    if column.role in ("target", "weight", "dropped") or values.isna().any():
        return False
    if pd.api.types.is_float_dtype(values) and not np.array_equal(values, values.round()):
        return False
    levels = int(values.nunique())
    return 2 <= levels <= min(MOST_LEVELS, len(values) / FEWEST_PER_LEVEL)


def _smallest(table: Table, base: Sequence[str], names: Sequence[str], more: int) -> tuple[str, ...]:
    """Return the first set of columns that names rows: texts before numbers, few levels before many."""
    frame, n = table.frame, len(table.frame)
    codes = {each: np.asarray(pd.factorize(frame[each])[0]) for each in (*base, *names)}
    levels = {each: int(found.max()) + 1 for each, found in codes.items()}
    alike = {each: float(np.sum((np.bincount(found) / n) ** 2)) for each, found in codes.items()}
    ranked = sorted(names, key=lambda each: (pd.api.types.is_float_dtype(frame[each]), levels[each]))
    tried = 0
    for extra in sorted(combinations(ranked, more), key=lambda extra: sum(pd.api.types.is_float_dtype(frame[each]) for each in extra)):
        chosen = (*base, *extra)
        repeats = n * (n - 1) / 2 * float(np.prod([alike[each] for each in chosen]))
        if np.prod([float(levels[each]) for each in chosen]) < n or repeats < BY_CHANCE:
            continue
        tried += 1
        if tried > MOST_TRIED:
            return ()
        if _unique([codes[each][:FIRST_ROWS] for each in chosen]) and _unique([codes[each] for each in chosen]):
            return chosen
    return ()


def _unique(codes: Iterable[np.ndarray]) -> bool:
    """Tell whether no two rows agree in all of some codes."""
    joined = None
    for each in codes:
        joined = each.astype("int64") if joined is None else np.unique(joined, return_inverse=True)[1] * (int(each.max()) + 1) + each
    assert joined is not None, "a set of columns holds one at least"
    return len(np.unique(joined)) == len(joined)


def groups(table: Table, unit: Sequence[str]) -> str | None:
    """Return the column whose values gather rows that belong together, such as a family; None where none does."""
    found = []
    n = len(table.frame)
    for place, column in enumerate(table.columns):
        values = table.frame[column.name]
        called = words(column.name)[-1] in LAST
        if column.role not in ("feature", "identifier") or values.isna().any() or column.name in unit[-1:] or column.kind == "datetime":
            continue
        if pd.api.types.is_float_dtype(values) and not called:
            continue
        sizes = values.value_counts().to_numpy()
        least = FEWEST_GROUPS if called else max(FEWEST_LEVELS, LEAST_LEVELS * n)
        if len(sizes) >= least and sizes[0] <= LARGEST * n and sizes[sizes > 1].sum() >= REPEATING * n:
            found.append((not called, -len(sizes), place, column.name))
    return min(found)[-1] if found else None


def sides(table: Table) -> str | None:
    """Return the column that says which rows are for training and which for the test; None where none does."""
    for column in table.columns:
        values = table.frame[column.name]
        if column.role == "feature" and column.kind == "category" and values.notna().all():
            levels = {str(level).casefold() for level in values.unique()}
            if len(levels) > 1 and levels <= SIDES and any(level.startswith("train") for level in levels):
                return column.name
    return None


def numbers(table: Table) -> dict[str, str]:
    """Return the columns of whole numbers that name things and would be taken for amounts, each with how it shows."""
    found = {}
    for column in table.columns:
        values = table.frame[column.name]
        if column.role != "feature" or column.kind != "number" or values.isna().any() or not np.array_equal(values, values.round()):
            continue
        its = words(column.name)
        if values.nunique() > UNIQUE * len(values) and (its[-1] in LAST or (len(its) == 1 and its[0] in ONLY)):
            found[column.name] = "a number that names rows, no amount"
    return found
