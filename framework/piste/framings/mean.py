"""Ask for the expected value: plain regression."""

from __future__ import annotations

import numpy as np

from piste.core.data import Target
from piste.core.decision import Point
from piste.core.framing import Framing


def why_not(target: Target) -> str | None:
    """Numbers only."""
    return None if target.kind in ("numeric", "count") else "a class has no mean"


def predictive(predictions: np.ndarray, _others: np.ndarray, _y: np.ndarray) -> Point:
    """Take the prediction at its word."""
    return Point(predictions)


FRAMING = Framing(
    "mean", "Expected value", order=0, kind="mean", rule="plug_in", why_not=why_not, y=lambda target: target.values, predictive=predictive
)
