"""M07: whether probabilities and intervals keep their word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from piste.core.finding import Finding
from piste.core.review.calibration import calibrated
from piste.framings.quantiles import LEVELS
from tests.cases import Written, told, written

N = 1200
RNG = np.random.default_rng(0)
X, NOISE = RNG.normal(size=N), RNG.normal(size=N)
Y = 100 + 10 * X + NOISE
ROWS = pd.DataFrame({"x": X, "pair": np.arange(N) // 2, "y": Y})
AMOUNTS: dict[str, Any] = {"decision": {"cost": {"over": 1, "under": 4}}, "split": {"folds": 4, "together": "pair"}}


def found(made: Written) -> list[Finding]:
    return told(calibrated, made.case)[0]


def later(noise: float) -> Written:
    """Judge quantiles that were right in the first half of the days, after which what is not known varies this much more."""
    day = pd.date_range("2020-01-01", periods=N)
    moved = np.where(np.arange(N) < N * 0.6, 1.0, noise)
    rows = pd.DataFrame({"x": X, "day": day, "y": 100 + 10 * X + moved * NOISE})
    quantiles = (100 + 10 * X)[:, None] + stats.norm.ppf(LEVELS)
    keys: dict[str, Any] = {"time": "day", "split": {"scheme": "forward", "folds": 2}, "framings": ["quantiles"]}
    return written(rows, {"linear": quantiles}, **AMOUNTS | keys)


def test_intervals_that_hold_their_share_are_no_finding_and_stand_in_the_table():
    made = written(ROWS, {"linear": 100 + 10 * X}, **AMOUNTS)
    assert made.case.entrants[made.case.champion].column.rule == "dressed"
    findings, tables = told(calibrated, made.case)
    assert findings == []
    for row in tables["coverage"].itertuples():
        assert row.share == pytest.approx(row.level, abs=0.03)
        assert row.width == pytest.approx(2 * stats.norm.ppf(0.5 + row.level / 2), rel=0.1)


@pytest.mark.parametrize(("noise", "word"), [(2.5, "narrow"), (0.4, "wide")])
def test_intervals_that_hold_far_less_or_more_than_they_say_warn(noise, word):
    findings = found(later(noise))
    assert [finding.on for finding in findings] == ["80% intervals", "90% intervals"]
    assert all((finding.check, finding.severity) == ("M07", "warn") for finding in findings)
    assert all(finding.message.endswith(f"they are too {word}") for finding in findings)
    assert (findings[0].number < 0.8) == (word == "narrow")


def test_a_share_that_chance_may_have_moved_is_no_finding():
    assert found(later(1.05)) == []


def test_whole_numbers_lie_on_the_ends_of_intervals_which_are_not_too_wide_for_that():
    """Of small counts no interval holds 80 %: the exact one of a Poisson distribution of mean 1 holds 92 %."""
    mean = np.exp(0.5 * X)
    y = np.random.default_rng(1).poisson(mean)
    rows = pd.DataFrame({"x": X, "pair": np.arange(N) // 2, "y": y})
    made = written(rows, {"linear": mean}, target={"column": "y", "kind": "count"}, framings=["distribution"], **AMOUNTS)
    findings, tables = told(calibrated, made.case)
    assert tables["coverage"]["share"][0] > 0.85
    assert findings == []


def test_counts_that_vary_far_more_than_the_model_says_are_a_finding_all_the_same():
    day = pd.date_range("2020-01-01", periods=N)
    rng = np.random.default_rng(1)
    calm = np.arange(N) < N * 0.6
    mean = 20 * np.exp(X)
    y = np.where(calm, rng.poisson(mean), rng.negative_binomial(4, 4 / (4 + mean)))
    rows = pd.DataFrame({"x": X, "day": day, "y": y})
    keys: dict[str, Any] = {"time": "day", "split": {"scheme": "forward", "folds": 2}, "framings": ["distribution"]}
    made = written(rows, {"linear": mean}, target={"column": "y", "kind": "count"}, **AMOUNTS | keys)
    assert not made.case.entrants[made.case.champion].is_baseline
    assert {finding.message.rpartition(" ")[2] for finding in found(made)} == {"narrow"}


P = 1 / (1 + np.exp(-1.5 * X))
CAME = np.random.default_rng(2).random(N) < P


def sure(times: float, **keys: Any) -> Written:
    """Judge probabilities whose log-odds are true in the first third of the days, and from third to third so many times larger."""
    day = pd.date_range("2020-01-01", periods=N)
    odds = 1.5 * X * times ** (3 * np.arange(N) // N)
    p = 1 / (1 + np.exp(-odds))
    rows = pd.DataFrame({"x": X, "day": day, "y": np.where(CAME, "yes", "no")})
    forward: dict[str, Any] = {"time": "day", "split": {"scheme": "forward", "folds": 2}, "framings": ["classes"]}
    return written(rows, {"linear": np.column_stack([1 - p, p])}, target={"column": "y", "positive": "yes"}, **forward | keys)


@pytest.mark.parametrize(("times", "word"), [(2.0, "too sure of"), (0.4, "not sure enough of")])
def test_probabilities_too_sure_or_not_sure_enough_warn(times, word):
    findings = found(sure(times))
    assert {finding.on for finding in findings} == {"no", "yes"}
    assert all(word in finding.message for finding in findings)
    assert (findings[0].number < 0.8) == (times > 1)


def test_probabilities_that_keep_their_word_are_no_finding_and_stand_in_the_table():
    findings, tables = told(calibrated, sure(1.0).case)
    assert findings == []
    table = tables["reliability"]
    assert set(table["level"]) == {"no", "yes"}
    assert np.abs(table["p"] - table["share"]).mean() < 0.06
    assert table["slope"].between(0.8, 1.2).all()


def test_a_prediction_taken_at_its_word_claims_no_spread_that_could_be_wrong():
    rows = ROWS.assign(y=100 + 10 * X + 8 * NOISE)
    target = {"column": "y", "levels": {"cuts": [95, 105]}}
    decision = {"cost": {"a": [0, 2, 6], "b": [1, 0, 2], "c": [3, 2, 0]}}
    said = {("mean", "linear"): rows["y"].to_numpy() + RNG.normal(size=N)}
    made = written(rows, said, **{**AMOUNTS, "target": target, "decision": decision})
    plain = replace(made.case, champion=made.column("linear", rule="plug_in"))
    findings, tables = told(calibrated, plain)
    assert findings == []
    assert "coverage" not in tables


def test_where_nothing_is_priced_and_numbers_are_asked_for_no_interval_is_used():
    made = written(ROWS, {"linear": 100 + 10 * X}, split={"folds": 4, "together": "pair"})
    assert told(calibrated, made.case) == ([], {})
