"""Who hears of the progress of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from piste.core.comparison import Comparison
from piste.core.fit import Outcome
from piste.core.plan import Cell, Plan, Stage


class Watcher(Protocol):
    """Hears what a run does, as it does it."""

    def say(self, text: str) -> None:
        """Hear a line for the user."""

    def planned(self, plan: Plan) -> None:
        """Hear what there is to compute."""

    def stage(self, stage: Stage) -> None:
        """Hear that a stage begins."""

    def started(self, cell: Cell) -> None:
        """Hear that a worker begins with a cell."""

    def finished(self, cell: Cell, seconds: float, outcomes: Sequence[Outcome]) -> None:
        """Hear what came of a cell; 0 seconds where it was stored."""

    def best(self, title: str, cost_name: str, cost: float) -> None:
        """Hear of a candidate that is better than all before it."""

    def board(self, comparison: Comparison) -> None:
        """Hear of the first leaderboard, before the search."""

    def refitting(self, done: int, total: int) -> None:
        """Hear how many rows of the leaderboard are fitted on all rows."""

    def logging(self, done: int, total: int) -> None:
        """Hear how many runs are written to MLflow."""


class Silent:
    """Hears, and keeps it to itself."""

    def say(self, text: str) -> None:
        """Keep it."""

    def planned(self, plan: Plan) -> None:
        """Keep it."""

    def stage(self, stage: Stage) -> None:
        """Keep it."""

    def started(self, cell: Cell) -> None:
        """Keep it."""

    def finished(self, cell: Cell, seconds: float, outcomes: Sequence[Outcome]) -> None:
        """Keep it."""

    def best(self, title: str, cost_name: str, cost: float) -> None:
        """Keep it."""

    def board(self, comparison: Comparison) -> None:
        """Keep it."""

    def refitting(self, done: int, total: int) -> None:
        """Keep it."""

    def logging(self, done: int, total: int) -> None:
        """Keep it."""
