"""The leaderboard, a line for each row, as wide as the paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from piste.core.comparison import Comparison, Judged
from piste.core.report.words import decided_by
from piste.core.statistics import FEW
from piste.core.verdict import is_baseline
from piste.terminal.amounts import UNKNOWN, alike, of_fit, percent
from piste.terminal.selection import Place, wanted
from piste.terminal.titles import fitted, rule, title

CHAMPION = "  champion"
GAP = 2  # between columns
BRIEF = {"prediction alone": "alone", "with its uncertainty": "uncertainty"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column beside the titles: its header, and a cell for each row."""

    header: str
    cells: Sequence[Text]
    right: bool = True

    @property
    def width(self) -> int:
        """Return the characters that it takes."""
        return max(Text(line).cell_len for line in (*self.header.split("\n"), *(cell.plain for cell in self.cells)))


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is said of a row; with less, there is more room for its title."""

    title: int = 44  # characters that it must leave for titles
    fit: bool = True  # seconds of one
    plot: int = 21  # characters of a drawn interval
    decides: Literal["in words", "in a word", ""] = "in words"
    at_least: bool = True  # lower bounds of gains
    training: bool = True  # costs on training rows


DETAILS = (
    Detail(),
    Detail(fit=False),
    Detail(fit=False, plot=11),
    Detail(fit=False, plot=11, decides="in a word"),
    Detail(fit=False, plot=11, decides="in a word", at_least=False),
    Detail(title=14, fit=False, plot=11, decides="in a word", at_least=False, training=False),
    Detail(title=0, fit=False, plot=0, decides="", at_least=False, training=False),
)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Costs with their intervals, gains and ties of the rows that a person wants to see first, or of every row.

    What nobody could ship stands below them: perfect foresight, and the truth of a simulated world.
    """

    comparison: Comparison
    every: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it for a width: the most detailed columns that leave the titles enough room."""
        found = self.comparison
        places = tuple(enumerate(found.judged, start=1)) if self.every else wanted(found)
        rows = [*(row for _, row in places), *found.references]
        longest = max(Text(title(row)).cell_len + (len(CHAMPION) if row.id == found.champion else 0) for row in rows)
        numbers = len(str(places[-1][0])) + GAP
        laid = [_columns(found, rows, detail) for detail in DETAILS]
        rooms = [options.max_width - numbers - sum(GAP + column.width for column in columns) for columns in laid]
        chosen = next((i for i, room in enumerate(rooms) if room >= min(longest, DETAILS[i].title)), -1)
        detail, columns, room = DETAILS[chosen], laid[chosen], rooms[chosen]
        yield _table(found, places, columns, max(8, min(room, longest)))
        yield Text()
        yield Text(_below(found, places, detail), style="dim")


def _table(comparison: Comparison, places: Sequence[Place], columns: Sequence[Column], width: int) -> Table:
    grey = "" if comparison.valid else "bright_black"  # scores that do not count
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0), style=grey)
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("model", min_width=width, max_width=width, no_wrap=True, vertical="bottom")
    for column in columns:
        justify = "right" if column.right else "left"
        table.add_column(column.header, justify=justify, min_width=column.width, no_wrap=True, vertical="bottom")  # type: ignore[arg-type]
    for number, (place, row) in enumerate(places):
        table.add_row(str(place), _titled(comparison, row, width), *(column.cells[number] for column in columns))
    if comparison.references:
        table.add_row()
    for number, row in enumerate(comparison.references, start=len(places)):
        table.add_row("", Text(fitted(title(row), width), style="dim"), *(column.cells[number] for column in columns))
    return table


def _titled(comparison: Comparison, row: Judged, width: int) -> Text:
    if row.id != comparison.champion:
        return Text(fitted(title(row), width), style="dim" if is_baseline(row) else "")
    shown = Text(fitted(title(row), width - len(CHAMPION)), style="bold")
    return shown.append(CHAMPION, style="bold green")


def _columns(comparison: Comparison, rows: Sequence[Judged], detail: Detail) -> list[Column]:
    """Lay out the columns beside the titles; those that would say the same of every row are left out."""
    judged, known = comparison.judged, {row.id for row in comparison.references}
    low, high = _range(comparison)
    columns = []

    def add(header: str, cells: Iterable[Text | str], *, right: bool = True, style: str = "dim") -> None:
        texts = [cell if isinstance(cell, Text) else Text(cell, style=style) for cell in cells]
        columns.append(Column(header, texts, right))

    if len({row.framing for row in judged}) > 1:
        add("asked", ("" if row.id in known else row.framing for row in rows), right=False)
    if detail.decides and len({(row.framing, row.family) for row in judged}) < len(judged):
        says = [decided_by(row.rule) for row in rows]
        add("decides", (BRIEF.get(each, each) if detail.decides == "in a word" else each for each in says), right=False)
    costs = zip(alike([row.cost for row in rows], judged[0].cost), rows, strict=True)
    unit = f"{comparison.cost_name}\na decision" if comparison.priced else comparison.cost_name
    add(unit, (Text(cost, style="dim" if row.id in known else "") for cost, row in costs))
    if width := detail.plot:
        plots = (_reference(row, low, high, width) if row.id in known else _interval(row, low, high, width) for row in rows)
        add("95 % interval" if width > len("95 % interval") else "interval", plots, right=False)
    gains = ["" if row.id == comparison.best_baseline else percent(row.gain_vs_baseline) for row in rows]
    add("gain", (Text(gain, style="dim" if row.id in known else "") for gain, row in zip(gains, rows, strict=True)))
    if detail.at_least:
        add("at least", ("" if row.id == comparison.best_baseline else _least(row) for row in rows))
    if detail.training and not comparison.priced:
        trained = alike([_training(comparison, row) for row in rows], judged[0].cost)
        add("training", ("" if cost == UNKNOWN else cost for cost in trained))
    if detail.fit:
        add("fit", (of_fit(row.fit_seconds) for row in rows))
    return [column for column in columns if any(cell.plain for cell in column.cells)]


def _least(row: Judged) -> str:
    """Return the lower bound of a gain, unless it says no more than that the row may be many times worse."""
    return f"{row.gain_lo:.0%}" if row.gain_lo > -1 else ""


def _training(comparison: Comparison, row: Judged) -> float:
    """Return the same cost on the training rows, NaN where there is none; far below the other, it was learnt by heart."""
    if comparison.cost_name == "error_rate":
        return 1 - row.train_metrics.get("accuracy", float("nan"))
    return row.train_metrics.get(comparison.cost_name, float("nan"))


def _range(comparison: Comparison) -> tuple[float, float]:
    """Return the costs between which intervals are drawn: up to the best baseline, or to the worst row if that is better."""
    base = comparison.row(comparison.best_baseline)
    inside = [row for row in comparison.judged if row.cost <= base.cost] if base.cost > comparison.judged[0].cost else comparison.judged
    bounds = [bound for row in inside for bound in (row.cost_lo, row.cost, row.cost_hi) if math.isfinite(bound)]
    return min(bounds), max(bounds)


def _at(value: float, low: float, high: float, width: int) -> int:
    """Return the character of a drawing at which a value lies; one beyond it lies at its edge."""
    return round((min(max(value, low), high) - low) / (high - low) * (width - 1)) if high > low else 0


def _interval(row: Judged, low: float, high: float, width: int) -> Text:
    """Draw an interval, an arrow where the cost lies beyond what is drawn; green where the row is tied with the best."""
    if math.isnan(row.cost_lo) or math.isnan(row.cost_hi):
        return Text("unknown", style="dim")
    line = [" "] * width
    for place in range(_at(row.cost_lo, low, high, width), _at(row.cost_hi, low, high, width) + 1):
        line[place] = "─"
    line[_at(row.cost, low, high, width)] = "●" if row.cost <= high else "→"
    return Text("".join(line), style="green" if row.tied_with_best else "dim" if is_baseline(row) else "")


def _reference(row: Judged, low: float, high: float, width: int) -> Text:
    """Draw a cost that is known without an interval."""
    line = [" "] * width
    line[_at(row.cost, low, high, width)] = "←" if row.cost < low else "→" if row.cost > high else "○"
    return Text("".join(line), style="dim")


def _below(comparison: Comparison, places: Sequence[Place], detail: Detail) -> str:
    """Say what is not shown, and how the columns are to be read."""
    said = []
    shown = {row.id for _, row in places}
    if hidden := [row for row in comparison.judged if row.id not in shown]:
        tied = sum(row.tied_with_best for row in hidden)
        also = f", {tied} of them tied with the best" if tied else ""
        said.append(f"… and {len(hidden)} more rows in the report{also} (--all shows them here).")
    level = f" at {comparison.terms.confidence:.0%}" if comparison.terms is not None else ""
    bound = f"lower bound{level}, for all {comparison.n_columns:,} candidates at once"
    least = f"; at least: its {bound}" if detail.at_least else f" (its {bound}: in the report)"
    trained = "; training: the same cost on training rows" if detail.training and not comparison.priced else ""
    base = rule(comparison.row(comparison.best_baseline))
    said.append(f"gain: over {base}, the one to beat{least}{trained}. Green: tied with the best.")
    return " ".join([*said, _corrected(comparison)])


def _corrected(comparison: Comparison) -> str:
    """Say what the costs are corrected for."""
    most = max(row.n_trials for row in comparison.judged)
    if most == 1:
        return "Each row has one setting: its cost is as measured."
    if comparison.claimed is not None and comparison.claimed.n_blocks < FEW:
        return "There is too little to draw from again and again: costs are those of each row's best setting, uncorrected."
    return f"Each cost is corrected for choosing its setting among up to {most}."
