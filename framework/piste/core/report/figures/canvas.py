"""What every figure is drawn on: paper, ink, and words that matplotlib takes as they are."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from piste.core.comparison import Comparison, Judged
from piste.core.plan import BASELINE
from piste.core.report.words import way
from piste.core.verdict import is_baseline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours and darker ones of Tol's "muted", which stay apart under the common kinds of colour blindness.
PALETTE = (
    *("#CC79A7", "#332288", "#0072B2", "#117733", "#56B4E9", "#E69F00"),
    *("#882255", "#009E73", "#999933", "#D55E00", "#DDCC77", "#AA4499"),
)
GREY, INK, FAINT = "#7A7A7A", "#222222", "#E6E6E6"
BLUE, RED = "#0072B2", "#D55E00"
TIE = "#EEF5FA"
HEAD_INCHES = 0.72  # kept free for the title and the sentence under it


def colour(family: str) -> str:
    """Return the colour of a family, the same in every figure and every comparison; baselines are grey.

    The salt is one under which the families that piste comes with have a colour each.
    """
    if family.startswith("baseline"):
        return GREY
    return PALETTE[hashlib.sha256(f"5820{family}".encode()).digest()[0] % len(PALETTE)]


def paper(width: float, height: float, title: str, columns: int = 1, *, lines: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure of this size in inches with so many pairs of axes in a row; no state of pyplot is touched.

    Args:
        width: in inches.
        height: in inches.
        title: of the figure.
        columns: pairs of axes beside each other.
        lines: rows of them.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(rect=(0.01, 0.01, 0.98, 0.99 - HEAD_INCHES / height))
    figure = Figure(figsize=(width, height), dpi=110, layout=engine)
    figure.text(0.1 / width, 1 - 0.13 / height, plain(short(title, int(11 * width))), va="top", size=11, weight="bold", color=INK)
    found = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes in found:
        axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
        axes.tick_params(length=0, colors=INK, labelsize=8.5)
        axes.xaxis.label.set(color=GREY, size=9)
        axes.yaxis.label.set(color=GREY, size=9)
        axes.grid(color=FAINT, lw=0.8)
        axes.set_axisbelow(True)
    return figure, found


def subtitle(figure: Figure, words: str) -> None:
    """Write a sentence under the title."""
    width, height = figure.get_size_inches()
    figure.text(0.1 / width, 1 - 0.37 / height, plain(words), va="top", size=8.5, color=GREY)


def plain(text: str) -> str:
    """Keep matplotlib from reading dollars as mathematics."""
    return text.replace("$", r"\$")


def short(text: str, length: int) -> str:
    """Cut a text that is too long for its place.

    >>> short("Gradient-boosted trees", 12)
    'Gradient-bo…'
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def kind(title: str) -> str:
    """Return a title without what stands in brackets: the kind of model.

    >>> kind("Gradient boosting (LightGBM, learning rate 0.05)")
    'Gradient boosting'
    """
    return title.partition(" (")[0]


def called(comparison: Comparison, row: Judged) -> str:
    """Say in a few words which row this is: its kind of model, its framing, and how it decides.

    A rule of the business needs no framing to be known by.
    """
    if is_baseline(row):
        return f"rule '{row.family.removeprefix(f'{BASELINE}:')}'"
    return ", ".join([kind(row.title), *way(comparison, row)])


def number(value: float) -> str:
    """Write a number with three significant digits, or all before the point.

    >>> number(0.012345), number(31.26), number(12345.6), number(float("nan"))
    ('0.0123', '31.3', '12,346', '')
    """
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def written(cost: float, near: float) -> str:
    """Write a cost with as many decimals as give one near it three significant digits, so that costs beside each other align.

    >>> written(40.0, 59.2), written(1234.5, 59.2), written(0.4, 0.123)
    ('40.0', '1,234.5', '0.400')
    """
    digits = max(0, 2 - math.floor(math.log10(abs(near)))) if near else 2
    return f"{cost:,.{digits}f}"
