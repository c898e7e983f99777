"""Figures of a comparison, one idea a file: each returns a matplotlib figure, saved by whoever asked."""

from piste.core.report.figures.actions import actions_taken
from piste.core.report.figures.canvas import GREY, colour
from piste.core.report.figures.confusion import confusion_matrix
from piste.core.report.figures.cost_range import champion_against_cost
from piste.core.report.figures.coverage import intervals_kept
from piste.core.report.figures.curve import learning_curve
from piste.core.report.figures.folds import cost_by_fold, gain_by_fold
from piste.core.report.figures.grid import framings_compared
from piste.core.report.figures.intervals import leaderboard_intervals, reach
from piste.core.report.figures.reliability import reliability_diagram
from piste.core.report.figures.scatter import predicted_against_actual
from piste.core.report.figures.slices import gain_by_slice
from piste.core.report.figures.training import training_curve

__all__ = [
    "GREY",
    "actions_taken",
    "champion_against_cost",
    "colour",
    "confusion_matrix",
    "cost_by_fold",
    "framings_compared",
    "gain_by_fold",
    "gain_by_slice",
    "intervals_kept",
    "leaderboard_intervals",
    "learning_curve",
    "predicted_against_actual",
    "reach",
    "reliability_diagram",
    "training_curve",
]
