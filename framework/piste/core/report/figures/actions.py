"""How often each action is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piste.core.comparison import Comparison, Judged
from piste.core.report.figures.canvas import INK, called, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = ("#CFE3F1", "#7FB6DA", "#2F88BF", "#0B5A8F", "#063456")  # of actions, in the order that the problem gives them


def actions_taken(comparison: Comparison) -> Figure | None:
    """Draw how often the champion, the best baseline, and those who know more take each action.

    Returns:
        None where decisions are no choice between actions.
    """
    from matplotlib.colors import LinearSegmentedColormap

    champion, base = comparison.row(comparison.champion), comparison.row(comparison.best_baseline)
    if not champion.actions:
        return None
    rows = list({row.id: row for row in (champion, base, *comparison.references)}.values())
    actions = list(champion.actions)
    shades = LinearSegmentedColormap.from_list("shades", SHADES)
    figure, [axes] = paper(8.6, 1.5 + 0.42 * len(rows), "How often each action is taken")
    left = [0.0] * len(rows)
    for number, action in enumerate(actions):
        shade = shades(number / max(1, len(actions) - 1))
        shares = [row.actions[action] for row in rows]
        named = plain(action.replace("_", " "))
        axes.barh(range(len(rows)), shares, left=left, color=shade, edgecolor="white", lw=1.2, height=0.72, label=named)
        for at, share in enumerate(shares):
            if share >= 0.04:
                ink = "white" if number / max(1, len(actions) - 1) > 0.4 else INK
                axes.text(left[at] + share / 2, at, f"{share:.0%}", ha="center", va="center", size=9, color=ink)
        left = [before + share for before, share in zip(left, shares, strict=True)]
    axes.set_yticks(range(len(rows)), [plain(_said(comparison, row)) for row in rows], size=9)
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks([])
    axes.grid(visible=False)
    figure.legend(loc="outside lower left", ncols=min(len(actions), 6), frameon=False, fontsize=8.5, labelcolor=INK, handlelength=1.2)
    subtitle(figure, "share of the judged rows; nearer to foresight is not always better: what counts is what mistakes cost")
    return figure


def _said(comparison: Comparison, row: Judged) -> str:
    if row.id == comparison.champion:
        return f"champion: {short(called(comparison, row), 44)}"
    if row.id == comparison.best_baseline:
        return f"best baseline: {short(called(comparison, row), 40)}"
    return short(row.title.partition(" (")[0], 44)
