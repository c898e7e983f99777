"""Greedy ensembles of columns already computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from piste.core.losses import Column, Judgements

STEPS = 25  # members drawn, with replacement
PER_ENTRY = 3  # the best columns of each entry that may join

Loss = Callable[[np.ndarray, np.ndarray], np.ndarray]


def blend(columns: Sequence[Column], y: np.ndarray, weight: np.ndarray, loss: Loss, lines: Judgements) -> tuple[np.ndarray, np.ndarray]:
    """Blend columns of one framing so that the blend is out of fold like any other column.

    The weights for a fold are learnt on the lines of the other folds; forward in time on those of earlier ones. The fold that
    only warms up, with nothing to learn from, takes each entry's default in equal parts.

    Args:
        columns: of one framing, models only.
        y: (n_lines,) what came.
        weight: (n_lines,) row weights.
        loss: (y, prediction) -> (n,) losses.
        lines: where each prediction belongs.

    Returns:
        The predictions, shaped as a column's, and the weights learnt on all lines, (n_columns,), for the refit.

    Source: Caruana et al., Ensemble selection from libraries of models, 2004.
    """
    stack = np.stack([column.raw for column in columns])  # (n_columns, n_lines, ...)
    entries = [column.entry for column in columns]
    blended = np.empty_like(columns[0].raw)
    for part in np.unique(lines.part):
        mine, others = np.flatnonzero(lines.part == part), lines.others(part)
        if len(others):
            shares = _greedy(stack[:, others], y[others], weight[others], loss, entries)
        else:
            defaults = np.array([column.number == 0 for column in columns], dtype=float)
            shares = defaults / defaults.sum() if defaults.any() else np.full(len(columns), 1 / len(columns))
        blended[mine] = np.tensordot(shares, stack[:, mine], axes=1)
    counts = lines.counts
    return blended, _greedy(stack[:, counts], y[counts], weight[counts], loss, entries)


def _greedy(stack: np.ndarray, y: np.ndarray, weight: np.ndarray, loss: Loss, entries: Sequence[str]) -> np.ndarray:
    """Return the share of each column, (n_columns,): each step adds the column that lowers the loss of the mean most."""
    alone = np.array([np.average(loss(y, prediction), weights=weight) for prediction in stack])
    pool = [
        i
        for name in dict.fromkeys(entries)
        for i in sorted(np.flatnonzero([e == name for e in entries]), key=lambda i: (alone[i], i))[:PER_ENTRY]
    ]
    picked = np.zeros(len(stack))
    total = np.zeros(stack.shape[1:])
    best, best_picked = np.inf, picked
    for step in range(1, STEPS + 1):
        scores = [np.average(loss(y, (total + stack[i]) / step), weights=weight) for i in pool]
        chosen = pool[int(np.argmin(scores))]
        picked = picked + np.eye(len(stack))[chosen]
        total = total + stack[chosen]
        if min(scores) < best:
            best, best_picked = min(scores), picked
    return np.asarray(best_picked / best_picked.sum())
