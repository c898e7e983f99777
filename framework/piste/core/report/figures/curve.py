"""What more rows would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison
from piste.core.report.figures.canvas import GREY, INK, called, colour, kind, number, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_curve(comparison: Comparison) -> Figure | None:
    """Draw the cost against the number of training rows: the champion's with its band, every family's default beside it.

    Returns:
        None where no curve was drawn up.
    """
    curve = comparison.curve
    if curve is None:
        return None
    points, champion, base = curve.points, comparison.row(comparison.champion), comparison.row(comparison.best_baseline)
    figure, [axes] = paper(8.6, 4.6, "What more rows bring")
    for title, mine in points.groupby("title", sort=False):
        main = title == points["title"].iloc[0]  # the champion's curve comes first
        ink = colour(str(mine["entry"].iloc[0]))
        name = f"{short(called(comparison, champion), 60)} (champion)" if main else f"{kind(str(title))}, default"
        axes.plot(
            mine["rows"], mine["cost"], color=ink, lw=2.6 if main else 1.2, marker="o", ms=5 if main else 3, label=plain(name), zorder=3
        )
        if main:
            known = np.isfinite(mine["cost_lo"]) & np.isfinite(mine["cost_hi"])
            axes.fill_between(mine["rows"][known], mine["cost_lo"][known], mine["cost_hi"][known], color=ink, alpha=0.14, lw=0)
            double = 2 * float(mine["rows"].max())
            axes.plot([mine["rows"].iloc[-1], double], [mine["cost"].iloc[-1], curve.at_double.mean], color=ink, lw=1.4, ls=(0, (2, 2)))
            axes.plot([double, double], [curve.at_double.low, curve.at_double.high], color=ink, lw=2.4, solid_capstyle="round")
            axes.scatter([double], [curve.at_double.mean], s=40, facecolor="white", edgecolor=ink, zorder=4)
    axes.axhline(base.cost, color=GREY, lw=1, ls=(0, (4, 3)), label=plain(f"best baseline: {short(called(comparison, base), 40)}"))
    axes.set_xscale("log")
    sizes = sorted({*points["rows"].astype(int), 2 * int(points["rows"].max())})
    apart = [size for at, size in enumerate(sizes) if at == 0 or size / sizes[at - 1] > 1.3]
    axes.set_xticks(apart, [f"{size:,}" for size in apart])
    axes.minorticks_off()
    axes.set(xlabel="training rows", ylabel=plain(comparison.cost_name))
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=INK)
    span = f"{number(curve.at_double.low)} to {number(curve.at_double.high)}"
    subtitle(figure, f"band: 95 % of the champion's cost; open dot: expected on twice the rows ({span}, 80 %)")
    return figure
