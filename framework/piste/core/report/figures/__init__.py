"""Figures of a comparison, one idea a file: each returns a matplotlib figure, saved by whoever asked."""

from piste.core.report.figures.canvas import GREY, colour
from piste.core.report.figures.confusion import confusion_matrix
from piste.core.report.figures.folds import cost_by_fold
from piste.core.report.figures.intervals import leaderboard_intervals, reach
from piste.core.report.figures.scatter import predicted_against_actual
from piste.core.report.figures.training import training_curve

__all__ = [
    "GREY",
    "colour",
    "confusion_matrix",
    "cost_by_fold",
    "leaderboard_intervals",
    "predicted_against_actual",
    "reach",
    "training_curve",
]
