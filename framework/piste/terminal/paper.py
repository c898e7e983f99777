"""Where piste prints: the terminal, or wherever its output goes."""

from __future__ import annotations

from rich.console import Console

WIDE = 140  # characters, where the output is no terminal


def paper(*, stderr: bool = False) -> Console:
    """Return a console; where it is no terminal, wide enough for a leaderboard."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=WIDE)
