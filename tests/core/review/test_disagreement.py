"""M13: whether two ways of asking that are as good lead to other actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from piste.core.check import NotApplicable
from piste.core.review.disagreement import MOST_LISTED, agreed
from piste.framings.quantiles import LEVELS
from tests.cases import Written, told, written

N = 500
RNG = np.random.default_rng(0)
Y = 100 + 10 * RNG.normal(size=N)
CODE = np.digitize(Y, [100, 110])
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "run": np.arange(N), "y": Y})
TARGET = {"column": "y", "levels": {"cuts": [100, 110], "names": ["low", "mid", "high"]}}
DECISION: dict[str, Any] = {"cost": {"wait": [0, 5, 5], "half": [5, 0, 5], "all": [5, 5, 0]}, "currency": "EUR"}
KEYS: dict[str, Any] = {
    "target": TARGET,
    "decision": DECISION,
    "framings": ["classes", "ordered"],
    "split": {"folds": 4, "repeats": 1},
    "unit": ["run"],
    "success": {"same": "10%"},
}


def wrong(rows: np.ndarray) -> np.ndarray:
    """Return probabilities that are sure of the level that came, but in these rows of the next one."""
    return np.eye(3)[np.where(rows, (CODE + 1) % 3, CODE)] * 0.94 + 0.02


def reached(levels: np.ndarray) -> np.ndarray:
    """Return how likely each level is reached."""
    return np.column_stack([levels[:, 1] + levels[:, 2], levels[:, 2]])


def made(first: np.ndarray, second: np.ndarray, **keys: Any) -> Written:
    """Judge two ways of asking that are wrong in these rows."""
    return written(ROWS, {("classes", "linear"): wrong(first), ("ordered", "linear"): reached(wrong(second))}, **KEYS | keys)


def first(start: int, n: int) -> np.ndarray:
    """Return which rows are these."""
    return np.isin(np.arange(N), np.arange(start, start + n))


@pytest.mark.parametrize(("n", "fires"), [(50, False), (55, True)])
def test_another_action_in_more_than_a_fifth_of_the_rows_is_noted(n, fires):
    """Wrong in n rows each, and not in the same ones: another action in 2 n of 500."""
    case = made(first(0, n), first(200, n)).case
    findings, tables = told(agreed, case)
    assert [(each.check, each.severity, each.number) for each in findings] == [("M13", "note", pytest.approx(2 * n / N))] * fires
    if fires:
        assert findings[0].on == "classes, ordered"
        listed = tables["disagreement"]
        assert sorted(listed["run"]) == [*range(n), *range(200, 200 + n)]
        names = np.array(["wait", "half", "all"])
        told_by_classes = listed.set_index("run")["classes/linear/min_expected_cost"]
        assert told_by_classes.loc[0] == names[(CODE[0] + 1) % 3]
        assert told_by_classes.loc[200] == names[CODE[200]]


def test_one_that_costs_more_than_counts_as_no_difference_does_not_disagree_but_errs():
    case = made(first(0, 20), first(200, 160)).case
    assert told(agreed, case) == ([], {})


def test_amounts_that_lie_near_each_other_are_the_same():
    decision = {"cost": {"over": 1, "under": 1}, "currency": "EUR"}
    keys = KEYS | {"decision": decision, "framings": ["mean", "quantiles"], "target": "y"}
    noise = RNG.normal(size=(2, N))
    for apart, fires in ((0.1, False), (1.0, True)):
        one, second = Y + 4 * noise[0], Y + 4 * ((1 - apart) * noise[0] + apart * noise[1])
        second = Y + (second - Y) * np.std(one - Y) / np.std(second - Y)
        quantiles = second[:, None] + 4 * stats.norm.ppf(LEVELS)
        said = {("mean", "linear"): one, ("quantiles", "linear"): quantiles}
        findings, tables = told(agreed, written(ROWS, said, **keys).case)
        assert bool(findings) == fires
        if fires:
            assert tables["disagreement"].select_dtypes("number").shape[1] == 4  # row, run, and two amounts


def test_a_long_list_is_cut():
    big = 6 * MOST_LISTED
    code = np.arange(big) % 3
    frame = pd.DataFrame({"x": np.arange(big) % 7, "y": np.array([95.0, 105.0, 115.0])[code]})
    first, second = np.arange(big) % 5 == 0, np.arange(big) % 5 == 1

    def said(rows: np.ndarray) -> np.ndarray:
        return np.eye(3)[np.where(rows, (code + 1) % 3, code)] * 0.94 + 0.02

    keys = {**KEYS, "unit": [], "split": {"folds": 2, "repeats": 1}}
    case = written(frame, {("classes", "linear"): said(first), ("ordered", "linear"): reached(said(second))}, **keys).case
    findings, tables = told(agreed, case)
    assert findings[0].number == pytest.approx(0.4)
    assert len(tables["disagreement"]) == MOST_LISTED


def test_where_nothing_is_decided_or_asked_in_one_way_there_is_nothing_to_disagree_on():
    assert isinstance(agreed.run(written(ROWS, {"linear": Y + 1}).evidence()), NotApplicable)
    one = written(ROWS, {"linear": Y + RNG.normal(size=N)}, decision={"cost": {"over": 1, "under": 4}}, framings=["mean"])
    assert isinstance(agreed.run(one.evidence()), NotApplicable)
