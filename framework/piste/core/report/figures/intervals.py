"""What rows cost, with the intervals of these costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison, Judged
from piste.core.report.figures.canvas import GREY, INK, TIE, colour, paper, plain, short, subtitle, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 40


def leaderboard_intervals(comparison: Comparison) -> Figure:
    """Draw the cost of every judged row with its interval, the best baseline as a line, and ties shaded."""
    rows = comparison.judged[:MOST_LINES]
    baseline = comparison.row(comparison.best_baseline)
    figure, [axes] = paper(9.5, 1.5 + 0.34 * len(rows), comparison.problem)
    low, high = reach(comparison, rows)
    axes.axvline(baseline.cost, color=GREY, lw=1, ls=(0, (4, 3)), zorder=1)
    axes.text(baseline.cost, -0.75, "best baseline", color=GREY, size=8, ha="center", va="bottom")
    for at, row in enumerate(rows):
        if row.tied_with_best:
            axes.axhspan(at - 0.5, at + 0.5, color=TIE, lw=0, zorder=0)
        if row.cost > high:
            axes.annotate("", (high, at), (high - 0.03 * (high - low), at), arrowprops={"arrowstyle": "->", "color": colour(row.family)})
        else:
            axes.plot(
                [max(row.cost_lo, low), min(row.cost_hi, high)],
                [at, at],
                color=colour(row.family),
                lw=2.4,
                solid_capstyle="round",
                zorder=2,
            )
            axes.scatter([row.cost], [at], s=46, color=colour(row.family), edgecolor="white", lw=0.8, zorder=3)
        axes.text(1.01, at, _between(row), transform=axes.get_yaxis_transform(), va="center", size=8.5, color=INK)
    axes.set_yticks(range(len(rows)), [plain(short(row.title, 58)) for row in rows], size=9)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.id == comparison.champion else "normal")
    axes.set(xlim=(low, high), ylim=(len(rows) - 0.5, -0.8), xlabel=plain(f"{comparison.cost_name}, lower is better (95 % interval)"))
    axes.grid(visible=False, axis="y")
    left = len(comparison.judged) - len(rows)
    words = "shaded: too close to the best to tell apart" + (f"; {left} more not shown" if left else "")
    subtitle(figure, words)
    return figure


def reach(comparison: Comparison, rows: Sequence[Judged]) -> tuple[float, float]:
    """Return the range of costs that a picture of some rows shows: those far worse than the rest lie outside.

    An interval may be endless, or missing where there was too little to tell; the cost itself counts then.
    """
    costs = np.array([(row.cost_lo, row.cost, row.cost_hi) for row in rows])
    costs = np.where(np.isfinite(costs), costs, costs[:, [1]])
    lower, upper = np.quantile(costs[:, 2], [0.25, 0.75])
    near = costs[costs[:, 2] <= upper + 4 * (upper - lower), 2]
    low, high = float(costs.min()), max(float(near.max()), comparison.row(comparison.best_baseline).cost)
    margin = 0.03 * (high - low or abs(high) or 1.0)
    return low - margin, high + margin


def _between(row: Judged) -> str:
    cost, low, high = (written(value, row.cost) for value in (row.cost, row.cost_lo, row.cost_hi))
    return f"{cost}  ({low} to {high})"
