"""M12: whether another model would be best if too little cost more, or less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.review.costs import robust
from tests.cases import Written, told, written

N = 600
RNG = np.random.default_rng(0)
Y, NOISE = 100 + 10 * RNG.normal(size=N), RNG.normal(size=N)
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "pair": np.arange(N) // 2, "y": Y})
TARGET = {"column": "y", "levels": {"cuts": [100, 110], "names": ["low", "mid", "high"]}}
MATRIX = {"wait": [0, 4, 12], "half": [3, 0, 6], "all": [8, 4, 0]}


def made(said: dict[Any, Any], *, span: tuple[float, float] | None = (0.25, 4.0), cost: Any = None, **keys: Any) -> Written:
    """Judge predictions by what their decisions cost."""
    decision = {"cost": cost or {"over": 1, "under": 1}, "currency": "EUR"} | ({"cost_range": list(span)} if span else {})
    usual: dict[str, Any] = {"decision": decision, "split": {"folds": 4, "together": "pair"}}
    return written(ROWS, said, **usual | keys)


def levels(low: float, high: float) -> np.ndarray:
    """Return probabilities of three levels that are sure, but for rows too low or too high by a level with these chances."""
    code = np.digitize(Y, [100, 110])
    rng = np.random.default_rng(3)
    luck = rng.random(N)
    said = np.clip(code - (luck < low) + (luck > 1 - high), 0, 2)
    return np.eye(3)[said] * 0.94 + 0.02


CLASSES: dict[str, Any] = {"target": TARGET, "framings": ["classes"], "cost": MATRIX}
HAPPY, TIMID = levels(0.20, 0.0), levels(0.0, 0.28)  # too few are sent by the one, too many by the other


def test_where_another_model_is_best_at_other_costs_it_warns_and_names_it():
    trial = made({"linear": HAPPY, "tree": TIMID}, **CLASSES)
    findings, tables = told(robust, trial.case)
    champion = trial.case.row_of(trial.case.champion)
    table = tables["cost_range"].pivot(index="factor", columns="row", values="cost")
    best = table[[row.id for row in trial.case.rows if row.family != "baseline:constant"]].idxmin(axis=1)
    assert best.nunique() > 1
    [finding] = findings
    other = next(row for row in trial.case.rows if row.id == best[finding.number])
    assert (finding.check, finding.severity) == ("M12", "warn")
    assert other.title != champion.title
    assert finding.message == f"If too little cost {finding.number:.2g} times as much as you wrote, {other.title} would be clearly better"
    assert finding.consequence.startswith(f"At that cost, your current {champion.title} costs ")


def test_where_the_champion_is_best_at_all_costs_it_does_not():
    assert told(robust, made({"linear": levels(0.02, 0.02), "tree": TIMID}, **CLASSES).case)[0] == []


def test_simplicity_that_was_chosen_at_the_costs_as_written_is_not_blamed():
    """The simpler model is a little worse at every cost, by less than its standard error: that is why it is champion."""
    better = 100 + 0.6 * (Y - 100) + 4 * NOISE
    worse = 100 + 0.6 * (Y - 100) + 4 * np.random.default_rng(5).permutation(NOISE) + 0.02 * NOISE
    trial = made({"linear": worse, "boosting": better}, families=["linear", "boosting"], success={"same": "0%"}, span=(0.8, 1.25))
    table = told(robust, trial.case)[1]["cost_range"].pivot(index="factor", columns="row", values="cost")
    mine = trial.case.row_of(trial.case.champion)
    assert mine.family == "linear"
    assert told(robust, trial.case)[0] == []
    assert len(table) == 5


def test_the_table_holds_what_every_row_would_have_cost_had_it_decided_at_those_costs():
    trial = made({("mean", "linear"): Y + 5 * NOISE}, target=TARGET, cost=MATRIX)
    table = told(robust, trial.case)[1]["cost_range"]
    plain = table[table["row"] == "mean/linear/plug_in"].set_index("factor")["cost"]
    code, said = np.digitize(Y, [100, 110]), np.digitize(Y + 5 * NOISE, [100, 110])
    assert plain.index.tolist() == pytest.approx([0.25, 0.5, 1, 2, 4])
    for factor, cost in plain.items():
        costs = np.array([[0, 4 * factor, 12 * factor], [3, 0, 6 * factor], [8, 4, 0]])  # `all` is meant for the highest level
        best = costs.argmin(axis=0)  # at a prediction taken at its word
        assert cost == pytest.approx(costs[best[said], code].mean())


def test_the_costs_as_written_stand_in_the_table_once_and_agree_with_the_board():
    trial = made({"linear": Y + 5 * NOISE}, span=(0.5, 2))
    table = told(robust, trial.case)[1]["cost_range"]
    assert sorted(set(table["factor"])) == pytest.approx([0.5, 0.5**0.5, 1, 2**0.5, 2])
    assert not table.duplicated(["row", "factor"]).any()
    written_ = table[table["factor"] == 1].set_index("row")["cost"]
    for row in trial.case.rows:
        assert written_[row.id] == pytest.approx(row.cost)


def test_without_a_range_or_a_price_nothing_is_decided_anew():
    assert told(robust, made({"linear": Y + NOISE}, span=None).case) == ([], {})
    assert told(robust, written(ROWS, {"linear": Y + NOISE}).case) == ([], {})


def test_a_rule_that_is_kept_is_drawn_and_not_blamed():
    trial = made({"linear": 100 + 20 * NOISE})
    assert trial.case.champion == trial.case.base
    findings, tables = told(robust, trial.case)
    assert findings == []
    assert len(tables["cost_range"]) == 5 * len(trial.case.rows)
