"""The folds as tables that go out: which rows each fold tests, and from which it may learn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.data import Table
from piste.core.melt import ROW
from piste.core.split import Fold, Folds

KEYS = ("row", "line", "fold", "name", "repeat", "judged", "split")  # columns of our own


@dataclass(frozen=True, slots=True)
class FoldSheet:
    """What someone needs who predicts elsewhere, on the same folds.

    `tests` has one line for each row that a fold tests: `row` (of the table, from 0), `line` (of the file, as editors count; of
    a source without lines the row, from 1), the columns of `unit`, `fold` (from 0), `name` (of the fold), `repeat`,
    `judged` (not so of a fold that only warms up), and `split`. `trains` has one for each row that a fold may learn from:
    `fold`, `row`.
    """

    tests: pd.DataFrame
    trains: pd.DataFrame
    split: str


def split_digest(table: Table, folds: Folds) -> str:
    """Name what predictions out of fold belong to: the rows, the target, and the folds; a word that no spreadsheet takes for a number."""
    found = hashlib.sha256(json.dumps([table.digest, table.target.name, table.target.kind, table.target.labels]).encode())
    found.update(np.ascontiguousarray(table.target.values, dtype=float).tobytes())
    for fold in folds.folds:
        found.update(json.dumps([len(fold.train), len(fold.test), fold.repeat, fold.warm_up]).encode())
        found.update(fold.train.astype("<i8").tobytes() + fold.test.astype("<i8").tobytes())
    return f"split-{found.hexdigest()[:12]}"


def fold_sheet(table: Table, unit: Sequence[str], folds: Folds) -> FoldSheet:
    """Lay the folds out.

    Args:
        table: the rows.
        unit: columns that together name a row.
        folds: the divisions of the rows.
    """
    split = split_digest(table, folds)
    rows, numbers = _joined([fold.test for fold in folds.folds])
    named = [name for name in unit if not (table.layout.melt and name == ROW)]  # `line` says it
    of = {(f"{name} of the table" if name in KEYS else name): table.frame[name].to_numpy()[rows] for name in named}
    tests = pd.DataFrame(
        {
            "row": rows,
            "line": table.lines[rows],
            **of,
            "fold": numbers,
            "name": _each(folds.folds, [fold.name for fold in folds.folds]),
            "repeat": _each(folds.folds, [fold.repeat for fold in folds.folds]),
            "judged": _each(folds.folds, [not fold.warm_up for fold in folds.folds]),
            "split": split,
        }
    )
    learnt, of_fold = _joined([fold.train for fold in folds.folds])
    return FoldSheet(tests, pd.DataFrame({"fold": of_fold, "row": learnt}), split)


def _joined(parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lay row numbers end to end, and say which part each is of."""
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _each(folds: Sequence[Fold], values: Sequence[object]) -> np.ndarray:
    """Return the value of each test row's fold."""
    return np.repeat(np.array(values), [len(fold.test) for fold in folds])
