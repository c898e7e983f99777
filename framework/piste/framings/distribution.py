"""Ask how many, as a distribution of counts: Poisson likelihood, dispersion from the other folds' predictions."""

from __future__ import annotations

import numpy as np

from piste.core.data import Target
from piste.core.decision import NegativeBinomial, dispersion
from piste.core.framing import Framing


def why_not(target: Target) -> str | None:
    """Counts only."""
    return None if target.kind == "count" else "a distribution of counts needs a target that counts (whole numbers from 0)"


def predictive(predictions: np.ndarray, others: np.ndarray, y: np.ndarray) -> NegativeBinomial:
    """Spread the counts as widely as the other folds' were off; with no other fold to learn from, as Poisson."""
    mean = np.maximum(predictions, 0.0)
    return NegativeBinomial(mean, dispersion(y, np.maximum(others, 0.0)))


FRAMING = Framing(
    "distribution",
    "Distribution of the count",
    order=1,
    kind="distribution",
    rule="min_expected_cost",
    why_not=why_not,
    y=lambda target: target.values,
    predictive=predictive,
)
