"""M15: whether fitting, or the search for settings, stopped before its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.check import NotApplicable
from piste.core.finding import Finding
from piste.core.review.search import finished
from tests.cases import Written, prepared, told, written

N = 300
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)
Y = 100 + 10 * X + RNG.normal(size=N)
NOISE = RNG.normal(size=N)
ROWS = pd.DataFrame({"x": X, "y": Y})


def losing(cost: float) -> np.ndarray:
    """Return predictions that cost as much."""
    return Y + np.sqrt(cost) * np.where(np.arange(N) % 2, 1, -1)


def searched(family: Any, costs: Any, trials: int = 12, **keys: Any) -> Written:
    """Judge a family whose settings cost what a function of them says."""
    keys = {"families": [family], "metric": "mse", "success": {"same": 0.5}, **keys}
    tried = [
        candidate for candidate in prepared(ROWS, trials=trials, **keys).plan.candidates if not candidate.entry.startswith("baseline:")
    ]
    return written(ROWS, {tried[0].entry: [losing(costs(each.params)) for each in tried]}, trials=trials, **keys)


def edges(made: Written) -> list[Finding]:
    return told(finished, made.case)[0]


def depth(params: Any) -> float:
    """Return a cost that falls with the depth."""
    return 40.0 - 1.5 * params["max_depth"]


def nearby(params: Any) -> float:
    """Return a cost that falls with the number of neighbours."""
    return 130.0 - params["n_neighbors"]


def test_a_best_setting_at_the_end_of_its_range_is_noted_where_costs_fall_towards_it():
    made = searched("neighbours", nearby)
    best = made.case.entrants[made.case.champion].column.params["n_neighbors"]
    assert best >= 60
    [finding] = edges(made)
    assert (finding.check, finding.severity, finding.on, finding.number) == ("M15", "note", "neighbours n_neighbors", best)
    assert finding.message == f"Nearest neighbours is best with n_neighbors {best}, at the upper end of what was tried"
    assert finding.fix == "try larger values of n_neighbors"
    assert finding.paste == f"families: [{{neighbours: {{n_neighbors: [{best}, {3 * best}, {9 * best}]}}}}]"


def test_the_line_to_paste_can_be_run():
    [finding] = edges(searched("neighbours", nearby))
    best = int(finding.number)
    at = prepared(ROWS, families=[{"neighbours": {"n_neighbors": [best, 3 * best, 9 * best]}}])
    tried = {candidate.params["n_neighbors"] for candidate in at.plan.candidates if candidate.entry == "neighbours"}
    assert tried == {best, 3 * best, 9 * best}


def test_a_best_setting_in_the_middle_is_none():
    assert edges(searched("neighbours", lambda params: 10 + abs(params["n_neighbors"] - 12))) == []


def test_an_end_that_is_no_better_than_the_middle_is_none():
    made = searched("neighbours", lambda params: 10.2 - 0.002 * params["n_neighbors"])
    assert edges(made) == []


def test_chance_puts_few_best_settings_at_an_end():
    """Costs that hang on no setting: of 40 searches over several hyperparameters hardly one is blamed."""
    blamed = 0
    for seed in range(40):
        luck = np.random.default_rng(seed)
        blamed += len(edges(searched("kernel", lambda _, luck=luck: float(luck.uniform(10, 30)), seed=seed)))
    assert blamed <= 4


def test_a_least_number_of_rows_that_cannot_be_less_is_no_end():
    """One neighbour is the least there is; the most may go on."""
    assert edges(searched("neighbours", lambda params: 10 + params["n_neighbors"])) == []
    [finding] = edges(searched("neighbours", nearby, trials=20))
    assert finding.on == "neighbours n_neighbors"


def test_few_settings_tell_no_trend():
    assert edges(searched("neighbours", nearby, trials=3)) == []


@pytest.mark.parametrize(
    ("grid", "ends"),
    [([2, 4, 8], "upper"), ([8, 4, 2], "upper"), ([4, 8], None), (8, None)],
)
def test_a_grid_of_the_authors_own_has_ends_too(grid, ends):
    found = edges(searched({"tree": {"max_depth": grid}}, depth))
    assert [finding.message.endswith(f"at the {ends} end of what was tried") for finding in found] == [True] * (ends is not None)


def test_a_grid_whose_end_is_as_good_as_the_value_beside_it_is_none():
    assert edges(searched({"tree": {"max_depth": [2, 4, 8]}}, lambda params: 30 - 2 * min(params["max_depth"], 4))) == []


def test_other_entries_keep_their_place_on_the_line_to_paste():
    families = ["linear", {"deep": {"family": "tree", "max_depth": [2, 4, 8], "cp": 0.001}}]
    made = written(ROWS, {"deep": [losing(depth({"max_depth": each})) for each in (2, 4, 8)]}, families=families, metric="mse")
    [finding] = edges(made)
    assert finding.paste == "families: [linear, {deep: {family: tree, max_depth: [8, 24, 72], cp: 0.001}}]"


@pytest.mark.parametrize("n", [0, 1, 5])
def test_fits_cut_short_are_counted(n):
    case = written(ROWS, {"linear": losing(4)}, metric="mse").case
    champion = case.entrants[case.champion]
    parts = tuple(replace(part, notes=("not converged",) * (i < n)) for i, part in enumerate(champion.parts))
    case = replace(case, entrants=[replace(each, parts=parts) if each is champion else each for each in case.entrants])
    found = told(finished, case)[0]
    assert len(found) == (n > 0)
    if n:
        assert found[0].message == f"{case.row_of(case.champion).title} had not converged in {n} of 5 fits"


def test_of_a_rule_nothing_is_asked():
    assert isinstance(finished.run(written(ROWS, {"linear": losing(900)}, metric="mse").evidence()), NotApplicable)
