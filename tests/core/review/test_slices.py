"""M06: whether some part of the rows is served much worse than the whole."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.finding import Finding
from piste.core.review.slices import even, slice_names
from tests.cases import Written, told, written

N = 1200
RNG = np.random.default_rng(0)
Y = 100 + 10 * RNG.normal(size=N)
GRADE = np.array(["green", "blue", "black"])[np.arange(N) % 3]
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "grade": GRADE, "age": RNG.uniform(18, 80, N), "pair": np.arange(N) // 6, "y": Y})
KEYS: dict[str, Any] = {"slices": ["grade"], "metric": "mae", "split": {"folds": 4, "together": "pair"}}


def made(errors: np.ndarray, **keys: Any) -> Written:
    """Judge a model that errs as much as this."""
    return written(keys.pop("frame", ROWS), {"linear": Y + errors * np.sign(np.arange(N) % 2 - 0.5)}, **KEYS | keys)


def found(errors: np.ndarray, **keys: Any) -> list[Finding]:
    return told(even, made(errors, **keys).case)[0]


def times(black: float, spread: float = 0.3) -> np.ndarray:
    """Return errors of about 2, so many times as large where the grade is black."""
    return np.where(GRADE == "black", 2 * black, 2.0) * (1 + spread * np.random.default_rng(1).uniform(-1, 1, N))


def test_a_slice_that_costs_far_more_than_the_whole_is_noted_where_the_rule_surely_does_worse_there():
    [finding] = found(times(2.0))
    assert (finding.check, finding.severity, finding.on, finding.threshold) == ("M06", "note", "grade black", 0.25)
    assert finding.number == pytest.approx(4 / (8 / 3) - 1, abs=0.05)
    assert re.fullmatch(
        r"Where grade is black, the mae is 4\.0\d?, 50% above the average, and the rule comes to 7\.\d+ there", finding.message
    )


@pytest.mark.parametrize(("black", "fires"), [(1.3, False), (1.6, True)])
def test_a_quarter_more_than_the_whole_is_the_limit(black, fires):
    """At 1.3 times the others a slice lies 18 % above the whole, at 1.6 times 33 %."""
    assert bool(found(times(black))) == fires


def test_how_much_worse_a_slice_may_be_is_the_authors_to_say():
    assert found(times(1.6), slices={"columns": ["grade"], "worse_than_overall": "40%"}) == []
    [finding] = found(times(1.3), slices={"columns": ["grade"], "worse_than_overall": "10%"})
    assert finding.severity == "warn"


def test_alike_slices_are_no_finding():
    assert found(times(1.0)) == []
    assert told(even, made(times(3.0), slices=None).case) == ([], {})


def test_a_slice_of_few_groups_says_nothing():
    few = np.where(ROWS["pair"] < 29, "few", "many")
    assert found(np.where(few == "few", 9.0, 2.0), frame=ROWS.assign(grade=few)) == []
    enough = np.where(ROWS["pair"] < 31, "enough", "many")
    assert len(found(np.where(enough == "enough", 9.0, 2.0) * RNG.uniform(0.5, 1, N), frame=ROWS.assign(grade=enough))) == 1


def test_where_the_rule_does_better_it_is_said():
    [finding] = found(np.where(GRADE == "black", 12.0, 0.5) + RNG.uniform(0, 0.1, N))
    assert finding.message.endswith("and the rule does better there")
    assert finding.severity == "warn"


def test_a_decision_is_said_to_cost():
    [finding] = found(times(2.0), decision={"cost": {"over": 1, "under": 4}, "currency": "EUR"})
    assert finding.message.startswith("Where grade is black, a decision costs ")
    assert " EUR, " in finding.message


def test_chance_alone_is_found_hardly_ever_among_many_slices():
    """Forty slices whose costs are as skewed as costs are: by single tests about two would be found every time."""
    blamed = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        many = ROWS.assign(grade=np.char.add("s", rng.permutation(np.arange(N) % 40).astype(str)), pair=np.arange(N))
        trial = made(rng.gamma(0.4, 5.0, N), frame=many, slices={"columns": ["grade"], "worse_than_overall": "0%"})
        findings, tables = told(even, trial.case)
        assert (tables["slices"]["p"] < 0.05).sum() >= 1
        blamed += len(findings)
    assert blamed <= 3


def by_hand(p: np.ndarray) -> set[int]:
    """Return which hypotheses are rejected at a false discovery rate of 10 % (Benjamini and Hochberg 1995), slowly."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    last = max((rank for rank, i in enumerate(order, 1) if p[i] <= 0.1 * rank / len(p)), default=0)
    return set(order[:last])


def test_what_is_found_is_what_benjamini_and_hochberg_find():
    rng = np.random.default_rng(7)
    slice_ = rng.permutation(np.arange(N) % 12)
    errors = rng.gamma(2.0, 1.0, N) * np.where(slice_ < 5, 1 + 0.12 * slice_, 1.0)
    trial = made(
        errors,
        frame=ROWS.assign(grade=np.char.add("s", slice_.astype(str)), pair=np.arange(N)),
        slices={"columns": ["grade"], "worse_than_overall": "0%"},
    )
    findings, tables = told(even, trial.case)
    table = tables["slices"]
    expected = {i for i in by_hand(table["p"].to_numpy()) if table["excess"][i] > 0}
    assert {finding.on for finding in findings} == {f"grade {table['value'][i]}" for i in expected}
    assert 0 < len(expected) < (table["p"] < 0.1).sum() + 1


def test_the_table_holds_each_slice_with_the_costs_of_the_champion_and_the_rule():
    trial = made(times(2.0))
    table = told(even, trial.case)[1]["slices"].set_index("value")
    for name in ("green", "blue", "black"):
        mine = name == GRADE
        assert table.loc[name, "rows"] == mine.sum()
        assert table.loc[name, "cost"] == pytest.approx(times(2.0)[mine].mean())
        assert table.loc[name, "cost_lo"] < table.loc[name, "cost"] < table.loc[name, "cost_hi"]
        assert table.loc[name, "baseline"] == pytest.approx(np.average(trial.case.losses[mine, trial.case.base]))
    assert table["blocks"].tolist() == [200] * 3


def test_slices_are_of_judged_rows_alone():
    frame = ROWS.assign(day=pd.date_range("2020-01-01", periods=N))
    trial = made(times(2.0), frame=frame, time="day", split={"scheme": "forward", "folds": 3})
    assert told(even, trial.case)[1]["slices"]["rows"].sum() == len(trial.case.court.lines.judged) < N


def test_a_number_of_many_values_is_cut_into_quarters_and_one_of_few_is_not():
    names = slice_names(ROWS["age"])
    assert len(set(names)) == 4
    assert set(pd.Series(names).value_counts(normalize=True).round(2)) == {0.25}
    assert set(slice_names(pd.Series([1.0, 2.0, 2.0, np.nan]))) == {"1", "2", "missing"}
    assert set(slice_names(pd.Series(["a", None, "b"], dtype="str"))) == {"a", "b", "missing"}
