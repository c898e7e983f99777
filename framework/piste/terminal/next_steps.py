"""What to type next."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def print_next_steps(console: Console, link: str, problem: str) -> None:
    """Say what to type next, as it works in this shell; the link stays on one line, so that it can be clicked.

    Args:
        console: to print on.
        link: of the comparison in MLflow; empty where it is in none.
        problem: as it was named on the command line.
    """
    lines = [*_path(), "  piste ui   opens MLflow, then compare the models at"]
    console.print(Text("\nNext:", style="bold"), *(Text(line) for line in lines), sep="\n")
    console.print(Text(f"    {link}", style="cyan") if link else Text("    (not logged to MLflow)"), soft_wrap=True)
    console.print(Text(f"  piste predict {shlex.quote(problem)} ROWS.csv   answers new rows with the champion"))


def _path() -> list[str]:
    """Return the command that puts piste on the path, where it is not."""
    own = Path(sys.argv[0])
    if shutil.which("piste") is not None or own.name != "piste":
        return []
    activate = own.parent / "activate"
    shown = Path(*activate.parts[-3:]) if activate.is_relative_to(Path.cwd()) else activate
    return [f"  source {shown}   puts piste on the path"]
