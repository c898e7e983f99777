"""What a person sees in the terminal: progress while it runs, then a leaderboard worth reading."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from piste.core.comparison import Comparison, Judged
from piste.core.fit import Failed, Outcome
from piste.core.plan import Cell
from piste.core.verdict import is_baseline
from piste.watch import Began, Better, Event, Finished, FirstBoard, Logged, Planned, Refitted, Said, Started

if TYPE_CHECKING:
    from piste.estimate import Estimate

PLOT = 21  # characters of the drawn intervals
STAGES = {
    "baseline": "baselines",
    "default": "every family's default",
    "search": "search",
    "self-test": "self-test",
    "curve": "learning curves",
}
WIDE = 140  # characters, where the output is no terminal
LINE_SECONDS = 5.0  # between two lines where the output is no terminal


class Screen:
    """Draws the progress of a run: what is done, what runs, the time left, and the best so far."""

    def __init__(self, console: Console) -> None:
        """Draw on a console; where it is no terminal, print a line now and then."""
        self._console = console
        self._drawing = console.is_terminal or console.is_jupyter
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f} of {task.total:.0f} cells"),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._task: TaskID | None = None
        self._cells: tuple[Cell, ...] = ()
        self._done: set[int] = set()
        self._spent: defaultdict[tuple[str, str], float] = defaultdict(float)  # seconds by row
        self._fits: Counter[tuple[str, str]] = Counter()
        self._running: dict[int, Cell] = {}
        self._best = ""
        self._also = ""
        self._failed: list[str] = []
        self._printed = 0.0
        self._began = time.monotonic()
        self._live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._drawn)

    def __enter__(self) -> Screen:
        """Begin to draw."""
        if self._drawing:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take an event in, and show it."""
        match event:
            case Said(text):
                self._console.print(text, highlight=False)
            case Planned(plan):
                self._cells = plan.cells
                self._task = self._progress.add_task("", total=len(plan.cells), left="")
            case Began(stage) if self._task is not None:
                self._progress.update(self._task, description=STAGES[stage])
            case Started(cell):
                self._running[id(cell)] = cell
            case Finished(cell, seconds, outcomes):
                self._count(cell, seconds, outcomes)
            case Better(title, cost_name, cost):
                self._best = f"best so far: {title}, {cost_name} {short(cost)}"
            case FirstBoard(comparison):
                self._console.print(f"First leaderboard, after {time.monotonic() - self._began:.0f} s; the search goes on.", style="dim")
                self._console.print(leaderboard(comparison))
            case Refitted(done, total):
                self._also = f"fitting on all rows: {done} of {total}"
            case Logged(done, total):
                self._also = f"logging to MLflow: {done} of {total}"
        if not isinstance(event, Said | FirstBoard):
            self._tell()

    def _count(self, cell: Cell, seconds: float, outcomes: Sequence[Outcome]) -> None:
        self._running.pop(id(cell), None)
        self._done.add(id(cell))
        if seconds:
            self._spent[cell.framing, cell.entry] += seconds
            self._fits[cell.framing, cell.entry] += len(cell.candidates)
        self._failed += [f"{cell.entry}: {outcome.reason}" for outcome in outcomes if isinstance(outcome, Failed)]
        if self._task is not None:
            self._progress.update(self._task, completed=sum(id(each) in self._done for each in self._cells), left=self._left())

    def _left(self) -> str:
        """Estimate the time left from what each row's fits have taken so far."""
        if not self._fits:
            return ""
        usual = sum(self._spent.values()) / sum(self._fits.values())
        waiting = [cell for cell in self._cells if id(cell) not in self._done]
        seconds = 0.0
        for cell in waiting:
            row = (cell.framing, cell.entry)
            seconds += len(cell.candidates) * (self._spent[row] / self._fits[row] if self._fits[row] else usual)
        return f"about {span(seconds / max(1, len(self._running)))} left" if waiting else ""

    def _drawn(self) -> Group:
        lines: list[object] = [self._progress]
        names = [f"{cell.entry} ({cell.framing}, fold {cell.fold + 1})" for cell in self._running.values()]
        if names:
            lines.append(Text("  running: " + ", ".join(names), style="dim", no_wrap=True, overflow="ellipsis"))
        if self._failed:
            lines.append(Text(f"  failed: {len(self._failed)}; last {self._failed[-1]}", style="yellow", no_wrap=True, overflow="ellipsis"))
        lines += [Text(f"  {text}", no_wrap=True, overflow="ellipsis") for text in (self._best, self._also) if text]
        return Group(*lines)  # type: ignore[arg-type]

    def _tell(self) -> None:
        """Print a line now and then where nothing can be drawn."""
        now = time.monotonic()
        if self._drawing or now - self._printed < LINE_SECONDS:
            return
        self._printed = now
        done = sum(id(each) in self._done for each in self._cells)
        running = ", ".join(dict.fromkeys(cell.entry for cell in self._running.values()))
        parts = [f"{done} of {len(self._cells)} cells", self._left(), f"running {running}" if running else "", self._best, self._also]
        self._console.print(f"[{now - self._began:4.0f} s] " + "; ".join(part for part in parts if part), markup=False)


def span(seconds: float) -> str:
    """Write a time as people say it.

    >>> span(8), span(75), span(7300)
    ('8 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def short(value: float) -> str:
    """Write a cost with three or four figures.

    >>> short(0.123456), short(54.81), short(1234.5), short(float("nan"))
    ('0.1235', '54.81', '1,234', '-')
    """
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def leaderboard(comparison: Comparison) -> Table:
    """Draw the leaderboard: costs with their intervals, gains, ties, and how well the training rows were known."""
    several = len({row.framing for row in comparison.judged}) > 1
    low, high = _range(comparison)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", justify="right", style="dim")
    table.add_column("model", min_width=24, max_width=64)
    if several:
        table.add_column("asked", style="dim")
    table.add_column(comparison.cost_name, justify="right")
    table.add_column("95 % interval", no_wrap=True)
    for name in ("gain", "training", "fit"):
        table.add_column(name, justify="right", style="" if name == "gain" else "dim", no_wrap=True)
    for place, row in enumerate(comparison.judged, start=1):
        champion = row.id == comparison.champion
        title = Text(row.title, style="dim" if is_baseline(row) else "bold" if champion else "")
        if champion:
            title.append("  champion", style="bold green")
        cells: list[object] = [str(place), title]
        if several:
            cells.append(row.framing)
        cells += [
            short(row.cost),
            _interval(row, low, high),
            _gain(row) if row.id != comparison.best_baseline else "",
            _training(comparison, row),
            span_of_fit(row.fit_seconds),
        ]
        table.add_row(*cells)  # type: ignore[arg-type]
    return table


def _gain(row: Judged) -> str:
    """Write a gain; of a row that is many times worse, how many."""
    if math.isnan(row.gain_vs_baseline):
        return "-"
    return f"{row.gain_vs_baseline:.1%}" if row.gain_vs_baseline > -1 else f"{1 - row.gain_vs_baseline:,.0f} x"


def paper(*, stderr: bool = False) -> Console:
    """Return a console; where it is no terminal, wide enough for a leaderboard."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=WIDE)


def span_of_fit(seconds: float) -> str:
    """Write the time of one fit."""
    return f"{seconds:.2g} s" if seconds < 10 else span(seconds)


def _training(comparison: Comparison, row: Judged) -> str:
    """Return the same cost on the training rows; far below the other, it was learnt by heart."""
    name = "accuracy" if comparison.cost_name == "error_rate" else comparison.cost_name
    if name not in row.train_metrics:
        return ""
    value = row.train_metrics[name]
    return short(1 - value if comparison.cost_name == "error_rate" else value)


def _range(comparison: Comparison) -> tuple[float, float]:
    """Return the costs between which intervals are drawn: up to the best baseline, or to the worst row if that is better."""
    base = comparison.row(comparison.best_baseline)
    inside = [row for row in comparison.judged if row.cost <= base.cost] if base.cost > comparison.judged[0].cost else comparison.judged
    bounds = [bound for row in inside for bound in (row.cost_lo, row.cost, row.cost_hi) if math.isfinite(bound)]
    return min(bounds), max(bounds)


def _interval(row: Judged, low: float, high: float) -> Text:
    """Draw an interval, an arrow where it lies beyond what is drawn; green where the row is tied with the best."""

    def at(value: float) -> int:
        return max(0, min(PLOT - 1, round((value - low) / (high - low) * (PLOT - 1)))) if high > low else 0

    if math.isnan(row.cost_lo):
        return Text("unknown", style="dim")
    line = [" "] * PLOT
    for place in range(at(row.cost_lo), at(row.cost_hi) + 1):
        line[place] = "─"
    line[at(row.cost)] = "●" if row.cost <= high else "→"
    return Text("".join(line), style="green" if row.tied_with_best else "dim" if is_baseline(row) else "")


def summary(comparison: Comparison) -> Group:
    """Draw all that is said of a comparison: the board, what is left out, and the sentence."""
    base = comparison.row(comparison.best_baseline)
    parts: list[object] = [Text(_headline(comparison), style="bold"), "", leaderboard(comparison), ""]
    key = f"gain: against {base.title}, the best baseline. Green: tied with the best. training: the same on training rows."
    parts.append(Text(key, style="dim"))
    parts.append(
        Text(f"Intervals are each row's own; they are not corrected for choosing among {comparison.n_columns} candidates.", style="dim")
    )
    have = {row.family for row in comparison.judged}
    for absent in comparison.absent:
        if absent.status == "failed" or absent.family not in have:
            have.add(absent.family)
            parts.append(Text(f"{absent.status}: {absent.family}: {absent.reason}", style="yellow" if absent.status == "failed" else "dim"))
    for row in comparison.judged:
        parts += [Text(f"note: {row.family} ({row.framing}): {note}", style="dim") for note in row.notes]
    parts += [Text(f"note: {note}", style="dim") for note in comparison.notes]
    return Group(*parts, "", Text(comparison.verdict.sentence, style="bold"))  # type: ignore[arg-type]


def _headline(comparison: Comparison) -> str:
    asked = f": {comparison.question}" if comparison.question else ""
    judged = f"{comparison.n_judged:,} of {comparison.n_rows:,} rows judged in {len(comparison.fold_names)} folds"
    return f"{comparison.problem}{asked} ({judged})"


def print_next_steps(console: Console, link: str, problem: str) -> None:
    """Say what to type next, as it works in this shell; the link stays on one line, so that it can be clicked."""
    found = shutil.which("piste")
    own = Path(sys.argv[0])
    command = "piste"
    lines = []
    if found is None and own.name == "piste":
        activate = own.parent / "activate"
        shown = Path(*activate.parts[-3:]) if activate.is_relative_to(Path.cwd()) else activate
        lines.append(f"  source {shown}   puts piste on the path")
    place = shlex.quote(problem)
    lines.append(f"  {command} ui   opens MLflow, then compare the models at")
    console.print(Text("\nNext:", style="bold"), *(Text(line) for line in lines), sep="\n")
    console.print(Text(f"    {link}", style="cyan") if link else Text("    (not logged to MLflow)"), soft_wrap=True)
    console.print(f"  {command} predict {place} ROWS.csv   answers new rows with the champion", markup=False)


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
