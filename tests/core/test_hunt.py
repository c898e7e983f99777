"""The search of one row: batches of settings, rounds of folds, and its end."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from piste.core.budget import Budget
from piste.core.fit import Failed, Left, Predicted
from piste.core.hunt import Hunt
from piste.core.plan import Cell
from piste.core.search import Candidate

ROUNDS = ((0, 1), (2, 3))
NAMES = ("fold 1", "fold 2", "fold 3", "fold 4")


def settings_of(n: int) -> list[Candidate]:
    return [Candidate("mean", "tree", number, {"depth": number}) for number in range(n + 1)]


def ran(n: int, *, seconds: float = 60.0, takes=lambda number: 1.0, worse=(), fails=(), order=None, points=0):
    """Run a search whose settings take some seconds each, on four folds; return it, and its cells as numbers and folds."""
    default, *tried = settings_of(n)
    if points:
        tried = [Candidate("mean", "tree", 1, {"tuned": points}, tuple({"depth": number} for number in range(points)))]
    planned = [Cell("search", "mean", "tree", fold, tuple(tried)) for fold in range(4)]
    found = {default.key: [done(takes(0))] * 4}

    def dropped(candidates, folds):
        return {each.key for each in candidates if each.number in worse}

    hunt = Hunt(planned, default, ROUNDS, NAMES, Budget(seconds), dropped)
    waiting, computed = hunt.begin(found), []
    while waiting:
        cell = waiting.pop(0 if order is None else order.randrange(len(waiting)))
        computed.append(cell)
        parts = list(cell.candidates)
        if order is not None:
            order.shuffle(parts)
        for each in parts:
            bad = each.number in fails and cell.fold == 1
            found.setdefault(each.key, [Failed("not computed")] * 4)[cell.fold] = Failed("no") if bad else done(takes(each.number))
            waiting += hunt.heard(each.key, cell.fold, found)
    return hunt, [([each.number for each in cell.candidates], cell.fold) for cell in computed], planned, computed


def done(seconds: float) -> Predicted:
    return Predicted(np.zeros(3), {}, seconds / 4, 0.0)


def test_without_a_budget_every_setting_is_computed_on_every_fold_as_it_was_planned():
    hunt, _, planned, computed = ran(3, seconds=float("inf"))
    assert computed == planned
    assert (hunt.left, hunt.said) == ({}, "")


def test_what_is_hopeless_after_the_first_round_goes_no_further():
    hunt, cells, _, _ = ran(4, seconds=float("inf"), worse=(2, 3))
    assert cells == [([1, 2, 3, 4], 0), ([1, 2, 3, 4], 1), ([1, 4], 2), ([1, 4], 3)]
    assert hunt.left == {("mean", "tree", number): Left("dropped after fold 2") for number in (2, 3)}
    assert hunt.said == ""


def test_where_all_are_hopeless_the_other_folds_are_left_alone():
    _, cells, _, _ = ran(2, seconds=float("inf"), worse=(0, 1, 2))
    assert [fold for _, fold in cells] == [0, 1]


def test_what_fails_goes_no_further_and_was_not_dropped():
    hunt, cells, _, _ = ran(3, seconds=float("inf"), fails=(2,))
    assert cells[2:] == [([1, 3], 2), ([1, 3], 3)]
    assert hunt.left == {}


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_cells_finish_changes_nothing(seed):
    takes = {number: 1.0 + number % 3 for number in range(31)}.get
    plain, cells, _, _ = ran(30, takes=takes, worse=(3, 7, 9), fails=(4,))
    mixed, others, _, _ = ran(30, takes=takes, worse=(3, 7, 9), fails=(4,), order=random.Random(seed))
    assert sorted(others) == sorted(cells)
    assert (mixed.left, mixed.said) == (plain.left, plain.said)


def test_a_budget_ends_the_search_between_settings_and_says_how_many_it_tried():
    hunt, cells, _, _ = ran(30, seconds=10.0)
    tried = {number for numbers, _ in cells for number in numbers}
    assert tried == set(range(1, len(tried) + 1))  # the first of the sequence
    assert 8 <= len(tried) <= 10
    assert all(sum(number in numbers for numbers, _ in cells) == 4 for number in tried)  # each on all folds
    assert hunt.said == f"budget spent: {len(tried) + 1} of 31 settings tried"
    assert hunt.left == {("mean", "tree", number): Left("budget spent") for number in range(len(tried) + 1, 31)}


def test_a_budget_is_kept_where_settings_turn_out_dearer_than_the_default():
    _, cells, _, _ = ran(30, seconds=20.0, takes=lambda number: 1.0 if number == 0 else 3.0)
    spent = sum(3.0 / 4 * len(numbers) for numbers, _ in cells)
    assert spent <= 30.0  # half as much again at the very most, since half of what seems to fit is begun


def test_what_is_dropped_costs_the_budget_only_what_it_took():
    _, with_dropping, _, _ = ran(60, seconds=20.0, worse=tuple(range(1, 60, 2)))
    _, without, _, _ = ran(60, seconds=20.0)
    tried, all_tried = ({n for numbers, _ in cells for n in numbers} for cells in (with_dropping, without))
    assert len(tried) > len(all_tried)


def test_a_choice_inside_the_training_rows_is_one_round_and_is_never_dropped():
    hunt, _, planned, computed = ran(1, seconds=float("inf"), points=5, worse=(1,))
    assert computed == planned
    assert hunt.left == {}


def test_a_choice_is_made_from_as_many_settings_as_the_budget_allows():
    hunt, cells, _, computed = ran(1, seconds=3.0, points=8)
    assert [fold for _, fold in cells] == [0, 1, 2, 3]
    [small] = computed[0].candidates
    assert (dict(small.params), len(small.points)) == ({"tuned": 3}, 3)
    assert hunt.changed == {small.key: small}
    assert hunt.said == "budget spent: 3 of 8 settings tried"


def test_where_not_two_settings_fit_there_is_no_choice():
    hunt, cells, _, _ = ran(1, seconds=1.5, points=8)
    assert cells == []
    assert hunt.left == {("mean", "tree", 1): Left("budget spent")}
    assert hunt.said == "budget spent: 1 of 8 settings tried"


def test_the_same_times_give_the_same_search():
    times = itertools.cycle([0.5, 2.0, 1.0])
    known = {number: next(times) for number in range(41)}
    assert ran(40, seconds=15.0, takes=known.get)[1] == ran(40, seconds=15.0, takes=known.get)[1]
