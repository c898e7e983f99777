"""How tables, ratios and the circumstances of a run are written on the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """Return a table in Markdown.

    Args:
        head: names of the columns.
        rows: their cells; a bar in a cell does not end it.
        words: so many columns from the left hold words; the others hold numbers, set to the right.
    """
    rules = [":--" if place < words else "--:" for place in range(len(head))]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in (head, rules, *rows))


def seconds(value: float) -> str:
    """Write a duration in the unit that suits it.

    >>> seconds(1234.5), seconds(3.21), seconds(0.0123), seconds(0.00045)
    ('1,234 s', '3.2 s', '12.3 ms', '0.45 ms')
    """
    if value >= 100:
        return f"{value:,.0f} s"
    return f"{value:.1f} s" if value >= 1 else f"{1e3 * value:.1f} ms" if value >= 0.01 else f"{1e3 * value:.2f} ms"


def times(ratio: float) -> str:
    """Write how many times less one side takes.

    >>> times(3.04), times(187.3), times(0.31)
    ('3.0 x', '187 x', '0.31 x')
    """
    return f"{ratio:,.0f} x" if ratio >= 100 else f"{ratio:.1f} x" if ratio >= 1 else f"{ratio:.2f} x"


def against(ratio: float, target: float | None) -> tuple[str, str, str]:
    """Return a ratio, what it should be at least, and whether it is; the last two are empty where nothing was set."""
    return (times(ratio), f"{target:g} x", "yes" if ratio >= target else "**no**") if target else (times(ratio), "", "")


def change(share: float) -> str:
    """Write by how much something is larger.

    >>> change(0.0123), change(-0.4), change(0.0)
    ('+1.2 %', '-40.0 %', '+0.0 %')
    """
    return f"{100 * share:+.1f} %"


def circumstances(found: Mapping[str, Any], also: Iterable[tuple[str, str]] = ()) -> str:
    """Say when and on what the figures were measured.

    Args:
        found: what `benchmarks.figures.keep` wrote.
        also: further packages, each with its version.
    """
    versions = ", ".join(f"{name} {number}" for name, number in (*found["versions"].items(), *also))
    cores = f"{found['cores']} core{'s' * (found['cores'] != 1)}"
    return f"Measured on {found['date']}: {found['processor']} ({found['machine']}), {cores}; {versions}."
