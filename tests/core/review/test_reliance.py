"""M01 and M03: whether the champion knows more than can be known, and how much depends on one column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.check import Examined, NotApplicable
from piste.core.finding import Finding
from piste.core.review import Evidence
from piste.core.review.reliance import one_column, too_good
from tests.cases import Written, told, written

N = 600
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)
Y = 100 + 10 * X
NOISE = RNG.normal(size=N)
NOISE = (NOISE - NOISE.mean()) / NOISE.std()
ROWS = pd.DataFrame({"x": X + 0.1 * RNG.normal(size=N), "z": RNG.normal(size=N), "y": Y})


def made(r2: float, **keys: Any) -> Written:
    """Judge a model that explains this share."""
    return written(keys.pop("frame", ROWS), {"linear": Y + np.sqrt(1 - r2) * Y.std() * NOISE}, **keys)


def stakes(**shares: float) -> Examined:
    """Return an audit by which this share of the value hangs on each column."""
    return Examined(tables={"stakes": pd.DataFrame({"column": list(shares), "stake": 1.0, "share": list(shares.values())})})


def strong(score: float, check: str = "L02", **more: Any) -> Examined:
    """Return an audit that found a column strong by itself."""
    return Examined((Finding(check, "warn", "x", score, 0.8, "'x' foretells much", **more),))


@pytest.mark.parametrize(("r2", "fires"), [(0.975, False), (0.985, True)])
def test_what_is_explained_almost_to_the_end_is_too_good(r2, fires):
    findings, _ = told(too_good, made(r2).case)
    assert [(each.check, each.severity, each.on) for each in findings] == [("M01", "note", "champion")] * fires
    if fires:
        assert findings[0].number == pytest.approx(r2, abs=1e-3)
        assert "explains 98% of how the target varies: that is rare, and no single column is known to explain it" in findings[0].message


@pytest.mark.parametrize(
    ("audit", "severity"),
    [
        (stakes(x=0.51), "block"),
        (stakes(x=0.49), "note"),
        (stakes(z=0.2, x=0.7), "block"),
        (stakes(x=1.0, z=0.9), "note"),  # as of two columns of which neither says anything alone
        (strong(0.985), "block"),
        (strong(0.975), "note"),
        (strong(1.0, "L01"), "block"),
        (strong(0.985, acknowledged="by ana until 2027-01-01: frozen the evening before"), "note"),
        (Examined(), "note"),
    ],
)
def test_it_blocks_where_a_column_explains_it_that_nobody_vouches_for(audit, severity):
    [finding] = told(too_good, made(0.99).case, audit=audit)[0]
    assert finding.severity == severity
    assert finding.on == ("x" if severity == "block" else "champion")


@pytest.mark.parametrize("known_at", [{"always": ["x"]}, {"decision": ["x"]}])
def test_a_column_that_is_said_to_be_known_blocks_nothing(known_at):
    [finding] = told(too_good, made(0.99, known_at=known_at).case, audit=stakes(x=0.9))[0]
    assert finding.severity == "note"


def test_the_line_to_paste_keeps_what_is_said():
    case = made(0.99, known_at={"decision": ["z"]}).case
    [finding] = told(too_good, case, audit=stakes(z=0.1, x=0.9))[0]
    assert finding.on == "x"
    assert finding.paste == "known_at:\n  decision: [z]\n  after: [x]"
    assert "'x' alone explains that; nothing says when it is known" in finding.message


def test_an_acknowledged_stake_blocks_nothing():
    audit = Examined((Finding("L03", "warn", "x", 0.9, 0.05, "?", acknowledged="by ana"),), stakes(x=0.9).tables)
    assert told(too_good, made(0.99).case, audit=audit)[0][0].severity == "note"


def test_classes_told_apart_almost_always_are_too_good_and_a_column_must_be_as_good_alone():
    yes = Y > 100
    sure = np.where(yes, 0.9, 0.1)
    frame = ROWS.assign(y=np.where(yes, "yes", "no"))
    said = {"linear": np.column_stack([1 - sure, sure])}
    case = written(frame, said, target={"column": "y", "positive": "yes"}, framings=["classes"]).case
    [finding] = told(too_good, case, audit=strong(0.95))[0]
    assert finding.severity == "note"
    assert "tells two classes apart 100% of the time (guessing: 50%)" in finding.message
    assert told(too_good, case, audit=strong(0.97))[0][0].severity == "block"


def test_a_cost_below_what_rows_that_are_alike_leave_is_impossible():
    case = made(0.9).case
    row = case.row_of(case.champion)
    below = Examined(tables={"floor": pd.DataFrame({"cost": [9.0], "cost_lo": [row.cost_hi * 1.01]})})
    [finding] = told(too_good, case, audit=below)[0]
    assert (finding.severity, finding.threshold) == ("note", pytest.approx(row.cost_hi * 1.01))
    assert "where rows that are equal in all columns leave at least" in finding.message
    above = Examined(tables={"floor": pd.DataFrame({"cost": [9.0], "cost_lo": [row.cost_hi * 0.99]})})
    assert told(too_good, case, audit=above)[0] == []


def test_almost_all_that_foresight_would_save_is_too_good():
    decision = {"cost": {"over": 1, "under": 4}, "currency": "EUR"}
    skewed = 100 + 10 * RNG.standard_t(2, N)
    frame = ROWS.assign(y=skewed)
    near = skewed + 0.02 * np.abs(skewed - 100).mean() * NOISE
    case = written(frame, {"linear": near}, decision=decision).case
    row = case.row_of(case.champion)
    assert row.value > 0.95
    assert told(too_good, case)[0] != []


def test_a_rule_is_never_too_good():
    case = written(ROWS, {"linear": Y + 400}, baselines={"law": "100 + 10 * x"}, metric="mse").case
    assert isinstance(too_good.run(Evidence(case)), NotApplicable)


@pytest.mark.parametrize(
    ("shares", "fires"),
    [({"x": 0.51}, True), ({"x": 0.5}, False), ({"x": 0.8, "z": 0.41}, False), ({"x": 0.8, "z": 0.4}, True), ({"z": 0.1, "x": 1.3}, True)],
)
def test_one_column_carries_it_where_more_than_half_hangs_on_it_and_twice_as_much_as_on_the_next(shares, fires):
    findings, _ = told(one_column, made(0.9).case, audit=stakes(**shares))
    assert [(each.check, each.severity, each.on) for each in findings] == [("M03", "note", "x")] * fires


@pytest.mark.parametrize("known_at", [{"always": ["x"]}, {"decision": ["x"]}])
def test_what_is_always_known_can_fail_nobody(known_at):
    findings, _ = told(one_column, made(0.9, known_at=known_at).case, audit=stakes(x=0.8))
    assert bool(findings) == ("decision" in known_at)


def test_it_says_what_happens_without_it():
    made_ = made(0.9)
    [finding] = told(one_column, made_.case, audit=stakes(x=0.8))[0]
    base = made_.case.row_of(made_.case.base).cost
    assert finding.consequence == f"On a day without 'x' no model may be better than the rule 'constant', which comes to rmse {base:.3g}"


def test_without_stakes_nothing_is_known_of_what_hangs_on_a_column():
    assert isinstance(one_column.run(made(0.9).evidence()), NotApplicable)
    empty = Examined(tables={"stakes": pd.DataFrame({"column": [], "stake": [], "share": []})})
    assert isinstance(one_column.run(made(0.9).evidence(audit=empty)), NotApplicable)
