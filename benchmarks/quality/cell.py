"""One cell of the comparison in a process of its own: a method on one division of a set."""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.methods import METHODS
from benchmarks.quality.tables import divided


@dataclass(frozen=True)
class Cell:
    """What is computed and kept at once."""

    table: str
    split: int
    rows: int  # at most so many to learn from
    method: str

    @property
    def key(self) -> str:
        """Name the cell among the results."""
        return f"{self.table}/{self.split}/{self.rows}/{self.method}"


def compute(cell: Cell) -> dict[str, dict[str, float | str]]:
    """Learn, predict and judge; return what came of it by row of the table."""
    division, method = divided(cell.table, cell.split, cell.rows), METHODS[cell.method]
    answers = method.fit(division, method.settings, cell.split)
    return {each.row: {**division.errors(each.prediction), "note": each.note} for each in answers}


if __name__ == "__main__":
    table, split, rows, name, destination = sys.argv[1:]
    logging.disable(logging.WARNING)  # of the networks' trainer, which greets and advises at length
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    Path(destination).write_text(json.dumps(compute(Cell(table, int(split), int(rows), name))))
