"""Columns that follow the target within each group: row by row, or fold by fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

EXACT = 1e-6  # of the target's standard deviation
ROWS = 3_000  # of whole groups, on which both are tried
FOLDS = 20  # values that each group has at most
SOME_GROUPS = 3
STEPS = 60  # rows between the ends of a line
MOSTLY = 0.99
TELLING = 0.5  # of the rows
LINE = 1e-9  # of a column: what the arithmetic of computers leaves
SMOOTHED_BY = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # rows of the overall mean that encoders are used with
OFF = 0.02  # of the standard error, in the mean, that a smoothed mean may be off by, since the mean of each fold is its own


@dataclass(frozen=True, slots=True)
class Groups:
    """Some groups of a column, whole, in the order of the target within each."""

    rows: np.ndarray  # (n_some,) in order
    codes: np.ndarray  # (n_some,) of the groups, ascending
    y: np.ndarray  # (n_some,) the target
    first: np.ndarray  # (n_some,) where the group of each row starts,
    last: np.ndarray  # and ends

    @staticmethod
    def of(codes: np.ndarray, y: np.ndarray, seed: int) -> Groups | None:
        """Draw groups of three rows or more; None where there are too few."""
        size = np.bincount(codes)
        order = np.random.default_rng([seed, 15]).permutation(np.flatnonzero(size > 2))
        taken = order[: max(SOME_GROUPS, int(np.searchsorted(np.cumsum(size[order]), ROWS)))]
        if len(taken) < SOME_GROUPS:
            return None
        rows = np.flatnonzero(np.isin(codes, taken))
        rows = rows[np.lexsort((y[rows], codes[rows]))]
        _, first, count = np.unique(codes[rows], return_index=True, return_counts=True)
        return Groups(rows, codes[rows], y[rows], np.repeat(first, count), np.repeat(first + count - 1, count))


def on_a_line(x: np.ndarray, groups: Groups) -> tuple[bool, float] | None:
    """Tell whether a column is a straight line of the target within every group, whether it falls, and in which share of the rows.

    Only what was computed from the target is: a share of the group's sum, a distance from its mean, a mean over its other rows. The
    line is drawn through the first and the last row of a group, and held against the others.
    """
    x, y = x[groups.rows], groups.y
    start, end = groups.first, groups.last
    rise, run = x[end] - x[start], y[end] - y[start]
    place = np.arange(len(x))
    asked = (place != start) & (place != end) & (run > 0) & np.isfinite(rise) & np.isfinite(x)
    least = LINE * float(np.nanstd(x))
    moves = asked & (np.abs(np.where(asked, rise, 0.0)) > least)
    if moves.sum() < STEPS or moves.sum() < TELLING * asked.sum() or len(np.unique(start[moves])) < SOME_GROUPS:
        return None
    missed = np.abs(x - x[start] - rise * (y - y[start]) / np.where(run > 0, run, 1.0))[moves]
    share = float(np.mean(missed <= EXACT * np.abs(rise[moves]) + LINE * np.abs(x[moves])))
    return (bool(np.median(rise[moves]) < 0), share) if share >= MOSTLY else None


def by_fold(x: np.ndarray, y: np.ndarray, codes: np.ndarray, overall: float) -> float:
    """Return the share of the cells in which a column is the mean of its group over the rows of other folds; 0 where it is not that.

    The rows of a group that have one value are those of one fold: the value is then the mean over the group's other rows, perhaps
    drawn towards the mean of all.

    Args:
        x: (n_rows,) the column, finite.
        y: (n_rows,) the target.
        codes: (n_rows,) of the groups.
        overall: the mean of all that is known of the target.
    """
    codes = np.unique(codes, return_inverse=True)[1]
    order = np.lexsort((x, codes))
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(codes[order]) != 0) | (np.diff(x[order]) != 0)]))
    group, value = codes[order][starts], x[order][starts]
    n_cells = np.bincount(group)
    if len(starts) > FOLDS * len(n_cells):
        return 0.0
    size = np.diff(np.append(starts, len(x)))
    total = np.add.reduceat(y[order], starts)
    n = np.bincount(codes)[group] - size
    held = np.bincount(codes, y)[group] - total
    telling = (n > 0) & (n_cells[group] > 1) & (n_cells[group] <= FOLDS)
    if telling.sum() < 4 * SOME_GROUPS or size[telling].sum() < TELLING * len(x):
        return 0.0
    spread = float(y.std())
    n, held, value, weight = n[telling], held[telling], value[telling], size[telling]
    if np.ptp(held / n) <= 10 * EXACT * spread:
        return 0.0
    for k in SMOOTHED_BY:
        z = np.abs(value - (held + k * overall) / (n + k)) / spread
        share = float(np.mean(z <= EXACT))
        if share >= MOSTLY:
            return share
        if k and float(np.average(z * np.sqrt(n), weights=weight)) <= OFF:
            return float(np.average(z * np.sqrt(n) <= 5 * OFF, weights=weight))
    return 0.0


def followed(
    x: np.ndarray, y: np.ndarray, keys: Mapping[str, np.ndarray], drawn: Mapping[str, Groups | None]
) -> tuple[str, str, float] | None:
    """Return what a column is within the groups of a key, in words, the key, and in which share it holds."""
    known = np.isfinite(x)
    for key, groups in drawn.items():
        if groups is None:
            continue
        if found := on_a_line(x, groups):
            falls, share = found
            return ("mean over the other rows" if falls else "share or distance from the mean"), key, share
        values = x[groups.rows]
        few = len(np.unique(values)) <= FOLDS * len(np.unique(groups.codes))
        if few and (share := by_fold(x[known], y[known], keys[key][known], float(y.mean()))):
            return "mean over the rows of other folds", key, share
    return None
