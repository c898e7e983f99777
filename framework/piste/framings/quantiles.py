"""Ask for quantiles: how high the target will be in ten cases of different luck."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from piste.core.calibrate import Conform, conform
from piste.core.data import Target
from piste.core.framing import Framing, Others, Rule, State, values, whole_rule
from piste.core.predictive import Curve

LEVELS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
TAIL = 1.5
"""How far a tail reaches beyond the last quantile, in steps from the last but one: with its mass spread evenly, the mean of
the tail of a normal distribution needs 1.4 of them, that of an exponential one 1.8."""


def why_not(target: Target) -> str | None:
    """Numbers only."""
    return "a class has no quantiles" if target.labels else None


def learn(_: Rule, others: Others) -> State:
    """Learn by how much each quantile has to move to hold its share of other rows (conformal repair)."""
    floor = 0.0 if others.counts or (len(others.value) and others.value.min() >= 0) else None
    repair = conform(others.predictions, others.y, np.array(LEVELS), others.weight) if len(others.y) else Conform((0.0,) * len(LEVELS), 0.0)
    return {**asdict(repair), "floor": floor}


def spread(_: Rule, predictions: np.ndarray, state: State, _thresholds: np.ndarray | None) -> Curve:
    """Return the curve through the repaired quantiles, sorted, with a tail at either end."""
    moved = Conform(tuple(state["shifts"]), state["least"]).apply(predictions)
    low = moved[:, :1] - TAIL * (moved[:, 1:2] - moved[:, :1])
    high = moved[:, -1:] + TAIL * (moved[:, -1:] - moved[:, -2:-1])
    knots = np.concatenate([low, moved, high], axis=1)
    return Curve(knots if state["floor"] is None else np.maximum(knots, state["floor"]), np.array([0.0, *LEVELS, 1.0]))


def pinball(y: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return the pinball loss of each row, the mean over the levels, (n_rows,).

    >>> pinball(np.array([1.0]), np.zeros((1, 10))).round(9)
    array([0.5])
    """
    short = y[:, None] - predictions
    return np.asarray(np.maximum(short * np.array(LEVELS), short * (np.array(LEVELS) - 1)).mean(axis=1))


def average(predictions: np.ndarray) -> np.ndarray:
    """Return the mean of the quantiles, about that of the distribution."""
    return np.asarray(predictions.mean(axis=1))


FRAMING = Framing(
    "quantiles",
    "Quantiles",
    order=2,
    kind="quantiles",
    asks="how high will {target} be in a poor case, a usual one, a high one?",
    loses="nothing that matters to one row; ten numbers stand for the whole distribution",
    why_not=why_not,
    y=values,
    rules=whole_rule,
    learn=learn,
    spread=spread,
    score=pinball,
    plain=average,
    levels=LEVELS,
)
