"""Which classes were taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from piste.core.report.figures.canvas import BLUE, INK, paper, plain, short, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CLASSES = 25
MOST_CONFUSIONS = 20


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
    figure, [axes] = paper(size, size, title)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap=LinearSegmentedColormap.from_list("shades", ["#FFFFFF", ink]), vmin=0, vmax=1)
    font = float(np.clip(170 / n_classes, 6.5, 11))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.text(column, row, f"{count:,}", ha="center", va="center", size=font, color="white" if shares[row, column] > 0.5 else INK)
    names = [plain(short(label, 14)) for label in labels]
    tilt = 0 if max(map(len, names)) * n_classes < 60 else 90
    axes.set_xticks(range(n_classes), names, size=min(9, font + 2), rotation=tilt)
    axes.set_yticks(range(n_classes), names, size=min(9, font + 2))
    axes.set(xlabel="predicted", ylabel="actual")
    axes.grid(visible=False)
    subtitle(figure, f"{words}; shade: share of the actual class")
    return figure


def _confusions(counts: np.ndarray, labels: Sequence[str], title: str, words: str, ink: str) -> Figure:
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(mistakes, axis=None)[::-1][:MOST_CONFUSIONS]
    pairs = [(int(row), int(column)) for row, column in zip(*np.unravel_index(order, mistakes.shape), strict=True) if mistakes[row, column]]
    figure, [axes] = paper(7.5, 1.4 + 0.3 * max(len(pairs), 1), title)
    axes.barh(range(len(pairs)), [mistakes[pair] for pair in pairs], color=ink, height=0.62)
    for at, (row, column) in enumerate(pairs):
        share = mistakes[row, column] / counts[row].sum()
        axes.text(mistakes[row, column], at, f" {mistakes[row, column]:,} ({share:.0%})", va="center", size=8, color=INK)
    names = [plain(f"{short(labels[row], 24)} taken for {short(labels[column], 24)}") for row, column in pairs]
    axes.set_yticks(range(len(pairs)), names, size=8)
    axes.set_xticks([])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.grid(visible=False)
    subtitle(figure, f"{words}; the most frequent mistakes, as rows and as a share of the actual class")
    return figure
