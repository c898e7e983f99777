"""M14: whether the champion keeps to what `constraints` allow in use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from piste.core.review.limits import within_limits
from tests.cases import told, written

Y = np.random.default_rng(0).normal(size=100)
ROWS = pd.DataFrame({"x": np.arange(100.0) % 7, "y": Y})


@pytest.mark.parametrize(
    ("latency", "size", "broken"),
    [(5.0, 2.0, []), (5.1, 2.0, ["latency_ms"]), (5.0, 2.1, ["model_mb"]), (9.0, 9.0, ["latency_ms", "model_mb"])],
)
def test_more_than_a_constraint_allows_warns(latency, size, broken):
    case = written(ROWS, {"linear": Y + 0.1}, constraints={"latency_ms": 5, "model_mb": 2}).case
    findings, _ = told(within_limits, replace(case, measured={"latency_ms": latency, "model_mb": size}))
    assert [finding.on for finding in findings] == broken
    assert all((finding.check, finding.severity) == ("M14", "warn") for finding in findings)


def test_the_message_says_what_was_measured_and_what_is_allowed():
    case = written(ROWS, {"linear": Y + 0.1}, constraints={"latency_ms": 5}).case
    [finding] = told(within_limits, replace(case, measured={"latency_ms": 12.34}))[0]
    assert finding.message == f"{case.row_of(case.champion).title} takes 12.3 ms for one row, and constraints.latency_ms allows 5"


def test_without_a_constraint_or_a_model_that_is_stored_nothing_is_held_against_it():
    case = written(ROWS, {"linear": Y + 0.1}).case
    assert told(within_limits, replace(case, measured={"latency_ms": 1e6, "model_mb": 1e6}))[0] == []
    assert told(within_limits, written(ROWS, {"linear": Y + 0.1}, constraints={"latency_ms": 5}).case)[0] == []
