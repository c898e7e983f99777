"""Columns whose ratios come in two kinds, the factor of two units apart: length and width in inches, and some lengths in centimetres."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from piste.core.audit.measures.units import factor_words

MOST_COLUMNS = 40
MOST_ROWS = 3_000
FEW = 15  # rows of the rarer kind
FEW_SHARE = 0.005
FEWEST_VALUES = 20  # distinct, of either column
HELD = 0.95  # of the rows, in one kind or the other
BETWEEN = 0.05  # of the rarer kind, in between
APART = 3.5  # widths of the middle half
LEAST_WIDTH = 0.01
LEAST = float(np.log(1.5))
CLOSE = 0.03  # of the factor, in logarithms


@dataclass(frozen=True, slots=True)
class TwoRatios:
    """A column that is off by a factor in some rows, as others show that go along with it.

    Args:
        column: that is off.
        beside: a column that goes along with it.
        certain: whether a third column shows which of both is off.
        rows: (n_rows,) in which it is.
        factor: by which it is larger there.
    """

    column: str
    beside: str
    certain: bool
    rows: np.ndarray
    factor: float


def two_ratios(columns: Mapping[str, np.ndarray]) -> list[TwoRatios]:
    """Find columns that are off by the factor between two units in some rows.

    Args:
        columns: by name, (n_rows,) each; NaN where missing.
    """
    logs = dict(_logs(columns))
    pairs: dict[str, list[tuple[str, np.ndarray, float]]] = {}
    for one, other in combinations(logs, 2):
        if found := _two_kinds(logs[one] - logs[other]):
            rows, height = found
            pairs.setdefault(one, []).append((other, rows, height))
            pairs.setdefault(other, []).append((one, rows, -height))
    found_in: list[TwoRatios] = []
    told: set[frozenset[str]] = set()
    for column in sorted(pairs, key=lambda name: (-len(pairs[name]), -_moved(logs[name], *pairs[name][0][1:]))):
        left = [pair for pair in pairs[column] if frozenset((column, pair[0])) not in told]
        if left:
            beside, rows, height = left[0]
            told |= {frozenset((column, pair[0])) for pair in left}
            found_in.append(TwoRatios(column, beside, len(left) > 1, rows, float(np.exp(height))))
    return found_in


def _logs(columns: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the logarithms of columns that are positive nearly everywhere."""
    left = MOST_COLUMNS
    for name, x in columns.items():
        positive = x > 0
        if left and positive.sum() >= 0.9 * (~np.isnan(x)).sum() and len(np.unique(x[positive][:MOST_ROWS])) >= FEWEST_VALUES:
            left -= 1
            yield name, np.log(np.where(positive, x, np.nan))


def _two_kinds(ratios: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Cut logarithms of ratios into two narrow kinds; the rows of the rarer one, and how far it lies from the other."""
    seen = np.sort(ratios[~np.isnan(ratios)])
    n = len(seen)
    if n < 10 * FEW:
        return None
    half = n // 2
    widths = seen[half:] - seen[: n - half]
    start = int(np.argmin(widths))  # the shortest half lies in the commoner kind
    width, middle = max(float(widths[start]), LEAST_WIDTH), float(seen[start + half // 2])
    off = seen - middle
    common = np.abs(off) <= 2 * width
    strays = off[~common]
    few = max(FEW, FEW_SHARE * n)
    if len(strays) < few or not few <= len(strays) <= n // 2:
        return None
    height = float(np.median(strays))
    near = np.abs(strays - height) <= 2 * width
    if near.sum() < few:
        return None
    height = float(np.median(strays[near]))
    low, high = sorted((2 * width * np.sign(height), height - 2 * width * np.sign(height)))
    between = ((strays > low) & (strays < high)).sum()
    error = width / np.sqrt(max(1, near.sum()))
    if (
        abs(height) < max(LEAST, APART * width)
        or near.sum() < few
        or common.sum() + near.sum() < HELD * n
        or between > BETWEEN * near.sum()
    ):
        return None
    if not factor_words(float(np.exp(height)), error, close=CLOSE):
        return None
    return np.abs(np.nan_to_num(ratios - middle, nan=np.inf) - height) <= 2 * width, height


def _moved(x: np.ndarray, rows: np.ndarray, height: float) -> float:
    """Return which part of a factor the marked rows of a column are off by themselves."""
    return float((np.nanmedian(x[rows]) - np.nanmedian(x[~rows])) / height)
