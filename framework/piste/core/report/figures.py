"""Figures of a comparison, as matplotlib figures: drawn here, saved by whoever asked."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from piste.core.comparison import Comparison, Judged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours and darker ones of Tol's "muted", which stay apart under the common kinds of colour blindness.
PALETTE = (
    *("#CC79A7", "#332288", "#0072B2", "#117733", "#56B4E9", "#E69F00"),
    *("#882255", "#009E73", "#999933", "#D55E00", "#DDCC77", "#AA4499"),
)
GREY, INK, FAINT = "#7A7A7A", "#222222", "#E6E6E6"
BLUE = "#0072B2"
TIE = "#EEF5FA"
MANY_ROWS = 1500  # from here on, points would hide one another
MOST_CLASSES = 25
MOST_CONFUSIONS = 20
MOST_LINES = 40
HEAD_INCHES = 0.72  # kept free for the title and the sentence under it


def colour(family: str) -> str:
    """Return the colour of a family, the same in every figure and every comparison; baselines are grey.

    The salt is one under which the families that piste comes with have a colour each.
    """
    if family.startswith("baseline"):
        return GREY
    return PALETTE[hashlib.sha256(f"5820{family}".encode()).digest()[0] % len(PALETTE)]


def predicted_against_actual(y: np.ndarray, prediction: np.ndarray, title: str, unit: str, *, ink: str = BLUE) -> Figure:
    """Draw predictions against what came, with the line on which they would be right.

    Args:
        y: (n_rows,) what came.
        prediction: (n_rows,) what was predicted without having seen it.
        title: of the model.
        unit: what the numbers count, e.g. "skiers" or the target's name.
        ink: colour of the points.
    """
    figure, axes = _axes(5.6, 5.6, title)
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
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel=_plain(f"actual {unit}"), ylabel=_plain(f"predicted {unit}"))
    outside = int((~inside).sum())
    _subtitle(figure, _in_words(y, prediction, unit) + (f"\n{outside:,} of {len(y):,} rows outside the picture" if outside else ""))
    return figure


def _in_words(y: np.ndarray, prediction: np.ndarray, unit: str) -> str:
    """Say how far off predictions are."""
    squared, spread = float(np.mean((y - prediction) ** 2)), float(np.var(y))
    words = f"typical error {_number(np.sqrt(squared))} {unit} (RMSE)"
    if spread == 0:
        return words
    r2 = 1 - squared / spread
    return f"{words}, " + (
        f"{r2:.0%} of the variance explained (R² {r2:.2f})" if r2 > 0 else f"worse than always the mean (R² {_number(r2)})"
    )


def _limits(y: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    """Return the range of the picture: all that came, and predictions unless they are far off."""
    low, high = float(y.min()), float(y.max())
    reach = high - low or abs(high) or 1.0
    low = min(low, max(float(prediction.min()), low - 0.15 * reach))
    high = max(high, min(float(prediction.max()), high + 0.15 * reach))
    margin = 0.03 * (high - low or 1.0)
    return low - margin, high + margin


def confusion_matrix(y: np.ndarray, predicted: np.ndarray, labels: Sequence[str], title: str, *, ink: str = BLUE) -> Figure:
    """Draw how often each class was taken for each; with many classes, the most frequent mistakes instead.

    Args:
        y: (n_rows,) labels that came.
        predicted: (n_rows,) labels predicted without having seen them.
        labels: every class, in the order of the picture.
        title: of the model.
        ink: the darkest shade.
    """
    place = {label: k for k, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(counts, ([place[label] for label in y], [place[label] for label in predicted]), 1)
    right = np.trace(counts) / max(counts.sum(), 1)
    words = f"{right:.1%} of {counts.sum():,} rows right"
    if len(labels) > MOST_CLASSES:
        return _confusions(counts, labels, title, words, ink)
    return _matrix(counts, labels, title, words, ink)


def _matrix(counts: np.ndarray, labels: Sequence[str], title: str, words: str, ink: str) -> Figure:
    from matplotlib.colors import LinearSegmentedColormap

    n_classes = len(labels)
    size = float(np.clip(2.4 + 0.42 * n_classes, 4.2, 9.5))
    figure, axes = _axes(size, size, title)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap=LinearSegmentedColormap.from_list("shades", ["#FFFFFF", ink]), vmin=0, vmax=1)
    font = float(np.clip(170 / n_classes, 6.5, 11))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.text(column, row, f"{count:,}", ha="center", va="center", size=font, color="white" if shares[row, column] > 0.5 else INK)
    names = [_plain(_short(label, 14)) for label in labels]
    tilt = 0 if max(map(len, names)) * n_classes < 60 else 90
    axes.set_xticks(range(n_classes), names, size=min(9, font + 2), rotation=tilt)
    axes.set_yticks(range(n_classes), names, size=min(9, font + 2))
    axes.set(xlabel="predicted", ylabel="actual")
    axes.grid(visible=False)
    _subtitle(figure, f"{words}; shade: share of the actual class")
    return figure


def _confusions(counts: np.ndarray, labels: Sequence[str], title: str, words: str, ink: str) -> Figure:
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(mistakes, axis=None)[::-1][:MOST_CONFUSIONS]
    pairs = [(int(row), int(column)) for row, column in zip(*np.unravel_index(order, mistakes.shape), strict=True) if mistakes[row, column]]
    figure, axes = _axes(7.5, 1.4 + 0.3 * max(len(pairs), 1), title)
    axes.barh(range(len(pairs)), [mistakes[pair] for pair in pairs], color=ink, height=0.62)
    for at, (row, column) in enumerate(pairs):
        share = mistakes[row, column] / counts[row].sum()
        axes.text(mistakes[row, column], at, f" {mistakes[row, column]:,} ({share:.0%})", va="center", size=8, color=INK)
    names = [_plain(f"{_short(labels[row], 24)} taken for {_short(labels[column], 24)}") for row, column in pairs]
    axes.set_yticks(range(len(pairs)), names, size=8)
    axes.set_xticks([])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.grid(visible=False)
    _subtitle(figure, f"{words}; the most frequent mistakes, as rows and as a share of the actual class")
    return figure


def cost_by_fold(comparison: Comparison, row: Judged) -> Figure:
    """Draw the cost of a row on each fold beside that of the best baseline."""
    names, ink = comparison.fold_names, colour(row.family)
    figure, axes = _axes(float(np.clip(2.5 + 0.45 * len(names), 5.6, 10)), 3.6, row.title)
    at = np.arange(len(names))
    if row.id != comparison.best_baseline:
        baseline = comparison.row(comparison.best_baseline)
        low, high = np.minimum(row.fold_costs, baseline.fold_costs), np.maximum(row.fold_costs, baseline.fold_costs)
        axes.vlines(at, low, high, color=FAINT, lw=3, zorder=1)
        axes.scatter(
            at, baseline.fold_costs, s=34, color="white", edgecolor=GREY, lw=1.4, zorder=2, label=_plain(_short(baseline.title, 36))
        )
        better = int(np.sum(np.asarray(row.fold_costs) < np.asarray(baseline.fold_costs)))
        words = f"better than the best baseline on {better} of {len(names)} folds"
    else:
        words = "the best baseline"
    axes.scatter(at, row.fold_costs, s=44, color=ink, lw=0, zorder=3, label=_plain(_short(row.title, 36)))
    step = -(-len(names) // 16)
    shown = at[::step]
    tilt = 0 if max(map(len, names)) * len(shown) < 90 else 35
    axes.set_xticks(
        shown, [_plain(_short(names[k], 22)) for k in shown], rotation=tilt, ha="center" if not tilt else "right", rotation_mode="anchor"
    )
    axes.set_ylabel(_plain(comparison.cost_name))
    axes.grid(visible=False, axis="x")
    axes.margins(x=0.5 / max(len(names), 1) + 0.02, y=0.15)
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=INK, handletextpad=0.3)
    _subtitle(figure, words)
    return figure


def leaderboard_intervals(comparison: Comparison) -> Figure:
    """Draw the cost of every judged row with its interval, the best baseline as a line, and ties shaded."""
    rows = comparison.judged[:MOST_LINES]
    baseline = comparison.row(comparison.best_baseline)
    figure, axes = _axes(9.5, 1.5 + 0.34 * len(rows), comparison.problem)
    low, high = reach(comparison)
    axes.axvline(baseline.cost, color=GREY, lw=1, ls=(0, (4, 3)), zorder=1)
    axes.text(baseline.cost, -0.75, "best baseline", color=GREY, size=8, ha="center", va="bottom")
    for at, row in enumerate(rows):
        if row.tied_with_best:
            axes.axhspan(at - 0.5, at + 0.5, color=TIE, lw=0, zorder=0)
        if row.cost > high:
            axes.annotate("", (high, at), (high - 0.03 * (high - low), at), arrowprops={"arrowstyle": "->", "color": colour(row.family)})
        else:
            axes.plot(
                [max(row.cost_lo, low), min(row.cost_hi, high)],
                [at, at],
                color=colour(row.family),
                lw=2.4,
                solid_capstyle="round",
                zorder=2,
            )
            axes.scatter([row.cost], [at], s=46, color=colour(row.family), edgecolor="white", lw=0.8, zorder=3)
        axes.text(1.01, at, _between(row), transform=axes.get_yaxis_transform(), va="center", size=8.5, color=INK)
    axes.set_yticks(range(len(rows)), [_plain(_short(row.title, 58)) for row in rows], size=9)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.id == comparison.champion else "normal")
    axes.set(xlim=(low, high), ylim=(len(rows) - 0.5, -0.8), xlabel=_plain(f"{comparison.cost_name}, lower is better (95 % interval)"))
    axes.grid(visible=False, axis="y")
    left = len(comparison.judged) - len(rows)
    words = "shaded: too close to the best to tell apart" + (f"; {left} more not shown" if left else "")
    _subtitle(figure, words)
    return figure


def reach(comparison: Comparison) -> tuple[float, float]:
    """Return the range of costs that a picture of the leaderboard shows: rows far worse than the rest lie outside.

    An interval may be endless, or missing where there was too little to tell; the cost itself counts then.
    """
    costs = np.array([(row.cost_lo, row.cost, row.cost_hi) for row in comparison.judged])
    costs = np.where(np.isfinite(costs), costs, costs[:, [1]])
    lower, upper = np.quantile(costs[:, 2], [0.25, 0.75])
    near = costs[costs[:, 2] <= upper + 4 * (upper - lower), 2]
    low, high = float(costs.min()), max(float(near.max()), comparison.row(comparison.best_baseline).cost)
    margin = 0.03 * (high - low or abs(high) or 1.0)
    return low - margin, high + margin


def _between(row: Judged) -> str:
    digits = max(0, 2 - math.floor(math.log10(abs(row.cost)))) if row.cost else 2
    cost, low, high = (f"{value:,.{digits}f}" for value in (row.cost, row.cost_lo, row.cost_hi))
    return f"{cost}  ({low} to {high})"


def training_curve(history: Mapping[str, np.ndarray], title: str) -> Figure:
    """Draw what was recorded after each epoch: a line by name.

    Args:
        history: name -> (n_epochs,) values.
        title: of the model.
    """
    figure, axes = _axes(6.4, 3.6, title)
    for at, (name, values) in enumerate(history.items()):
        ink = (BLUE, "#D55E00", "#009E73", "#CC79A7", "#E69F00", INK)[at % 6]
        axes.plot(np.arange(1, len(values) + 1), values, color=ink, lw=1.6, label=_plain(name.replace("_", " ")))
    axes.set_xlabel("epoch")
    axes.set_xlim(left=1)
    _subtitle(figure, f"{max(map(len, history.values()), default=0)} epochs")
    figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8, labelcolor=INK)
    return figure


def _axes(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches with one pair of axes; no state of pyplot is touched."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(rect=(0.01, 0.01, 0.98, 0.99 - HEAD_INCHES / height))
    figure = Figure(figsize=(width, height), dpi=110, layout=engine)
    axes = figure.add_subplot()
    figure.text(0.1 / width, 1 - 0.13 / height, _plain(_short(title, int(11 * width))), va="top", size=11, weight="bold", color=INK)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.tick_params(length=0, colors=INK, labelsize=8.5)
    axes.xaxis.label.set(color=GREY, size=9)
    axes.yaxis.label.set(color=GREY, size=9)
    axes.grid(color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _subtitle(figure: Figure, words: str) -> None:
    width, height = figure.get_size_inches()
    figure.text(0.1 / width, 1 - 0.37 / height, _plain(words), va="top", size=8.5, color=GREY)


def _plain(text: str) -> str:
    """Keep matplotlib from reading dollars as mathematics."""
    return text.replace("$", r"\$")


def _short(text: str, length: int) -> str:
    """Cut a text that is too long for its place.

    >>> _short("Gradient-boosted trees", 12)
    'Gradient-bo…'
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _number(value: float) -> str:
    """Write a number with three significant digits, or all before the point.

    >>> _number(0.012345), _number(31.26), _number(12345.6)
    ('0.0123', '31.3', '12,346')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
