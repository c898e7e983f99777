"""Whether intervals hold as much of what came as they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piste.core.comparison import Comparison
from piste.core.report.figures.canvas import BLUE, GREY, INK, number, paper, plain, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def intervals_kept(comparison: Comparison) -> Figure | None:
    """Draw the share of rows within the champion's intervals against the share promised.

    Returns:
        None where the champion gives no intervals.
    """
    table = comparison.tables.get("coverage")
    if table is None or table.empty:
        return None
    figure, [axes] = paper(6.4, 1.45 + 0.5 * len(table), "Whether the champion's intervals keep their word")
    low = min(table["level"].min(), (table["share"] - 2 * table["error"]).min()) - 0.03
    for at, (level, share, error, width) in enumerate(table[["level", "share", "error", "width"]].to_numpy()):
        axes.plot([level, level], [at - 0.3, at + 0.3], color=INK, lw=2)
        axes.plot([share - 1.96 * error, min(1.0, share + 1.96 * error)], [at, at], color=BLUE, lw=2.4, solid_capstyle="round")
        axes.scatter([share], [at], s=52, color=BLUE, edgecolor="white", zorder=3)
        axes.text(
            1.02, at, f"{share:.1%} within; {number(width)} wide", transform=axes.get_yaxis_transform(), va="center", size=8.5, color=INK
        )
    axes.set_yticks(range(len(table)), [f"{level:.0%} interval" for level in table["level"]])
    axes.set(xlim=(low, 1.0), ylim=(len(table) - 0.5, -0.5))
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= 1]
    axes.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.set_xlabel(plain(f"share of what came that lay within (widths in units of '{comparison.target.name}')"), color=GREY)
    axes.grid(visible=False, axis="y")
    subtitle(figure, "bar: what is promised; dot: what was kept, with its 95 % interval")
    return figure
