"""What a run would compute, and about how long it would take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from piste.core.plan import Cell
from piste.terminal.amounts import span

if TYPE_CHECKING:
    from piste.estimate import Estimate


def plan_table(estimate: Estimate) -> Group:
    """Draw the cells of a plan: how many there are of each row and stage, how many are stored, how long they may take."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("stage", "family", "asked"):
        table.add_column(name)
    for name in ("cells", "fits", "stored", "about"):
        table.add_column(name, justify="right")
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in estimate.plan.cells:
        groups.setdefault((cell.stage, cell.entry, cell.framing), []).append(cell)
    total = 0.0
    for (stage, entry, framing), cells in groups.items():
        todo = [cell for cell in cells if id(cell) not in estimate.stored]
        about = sum(estimate.seconds[id(cell)] for cell in todo)
        total += 0.0 if math.isnan(about) else about
        fits = sum(len(cell.candidates) for cell in cells)
        table.add_row(
            stage, entry, framing, str(len(cells)), str(fits), str(len(cells) - len(todo)), "?" if math.isnan(about) else span(about)
        )
    skipped = [Text(f"skipped: {absent.family} ({absent.framing}): {absent.reason}", style="dim") for absent in estimate.plan.absent]
    words = f"About {span(total / estimate.workers)} on {estimate.workers} workers, by fits on a few hundred rows; logging comes on top."
    return Group(table, *skipped, Text(words, style="bold"))
