"""Where a model is worth its trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison
from piste.core.report.figures.canvas import BLUE, GREY, INK, RED, number, paper, plain, short, subtitle
from piste.core.review.slices import FEW_BLOCKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SLICES = 40


def gain_by_slice(comparison: Comparison) -> Figure | None:
    """Draw by how much the champion is cheaper than the best baseline in each part of the rows.

    Returns:
        None where no parts were asked for, or the baseline is champion.
    """
    table = comparison.tables.get("slices")
    if table is None or table.empty or comparison.champion == comparison.best_baseline:
        return None
    shown = table.head(MOST_SLICES)
    figure, [axes] = paper(8.6, 1.35 + 0.32 * len(shown), "Where the champion is cheaper than the best baseline")
    ends = shown[["gain", "gain_lo", "gain_hi"]].to_numpy(dtype=float)
    low, high = np.nanmin(np.clip(ends, -1, 1)), np.nanmax(np.clip(ends, -1, 1))
    low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.05 * (high - low or 1.0)
    axes.axvline(0, color=INK, lw=1)
    for at, (gain, least, most) in enumerate(ends):
        ink = BLUE if least > 0 else RED if most < 0 else GREY
        axes.plot([max(least, low - margin), min(most, high + margin)], [at, at], color=ink, lw=2.4, solid_capstyle="round")
        axes.scatter([np.clip(gain, low, high)], [at], s=44, color=ink, edgecolor="white", lw=0.8, zorder=3)
        cost, baseline, blocks = shown[["cost", "baseline", "blocks"]].iloc[at]
        said = f"{number(cost)} against {number(baseline)}" + ("; few rows" if blocks < FEW_BLOCKS else "")
        axes.text(1.02, at, said, transform=axes.get_yaxis_transform(), va="center", size=8.5, color=INK)
    names = [f"{short(str(column), 18)}: {short(str(value), 24)}" for column, value in shown[["column", "value"]].to_numpy()]
    axes.set_yticks(range(len(shown)), [plain(name) for name in names], size=9)
    axes.set(xlim=(low - margin, high + margin), ylim=(len(shown) - 0.5, -0.5))
    ticks = [tick for tick in axes.get_xticks() if low - margin <= tick <= high + margin]
    axes.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.set_xlabel(plain(f"saved, as a share of the best baseline's {comparison.cost_name} in the same rows"))
    axes.grid(visible=False, axis="y")
    left = len(table) - len(shown)
    words = "dot and 95 % interval of each part alone; blue: surely cheaper, orange: surely dearer, grey: cannot be told"
    subtitle(figure, words + (f"; {left} more not shown" if left else ""))
    return figure
