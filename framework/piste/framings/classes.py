"""Ask which class, with a probability for each."""

from __future__ import annotations

import numpy as np

from piste.core.data import Target
from piste.core.decision import Classes
from piste.core.framing import Framing


def why_not(target: Target) -> str | None:
    """Categories only."""
    return None if target.kind in ("binary", "category") else "the target is a number, not a class"


def predictive(predictions: np.ndarray, _others: np.ndarray, _y: np.ndarray) -> Classes:
    """Take the probabilities as they come."""
    return Classes(predictions)


FRAMING = Framing(
    "classes",
    "Class probabilities",
    order=0,
    kind="classes",
    rule="min_expected_cost",
    why_not=why_not,
    y=lambda target: target.values,
    predictive=predictive,
)
