"""M04: whether the champion's gain holds in every fold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.review.stability import steady
from tests.cases import Written, told, written

N = 400
RNG = np.random.default_rng(0)
Y = RNG.normal(size=N)
SITE = np.arange(N) % 10
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "site": SITE, "y": Y})
SITES = {"scheme": "leave_one_out", "by": "site"}


RULE = np.array([np.mean((Y[site == SITE] - Y[site != SITE].mean()) ** 2) for site in range(10)])  # what the constant costs at each site


def made(costs: list[float], **keys: Any) -> Written:
    """Judge a model that at each site costs so many times what the rule does."""
    return written(ROWS, {"linear": Y + np.sqrt(RULE * costs)[SITE]}, **{"split": SITES, "metric": "mse"} | keys)


def test_a_gain_in_every_fold_is_steady():
    findings, tables = told(steady, made([0.1] * 10).case)
    assert findings == []
    assert tables["folds"]["gain"].gt(0).all()


def test_the_table_holds_what_each_fold_cost():
    table = told(steady, made([0.1] * 10).case)[1]["folds"]
    assert table["fold"].tolist() == [str(site) for site in range(10)]
    np.testing.assert_allclose(table[["champion", "baseline", "gain"]], np.stack([0.1 * RULE, RULE, 0.9 * RULE], axis=1))


@pytest.mark.parametrize(("n_bad", "fires"), [(2, False), (3, True)])
def test_a_gain_in_fewer_than_eight_folds_of_ten_warns(n_bad, fires):
    case = made([1.01] * n_bad + [0.3] * (10 - n_bad)).case
    gain = told(steady, case)[1]["folds"]["gain"]
    assert (gain < 0).sum() == n_bad
    assert gain.std() < gain.mean()
    findings = told(steady, case)[0]
    assert [finding.check for finding in findings] == ["M04"] * fires
    if fires:
        assert findings[0].severity == "warn"
        assert findings[0].number == 0.7
        worst = case.folds.shown[int(gain.argmin())].name
        assert findings[0].message.startswith(
            f"The champion is better than the rule in 7 of 10 test parts; worst in '{worst}', where mse is "
        )


def test_a_gain_that_varies_more_than_it_is_warns():
    case = made([0.95] * 9 + [0.1]).case  # a little everywhere, and much at one site
    gain = told(steady, case)[1]["folds"]["gain"]
    assert (gain > 0).all()
    assert gain.std() > gain.mean()
    [finding] = told(steady, case)[0]
    assert finding.number == 1.0
    assert "better than the rule in 10 of 10 test parts" in finding.message


def test_a_rule_that_is_kept_has_no_gain_to_hold():
    case = made([2.0] * 10).case
    assert case.champion == case.base
    findings, tables = told(steady, case)
    assert findings == []
    assert (tables["folds"]["gain"] == 0).all()


def test_single_rows_are_no_folds_that_a_gain_could_hold_in():
    frame = ROWS.iloc[:25]
    case = written(frame, {"linear": Y[:25] + 0.5}, split={"scheme": "leave_one_out"}, metric="mse").case
    assert case.champion != case.base
    findings, tables = told(steady, case)
    assert findings == []
    assert (tables["folds"]["gain"] > 0).mean() < 0.8
