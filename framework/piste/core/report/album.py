"""The figures of a comparison in the order of the report, each with its name and what to read in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from piste.core.comparison import Comparison
from piste.core.report import figures
from piste.core.report.lessons import asking, deciding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[Comparison], "Figure | None"]  # None where there is nothing to draw
Say = Callable[[Comparison], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure, with the words around it."""

    name: str  # of its file
    heading: str
    figure: Figure
    said: tuple[str, ...]  # sentences


def _about_framings(comparison: Comparison) -> tuple[str, ...]:
    return tuple(sentence for sentence in (asking(comparison), deciding(comparison)) if sentence)


def _about_curve(comparison: Comparison) -> tuple[str, ...]:
    return tuple(f"{text.rstrip('.')}." for text in comparison.curve.sentences) if comparison.curve else ()


def _nothing(_: Comparison) -> tuple[str, ...]:
    return ()


PAGES: tuple[tuple[str, str, Draw, Say], ...] = (
    ("framings", "Ways of asking, compared", figures.framings_compared, _about_framings),
    ("actions", "What would have been done", figures.actions_taken, _nothing),
    ("cost_range", "If the costs are not as written", figures.champion_against_cost, _nothing),
    ("gain_by_fold", "From fold to fold", figures.gain_by_fold, _nothing),
    ("gain_by_slice", "Part by part", figures.gain_by_slice, _nothing),
    ("learning_curve", "Would more rows help?", figures.learning_curve, _about_curve),
    ("reliability", "Are its probabilities to be believed?", figures.reliability_diagram, _nothing),
    ("coverage", "Are its intervals to be believed?", figures.intervals_kept, _nothing),
)


def album(comparison: Comparison) -> Iterator[Picture]:
    """Draw every figure that there is something for."""
    for name, heading, draw, say in PAGES:
        figure = draw(comparison)
        if figure is not None:
            yield Picture(name, heading, figure, say(comparison))
