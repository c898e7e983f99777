"""Ask of each level whether it is reached: one yes/no question a level, which keeps their order (Frank and Hall 2001)."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from piste.core.calibrate import Temper, temper
from piste.core.data import Target
from piste.core.framing import Framing, Others, Rule, State, codes, whole_rule
from piste.core.predictive import Classes

LEAST = 1e-6  # probability that is given to a level, so that a surprise does not cost without end


def why_not(target: Target) -> str | None:
    """Levels in an order, more than two."""
    if not target.classes or (target.labels and target.kind != "ordered"):
        return "the target has no levels in an order: say `kind: ordered`, or cut a number by `target.levels`"
    return "two levels need one question, which `classes` asks" if len(target.classes) < 3 else None


def probabilities(reached: np.ndarray) -> np.ndarray:
    """Turn the chances of reaching each level but the first, (n_rows, n_levels - 1), into the probability of each level."""
    falling = np.minimum.accumulate(np.clip(reached, 0.0, 1.0), axis=1)
    ones, zeros = np.ones((len(falling), 1)), np.zeros((len(falling), 1))
    found = np.maximum(-np.diff(np.concatenate([ones, falling, zeros], axis=1), axis=1), LEAST)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def learn(_: Rule, others: Others) -> State:
    """Learn to what extent probabilities are to be believed."""
    ends = [float(others.value.min()), float(others.value.max())] if len(others.value) else [0.0, 0.0]
    learnt = asdict(temper(probabilities(others.predictions), others.y, others.weight)) if len(others.y) else {}
    return {**learnt, "ends": ends}


def spread(_: Rule, predictions: np.ndarray, state: State, thresholds: np.ndarray | None) -> Classes:
    """Return the calibrated probability of each level."""
    plain = probabilities(predictions)
    return Classes(
        Temper(state["temperature"], state["mix"], tuple(state["prior"])).apply(plain) if "temperature" in state else plain,
        thresholds,
        tuple(state["ends"]),
    )


def score(y: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return minus the log of the probability given to the level that came."""
    return np.asarray(-np.log(probabilities(predictions)[np.arange(len(y)), y]))


FRAMING = Framing(
    "ordered",
    "Ordered levels",
    order=4,
    kind="classes",
    asks="is each of {levels} reached, one question a level?",
    loses="how far within a level",
    why_not=why_not,
    y=codes,
    rules=whole_rule,
    learn=learn,
    spread=spread,
    score=score,
    plain=probabilities,
    cumulative=True,
)
