"""Problem files with decisions, orders and several targets on real tables: each is laid out as it was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from piste.core.decision import Actions, Quantity
from piste.prepare import Prepared, prepare
from piste.watch import silent

HERE = Path(__file__).parent / "decisions"
FOLDERS = {"bike_hour_supply": "bike_hour", "ski_resort3_staff": "ski_resort3", "wine_ordered": "wine_quality"}
ASKED = {
    "bike_hour_supply": ["mean", "distribution", "quantiles"],
    "ski_resort3_staff": ["mean", "distribution", "quantiles"],
    "german_credit": ["classes"],
    "wine_ordered": ["classes", "ordered"],
    "energy_enb": ["mean", "wide"],
    "water_quality": ["mean", "wide"],
    "pedestrian_melbourne": ["mean", "all_sensors", "each_sensor"],
}


@pytest.fixture
def made(shared: Callable[[str], Path]) -> Callable[[str], Prepared]:
    """Return a function that makes a problem ready by its name."""

    def ready(name: str) -> Prepared:
        shared(FOLDERS.get(name, name))
        return prepare(HERE / f"{name}.yaml", (), silent, quick=True, code=False)

    return ready


def test_these_are_the_problems():
    assert {path.stem for path in HERE.glob("*.yaml")} == ASKED.keys()


@pytest.mark.parametrize("name", ASKED)
def test_every_way_to_ask_is_planned(name, made):
    assert [asked.name for asked in made(name).resolved.asked] == ASKED[name]


@pytest.mark.parametrize("name", ["bike_hour_supply", "ski_resort3_staff"])
def test_a_price_of_too_much_and_too_little_asks_for_the_quantile_at_three_quarters(name, made):
    yardstick = made(name).resolved.yardstick
    assert isinstance(yardstick, Quantity)
    assert yardstick.level == 0.75


def test_a_bad_customer_taken_for_a_good_one_costs_five_times_the_reverse(made):
    resolved = made("german_credit").resolved
    assert resolved.table.target.labels == ("good", "bad")
    assert isinstance(resolved.yardstick, Actions)
    np.testing.assert_array_equal(resolved.yardstick.costs, [[0, 5], [1, 0]])


def test_marks_of_wine_are_classes_in_their_order(made):
    assert made("wine_ordered").resolved.table.target.labels == tuple("3456789")


@pytest.mark.parametrize(("name", "n_targets", "n_rows"), [("energy_enb", 2, 768), ("water_quality", 14, 1060)])
def test_the_targets_of_a_row_stand_or_fall_together(name, n_targets, n_rows, made):
    at = made(name)
    assert len(at.resolved.table.frame) == n_targets * n_rows
    assert len(np.unique(at.folds.blocks)) == n_rows
    for fold in at.folds.folds:
        assert not set(at.folds.blocks[fold.train]) & set(at.folds.blocks[fold.test])
