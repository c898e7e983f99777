"""Ask how many, as a distribution of counts: Poisson likelihood, dispersion from the other folds' predictions."""

from __future__ import annotations

import numpy as np

from piste.core.data import Target
from piste.core.framing import Framing, Others, Rule, State, values, whole_rule
from piste.core.metrics import poisson
from piste.core.predictive import NegativeBinomial, dispersion


def why_not(target: Target) -> str | None:
    """Counts only."""
    return None if target.kind == "count" else "a distribution of counts needs a target that counts (whole numbers from 0)"


def learn(_: Rule, others: Others) -> State:
    """Spread the counts as widely as the other folds' were off; with no other fold to learn from, as Poisson."""
    return {"dispersion": dispersion(others.y, np.maximum(others.predictions, 0.0), others.weight)}


def spread(_: Rule, predictions: np.ndarray, state: State, _thresholds: np.ndarray | None) -> NegativeBinomial:
    """Return a negative binomial around each prediction."""
    return NegativeBinomial(np.maximum(predictions, 0.0), state["dispersion"])


FRAMING = Framing(
    "distribution",
    "Distribution of the count",
    order=1,
    kind="distribution",
    asks="how likely is each number of {target}?",
    loses="any shape but the negative binomial's: the spread follows from the mean",
    why_not=why_not,
    y=values,
    rules=whole_rule,
    learn=learn,
    spread=spread,
    score=poisson,
)
