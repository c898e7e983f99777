"""Numbers predicted against numbers that came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.core.report.figures.canvas import BLUE, GREY, INK, number, paper, plain, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MANY_ROWS = 1500  # from here on, points would hide one another


def predicted_against_actual(y: np.ndarray, prediction: np.ndarray, title: str, unit: str, *, ink: str = BLUE) -> Figure:
    """Draw predictions against what came, with the line on which they would be right.

    Args:
        y: (n_rows,) what came.
        prediction: (n_rows,) what was predicted without having seen it.
        title: of the model.
        unit: what the numbers count, e.g. "skiers" or the target's name.
        ink: colour of the points.
    """
    figure, [axes] = paper(5.6, 5.6, title)
    low, high = _limits(y, prediction)
    inside = (y >= low) & (y <= high) & (prediction >= low) & (prediction <= high)
    if len(y) > MANY_ROWS:
        from matplotlib.colors import LinearSegmentedColormap

        shades = LinearSegmentedColormap.from_list("shades", ["#E3EAF0", ink, INK])
        cells = axes.hexbin(
            y[inside], prediction[inside], gridsize=48, mincnt=1, bins="log", cmap=shades, extent=(low, high, low, high), lw=0
        )
        bar = figure.colorbar(cells, ax=axes, shrink=0.5, aspect=24, pad=0.02)
        bar.set_label("rows per cell", color=GREY, size=8)
        bar.ax.tick_params(labelsize=7, colors=GREY, length=0)
        bar.outline.set_visible(False)
    else:
        axes.scatter(y[inside], prediction[inside], s=14, color=ink, alpha=max(0.25, 0.8 - len(y) / 2000), lw=0)
    axes.plot([low, high], [low, high], color=INK, lw=1)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel=plain(f"actual {unit}"), ylabel=plain(f"predicted {unit}"))
    outside = int((~inside).sum())
    subtitle(figure, _in_words(y, prediction, unit) + (f"\n{outside:,} of {len(y):,} rows outside the picture" if outside else ""))
    return figure


def _in_words(y: np.ndarray, prediction: np.ndarray, unit: str) -> str:
    """Say how far off predictions are."""
    squared, spread = float(np.mean((y - prediction) ** 2)), float(np.var(y))
    words = f"typical error {number(np.sqrt(squared))} {unit} (RMSE)"
    if spread == 0:
        return words
    r2 = 1 - squared / spread
    return f"{words}, " + (
        f"{r2:.0%} of the variance explained (R² {r2:.2f})" if r2 > 0 else f"worse than always the mean (R² {number(r2)})"
    )


def _limits(y: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    """Return the range of the picture: all that came, and predictions unless they are far off."""
    low, high = float(y.min()), float(y.max())
    reach = high - low or abs(high) or 1.0
    low = min(low, max(float(prediction.min()), low - 0.15 * reach))
    high = max(high, min(float(prediction.max()), high + 0.15 * reach))
    margin = 0.03 * (high - low or 1.0)
    return low - margin, high + margin
