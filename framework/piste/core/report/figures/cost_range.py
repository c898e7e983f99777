"""Who is best at which cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from piste.core.comparison import Comparison
from piste.core.report.figures.canvas import GREY, INK, called, colour, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 5  # drawn beside the champion, the best baseline, and whoever wins somewhere
STEPS = 201
MOST_LETTERS, LEAST_LETTERS = 100, 6  # of a name in a strip as wide as the picture; with fewer, it says nothing


def winners(comparison: Comparison) -> list[tuple[str, float, float]]:
    """Return who costs least between which factors, as (row id, from, to); between the factors computed, costs are interpolated."""
    factors, costs = _costs(comparison)
    fine = np.geomspace(factors[0], factors[-1], STEPS)
    lines = np.stack([np.interp(np.log(fine), np.log(factors), costs[id]) for id in costs])
    best = lines.argmin(axis=0)
    starts = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist()]
    ids = list(costs)
    ends = [float(np.sqrt(fine[start - 1] * fine[start])) for start in starts[1:]]
    return list(zip([ids[best[start]] for start in starts], [float(fine[0]), *ends], [*ends, float(fine[-1])], strict=True))


def champion_against_cost(comparison: Comparison) -> Figure | None:
    """Draw what rows save over the best baseline if too little cost less, or more; a strip on top names who would be best.

    Returns:
        None where no range of costs was given.
    """
    if "cost_range" not in comparison.tables:
        return None
    factors, costs = _costs(comparison)
    bands = winners(comparison)
    first = [row.id for row in comparison.judged[:MOST_ROWS]]
    champion, base = comparison.row(comparison.champion), comparison.row(comparison.best_baseline)
    shown = [id for id in dict.fromkeys([champion.id, *(id for id, _, _ in bands), *first]) if id != base.id]
    figure, [axes] = paper(8.6, 4.6, "What is saved if being short costs less than was written, or more")
    axes.axhline(0, color=GREY, lw=1.4, ls=(0, (4, 3)), label=plain(f"{short(called(comparison, base), 46)} (best baseline)"))
    for id in reversed(shown):
        row = comparison.row(id)
        style = {"lw": 2.8, "zorder": 3} if id == champion.id else {"lw": 1.3, "ls": (0, (1, 1.5)) if row.rule == "plug_in" else "-"}
        name = plain(short(called(comparison, row), 50)) + (" (champion)" if id == champion.id else "")
        axes.plot(factors, 1 - costs[id] / costs[base.id], color=colour(row.family), label=name, **style)
    _strip(axes, comparison, bands)
    axes.axvline(1.0, color=INK, lw=0.8)
    axes.annotate("as written", (1.0, 0), (4, 2), xycoords=("data", "axes fraction"), textcoords="offset points", size=8, color=GREY)
    axes.set_xscale("log")
    axes.set_xticks(factors, [f"x {factor:.2g}" for factor in factors])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set(xlabel="what too little costs, against what the problem says", ylabel="saved over the best baseline")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=INK)
    subtitle(figure, "each decides anew at each cost; strip: who costs least where; dotted lines: decided by the prediction alone")
    return figure


def _strip(axes: Axes, comparison: Comparison, bands: Sequence[tuple[str, float, float]]) -> None:
    """Name, above the lines, who costs least between which factors."""
    across = np.log(bands[-1][2] / bands[0][1])
    for id, start, end in bands:
        row = comparison.row(id)
        axes.axvspan(start, end, ymin=1.02, ymax=1.09, color=colour(row.family), lw=0, clip_on=False)
        room = int(MOST_LETTERS * np.log(end / start) / across)
        if room >= LEAST_LETTERS:
            axes.text(
                float(np.sqrt(start * end)),
                1.055,
                plain(short(called(comparison, row), room)),
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="center",
                size=8,
                color="white",
                weight="bold",
            )
        if start > bands[0][1]:
            axes.axvline(start, color=GREY, lw=0.7, ls=(0, (2, 3)))


def _costs(comparison: Comparison) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the factors, and each row's cost at each."""
    table: pd.DataFrame = comparison.tables["cost_range"]
    wide = table.pivot(index="factor", columns="row", values="cost")
    return wide.index.to_numpy(dtype=float), {row.id: wide[row.id].to_numpy() for row in comparison.judged}
