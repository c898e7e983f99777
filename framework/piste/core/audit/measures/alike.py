"""Columns that say the same, so that to do without one of them is to do without none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from piste.core.audit.measures.skill import ranks_of

SAME_RANKS = 0.98  # rank correlation from which two numbers say the same
SPARED = 0.96  # share of the errors about a category that another spares, from which they say the same
LEFT = 1e-3  # of a column's standard deviation: what a sum of others may miss it by
COUNTS = 0.01  # of the largest: a smaller part of a sum is rounding
MOST_SUMMED = 12  # columns in a sum; one of more is a whole that everything is a part of
MOST_LEVELS = 250  # of a category
ROWS_PER_LEVEL = 10
SURPRISE = 0.25  # in nats: categories that differ by more in how much they say cannot say the same
MOST_ROWS = 5_000


def alike(columns: Mapping[str, pd.Series]) -> list[tuple[str, ...]]:
    """Put columns that say the same together, each column once, in the order given.

    Numbers of nearly the same ranks, categories that tell each other, and numbers of which one is the sum of the others.

    Args:
        columns: by name, (n_rows,) each: numbers, times, or texts.
    """
    names = list(columns)
    if len(names) < 2:
        return [(name,) for name in names]
    n_rows = len(columns[names[0]])
    some = np.unique(np.linspace(0, n_rows - 1, min(n_rows, MOST_ROWS)).astype(int))
    thin = {name: each.iloc[some] for name, each in columns.items()}
    numbers = {name: _numbers(each) for name, each in thin.items() if not _is_text(each)}
    head = {name: name for name in names}

    def first_of(name: str) -> str:
        while head[name] != name:
            name = head[name]
        return name

    for members in (*_ranked(numbers), *_named(thin), *_summed(numbers)):
        for other in members[1:]:
            head[first_of(other)] = first_of(members[0])
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(first_of(name), []).append(name)
    return [tuple(group) for group in found.values()]


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column)


def _numbers(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(column):
        return np.where(column.isna(), np.nan, column.astype("int64").to_numpy(dtype=float))
    return np.asarray(column.to_numpy(dtype=float))


def _standard(x: np.ndarray) -> np.ndarray | None:
    """Return numbers with mean 0 and length 1, a missing one at the mean; None where they are all the same."""
    seen = np.isfinite(x)
    if not seen.any() or x[seen].min() == x[seen].max():
        return None
    centred = np.where(seen, x - x[seen].mean(), 0.0)
    return np.asarray(centred / np.sqrt(centred @ centred))


def _ranked(numbers: Mapping[str, np.ndarray]) -> Iterator[tuple[str, ...]]:
    """Yield pairs of numbers with nearly the same ranks, or the reverse ones."""
    ranks = {}
    for name, x in numbers.items():
        seen = np.isfinite(x)
        placed = np.full(len(x), np.nan)
        if seen.any():
            placed[seen] = ranks_of(x[seen])
        if (standard := _standard(placed)) is not None:
            ranks[name] = standard
    if len(ranks) > 1:
        names, R = list(ranks), np.stack(list(ranks.values()), axis=1)
        for i, j in np.argwhere(np.triu(np.abs(R.T @ R) > SAME_RANKS, 1)):
            yield names[i], names[j]


def _named(columns: Mapping[str, pd.Series]) -> Iterator[tuple[str, ...]]:
    """Yield pairs of categories, one of them of texts, that tell each other; a number of few values counts as one."""
    codes: dict[str, np.ndarray] = {}
    surprise: dict[str, float] = {}
    for name, column in columns.items():
        numbered, levels = pd.factorize(column, use_na_sentinel=False)
        if 2 <= len(levels) <= min(MOST_LEVELS, len(column) / ROWS_PER_LEVEL):
            codes[name] = numbered
            share = np.bincount(numbered) / len(numbered)
            surprise[name] = float(-(share * np.log(share)).sum())
    names = list(codes)
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            texts = _is_text(columns[first]) or _is_text(columns[second])
            if texts and abs(surprise[first] - surprise[second]) < SURPRISE and _tell(codes[first], codes[second]):
                yield first, second


def _tell(first: np.ndarray, second: np.ndarray) -> bool:
    """Say whether each of two categories spares nearly all errors about the other (lambda of Goodman and Kruskal, 1954)."""
    width = int(second.max()) + 1
    table = np.bincount(first * width + second, minlength=(int(first.max()) + 1) * width).reshape(-1, width)
    return min(_spared(table), _spared(table.T)) >= SPARED


def _spared(table: np.ndarray) -> float:
    """Return the share of the errors about the category of the columns that the category of the rows spares."""
    blind = table.sum() - table.sum(axis=0).max()
    return 1 - float(table.sum() - table.max(axis=1).sum()) / float(blind)


def _summed(numbers: Mapping[str, np.ndarray]) -> Iterator[tuple[str, ...]]:
    """Yield columns of which one is a weighted sum of the others, in the rows where all are known."""
    whole = np.ones(len(next(iter(numbers.values()), [])), dtype=bool)
    for x in numbers.values():
        whole &= np.isfinite(x)
    if whole.sum() < 2 * max(ROWS_PER_LEVEL, len(numbers)):
        return
    free: dict[str, np.ndarray] = {}  # columns that are no sum of those before them
    basis = np.empty((int(whole.sum()), 0))
    for name, x in numbers.items():
        if (standard := _standard(x[whole])) is None:
            continue
        rest = standard
        for _ in range(2):  # once more for what rounding left
            rest = rest - basis @ (basis.T @ rest)
        size = float(np.sqrt(rest @ rest))
        if size > LEFT:
            free[name] = standard
            basis = np.column_stack([basis, rest / size])
            continue
        parts, *_ = np.linalg.lstsq(np.stack(list(free.values()), axis=1), standard)
        members = [part for part, share in zip(free, parts, strict=True) if abs(share) > COUNTS * np.abs(parts).max()]
        if len(members) < MOST_SUMMED:
            yield (name, *members)
