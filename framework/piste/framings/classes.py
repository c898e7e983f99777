"""Ask which class, or which level of a number, with a probability for each."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from piste.core.calibrate import Temper, temper
from piste.core.data import Target
from piste.core.decision import Yardstick
from piste.core.framing import Framing, Others, Rule, State, codes
from piste.core.metrics import log_loss
from piste.core.predictive import Classes


def why_not(target: Target) -> str | None:
    """Categories, and numbers that are cut into levels."""
    return None if target.classes else "the target is a number that no `target.levels` cut into classes"


def rules(yardstick: Yardstick) -> tuple[Rule, ...]:
    """Also act on the likeliest class alone, as is often done, where an action can cost."""
    return ("plug_in", "min_expected_cost") if yardstick.priced else ("min_expected_cost",)


def learn(_: Rule, others: Others) -> State:
    """Learn to what extent probabilities are to be believed."""
    ends = [float(others.value.min()), float(others.value.max())] if len(others.value) else [0.0, 0.0]
    return {**(asdict(temper(others.predictions, others.y, others.weight)) if len(others.y) else {}), "ends": ends}


def spread(rule: Rule, predictions: np.ndarray, state: State, thresholds: np.ndarray | None) -> Classes:
    """Return the calibrated probabilities, or certainty of the likeliest class."""
    ends = (state["ends"][0], state["ends"][1])
    if rule == "plug_in":
        return Classes(np.eye(predictions.shape[1])[predictions.argmax(axis=1)], thresholds, ends)
    calibrated = (
        Temper(state["temperature"], state["mix"], tuple(state["prior"])).apply(predictions) if "temperature" in state else predictions
    )
    return Classes(calibrated, thresholds, ends)


FRAMING = Framing(
    "classes",
    "Class probabilities",
    order=3,
    kind="classes",
    asks="which of {levels}, and how likely is each?",
    loses="how far within a level, and that one level lies between others",
    why_not=why_not,
    y=codes,
    rules=rules,
    learn=learn,
    spread=spread,
    score=log_loss,
)
