"""Who is best at which cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from piste.core.comparison import Comparison
from piste.core.report.figures.canvas import GREY, INK, called, colour, number, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 5  # drawn beside the champion, the best baseline, and whoever wins somewhere
STEPS = 201


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
    """Draw what rows cost if too little cost less, or more; a strip on top names who would be best.

    Returns:
        None where no range of costs was given.
    """
    if "cost_range" not in comparison.tables:
        return None
    factors, costs = _costs(comparison)
    bands = winners(comparison)
    first = [row.id for row in comparison.judged[:MOST_ROWS]]
    champion, base = comparison.row(comparison.champion), comparison.row(comparison.best_baseline)
    shown = list(dict.fromkeys([champion.id, *(id for id, _, _ in bands), *first, base.id]))
    figure, [axes] = paper(8.6, 4.4, "If being short cost less than was written, or more")
    for id in reversed(shown):
        row = comparison.row(id)
        main = id in (champion.id, base.id)
        style = (0, (4, 3)) if id == base.id else "-"
        name = plain(short(called(row), 60)) + (" (champion)" if id == champion.id else " (best baseline)" if id == base.id else "")
        axes.plot(
            factors,
            costs[id],
            color=colour(row.family),
            lw=2.6 if id == champion.id else 1.3,
            ls=style,
            label=name,
            zorder=3 if main else 2,
        )
    top = max(max(costs[id]) for id in shown)
    bottom = min(min(costs[id]) for id in shown)
    strip = top + 0.09 * (top - bottom)
    for id, start, end in bands:
        ink = colour(comparison.row(id).family)
        axes.plot([start, end], [strip, strip], color=ink, lw=9, solid_capstyle="butt")
        if start > factors[0]:
            axes.axvline(start, color=GREY, lw=0.7, ls=(0, (2, 3)))
    axes.axvline(1.0, color=INK, lw=0.8)
    axes.annotate("as written", (1.0, bottom), xytext=(4, 0), textcoords="offset points", size=8, color=GREY, va="bottom")
    axes.set_xscale("log")
    axes.set_xticks(factors, [f"x {factor:.2g}" for factor in factors])
    axes.minorticks_off()
    axes.set(xlabel="what too little costs, against what the problem says", ylabel=plain(f"{comparison.cost_name}, decided anew at each"))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=INK)
    said = [f"{short(called(comparison.row(id)), 44)} from x {number(start)} to x {number(end)}" for id, start, end in bands]
    subtitle(figure, f"strip: who costs least. {'; '.join(said[:2])}" + (f"; and {len(said) - 2} more bands" if len(said) > 2 else ""))
    return figure


def _costs(comparison: Comparison) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the factors, and each row's cost at each."""
    table: pd.DataFrame = comparison.tables["cost_range"]
    wide = table.pivot(index="factor", columns="row", values="cost")
    return wide.index.to_numpy(dtype=float), {row.id: wide[row.id].to_numpy() for row in comparison.judged}
