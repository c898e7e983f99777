"""Which columns are known long before, at the decision, and only afterwards, as far as names and values tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.audit.measures.relations import relation
from piste.core.audit.names import EARLIER, PLAIN_NAMES, SMELLS, words
from piste.core.data import Table

CALENDAR = {
    "year", "yr", "quarter", "month", "mnth", "mo", "week", "weekday", "day", "dow", "hour", "hr", "season", "holiday", "holidays",
    "weekend", "workingday", "working", "school", "term", "calendar", "vacation", "easter",
}  # fmt: skip
PLACE = {
    "station", "store", "shop", "site", "sensor", "city", "town", "region", "district", "state", "country", "zone", "location", "place",
    "neighborhood", "neighbourhood", "zip", "postcode", "latitude", "longitude", "lat", "lon", "lng", "branch", "resort", "run",
}  # fmt: skip
BESIDE = {
    "is", "of", "out", "in", "name", "number", "no", "nr", "code", "flag", "type", "public", "bank", "national", "local", "the", "id",
    "key",
}  # fmt: skip
FEWEST_PER_KEY = 3  # rows of each thing on average, for what stays the same to be told from what is seen once
MOST_NAMES = 4  # in a reason
MOSTLY = 0.95  # of the rows, in which a part is no more than the whole
SHORTEST = 4  # letters of a word that says what is counted
SHOWN_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Known:
    """When each column is known, by guess, and why."""

    always: tuple[str, ...]
    why_always: str
    decision: tuple[str, ...]
    after: tuple[str, ...]
    why_after: str


def known(table: Table, time: str | None, unit: Sequence[str], apart: Sequence[str]) -> Known:
    """Sort the columns that a model would see by when they are known.

    Args:
        table: of the problem.
        time: says when a row happened.
        unit: columns that name a row.
        apart: columns that set rows apart or are left out, and so are not sorted.
    """
    names = [column.name for column in table.columns if column.role == "feature" and column.name not in apart]
    reasons = _after(table, [name for name in names if name not in unit and name != time])
    settled = {name: why for name in names if name not in reasons and (why := _always(table, name, time, unit))}
    return Known(
        tuple(settled),
        ", ".join(dict.fromkeys(settled.values())),
        tuple(name for name in names if name not in settled and name not in reasons),
        tuple(reasons),
        "; ".join(dict.fromkeys(reasons.values())),
    )


def _always(table: Table, name: str, time: str | None, unit: Sequence[str]) -> str | None:
    """Say why a column is known long before; None where nothing tells."""
    its = set(words(name)) - BESIDE
    if name == time or (its and its <= CALENDAR):
        return "calendar"
    if name in unit:
        return "what names a row"
    if its and [word for word in words(name) if word in its][-1] in PLACE:
        return "place"
    keys = [each for each in unit if each != time]
    if keys and time and _stays(table.frame, name, keys):
        return f"the same for every '{' and '.join(keys)}'"
    return None


def _stays(frame: pd.DataFrame, name: str, keys: Sequence[str]) -> bool:
    """Tell whether a column is the same in all rows of each thing."""
    groups = frame[name].groupby([frame[key] for key in keys], sort=False, dropna=False)
    return bool(len(frame) >= FEWEST_PER_KEY * groups.ngroups and groups.ngroups > 1 and (groups.nunique(dropna=False) <= 1).all())


def _part(values: pd.Series, whole: np.ndarray) -> bool:
    """Tell whether an amount is a part of another: not below 0, and hardly ever more."""
    if not pd.api.types.is_float_dtype(values) or values.min() < 0:
        return False
    return float(np.mean(values.fillna(0).to_numpy() <= whole)) >= MOSTLY


def _after(table: Table, names: Sequence[str]) -> dict[str, str]:
    """Return the columns that sound or look as if they were known only afterwards, each with the reason."""
    target = table.target
    last, found = words(target.name)[-1], dict[str, str]()
    telling = last not in PLAIN_NAMES and len(last) >= SHORTEST and not target.labels
    for name in names:
        its = words(name)
        if EARLIER & {*its}:
            continue
        if smell := next((word for word in its if word in SMELLS), None):
            found[name] = f"'{smell}' in the name"
        elif telling and last in its and _part(table.frame[name], target.values):
            found[name] = f"some of the '{last}' that are the target"
    if target.labels:
        return found
    some = table.frame.index[:: max(1, len(table.frame) // SHOWN_ROWS)]
    amounts = {name: table.frame[name].loc[some].to_numpy() for name in names if pd.api.types.is_float_dtype(table.frame[name])}
    formula = relation(target.values[some.to_numpy()], amounts)
    if formula is not None and formula.exact and formula.plain and len(formula.columns) <= MOST_NAMES:
        found |= dict.fromkeys(formula.columns, f"{formula.formula} is '{target.name}'")
    return found
