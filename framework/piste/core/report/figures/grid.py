"""Every kind of model under every way of asking and deciding: what each pair costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison, Judged
from piste.core.report.figures.canvas import BLUE, FAINT, GREY, INK, RED, kind, paper, plain, short, subtitle, written
from piste.core.report.words import decided_by, rules_differ
from piste.core.verdict import is_baseline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RULES = "rules"  # all baselines together: the best of them is shown
LEAST_SPAN = 0.05  # of the baseline's cost: nearer ones are no reason for strong colours


@dataclass(frozen=True, slots=True)
class Grid:
    """The cheapest row of each kind of model under each way; a place without one is absent."""

    families: tuple[str, ...]  # cheapest first, the rules last
    ways: tuple[tuple[str, str], ...]  # (framing, rule): framings cheapest first, the rules within one too
    rows: dict[tuple[str, tuple[str, str]], Judged]

    def best_way(self, family: str) -> Judged:
        """Return the row of a family that costs least."""
        return min((row for (name, _), row in self.rows.items() if name == family), key=lambda row: row.cost)


def grid(comparison: Comparison) -> Grid:
    """Lay the leaderboard out by kind of model and way."""
    rows: dict[tuple[str, tuple[str, str]], Judged] = {}
    for row in sorted(comparison.judged, key=lambda row: row.cost):
        rows.setdefault((RULES if is_baseline(row) else row.family, (row.framing, row.rule)), row)
    # Rows come cheapest first, so names are met in the order of their best.
    families = dict.fromkeys(family for family, _ in rows)
    framings = list(dict.fromkeys(framing for _, (framing, _) in rows))
    ways = dict.fromkeys(way for _, way in rows)
    return Grid(
        tuple(sorted(families, key=lambda family: family == RULES)),
        tuple(sorted(ways, key=lambda way: framings.index(way[0]))),
        rows,
    )


def framings_compared(comparison: Comparison) -> Figure | None:
    """Draw what each kind of model costs under each framing and rule: blue is cheaper than the best baseline, orange dearer.

    Returns:
        None where there is one way of asking and deciding only.
    """
    from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

    laid = grid(comparison)
    if len(laid.ways) < 2:
        return None
    base = comparison.row(comparison.best_baseline).cost
    least = min(row.cost for row in laid.rows.values())
    near = least or base  # which has as many digits as tell it from others
    span = max(base - least, LEAST_SPAN * abs(base)) or 1.0
    shades = LinearSegmentedColormap.from_list("shades", [BLUE, "#FFFFFF", RED])
    norm = TwoSlopeNorm(base, base - span, base + 2 * span)
    width, height = max(7.6, 2.6 + 0.86 * len(laid.ways)), 1.9 + 0.37 * len(laid.families)
    figure, [axes] = paper(width, height, "What each kind of model costs, by how it is asked and how it decides")
    for at, family in enumerate(laid.families):
        best = laid.best_way(family)
        for place, way in enumerate(laid.ways):
            row = laid.rows.get((family, way))
            if row is None:
                axes.plot([place - 0.06, place + 0.06], [at, at], color=FAINT, lw=1.5)
                continue
            shade = shades(norm(np.clip(row.cost, base - span, base + 2 * span)))
            _cell(axes, place, at, shade, champion=row.id == comparison.champion)
            dark = float(np.dot(shade[:3], (0.299, 0.587, 0.114))) < 0.55
            weight = "bold" if row is best else "normal"
            axes.text(place, at, written(row.cost, near), ha="center", va="center", size=9, color="white" if dark else INK, weight=weight)
            if row.tied_with_best:
                axes.scatter([place + 0.4], [at - 0.3], s=9, color="white" if dark else INK, lw=0, zorder=4)
    _margins(axes, comparison, laid)
    name = comparison.cost_name
    words = f"{name}, lower is better; white: as the best baseline ({written(base, near)}), blue: cheaper, orange: dearer."
    marks = "Bold: a kind's best way; framed: the champion; with a dot: too close to the best to tell apart; dashes: no result"
    subtitle(figure, f"{words}\n{marks}")
    return figure


def _cell(axes: Axes, place: int, at: int, shade: tuple[float, ...], *, champion: bool) -> None:
    from matplotlib.patches import Rectangle

    edge, line = (INK, 2.2) if champion else ("white", 1.2)
    axes.add_patch(Rectangle((place - 0.48, at - 0.45), 0.96, 0.9, facecolor=shade, edgecolor=edge, lw=line, zorder=3 if champion else 2))


def _margins(axes: Axes, comparison: Comparison, laid: Grid) -> None:
    """Name the lines and, in two storeys, the framings and their rules."""
    titles = {row.family: kind(row.title) for row in comparison.judged}
    names = ["best rule, without a model" if family == RULES else plain(short(titles[family], 30)) for family in laid.families]
    axes.set_yticks(range(len(names)), names, size=9)
    axes.set(xlim=(-0.55, len(laid.ways) - 0.45), ylim=(len(names) - 0.5, -0.55))
    ruled = rules_differ(comparison)
    rules = [(decided_by(rule) if ruled else "").replace(" ", "\n", 1).replace("with\nits ", "with its\n") for _, rule in laid.ways]
    axes.set_xticks(range(len(laid.ways)), rules, size=7.5)
    axes.xaxis.tick_top()
    axes.grid(visible=False)
    framings = [framing for framing, _ in laid.ways]
    for framing in dict.fromkeys(framings):
        first, last = framings.index(framing), len(framings) - 1 - framings[::-1].index(framing)
        said = plain(short(framing.replace("_", " "), 13 * (last - first + 1)))
        axes.annotate(
            said,
            ((first + last) / 2, 1.0),
            (0, 30 if ruled else 8),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="bottom",
            size=9,
            weight="bold",
            color=INK,
        )
        if first:
            axes.axvline(first - 0.5, color=GREY, lw=0.8)
