"""Exact shortcuts beside their loops, on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.performance.layout import against, circumstances, seconds, table

ABOUT = (
    "All candidates of a family at once, fold by fold, beside the loop that a person would run over the same candidates and folds: CPU "
    "time of one thread, median of three. Both give the same predictions; *apart* is the largest difference from the plain loop run to "
    "its end, as a share of 1 + the size of the prediction. Not measured here: reading and encoding a table, storing results, statistics; "
    "the whole comparison above counts them."
)


def laid_out(found: Mapping[str, Any]) -> str:
    """Return a table with one line for each shortcut and size."""
    head = ("shortcut", "instead of", "rows x columns", "loop", "shortcut", "less", "target", "reached", "apart")
    return f"{table(head, map(_line, found['outcomes']), words=2)}\n\n{circumstances(found)}"


def _line(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    size = f"{outcome['rows']:,} x {outcome['columns']}"
    took = (seconds(outcome["loop_seconds"]), seconds(outcome["shortcut_seconds"]))
    apart = f"{outcome['apart']:.0e}" if outcome["equal"] else f"**{outcome['apart']:.0e}, not equal**"
    return (outcome["shortcut"], outcome["loop"], size, *took, *against(outcome["ratio"], outcome["target"]), apart)
