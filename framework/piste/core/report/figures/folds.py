"""How a row does from fold to fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison, Judged
from piste.core.report.figures.canvas import BLUE, FAINT, GREY, INK, RED, colour, number, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MOST_NUMBERED = 20  # bars that carry their number


def cost_by_fold(comparison: Comparison, row: Judged) -> Figure:
    """Draw the cost of a row on each fold beside that of the best baseline."""
    names, ink = comparison.fold_names, colour(row.family)
    figure, [axes] = paper(float(np.clip(2.5 + 0.45 * len(names), 5.6, 10)), 3.6, row.title)
    at = np.arange(len(names))
    if row.id != comparison.best_baseline:
        baseline = comparison.row(comparison.best_baseline)
        low, high = np.minimum(row.fold_costs, baseline.fold_costs), np.maximum(row.fold_costs, baseline.fold_costs)
        axes.vlines(at, low, high, color=FAINT, lw=3, zorder=1)
        axes.scatter(at, baseline.fold_costs, s=34, color="white", edgecolor=GREY, lw=1.4, zorder=2, label=plain(short(baseline.title, 36)))
        better = int(np.sum(np.asarray(row.fold_costs) < np.asarray(baseline.fold_costs)))
        words = f"better than the best baseline on {better} of {len(names)} folds"
    else:
        words = "the best baseline"
    axes.scatter(at, row.fold_costs, s=44, color=ink, lw=0, zorder=3, label=plain(short(row.title, 36)))
    step = -(-len(names) // 16)
    shown = at[::step]
    tilt = 0 if max(map(len, names)) * len(shown) < 90 else 35
    axes.set_xticks(
        shown, [plain(short(names[k], 22)) for k in shown], rotation=tilt, ha="center" if not tilt else "right", rotation_mode="anchor"
    )
    axes.set_ylabel(plain(comparison.cost_name))
    axes.grid(visible=False, axis="x")
    axes.margins(x=0.5 / max(len(names), 1) + 0.02, y=0.15)
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=INK, handletextpad=0.3)
    subtitle(figure, words)
    return figure


def gain_by_fold(comparison: Comparison) -> Figure | None:
    """Draw the champion's gain over the best baseline in each fold, and what one more period may bring.

    Returns:
        None where the baseline is champion, or there is one fold.
    """
    table = comparison.tables.get("folds")
    if table is None or len(table) < 2 or comparison.champion == comparison.best_baseline:
        return None
    gains, later = table["gain"].to_numpy(), comparison.next_period
    names = [*table["fold"], *(["one more"] if later else [])]
    figure, [axes] = paper(float(np.clip(2.5 + 0.6 * len(names), 5.6, 10)), 3.5, "What the champion saves, fold by fold")
    axes.bar(range(len(gains)), gains, color=[BLUE if gain > 0 else RED for gain in gains], width=0.62)
    for at, gain in enumerate(gains) if len(gains) <= MOST_NUMBERED else ():
        above, side = (2, "bottom") if gain >= 0 else (-2, "top")
        axes.annotate(number(float(gain)), (at, gain), (0, above), textcoords="offset points", ha="center", va=side, size=8.5, color=INK)
    if later:
        axes.plot([len(gains)] * 2, [later.low, later.high], color=GREY, lw=2.4, solid_capstyle="round")
        axes.scatter([len(gains)], [later.mean], s=44, facecolor="white", edgecolor=GREY, lw=1.4, zorder=3)
    axes.axhline(0, color=INK, lw=1)
    step = -(-len(names) // 16)
    shown = range(0, len(names), step)
    tilt = 0 if max(map(len, names)) * len(shown) < 90 else 35
    said = [plain(short(names[k], 22)) for k in shown]
    axes.set_xticks(list(shown), said, rotation=tilt, ha="right" if tilt else "center", rotation_mode="anchor")
    axes.set_ylabel(plain(f"{comparison.cost_name} saved over the best baseline"))
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.15)
    better = int((gains > 0).sum())
    more = f"; one more: {number(later.low)} to {number(later.high)} (95 %)" if later else ""
    subtitle(figure, f"better in {better} of {len(gains)} folds{more}")
    return figure
