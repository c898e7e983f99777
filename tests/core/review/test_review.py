"""Every check after training has its say on every kind of problem, and none fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.check import ORDER
from piste.core.review import checks, review
from piste.framings.quantiles import LEVELS as SHARES
from tests.cases import written

N = 120
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)
Y = 100 + 10 * X + RNG.normal(size=N)
NEAR = Y + RNG.normal(size=N)
ROWS = pd.DataFrame(
    {
        "x": np.where(np.arange(N) % 9 == 0, np.nan, X),
        "word": np.array(["a", "b", None], dtype=object)[np.arange(N) % 3],
        "empty": np.nan,
        "day": pd.date_range("2020-01-01", periods=N // 2).repeat(2),
        "run": np.tile(["a", "b"], N // 2),
        "w": np.arange(N) % 4,
        "part": np.where(np.arange(N) < 80, "train", "test"),
        "y": Y,
    }
)
KIND = np.where(Y > 110, "high", np.where(Y > 95, "mid", "low"))
SURE = np.eye(3)[np.array([["high", "low", "mid"].index(each) for each in KIND])] * 0.94 + 0.02
COSTS: dict[str, Any] = {"decision": {"cost": {"over": 1, "under": 4}, "cost_range": [0.5, 2]}}
FORWARD: dict[str, Any] = {"time": "day", "unit": ["run", "day"], "split": {"scheme": "forward", "folds": 2, "together": "day"}}
LEVELS: dict[str, Any] = {"target": {"column": "y", "levels": {"cuts": [95, 110]}}}
ACTIONS: dict[str, Any] = {"decision": {"cost": {"wait": [0, 2, 6], "half": [1, 0, 2], "all": [3, 2, 0]}, "cost_range": [0.5, 2]}}

PROBLEMS: dict[str, tuple[pd.DataFrame, Any, dict[str, Any]]] = {
    "numbers": (ROWS, {"linear": NEAR}, {}),
    "exactly right": (ROWS, {"linear": Y}, {}),
    "weights, some of them nothing": (ROWS, {"linear": NEAR}, {"weight": "w"}),
    "repeats": (ROWS, {"linear": NEAR}, {"split": {"folds": 3, "repeats": 3}, "slices": ["word"]}),
    "forward": (ROWS, {"linear": NEAR}, {**FORWARD, **COSTS}),
    "amounts in two ways": (
        ROWS,
        {("mean", "linear"): NEAR, ("quantiles", "linear"): NEAR[:, None] + np.linspace(-2, 2, len(SHARES))},
        {**COSTS, "framings": ["mean", "quantiles"]},
    ),
    "classes": (ROWS.assign(y=KIND), {"linear": SURE}, {"framings": ["classes"]}),
    "levels and actions": (ROWS, {("mean", "linear"): NEAR}, {**LEVELS, **ACTIONS}),
    "a split of one part": (ROWS, {"linear": NEAR}, {"split": {"scheme": "predefined", "by": "part"}}),
    "one row left out at a time": (ROWS.iloc[:25], {"linear": NEAR[:25]}, {"split": {"scheme": "leave_one_out"}}),
    "a holdout": (ROWS, {"linear": NEAR}, {"split": {"folds": 3, "holdout": 0.2}}),
    "few rows": (ROWS.iloc[:8], {"linear": NEAR[:8]}, {"split": {"folds": 2, "repeats": 1}}),
    "the rule wins": (ROWS, {"linear": Y + 500}, {}),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_check_fails_whatever_the_problem(name):
    frame, said, keys = PROBLEMS[name]
    examined = review(written(frame.drop(columns="empty", errors="ignore"), said, **keys).evidence())
    assert {each.check for each in examined.findings} | set(examined.spared) | set(examined.silent) == set(checks())
    assert not [reason for reason in examined.spared.values() if "could not be computed" in reason]
    severities = [ORDER[each.severity] for each in examined.findings]
    assert severities == sorted(severities)
    assert all(each.consequence and (each.fix or each.paste) and each.message for each in examined.findings)
