"""What the store knows of a problem from before: what its audit found, and which rows have been judged already."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from piste.core.check import Examined
from piste.core.finding import Finding
from piste.edges.store import Store, pack_frame, unpack_frame


def keep(store: Store, key: str, examined: Examined) -> None:
    """Keep what the audit found, under the key of all that determines it."""
    shapes: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, frame in examined.tables.items():
        shapes[name], columns = pack_frame(frame.reset_index(drop=True))
        arrays |= {f"{name}/{place}": values for place, values in columns.items()}
    meta = {
        "findings": [asdict(each) for each in examined.findings],
        "spared": dict(examined.spared),
        "silent": list(examined.silent),
        "tables": shapes,
    }
    store.put(key, "audit", meta, arrays)


def kept(store: Store, key: str) -> Examined | None:
    """Return what `keep` kept under a key; None where nothing."""
    record = store.get(key)
    if record is None:
        return None
    tables = {}
    for name, shape in record.meta["tables"].items():
        columns = {place.removeprefix(f"{name}/"): values for place, values in record.arrays.items() if place.startswith(f"{name}/")}
        tables[name] = unpack_frame(shape, columns)
    findings = tuple(Finding(**each) for each in record.meta["findings"])
    return Examined(findings, tables, record.meta["spared"], tuple(record.meta["silent"]))


def judged_before(store: Store, problem: str, digest: str, holdout: np.ndarray, n_rows: int) -> np.ndarray:
    """Return how many comparisons of a problem have judged each row that is held out now, (n_rows,); 0 for all other rows.

    Args:
        store: with the comparisons.
        problem: its name.
        digest: of its table: only comparisons on the same rows count.
        holdout: row numbers.
        n_rows: of the table.
    """
    times = np.zeros(n_rows, dtype=int)
    for meta, rows in store.columns_of(problem, "losses", "row"):
        if meta["digest"] == digest and meta["n_rows"] == n_rows:
            times[np.intersect1d(rows, holdout)] += 1
    return times
