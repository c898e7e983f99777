"""How a row does from fold to fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison, Judged
from piste.core.report.figures.canvas import FAINT, GREY, INK, colour, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
