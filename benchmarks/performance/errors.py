"""Held-out errors of piste's families beside the notebook's, on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.errors import MOST_ROWS, SPLITS, ratio
from benchmarks.performance.layout import change, circumstances, table
from benchmarks.performance.naive import WITHIN

ABOUT = (
    f"Both sides as above, on {SPLITS} divisions of each set, learning from {MOST_ROWS:,} rows at most, since the notebook takes hours for "
    "all of them five times over: by how much piste's error on the held-out fifth exceeds the notebook's, geometric mean over the "
    f"divisions; below 0 piste errs less (asked of every family: at most {change(WITHIN)}). *Chosen*: piste's champion, the simplest row "
    "that is not surely worse than the best, against the notebook's lowest; *lowest*: piste's lowest row, blends included, against it too."
)


def laid_out(found: Mapping[str, Any]) -> str:
    """Return a table with a line for each set."""
    names = [*found["outcomes"][0]["errors"]]
    lines = [
        (f"{each['set']} ({each['rows']:,} rows)", *(_cell(ratio(each["errors"][name]) - 1, name) for name in names))
        for each in found["outcomes"]
    ]
    return f"{table(('set', *names), lines)}\n\n{circumstances(found)}"


def _cell(apart: float, name: str) -> str:
    if apart != apart:
        return "no result"
    return change(apart) if apart <= (0 if name in ("chosen", "lowest") else WITHIN) else f"**{change(apart)}**"
