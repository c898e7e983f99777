"""M02: whether the models' forecasts are worth anything over the rule to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from piste.core.check import NotApplicable
from piste.core.finding import Finding
from piste.core.review.worth import better
from tests.cases import told, written

N = 400
RNG = np.random.default_rng(0)
BUSY = np.arange(N) % 4 == 0  # a quarter of the rows
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "pair": np.arange(N) // 2, "y": np.where(BUSY, "busy", "quiet")})
CLASSES: dict[str, Any] = {
    "target": {"column": "y", "kind": "ordered", "order": ["quiet", "busy"]},
    "framings": ["classes"],
    "split": {"folds": 4, "together": "pair"},
}
SURE = np.column_stack([~BUSY, BUSY]).astype(float)
BLIND = np.column_stack([np.full(N, 0.75), np.full(N, 0.25)]) + 0.2 * RNG.uniform(-1, 1, (N, 1)) * [1, -1]
STAFF: dict[str, Any] = {"cost": {"none": [0, 8], "one": [3, 1]}, "currency": "EUR"}


def found(said: np.ndarray, **keys: Any) -> list[Finding]:
    """Return what the check finds."""
    return told(better, written(ROWS, {"linear": said}, **CLASSES | keys).case)[0]


def test_a_model_that_is_not_surely_better_than_the_rule_is_noted():
    [finding] = found(BLIND, decision=STAFF)
    assert finding.severity == "note"
    assert finding.number <= 0
    assert finding.message == "No model is surely better than the rule 'constant', counting that 3 candidates were tried"


def test_a_model_that_surely_is_better_is_not():
    assert found(SURE, decision=STAFF) == []
    assert found(np.clip(SURE, 0.05, 0.95)) == []


def test_where_one_group_is_all_there_is_no_bound_is_known():
    frame = ROWS.assign(part=np.where(np.arange(N) < 200, "train", "test"), site=np.arange(N) // 200)
    made = written(frame, {"linear": SURE}, **CLASSES | {"split": {"scheme": "predefined", "by": "part", "together": "site"}})
    assert isinstance(better.run(made.evidence()), NotApplicable)
