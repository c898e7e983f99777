"""The champion once more under other seeds: which candidates move, and what the whole then costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.check import NotApplicable
from piste.core.fit import Failed, Outcome
from piste.core.plan import DRAWS, seed_cells
from piste.core.seeds import drawn_again, moved, reseeded
from tests.cases import Written, answers, written

N = 300
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)
Y = 100 + 10 * X
NOISE = RNG.normal(size=(4, N))
ROWS = pd.DataFrame({"x": X, "y": Y})
KEYS: dict[str, Any] = {"metric": "mse", "split": {"folds": 4, "repeats": 1}}

Said = dict[tuple[str, int], np.ndarray]  # entry and draw -> predictions


def again(made: Written, said: Said) -> dict[Any, dict[int, Outcome]]:
    """Return what every fold gives of predictions under other seeds."""
    found: dict[Any, dict[int, Outcome]] = {}
    for cell in seed_cells(made.at.folds, drawn_again(made.case)):
        outcome = answers(made.at, said[cell.entry, cell.draw])[cell.fold]
        found.setdefault((cell.candidates[0].key, cell.draw), {})[cell.fold] = outcome
    return found


def first_of(made: Written) -> list[Any]:
    return [cell for cell in seed_cells(made.at.folds, drawn_again(made.case)) if cell.fold == 0]


def test_of_a_rule_nothing_is_drawn():
    made = written(ROWS, {"linear": Y + 900 * NOISE[0]}, **KEYS)
    assert drawn_again(made.case) == ()


def test_a_candidate_moves_where_its_predictions_of_one_fold_change():
    made = written(ROWS, {"linear": Y + NOISE[0]}, **KEYS)
    same = {("linear", draw): Y + NOISE[0] for draw in (1, 2)}
    assert moved(made.case, first_of(made), again(made, same)) == set()
    assert moved(made.case, first_of(made), again(made, same | {("linear", 2): Y + NOISE[1]})) == {("mean", "linear", 0)}


def test_losses_are_those_of_what_was_predicted_under_each_seed_the_comparisons_own_first():
    made = written(ROWS, {"linear": Y + NOISE[0]}, **KEYS)
    said = {("linear", draw): Y + NOISE[draw] for draw in (1, 2)}
    found = reseeded(made.case, {("mean", "linear", 0)}, again(made, said))
    np.testing.assert_allclose(found.losses, NOISE[: DRAWS + 1].T ** 2)


def test_what_does_not_move_is_what_it_was():
    made = written(ROWS, {"linear": Y + NOISE[0]}, **KEYS)
    found = reseeded(made.case, set(), {})
    np.testing.assert_array_equal(found.losses, np.repeat(made.case.losses[:, [made.case.champion]], DRAWS + 1, axis=1))


def test_a_blend_is_joined_by_its_shares_of_members_that_move_and_members_that_do_not():
    other = 2 * Y - (Y + NOISE[0]) + 0.3 * NOISE[3]  # errs to the other side
    made = written(ROWS, {"linear": Y + NOISE[0], "tree": other}, families=["linear", "tree", "blend"], success={"same": 0.0}, **KEYS)
    champion = made.case.entrants[made.case.champion]
    assert champion.column.entry == "blend"
    shares = {candidate.entry: share for share, candidate in champion.members}
    said = {("tree", 1): Y + NOISE[1], ("tree", 2): Y + NOISE[2]} | {("linear", draw): Y + NOISE[0] for draw in (1, 2)}
    moving = moved(made.case, first_of(made), again(made, said))
    assert moving == {("mean", "tree", 0)}
    found = reseeded(made.case, moving, again(made, said))
    for draw, tree in enumerate((other - Y, NOISE[1], NOISE[2])):
        np.testing.assert_allclose(found.losses[:, draw], (shares["linear"] * NOISE[0] + shares["tree"] * tree) ** 2)


def test_a_decision_is_taken_anew_under_every_seed():
    decision = {"cost": {"over": 1, "under": 4}}
    made = written(ROWS, {"linear": Y + NOISE[0]}, **KEYS | {"metric": None, "decision": decision})
    said = {("linear", draw): Y + 3 * NOISE[draw] for draw in (1, 2)}
    found = reseeded(made.case, {("mean", "linear", 0)}, again(made, said))
    np.testing.assert_array_equal(found.losses[:, 0], made.case.losses[:, made.case.champion])
    assert found.losses[:, 1].mean() == pytest.approx(3 * found.losses[:, 0].mean(), rel=0.2)


def test_a_part_that_fails_under_another_seed_is_told():
    made = written(ROWS, {"linear": Y + NOISE[0]}, **KEYS)
    found = again(made, {("linear", draw): Y + NOISE[draw] for draw in (1, 2)})
    found[("mean", "linear", 0), 2][0] = Failed("no luck")
    assert moved(made.case, first_of(made), found) == {("mean", "linear", 0)}
    said = reseeded(made.case, {("mean", "linear", 0)}, found)
    assert said == NotApplicable("under another seed a part of the champion failed: no luck")
