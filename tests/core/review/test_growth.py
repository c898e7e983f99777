"""M09: whether more rows would help."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.check import NotApplicable
from piste.core.comparison import Curve, Interval
from piste.core.review.growth import grows
from tests.cases import told, written

Y = 100 + 10 * np.random.default_rng(0).normal(size=200)
ROWS = pd.DataFrame({"x": np.arange(200.0) % 7, "y": Y})
MADE = written(ROWS, {"linear": Y + 4}, metric="mse")


def curve(falls: float) -> Curve:
    points = pd.DataFrame({"title": ["mine"] * 3 + ["other"], "rows": [50, 100, 200, 200], "cost": [20.0, 17.0, 15.5, 14.0]})
    return Curve(points, Interval(12.0, 11.0, 13.0), falls, 0.5, ())


@pytest.mark.parametrize(("falls", "fires"), [(0.79, False), (0.8, True), (1.0, True), (0.0, False)])
def test_a_curve_that_very_probably_falls_is_noted(falls, fires):
    findings, _ = told(grows, MADE.case, curve=curve(falls))
    assert [(each.check, each.severity, each.number) for each in findings] == [("M09", "note", falls)] * fires


def test_it_says_from_what_to_what():
    [finding] = told(grows, MADE.case, curve=curve(0.9))[0]
    assert finding.message == "Twice the rows would lower the mse from 15.5 to about 12 (90% sure that they help)"


def test_a_decision_is_said_to_cost():
    priced = written(ROWS, {"linear": Y + 4}, decision={"cost": {"over": 1, "under": 4}, "currency": "EUR"})
    [finding] = told(grows, priced.case, curve=curve(0.9))[0]
    assert finding.message.startswith("Twice the rows would lower what a decision costs from 15.5 to about 12 EUR")


def test_without_a_curve_or_a_model_there_is_nothing_to_say():
    assert isinstance(grows.run(MADE.evidence()), NotApplicable)
    rule = written(ROWS, {"linear": Y + 400}, metric="mse")
    assert isinstance(grows.run(rule.evidence(curve=curve(0.9))), NotApplicable)
