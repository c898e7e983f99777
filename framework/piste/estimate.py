"""How long cells may take, extrapolated from fits on a few hundred rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from piste.core.fit import Study
from piste.core.plan import Cell, Plan
from piste.core.split import Fold
from piste.edges.executors import TaskFailed
from piste.engine import Engine
from piste.work import compute

PROBE_ROWS = (250, 1_000)  # of the small fits
PROBE_SECONDS = 30.0  # that one may take
START_SECONDS = 0.05  # of a process


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would compute, and about how long that takes."""

    plan: Plan
    stored: frozenset[int]  # id() of the cells that are stored
    seconds: Mapping[int, float]  # id() of a cell -> seconds; NaN where a small fit failed
    workers: int


def estimate(engine: Engine, workers: int) -> Estimate:
    """Extrapolate the cells that are not stored from their first candidates on a few hundred rows."""
    plan, folds = engine.prepared.plan, engine.prepared.folds.folds
    stored = engine.stored()
    todo = [cell for cell in plan.cells if id(cell) not in stored]
    largest = max(folds, key=lambda fold: len(fold.train))
    sizes = [min(size, len(largest.train)) for size in PROBE_ROWS]
    first: dict[tuple[str, str, int], Cell] = {}
    for cell in todo:
        first.setdefault(_alike(cell), cell)
    small = [engine.executor.put(_thinned(engine.prepared.study, largest, size)) for size in sizes] if todo else []
    where = engine.prepared.folder.resolve()
    probes = {}
    for row, cell in first.items():
        alone = Cell(cell.stage, cell.framing, cell.entry, 0, cell.candidates[:1])
        entry = plan.entries[cell.entry][0]
        probes[row] = [engine.executor.submit(compute, study, alone, entry, where, timeout=PROBE_SECONDS) for study in small]
    seconds = {id(cell): _extrapolated(probes[_alike(cell)], sizes, len(folds[cell.fold].train)) * len(cell.candidates) for cell in todo}
    return Estimate(plan, frozenset(stored), seconds, workers)


def _alike(cell: Cell) -> tuple[str, str, int]:
    """Name the cells whose candidates take about as long: settings of a family, or the choice among so many of them."""
    return cell.framing, cell.entry, len(cell.candidates[0].points)


def _thinned(study: Study, fold: Fold, n: int) -> Study:
    """Return a study with one fold, whose training part is about n of the fold's rows, evenly spread."""
    chosen = np.unique(np.linspace(0, len(fold.train) - 1, n).astype(int))
    thin = Fold(fold.name, 0, fold.train[chosen], fold.stop[chosen], fold.test[:n])
    return replace(study, folds=replace(study.folds, folds=(thin,)))


def _extrapolated(probes: Sequence[Future[Any]], sizes: Sequence[int], n: int) -> float:
    """Continue the times of two small fits to n rows by a power law of an exponent from 0 to 2.5; NaN where one failed."""
    try:
        times = [max(1e-4, (done := probe.result()[0]).fit_seconds + done.predict_seconds) for probe in probes]
    except TaskFailed:
        return float("nan")
    grown = sizes[-1] / sizes[0]
    power = float(np.clip(np.log(times[-1] / times[0]) / np.log(grown), 0.0, 2.5)) if grown > 1 else 1.0
    return START_SECONDS + float(times[-1] * (n / sizes[-1]) ** power)
