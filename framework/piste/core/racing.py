"""Dropping the hopeless: settings of a row that, on the folds so far, are almost surely worse than its best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from piste.core.split import Folds
from piste.core.statistics import Sample

ENOUGH = 0.4  # share of the blocks that must be judged before anything is dropped
LEAST = 0.01  # probability of being better than the best so far under which a column is dropped


def rounds(folds: Folds) -> tuple[tuple[int, ...], ...]:
    """Divide the folds into rounds, after each of which columns may be dropped: the first judges ENOUGH, the second the rest.

    Where folds are repeated, the repeats after the first are a round of their own. Few rounds, since the folds of one are computed
    side by side.
    """
    judged = np.unique(folds.blocks[folds.judged])
    repeats = np.array([fold.repeat for fold in folds.folds])
    first = np.flatnonzero(repeats == repeats.min())
    seen: set[int] = set()
    upto = len(first)
    for place, number in enumerate(first):
        fold = folds.folds[number]
        seen |= set() if fold.warm_up else set(folds.blocks[fold.test].tolist())
        if len(seen) >= ENOUGH * len(judged):
            upto = place + 1
            break
    parts = (first[:upto], first[upto:], np.flatnonzero(repeats > repeats.min()))
    return tuple(tuple(map(int, part)) for part in parts if len(part))


def hopeless(drawn: Sample, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Tell which columns are better than the best of their row with a probability under LEAST.

    The bootstrap draws blocks of true losses, as all other statistics do; spreads are widened where blocks follow each other. By
    simulation, columns dropped this way leave the estimate of the winner where it was, unlike any cheaper score that selects
    among the judged rows: such a score keeps part of the winner's luck (tests/core/test_racing.py).

    Args:
        drawn: losses of the columns on the blocks judged so far.
        rows: the columns that compete with each other.

    Returns:
        (n_columns,) False for the best of each row, and for all where blocks are too few to be drawn again.

    Source: Tsamardinos, Greasidou and Borboudakis, Bootstrapping the out-of-sample predictions for efficient and accurate
    cross-validation, 2018 (BBCD-CV).
    """
    found = np.zeros(len(drawn.mean), dtype=bool)
    if drawn.draws is None:
        return found
    for row in rows:
        columns = np.asarray(row)
        best = columns[np.argmin(drawn.mean[columns])]
        gap = drawn.mean[columns] - drawn.mean[best]
        moved = drawn.draws[:, columns] - drawn.draws[:, [best]] - gap
        better = np.mean(gap + drawn.widening * moved < 0, axis=0)
        found[columns] = (better < LEAST) & (gap > 0)
    return found
