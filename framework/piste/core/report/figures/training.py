"""What a training recorded, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from piste.core.report.figures.canvas import BLUE, INK, paper, plain, subtitle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def training_curve(history: Mapping[str, np.ndarray], title: str) -> Figure:
    """Draw what was recorded after each epoch: a line by name.

    Args:
        history: name -> (n_epochs,) values.
        title: of the model.
    """
    figure, [axes] = paper(6.4, 3.6, title)
    for at, (name, values) in enumerate(history.items()):
        ink = (BLUE, "#D55E00", "#009E73", "#CC79A7", "#E69F00", INK)[at % 6]
        axes.plot(np.arange(1, len(values) + 1), values, color=ink, lw=1.6, label=plain(name.replace("_", " ")))
    axes.set_xlabel("epoch")
    axes.set_xlim(left=1)
    subtitle(figure, f"{max(map(len, history.values()), default=0)} epochs")
    figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8, labelcolor=INK)
    return figure
