"""One comparison, of each family's default, in a process of its own: what its rows took, and which families stepped aside."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import piste
from piste.watch import Event, Finished


@dataclass
class Clock:
    """Adds up what the cells of each entry took."""

    seconds: dict[str, float] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Hear of a cell that has ended."""
        if isinstance(event, Finished):
            self.seconds[event.cell.entry] = self.seconds.get(event.cell.entry, 0.0) + event.seconds


def compare(problem: Path, mlruns: Path, workers: int) -> dict[str, Any]:
    """Run a comparison, and return what is worth keeping of it."""
    clock, start = Clock(), time.perf_counter()
    board = piste.run(problem, quick=True, mlruns=mlruns, workers=workers, watcher=clock).leaderboard
    done = board[board["status"] == "ok"]
    return {
        "seconds": time.perf_counter() - start,
        "cells": clock.seconds,
        "families": {
            name: {"fit_seconds": float(row["fit_seconds"]), "predict_seconds": float(row["predict_seconds"]), "cost": float(row["cost"])}
            for name, rows in done.groupby("family")
            for row in [rows.iloc[0]]
        },
        "aside": {row["family"]: row["reason"] for _, row in board[board["status"] != "ok"].iterrows()},
    }


if __name__ == "__main__":
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    (folder / "outcome.json").write_text(json.dumps(compare(folder / "problem.yaml", folder / "mlruns", workers)))
