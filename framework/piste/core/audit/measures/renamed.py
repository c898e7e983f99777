"""Names that take over from others in the course of time: the same thing, called otherwise from a day on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from piste.core.audit.survey import Survey

MOST_LEVELS = 200  # of a column: pairs of names are compared
FEWEST_ROWS = 20  # of a name, for its end or its beginning to be no chance
ABSENT = 10  # times the usual time from one row of a name to the next
SPELT_ALIKE = 0.8  # share of the letters, in order, that two spellings have in common
UNCHANGED = 0.5  # of the other names are there before and after, or the whole column has changed


@dataclass(frozen=True, slots=True)
class Renamed:
    """A name that ends, and one that begins after it and seems to be the same thing."""

    column: str
    before: str
    after: str
    since: object  # the first time of the new name
    rows: int  # of both


def renamed(survey: Survey, column: str) -> Iterator[Renamed]:
    """Find the names of a text column that take over from others: spelt alike, or alike in every column that goes with the name.

    Nothing is found without a time: names that never meet in a file may be anything.
    """
    time = survey.resolved.problem.time
    if time is None:
        return
    rows = survey.rows[survey.frame[column].iloc[survey.rows].notna().to_numpy()]
    times = survey.frame[time].iloc[rows]
    codes, names = pd.factorize(survey.frame[column].iloc[rows])
    if not 3 <= len(names) <= MOST_LEVELS or times.isna().any():
        return
    rank, n = np.unique(times.to_numpy(), return_inverse=True)[1], len(names)
    first, last, size = np.full(n, len(rank)), np.full(n, -1), np.bincount(codes)
    np.minimum.at(first, codes, rank)
    np.maximum.at(last, codes, rank)
    usual = ABSENT * (last - first + 1) / size  # so long a name is never away by chance
    ended, begun = (np.flatnonzero((size >= FEWEST_ROWS) & (away > usual)) for away in (last.max() - last, first - first.min()))
    if not len(ended) or not len(begun) or len({*ended, *begun}) > UNCHANGED * len(names):
        return
    goes_with = _properties(survey, rows, codes, column)
    taken: set[int] = set()
    for old in map(int, ended):
        for new in map(int, begun):
            if last[old] < first[new] and new not in taken and (_alike(names[old], names[new]) or _same(goes_with, old, new, len(names))):
                taken.add(new)
                n_rows = int(np.isin(codes, (old, new)).sum())
                yield Renamed(column, str(names[old]), str(names[new]), times[codes == new].min(), n_rows)
                break


def _properties(survey: Survey, rows: np.ndarray, codes: np.ndarray, column: str) -> np.ndarray:
    """Return the codes of what goes with each name, (n_properties, n_names): columns that are the same in all rows of a name."""
    n_names = int(codes.max()) + 1
    found = []
    for each in survey.features:
        if each.name == column:
            continue
        values = pd.factorize(survey.frame[each.name].iloc[rows], use_na_sentinel=False)[0]
        low, high = np.full(n_names, values.max() + 1), np.full(n_names, -1)
        np.minimum.at(low, codes, values)
        np.maximum.at(high, codes, values)
        if (low == high).all() and len(np.unique(low)) > 1:
            found.append(low)
    return np.array(found).reshape(len(found), n_names)


def _same(goes_with: np.ndarray, old: int, new: int, n_names: int) -> bool:
    """Tell whether two names have all properties in common, and no third name has them too."""
    alike = (goes_with == goes_with[:, [old]]).all(axis=0)
    return bool(len(goes_with) and alike[new] and alike.sum() == 2 and n_names > 2)


def _alike(one: str, other: str) -> bool:
    """Tell whether two spellings may be of one name; numbers in them must agree: "Gate 1" is not "Gate 2".

    >>> _alike("Gunsight", "Gun Sight"), _alike("Gate 1", "Gate 2"), _alike("Larch", "Cirrus")
    (True, False, False)
    """
    if re.findall(r"[0-9]+", one) != re.findall(r"[0-9]+", other):
        return False
    one, other = (re.sub(r"[\W_]+", "", each).casefold() for each in (one, other))
    return difflib.SequenceMatcher(None, one, other).ratio() >= SPELT_ALIKE
