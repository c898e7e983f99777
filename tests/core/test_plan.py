"""What is computed, in which order, and what is skipped."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.plan import SHARES, Cell, Plan, curve_cells, make_plan, seed_cells
from piste.prepare import Prepared, prepare
from piste.watch import silent
from piste.work import kin

ORDER = ("baseline", "default", "search", "self-test")


def frame(n: int = 60) -> pd.DataFrame:
    """Return rows with a number, a count and a class."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    days = np.repeat(pd.date_range("2024-01-01", periods=n // 2), 2)
    about = {"day": days, "run": np.tile(["a", "b"], n // 2)}
    return pd.DataFrame(
        {**about, "x": x, "z": rng.normal(size=n), "n": rng.poisson(np.exp(2 + x)), "kind": np.where(x > 0, "yes", "no"), "y": x}
    )


def made(target: str = "n", *, quick: bool = False, **keys) -> Prepared:
    """Prepare a small problem."""
    usual = {"families": ["linear", "tree", "blend"], "search": {"trials": 3}, "split": {"folds": 3, "repeats": 1}}
    return prepare(piste.Problem(data=frame(), target=target, **usual | keys), (), silent, quick=quick, code=False)


def replanned(prepared: Prepared, *, missing: set[str]) -> Plan:
    """Plan again where packages are missing."""
    return make_plan(
        prepared.resolved, prepared.folds, lambda entry: kin(entry, prepared.folder), lambda package: package in missing, quick=False
    )


def test_baselines_come_first_then_every_familys_default_then_the_search_then_the_self_test():
    plan = made().plan
    stages = [ORDER.index(cell.stage) for cell in plan.cells]
    assert set(stages) == {0, 1, 2, 3}
    assert stages == sorted(stages)


def test_every_candidate_has_a_cell_on_every_fold_and_none_twice():
    prepared = made()
    seen = [(candidate.key, cell.fold) for cell in prepared.plan.cells if cell.stage != "self-test" for candidate in cell.candidates]
    assert len(seen) == len(set(seen)) == len(prepared.plan.candidates) * 3


def test_number_0_is_the_default_and_stands_alone_in_its_cell():
    for cell in made().plan.cells:
        numbers = [candidate.number for candidate in cell.candidates]
        if cell.stage == "search":
            assert numbers == list(range(1, len(numbers) + 1))
        elif cell.stage != "baseline":
            assert numbers == [0]


def test_the_self_test_fits_the_default_of_a_tree_on_every_fold_on_the_target_as_it_is():
    plan = made(families=["linear", "tree", "boosting"]).plan
    tested = [cell for cell in plan.cells if cell.stage == "self-test"]
    assert [(cell.framing, cell.entry, cell.fold) for cell in tested] == [("mean", "tree", fold) for fold in range(3)]
    [default] = [each for each in plan.candidates if each.key == ("mean", "tree", 0)]
    assert {cell.candidates[0].params == default.params for cell in tested} == {True}


@pytest.mark.parametrize(("families", "tested"), [(["boosting", "linear"], "boosting"), (["svm", "linear"], "linear")])
def test_the_self_test_fits_the_simplest_family_that_splits_columns_or_else_the_simplest(families, tested):
    cells = [cell for cell in made(families=families).plan.cells if cell.stage == "self-test"]
    assert {cell.entry for cell in cells} == {tested}


def test_code_of_the_authors_own_is_put_to_the_self_test_too(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text("from sklearn.linear_model import Ridge\n\ndef make():\n    return Ridge()\n")
    monkeypatch.chdir(tmp_path)
    usual = {"split": {"folds": 3, "repeats": 1}, "families": ["tree", {"mine": "own.py:make"}]}
    plan = prepare(piste.Problem(data=frame(), target="n", **usual), (), silent, quick=False, code=True).plan
    assert {cell.entry for cell in plan.cells if cell.stage == "self-test"} == {"tree", "mine"}


def test_the_self_test_is_no_candidate_of_the_comparison():
    plan = made(target="n", framings=["distribution"]).plan
    assert {cell.framing for cell in plan.cells if cell.stage == "self-test"} == {"mean"}
    assert {each.framing for each in plan.candidates if not each.entry.startswith("baseline:")} == {"distribution"}


def curve(plan: Plan, prepared: Prepared, entry: str = "tree", number: int = 2) -> list[Cell]:
    """Return the cells of the learning curves of a champion."""
    [champion] = [each for each in plan.candidates if each.key == ("mean", entry, number)]
    return list(curve_cells(plan, prepared.folds, champion))


def test_learning_curves_are_those_of_the_champion_and_of_every_familys_default_in_its_framing():
    prepared = made()
    cells = curve(prepared.plan, prepared)
    assert {(cell.framing, cell.entry, cell.candidates[0].number) for cell in cells} == {
        ("mean", "tree", 2), ("mean", "tree", 0), ("mean", "linear", 0)
    }  # fmt: skip
    assert {cell.share for cell in cells} == set(SHARES) - {1.0}  # what all rows teach is known
    assert {len(cell.candidates) for cell in cells} == {1}


def test_learning_curves_use_the_last_folds_that_are_judged_and_no_repeat():
    prepared = made(split={"folds": 5, "repeats": 2})
    assert {cell.fold for cell in curve(prepared.plan, prepared)} == {2, 3, 4}
    forward = made(time="day", split={"folds": 2})
    assert forward.folds.folds[0].warm_up
    assert {cell.fold for cell in curve(forward.plan, forward)} == {1, 2}


def test_a_framing_under_a_name_of_its_own_is_asked_under_that_name():
    plan = made(framings={"mean": None, "again": {"as": "mean", "add": "2 * x"}}).plan
    named = {each.framing for each in plan.candidates if not each.entry.startswith("baseline:")}
    assert named == {"mean", "again"}
    assert plan.asked["again"].form.add == ("2 * x",)
    assert plan.blended == ("mean", "again")
    assert {each.framing for each in plan.candidates if each.entry.startswith("baseline:")} == {"mean"}


def test_a_framing_of_all_at_once_is_not_asked_of_a_family_that_gives_one_number():
    keys = {"unit": ["day", "run"], "framings": {"all": {"as": "mean", "wide": "run"}}, "split": {"together": "day", "folds": 3}}
    plan = made("y", families=["linear", "svm"], **keys).plan
    assert {each.entry for each in plan.candidates if each.framing == "all"} == {"linear"}
    [absent] = plan.absent
    assert (absent.family, absent.reason) == ("svm", "takes one number at a time")


def test_a_family_without_quantiles_of_its_own_is_skipped_in_that_framing_alone():
    plan = made(families=["linear", "forest"], framings=["mean", "quantiles"], metric="mae").plan
    assert {each.entry for each in plan.candidates if each.framing == "quantiles" and "baseline" not in each.entry} == {"linear"}
    assert [(each.framing, each.family, each.reason) for each in plan.absent] == [
        ("quantiles", "forest", "takes numbers, counts and classes only")
    ]


def test_quick_leaves_the_search_out_and_nothing_else():
    whole, quick = made().plan, made(quick=True).plan
    assert [cell.stage for cell in quick.cells].count("search") == 0
    shown = [(cell.stage, cell.framing, cell.entry, cell.fold, cell.candidates) for cell in quick.cells]
    assert shown == [(c.stage, c.framing, c.entry, c.fold, c.candidates) for c in whole.cells if c.stage != "search"]


def test_quick_leaves_a_grid_of_the_authors_own_to_its_first_setting():
    quick = made("y", families=[{"tree": {"max_depth": [2, 3, 4]}}], quick=True).plan
    assert [candidate.params["max_depth"] for candidate in quick.candidates if candidate.entry == "tree"] == [2]


def test_more_trials_keep_the_candidates_and_their_numbers():
    few, many = (made(search={"trials": n}).plan.candidates for n in (2, 9))
    assert {each.key: each for each in few}.items() <= {each.key: each for each in many}.items()


def test_a_framing_asks_each_family_that_takes_it():
    plan = made().plan
    assert {(each.framing, each.entry) for each in plan.candidates if not each.entry.startswith("baseline:")} == {
        (framing, family) for framing in ("mean", "distribution") for family in ("linear", "tree")
    }
    assert plan.blended == ("mean", "distribution")


def test_baselines_are_asked_once_in_the_first_framing():
    plan = made(baselines={"twice": "2 * x"}).plan
    rules = [each for each in plan.candidates if each.entry.startswith("baseline:")]
    assert [(each.framing, each.entry) for each in rules] == [("mean", "baseline:constant"), ("mean", "baseline:twice")]


@pytest.mark.parametrize(
    ("target", "family", "reason"),
    [("y", "perceptron", "takes classes only"), ("n", "svm", "takes numbers and classes only")],
)
def test_what_a_family_does_not_take_is_a_row_with_its_reason(target, family, reason):
    absent = made(target, families=["linear", family]).plan.absent
    assert absent[-1].status == "skipped"
    assert (absent[-1].family, absent[-1].reason) == (family, reason)


def test_a_package_that_is_missing_is_a_reason_with_the_line_that_installs_it():
    prepared = made("y", families=["linear", "boosting"])
    [absent] = replanned(prepared, missing={"lightgbm"}).absent
    assert (absent.family, absent.reason) == ("boosting", "needs lightgbm: pip install lightgbm")
    assert {each.entry for each in replanned(prepared, missing={"lightgbm"}).candidates} == {"baseline:constant", "linear"}


def test_named_variants_of_a_family_are_rows_of_their_own():
    plan = made("y", families=[{"stump": {"family": "tree", "max_depth": 1}}, {"deep": {"family": "tree", "max_depth": 15}}]).plan
    depths = {each.entry: each.params["max_depth"] for each in plan.candidates if each.entry in ("stump", "deep")}
    assert depths == {"stump": 1, "deep": 15}
    assert {name: kin.name for name, (_, kin) in plan.entries.items()} == {"baseline:constant": "baseline", "stump": "tree", "deep": "tree"}


def test_without_a_blend_in_the_families_nothing_is_blended():
    assert made(families=["linear", "tree"]).plan.blended == ()


def test_the_champion_is_fitted_under_two_more_seeds_on_every_fold_the_first_fold_first():
    prepared = made(split={"folds": 3, "repeats": 2})
    members = [each for each in prepared.plan.candidates if each.entry == "tree"][:2]
    cells = seed_cells(prepared.folds, members)
    assert {(cell.fold, cell.candidates[0].key, cell.draw) for cell in cells} == {
        (fold, each.key, draw) for fold in range(6) for each in members for draw in (1, 2)
    }
    assert {cell.stage for cell in cells} == {"seeds"}
    assert {len(cell.candidates) for cell in cells} == {1}
    assert [cell.fold for cell in cells] == sorted(cell.fold for cell in cells)


def test_a_cell_divides_into_one_for_each_candidate():
    cell = next(cell for cell in made().plan.cells if cell.stage == "search")
    alone = cell.alone()
    assert [each.candidates for each in alone] == [(candidate,) for candidate in cell.candidates]
    assert {(each.stage, each.framing, each.entry, each.fold) for each in alone} == {(cell.stage, cell.framing, cell.entry, cell.fold)}


def test_the_folds_of_a_candidate_come_one_after_the_other_so_that_a_whole_row_is_done_early():
    cells = [cell for cell in made().plan.cells if cell.stage == "default"]
    changes = sum((a.framing, a.entry) != (b.framing, b.entry) for a, b in pairwise(cells))
    assert changes == len({(cell.framing, cell.entry) for cell in cells}) - 1
