"""How time and memory of a comparison grow with the rows, on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.performance.layout import circumstances, seconds, table
from benchmarks.scaling.__main__ import ALL, GIB, exponent
from benchmarks.scaling.table import CATEGORIES, NUMBERS

ABOUT = (
    f"A whole comparison of one family's default, and of all of them at once, on a table of {NUMBERS} numbers and {CATEGORIES} categories "
    "whose larger sizes hold the rows of the smaller ones: reading, folds, rules to beat, intervals, refits and MLflow included. Time is "
    "CPU seconds of the whole process tree; memory is the peak of all its processes together, a page that they share counted once. The "
    "power is that of the rows by which CPU time grows between the two sizes named. Not compared: the search for settings, and other "
    "programs."
)


def laid_out(found: Mapping[str, Any]) -> str:
    """Return a table with a line for each family and a column for each size, which families step aside, and what all take at once."""
    outcomes = found["outcomes"]
    sizes = sorted({outcome["rows"] for outcome in outcomes})
    names = dict.fromkeys(outcome["name"] for outcome in outcomes)
    rows = [(_title(name), *(_cell(outcomes, name, size) for size in sizes), _power(outcomes, name)) for name in names]
    head = ("families", *(f"{size:,} rows" for size in sizes), "power of the rows")
    told = [f"- {line}" for line in (*_aside(outcomes), *_whole(outcomes))]
    return "\n\n".join([table(head, rows), *(["\n".join(told)] if told else []), circumstances(found)])


def _title(name: str) -> str:
    return "**all at once**" if name == ALL else name


def _cell(outcomes: Sequence[Mapping[str, Any]], name: str, size: int) -> str:
    """Say what a comparison took; nothing where a smaller table was too large already."""
    at = [outcome for outcome in outcomes if (outcome["name"], outcome["rows"]) == (name, size)]
    if not at:
        return "left out"
    [outcome] = at
    if _steps_aside(outcome):
        return "steps aside"
    return str(outcome["stopped"]) if "stopped" in outcome else f"{seconds(outcome['cpu_seconds'])}, {_gib(outcome)}"


def _steps_aside(outcome: Mapping[str, Any]) -> bool:
    """Tell a comparison in which the one family that was asked has no result: its time is that of the rules to beat."""
    return outcome["name"] in outcome.get("aside", {})


def _power(outcomes: Sequence[Mapping[str, Any]], name: str) -> str:
    took_part = [dict(outcome) for outcome in outcomes if not _steps_aside(outcome)]
    if (found := exponent(took_part, name)) is None:
        return "-"
    first, last, power = found
    return f"{power:.2f} ({first:,} to {last:,})"


def _aside(outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    sizes: dict[tuple[str, str], set[int]] = {}
    for outcome in outcomes:
        for family, reason in outcome.get("aside", {}).items():
            sizes.setdefault((family, reason), set()).add(outcome["rows"])
    return [
        f"{family} steps aside at {' and '.join(f'{n:,}' for n in sorted(at))} rows: {reason}" for (family, reason), at in sizes.items()
    ]


def _whole(outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how much memory all families take at once on the largest table."""
    whole = [outcome for outcome in outcomes if outcome["name"] == ALL]
    if not whole:
        return []
    largest = max(whole, key=lambda outcome: outcome["rows"])
    under = "stopped" not in largest and largest["peak_bytes"] < GIB * 2**30
    reached = "reached" if under else "**not reached**"
    return [f"All at once on {largest['rows']:,} rows: {_gib(largest)} at the peak (under {GIB:g} GiB asked: {reached})."]


def _gib(outcome: Mapping[str, Any]) -> str:
    return f"{outcome['peak_bytes'] / 2**30:.2f} GiB"
