"""F03 and M02: whether a perfect forecast would be worth anything, and whether the models' forecasts are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.finding import Finding
from piste.core.review.worth import check
from tests.cases import written

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


def found(said: np.ndarray, id: str, **keys: Any) -> list[Finding]:
    """Return the findings of a check."""
    made = written(ROWS, {"linear": said}, **CLASSES | keys)
    return [finding for finding in check(made.case, ())[0] if finding.check == id]


def decided(cost: dict[str, list[float]], **keys: Any) -> dict[str, Any]:
    return {"cost": cost, "currency": "EUR", **keys}


STAFF = {"none": [0, 8], "one": [3, 1]}  # ignorant: none costs 2 a row, one 2.5; foresight: 0.25


def test_foresight_worth_less_a_year_than_is_worthwhile_blocks():
    [finding] = found(SURE, "F03", decision=decided(STAFF, per_year=100), success={"worthwhile": 200})
    assert finding.severity == "block"
    assert finding.number == pytest.approx(100 * (2 - 0.25))
    assert finding.message == (
        "Perfect foresight is worth at most 175 EUR a year over the best fixed choice, less than the 200 that make it worthwhile"
    )


def test_foresight_worth_as_much_as_asked_for_does_not():
    assert found(SURE, "F03", decision=decided(STAFF, per_year=100), success={"worthwhile": 175}) == []


def test_foresight_that_saves_next_to_nothing_of_what_is_spent_anyway_warns():
    [finding] = found(SURE, "F03", decision=decided({"none": [100, 108], "one": [103, 101]}))
    assert finding.severity == "warn"
    assert (finding.number, finding.threshold) == (pytest.approx(1.75), pytest.approx(0.05 * 102))
    assert finding.message == "Perfect foresight saves at most 1.75 of 102 EUR a decision: a forecast hardly changes what is done"


def test_foresight_that_saves_a_good_part_does_not():
    assert found(SURE, "F03", decision=decided(STAFF)) == []


def test_without_a_cost_nothing_is_known_of_worth():
    assert found(SURE, "F03") == []


def test_a_model_that_is_not_surely_better_than_the_rule_is_noted():
    [finding] = found(BLIND, "M02", decision=decided(STAFF))
    assert finding.severity == "note"
    assert finding.number <= 0
    assert finding.message == "No model is surely better than the rule 'constant', 3 candidates accounted for"


def test_a_model_that_surely_is_better_is_not():
    assert found(SURE, "M02", decision=decided(STAFF)) == []
    assert found(np.clip(SURE, 0.05, 0.95), "M02") == []
