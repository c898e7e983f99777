"""Results kept cell by cell, so that a comparison which was stopped goes on where it stood."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.figures import circumstances
from benchmarks.quality.cell import Cell
from benchmarks.quality.methods import METHODS


class Kept:
    """The cells in a file. One whose method has other settings, or other versions of its packages, than now is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cells: dict[str, Any] = json.loads(path.read_text())["cells"] if path.exists() else {}

    def get(self, cell: Cell) -> dict[str, Any] | None:
        """Return what came of a cell; None where it must be computed."""
        found = self._cells.get(cell.key)
        return found if found and found["by"] == METHODS[cell.method].determined_by() else None

    def put(self, cell: Cell, answers: dict[str, Any], cpu_seconds: float, wall_seconds: float) -> None:
        """Keep what came of a cell, on the disk before this returns."""
        by = METHODS[cell.method].determined_by()
        self._cells[cell.key] = {"answers": answers, "cpu_seconds": cpu_seconds, "wall_seconds": wall_seconds, "by": by}
        self.path.parent.mkdir(exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({**circumstances(()), "cells": self._cells}, indent=1) + "\n")
        os.replace(draft, self.path)
