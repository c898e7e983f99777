"""Whether what was called likely came often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison
from piste.core.report.figures.canvas import BLUE, FAINT, GREY, INK, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LEVELS = 8  # the most frequent ones
BESIDE = 4  # in a line


def reliability_diagram(comparison: Comparison) -> Figure | None:
    """Draw, for each level or class, how often it came against the champion's probability of it.

    Returns:
        None where the champion gives no probabilities.
    """
    table = comparison.tables.get("reliability")
    if table is None or table.empty:
        return None
    came = (table["share"] * table["n"]).groupby(table["level"]).sum()
    frequent = set(came.sort_values(ascending=False).index[:MOST_LEVELS])
    levels = [level for level in dict.fromkeys(table["level"]) if level in frequent]
    columns = min(len(levels), BESIDE)
    lines = -(-len(levels) // columns)
    figure, panels = paper(max(6.2, 2.75 * columns), 0.9 + 2.9 * lines, "Whether what it calls likely comes often", columns, lines=lines)
    for axes, level in zip(panels, levels, strict=False):
        mine = table[table["level"] == level]
        axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls=(0, (4, 3)))
        axes.plot(mine["p"], mine["share"], color=BLUE, lw=1.2, alpha=0.6)
        axes.scatter(mine["p"], mine["share"], s=8 + 90 * mine["n"] / mine["n"].max(), color=BLUE, edgecolor="white", lw=0.8, zorder=3)
        axes.set_title(plain(short(str(level), 26)), size=10, color=INK, loc="left", weight="bold")
        axes.set_xlabel(_slope(*mine[["slope", "slope_error"]].iloc[0]), size=8.5, color=GREY)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        axes.grid(color=FAINT)
    for axes in panels[len(levels) :]:
        axes.set_visible(False)
    more = table["level"].nunique() - len(levels)
    words = "across: the probability that the champion gave; up: how often it came; larger dots: more rows"
    subtitle(figure, words + (f"\n{more} rarer ones not shown" if more else ""))
    return figure


def _slope(slope: float, error: float) -> str:
    """Say whether probabilities are too extreme.

    >>> _slope(0.7, 0.05), _slope(1.3, 0.05), _slope(1.05, 0.05)
    ('too sure (slope 0.70)', 'not sure enough (slope 1.30)', 'as sure as it may be (slope 1.05)')
    """
    if not np.isfinite(slope):
        return ""
    word = "as sure as it may be" if not abs(slope - 1) > 2 * error else "too sure" if slope < 1 else "not sure enough"
    return f"{word} (slope {slope:.2f})"
