"""What is told of a run while it runs: events, for whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from piste.core.comparison import Comparison
from piste.core.fit import Outcome
from piste.core.plan import Cell, Plan, Stage


@dataclass(frozen=True, slots=True)
class Said:
    """A line for the user."""

    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What there is to compute."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Began:
    """A stage begins."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Started:
    """A worker begins with a cell."""

    cell: Cell


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a cell; 0 seconds where it was stored."""

    cell: Cell
    seconds: float
    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class Spared:
    """What a cell was planned for and is not computed: its candidates were dropped, or the budget is spent."""

    cell: Cell


@dataclass(frozen=True, slots=True)
class Better:
    """A candidate, complete, that is better than all before it."""

    title: str
    cost_name: str
    cost: float


@dataclass(frozen=True, slots=True)
class FirstBoard:
    """The leaderboard before the search."""

    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Refitted:
    """So many models of all are fitted on all rows."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Logged:
    """So many rows of all are written to MLflow."""

    done: int
    total: int


Event = Said | Planned | Began | Started | Finished | Spared | Better | FirstBoard | Refitted | Logged
Watcher = Callable[[Event], None]


def silent(_: Event) -> None:
    """Keep it to itself."""
