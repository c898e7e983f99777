"""M11: whether the pipeline finds something where there is nothing to find."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.entrants import Entrant, self_test_of
from piste.core.fit import Outcome, dealt
from piste.core.review.self_test import finds_nothing
from tests.cases import Written, answers, told, written

N = 300
RNG = np.random.default_rng(0)
Y = 100 + 10 * RNG.normal(size=N)
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "y": Y})
MADE = written(ROWS, {"linear": Y + 1})
DEALT = dealt(MADE.at.resolved.table.target, 0).values


def tried(**said: np.ndarray) -> tuple[Entrant, ...]:
    """Return the columns of a self-test in which models said this."""
    at = MADE.at
    found: dict[tuple[str, str, int], list[Outcome]] = {("mean", name, 0): answers(at, each) for name, each in said.items()}
    return self_test_of(at.resolved, at.folds, at.plan, MADE.case.court, found)


def test_a_model_that_knows_what_was_dealt_blocks():
    findings, tables = told(finds_nothing, MADE.case, self_test=tried(tree=0.5 * DEALT + 50))
    [finding] = findings
    assert (finding.check, finding.severity, finding.on) == ("M11", "block", "tree")
    assert finding.number > finding.threshold == 3
    assert "With the answers shuffled at random, 'Decision tree' still beats the constant" in finding.message
    [row] = tables["self_test"].to_dict("records")
    assert row["model"] == pytest.approx(np.mean((DEALT - 100) ** 2) / 4)
    assert row["rule"] == pytest.approx(DEALT.var(), rel=0.05)


def test_a_model_that_knows_nothing_does_not():
    findings, tables = told(finds_nothing, MADE.case, self_test=tried(tree=100 + RNG.normal(size=N)))
    assert findings == []
    assert len(tables["self_test"]) == 1


def test_a_model_that_knows_the_true_target_knows_nothing_of_the_one_that_was_dealt():
    assert told(finds_nothing, MADE.case, self_test=tried(tree=Y))[0] == []


def test_what_chance_may_give_is_no_finding():
    findings, tables = told(
        finds_nothing, MADE.case, self_test=tried(tree=100 + 0.1 * (DEALT - 100) + 4 * np.random.default_rng(1).normal(size=N))
    )
    [row] = tables["self_test"].to_dict("records")
    assert 0 < (row["rule"] - row["model"]) / row["error"] < 3
    assert findings == []


def test_a_constant_that_equals_the_models_own_is_no_finding():
    constant = tried(tree=np.zeros(N))[0].column.raw
    by_row = np.empty(N)
    by_row[MADE.case.court.lines.row] = constant
    findings, tables = told(finds_nothing, MADE.case, self_test=tried(tree=by_row))
    assert findings == []
    assert tables["self_test"]["error"][0] == 0


def test_each_model_is_held_against_the_constant():
    constant, knows = tried(tree=DEALT)
    blind = tried(tree=100 + 3 * np.random.default_rng(2).normal(size=N))[1]
    findings, tables = told(finds_nothing, MADE.case, self_test=(blind, constant, knows))
    assert len(findings) == 1
    assert (tables["self_test"]["model"] < tables["self_test"]["rule"]).tolist() == [False, True]


def test_without_a_self_test_nothing_is_said():
    assert told(finds_nothing, MADE.case) == ([], {})
    assert tried() == ()


def test_the_constant_is_the_mean_of_the_training_rows_as_they_were_dealt():
    constant = tried(tree=np.zeros(N))[0]
    assert constant.is_baseline
    for number, fold in enumerate(MADE.at.folds.folds):
        mine = MADE.case.court.lines.fold == number
        np.testing.assert_allclose(constant.column.raw[mine], DEALT[fold.train].mean())


def test_classes_are_judged_by_their_probabilities():
    rows = pd.DataFrame({"x": ROWS["x"], "y": np.where(Y > 105, "high", "low")})
    made: Written = written(rows, {"linear": np.tile([0.3, 0.7], (N, 1))}, framings=["classes"])
    at = made.at
    codes = dealt(at.resolved.table.target, 0).values
    knows, blind = np.eye(2)[codes] * 0.8 + 0.1, np.tile([0.3, 0.7], (N, 1))
    for said, n_findings in ((knows, 1), (blind, 0)):
        found = self_test_of(at.resolved, at.folds, at.plan, made.case.court, {("classes", "tree", 0): answers(at, said)})
        assert len(told(finds_nothing, made.case, self_test=found)[0]) == n_findings
