"""Figures as files and as parts of a page."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG, the same bytes for the same figure; letters are outlines, so that no font is needed to show it."""
    from matplotlib import rc_context

    written = io.BytesIO()
    with _any_script(), rc_context({"svg.fonttype": "path", "svg.hashsalt": "piste"}):
        _settle(figure)
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


def _settle(figure: Figure) -> None:
    """Lay a figure out, for good: the solver's last digits differ from one time to the next, and with them the names of clip paths."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(each, 6) for each in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    with _any_script():
        figure.savefig(path)


def inline(picture: bytes) -> str:
    """Return an SVG as an address that holds it whole."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"


@contextmanager
def _any_script() -> Iterator[None]:
    """Let a label in a script that matplotlib's own font lacks be drawn as boxes; the table beside the figure has it right."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
