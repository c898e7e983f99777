"""Where piste prints: the terminal, or wherever its output goes."""

from __future__ import annotations

import os

from rich.console import Console

WIDE = 140  # characters, where the output is no terminal


def paper(*, stderr: bool = False) -> Console:
    """Return a console; where it is no terminal, as wide as COLUMNS says, or else wide enough for a leaderboard."""
    console = Console(stderr=stderr, highlight=False)
    said = os.environ.get("COLUMNS", "").isdigit()
    return console if console.is_terminal or said else Console(stderr=stderr, highlight=False, width=WIDE)
