"""The progress of a run: what is done, what runs, the time left, and the best so far."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from piste.core.fit import Failed, Outcome
from piste.core.plan import Cell
from piste.terminal.amounts import short, span
from piste.terminal.board import Leaderboard
from piste.watch import Began, Better, Event, Finished, FirstBoard, Logged, Planned, Refitted, Said, Spared, Started

STAGES = {
    "baseline": "baselines",
    "default": "every family's default",
    "search": "search",
    "self-test": "self-test",
    "curve": "learning curves",
    "seeds": "the champion under other seeds",
    "repeat": "every model under other seeds",
}
BAR = 30  # characters
LEAST_BAR = 6
LINE_SECONDS = 5.0  # between two lines where the output is no terminal

Fit = tuple[object, ...]  # a candidate on a fold, in a stage, on a share of the training rows, under a seed
Row = tuple[str, str]  # framing and entry


def fits(cell: Cell) -> set[Fit]:
    """Return what a cell fits; the parts that a cell is divided into fit the same."""
    return {(cell.stage, cell.share, cell.draw, cell.fold, candidate.key) for candidate in cell.candidates}


class Screen:
    """Draws the progress of a run; where the output is no terminal, prints a line now and then."""

    def __init__(self, console: Console) -> None:
        """Draw on a console."""
        self._console = console
        self._drawing = console.is_terminal or console.is_jupyter
        self._stage = ""
        self._planned: set[Fit] = set()
        self._done: set[Fit] = set()
        self._waiting: Counter[Row] = Counter()  # fits that are planned and not done
        self._spent: defaultdict[Row, float] = defaultdict(float)  # seconds
        self._counted: Counter[Row] = Counter()  # fits that took them
        self._running: dict[int, Cell] = {}
        self._workers = 1
        self._best = ""
        self._after: tuple[str, int, int, str] | None = None  # once all is computed: what is done with it, how many of all, of what
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
                self._console.print(text, highlight=False, markup=False)
            case Planned(plan):
                for cell in plan.cells:
                    self._planned |= fits(cell)
                    self._waiting[cell.framing, cell.entry] += len(cell.candidates)
            case Began(stage):
                self._stage = stage
            case Started(cell):
                self._start(cell)
            case Finished(cell, seconds, outcomes):
                self._finish(cell, seconds, outcomes)
            case Spared(cell):
                spared = (fits(cell) & self._planned) - self._done
                self._planned -= spared
                self._waiting[cell.framing, cell.entry] -= len(spared)
            case Better(title, cost_name, cost):
                self._best = f"best so far: {cost_name} {short(cost)}, {title}"
            case FirstBoard(comparison):
                self._console.print(f"First leaderboard, after {span(time.monotonic() - self._began)}; the search goes on.", style="dim")
                self._console.print(Leaderboard(comparison))
            case Refitted(done, total):
                self._after = ("fitting on all rows", done, total, "models")
            case Logged(done, total):
                self._after = ("logging to MLflow", done, total, "rows")
        if not isinstance(event, Said | FirstBoard):
            self._tell()

    def _start(self, cell: Cell) -> None:
        mine = fits(cell)
        self._running = {number: each for number, each in self._running.items() if not mine <= fits(each)}  # the whole of a part has failed
        self._running[id(cell)] = cell
        self._workers = max(self._workers, len(self._running))

    def _finish(self, cell: Cell, seconds: float, outcomes: Sequence[Outcome]) -> None:
        self._running.pop(id(cell), None)
        row = (cell.framing, cell.entry)
        mine = fits(cell)
        self._waiting[row] -= len(mine & self._planned - self._done)
        self._done |= mine
        if seconds:
            self._spent[row] += seconds
            self._counted[row] += len(cell.candidates)
        self._failed += [f"{cell.entry}: {outcome.reason}" for outcome in outcomes if isinstance(outcome, Failed)]

    def _count(self) -> tuple[str, int, int | None, str]:
        """Return what is done, how much of it, of how much, and of what; what follows on the champion, no plan can say."""
        if self._after is not None:
            return self._after
        words = STAGES.get(self._stage, "")
        if self._stage and not any(fit[0] == self._stage for fit in self._planned):
            return words, sum(fit[0] == self._stage for fit in self._done), None, "fits"
        return words, len(self._done & self._planned), len(self._planned), "fits"

    def _words(self) -> tuple[str, str, str]:
        """Return the stage, how far it is, and the time left."""
        words, done, total, what = self._count()
        return words, f"{done:,} {what}" if total is None else f"{done:,} of {total:,} {what}", self._left()

    def _left(self) -> str:
        """Estimate the time left from what each row's fits have taken so far."""
        if not self._counted or self._after is not None:
            return ""
        usual = sum(self._spent.values()) / sum(self._counted.values())
        each = {row: self._spent[row] / self._counted[row] if self._counted[row] else usual for row in self._waiting}
        seconds = sum(each[row] * waiting for row, waiting in self._waiting.items())
        return f"about {span(seconds / self._workers)} left" if seconds > 0 else ""

    def _drawn(self) -> Group:
        names = ", ".join(f"{cell.entry} ({cell.framing}, fold {cell.fold + 1})" for cell in self._running.values())
        lines = [
            (f"running: {names}" if names else "", "dim"),
            (f"failed: {len(self._failed)}; last {self._failed[-1]}" if self._failed else "", "yellow"),
            (self._best, ""),
        ]
        return Group(*self._bar(), *(_one_line(f"  {text}", style) for text, style in lines if text))

    def _bar(self) -> list[Table]:
        """Draw how far it is; nothing before there is a plan."""
        _, done, total, _ = self._count()
        if total == 0:
            return []
        words = self._words()
        room = self._console.width - sum(len(each) + 1 for each in words)
        bar = [ProgressBar(total, done, width=min(BAR, room))] if room >= LEAST_BAR else []
        line = Table.grid(padding=(0, 1, 0, 0))
        for _ in (*words, *bar):
            line.add_column(no_wrap=True, overflow="ellipsis")
        line.add_row(words[0], *bar, *words[1:])
        return [line]

    def _tell(self) -> None:
        """Print a line now and then where nothing can be drawn."""
        now = time.monotonic()
        if self._drawing or now - self._printed < LINE_SECONDS:
            return
        self._printed = now
        running = ", ".join(dict.fromkeys(cell.entry for cell in self._running.values()))
        parts = (*self._words(), f"running {running}" if running else "", self._best)
        line = f"[{now - self._began:4.0f} s] {'; '.join(part for part in parts if part)}"
        self._console.print(_one_line(line), no_wrap=True, overflow="ellipsis")  # a text that is printed leaves its own settings behind


def _one_line(text: str, style: str = "") -> Text:
    """Return a text that is cut where the line ends."""
    return Text(" ".join(text.splitlines()), style=style, no_wrap=True, overflow="ellipsis")
