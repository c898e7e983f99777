"""Ask for the expected value: plain regression, taken at its word or dressed in the errors of other rows."""

from __future__ import annotations

import numpy as np

from piste.core.calibrate import residuals
from piste.core.data import Target
from piste.core.decision import ByMetric, Yardstick
from piste.core.framing import Framing, Others, Rule, State, values
from piste.core.metrics import squared
from piste.core.predictive import Dressed, Point, Predictive

FLOOR = 0.05


def why_not(target: Target) -> str | None:
    """Numbers only."""
    return "a class has no mean" if target.labels else None


def rules(yardstick: Yardstick) -> tuple[Rule, ...]:
    """Dress a prediction where its spread can change the answer: not where the mean itself is asked for."""
    plain = isinstance(yardstick, ByMetric) and yardstick.metric.functional == "mean"
    return ("plug_in",) if plain else ("plug_in", "dressed")


def learn(rule: Rule, others: Others) -> State:
    """Take the errors of other rows, which did not see them: ratios where the target counts.

    A prediction near zero has ratios of any size to what came, so none counts as less than FLOOR of the mean.
    """
    if rule == "plug_in" or not len(others.y):
        return {}
    floor = FLOOR * float(np.average(others.y, weights=others.weight)) if others.counts else float("-inf")
    predictions = np.maximum(others.predictions, floor)
    off = residuals(others.y, predictions, others.weight, counts=others.counts)
    return {"residuals": off.tolist(), "ratio": others.counts, "floor": floor if others.counts else None}


def spread(_: Rule, predictions: np.ndarray, state: State, _thresholds: np.ndarray | None) -> Predictive:
    """Take the prediction at its word, or with the errors around it."""
    if not state:
        return Point(predictions)
    value = predictions if state["floor"] is None else np.maximum(predictions, state["floor"])
    return Dressed(value, np.asarray(state["residuals"]), state["ratio"])


FRAMING = Framing(
    "mean",
    "Expected value",
    order=0,
    kind="mean",
    asks="what will {target} be on average?",
    loses="how sure the answer is: one number, the spread around it taken from the errors on other rows, the same for all",
    why_not=why_not,
    y=values,
    rules=rules,
    learn=learn,
    spread=spread,
    score=squared,
)
