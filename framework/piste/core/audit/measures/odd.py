"""Values of a column of numbers that seem to stand for something else than an amount."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

OddKind = Literal["code", "zero", "far", "cap", "zeros"]

NINES = (99.0, 999.0, 9999.0, 99999.0, 999999.0, 9999999.0, 99.9, 99.99, 999.9, 999.99, 9999.9)
CODES = np.array([*NINES, 8888.0, 88888.0, 32767.0, 65535.0, 2147483647.0, -1.0, -9.0, -8888.0, -88888.0, -32768.0, -2147483648.0])
CODES = np.concatenate([CODES, -np.array(NINES)])
BY_SIGN = (-1.0, -9.0)  # too near to amounts to stand apart by distance
FEWEST_VALUES = 20  # distinct: fewer are grades or names, of which none is odd
FEWEST_OTHERS = 10  # distinct values that are never negative, for a single negative one to be a code
OFTEN = 10.0  # times as often as what lies near
HEAP_TIMES = 5.0  # times as often as the values near it, where nothing else in the column does so
REPEATED = 5  # rows, from which no chance repeats a value
ALIKE_HEAPS = 0.005  # of the values: prices, which end on nines
NEAR = 10  # distinct values that lie near
RARE, COMMON = 0.01, 0.2  # shares of zeros; where there are more, 0 is an amount like any other
NEARLY, CLEARLY = 0.1, 0.25  # of the median: how far from zero all else must stay where zeros are rare, and where they are common
FAR = 3.0  # times as far from the median as the next value
TAIL = 5.0  # times what a tail as heavy as the column's leads to expect: by chance once in 150 columns
TAIL_ROWS = 20
FEW_FAR = 0.001  # of the rows
HEAPED = 0.01  # of the rows, at the very end of the range
ROUND_ENDS = (1.0, 10.0, 100.0)  # where a share, a mark or a percentage ends by nature


@dataclass(frozen=True, slots=True)
class Odd:
    """Values that seem to stand for something else.

    Args:
        kind: code: a number such as -999 that stands apart, or comes far too often; zero: 0, which nothing else comes near; far:
            few values, far beyond all others; cap: many rows at one end of the range, and hardly any beside it; zeros: far more
            of them than of the values next to them.
        values: distinct, ascending.
        rows: how many hold one of them.
        share: of the rows that hold any value.
        carried: share of the column's squared distance from the median of the others that these rows make up.
        next: the nearest of the other values.
        spread: standard deviation of the others.
        mean: of the others.
        apart: whether it lies beyond all others, and far from them.
    """

    kind: OddKind
    values: tuple[float, ...]
    rows: int
    share: float
    carried: float
    next: float
    spread: float
    mean: float
    apart: bool


def odd_values(x: np.ndarray, *, ends: bool) -> list[Odd]:
    """Return the values of a column that seem to stand for something else, each kind once.

    Args:
        x: (n_rows,) NaN where missing.
        ends: whether heaps at the ends of the range are asked for, too.
    """
    values, counts = np.unique(x[~np.isnan(x)], return_counts=True)
    left = np.ones(len(values), dtype=bool)
    found = []
    for kind, find in {**FINDERS, **(ENDS if ends else {})}.items():
        chosen = np.zeros(len(values), dtype=bool)
        chosen[left] = find(values[left], counts[left])
        if chosen.any():
            left &= ~chosen
            found.append(_odd(kind, values, counts, chosen))
    return found


def _odd(kind: OddKind, values: np.ndarray, counts: np.ndarray, chosen: np.ndarray) -> Odd:
    others, often = values[~chosen], counts[~chosen]
    middle = _quantile(others, often, 0.5)
    scale = max(abs(values[0]), abs(values[-1]))  # so that no square overflows
    away = (values - middle) / scale
    apart, within = (float(np.sum(counts[part] * away[part] ** 2)) for part in (chosen, ~chosen))
    mean = float(np.average(others, weights=often))
    nearest = np.abs(others[:, None] - values[chosen][None, :10]).min(axis=1).argmin()
    rows = int(counts[chosen].sum())
    gap = float(np.maximum(others[0] - values[chosen], values[chosen] - others[-1]).min())
    return Odd(
        kind,
        tuple(values[chosen].tolist()),
        rows,
        rows / int(counts.sum()),
        apart / (apart + within) if apart > 0 else 0.0,
        float(others[nearest]),
        float(scale * np.sqrt(np.average(((others - mean) / scale) ** 2, weights=often))),
        mean,
        bool(gap >= 0.5 * (others[-1] - others[0]) or (others[0] >= 0 > values[chosen][-1])),
    )


def _quantile(values: np.ndarray, counts: np.ndarray, level: float) -> float:
    total = np.cumsum(counts)
    return float(values[min(len(values) - 1, int(np.searchsorted(total, level * total[-1])))])


def _codes(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark codes such as -999: beyond all others by half of their range, the only negative values, or far more often than their like."""
    suspect = np.isin(values, CODES) & (counts > 1)
    others = values[~suspect]
    if len(others) < 2 or not suspect.any():
        return np.zeros(len(values), dtype=bool)
    low, high = others[0], others[-1]
    short = (np.abs(values) < 100) & (counts < REPEATED)
    apart = np.maximum(low - values, values - high) >= np.where(short, 1.0, 0.5) * (high - low)
    apart &= ~np.isin(values, BY_SIGN)
    unsigned = (low >= 0) & (values < 0) & (len(others) >= FEWEST_OTHERS)
    return np.asarray(suspect & (apart | unsigned | (_spikes(values, counts) & ~np.isin(values, BY_SIGN))))


def _spikes(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark codes that come far more often than the values near them, where hardly any other value does."""
    found = np.zeros(len(values), dtype=bool)
    if len(values) < FEWEST_VALUES:
        return found
    around = np.lib.stride_tricks.sliding_window_view(np.pad(counts.astype(float), NEAR), 2 * NEAR + 1)  # zeros beyond the ends
    many = np.lib.stride_tricks.sliding_window_view(np.pad(np.ones(len(counts)), NEAR), 2 * NEAR + 1).sum(axis=1) - 1
    mean = (around.sum(axis=1) - counts) / many
    most = np.maximum(around[:, :NEAR].max(axis=1), around[:, NEAR + 1 :].max(axis=1))
    heaped = (counts >= REPEATED) & (counts >= HEAP_TIMES * mean) & (counts >= 3 * most)
    codes = np.isin(values, CODES)
    alone = (heaped & ~codes).sum() <= ALIKE_HEAPS * len(values)
    return np.asarray(codes & heaped & alone)


def _zero(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark 0 where all else is positive and stays away from it, by more than the steps in which the column is written."""
    zero = values == 0
    if len(values) < FEWEST_VALUES or values[0] != 0:
        return np.zeros(len(values), dtype=bool)
    above, often, share = values[1:], counts[1:], counts[0] / counts.sum()
    step = float(np.diff(above[:NEAR]).min())
    if share > COMMON or above[0] <= 1.5 * step:
        return np.zeros(len(values), dtype=bool)
    rare = share <= RARE
    lowest = _quantile(above, often, counts[0] / often.sum() if rare else RARE)
    return np.asarray(zero & bool(lowest >= (NEARLY if rare else CLEARLY) * _quantile(above, often, 0.5)))


def _far(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark few values at either end that lie far beyond what the tail below them leads to expect."""
    return np.asarray(_beyond(values, counts) | _beyond(-values[::-1], counts[::-1])[::-1])


def _beyond(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    found = np.zeros(len(values), dtype=bool)
    if len(values) < FEWEST_VALUES:
        return found
    middle, n = _quantile(values, counts, 0.5), counts.sum()
    for many in range(min(5, len(values) - FEWEST_VALUES), 0, -1):
        rows = counts[-many:].sum()
        below = slice(-many - TAIL_ROWS - 1, -many)
        excess = np.repeat(values[below] - middle, np.minimum(counts[below], TAIL_ROWS))[-TAIL_ROWS:]
        excess = excess[excess > 0]
        if len(excess) < 3 or rows > (max(3, FEW_FAR * n) if many > 1 else RARE * n + 3):
            continue
        times = (values[-many] - middle) / excess[-1]
        expected = float(np.mean(np.log(excess[1:] / excess[0])))  # Hill 1975: how much further the next value lies, in logarithms
        if times >= FAR and np.log(times) >= TAIL * expected:
            found[-many:] = True
            return found
    return found


def _cap(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark an end of the range where many rows are heaped up, and hardly any beside it."""
    return np.asarray(_heap(values, counts) | _heap(values[::-1], counts[::-1])[::-1])


def _heap(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    found = np.zeros(len(values), dtype=bool)
    if len(values) >= 2 * FEWEST_VALUES and values[-1] != 0 and values[-1] not in ROUND_ENDS:
        found[-1] = counts[-1] >= max(HEAPED * counts.sum(), OFTEN * counts[-4:-1].mean(), OFTEN)
    return found


def _zeros(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mark 0 where it comes far more often than the values next to it."""
    zero = values == 0
    if len(values) < FEWEST_VALUES or not zero.any():
        return np.zeros(len(values), dtype=bool)
    place = int(np.argmax(zero))
    around = np.r_[max(0, place - 3) : place, place + 1 : min(len(counts), place + 4)]
    return np.asarray(zero & bool(counts[place] >= max(HEAPED * counts.sum(), OFTEN * counts[around].mean())))


FINDERS: Mapping[OddKind, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"code": _codes, "zero": _zero, "far": _far}
ENDS: Mapping[OddKind, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"cap": _cap, "zeros": _zeros}
