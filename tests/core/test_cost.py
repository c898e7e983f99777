"""What a decision costs: three shapes, told apart by their keys; actions that can never be right."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from piste.core.cost import Budget, Decision, EventCost, MatrixCost, QuantityCost, decision_shape, dominated


def decision(**keys: Any) -> Decision:
    return Decision.model_validate(keys)


@pytest.mark.parametrize(
    ("written", "cost", "levels"),
    [
        ({"over": 1, "under": 4}, QuantityCost(over=1, under=4, unit=1), None),
        ({"over": 1, "under": 4, "unit": 400}, QuantityCost(over=1, under=4, unit=400), None),
        ({"false_alarm": 40, "miss": 200}, EventCost(false_alarm=40, miss=200), 2),
        ({"wait": [0, 60, 240], "act": [40, 0, 90]}, MatrixCost(actions={"wait": (0, 60, 240), "act": (40, 0, 90)}), 3),
        ({"unit": [0, 1], "actions": [1, 0]}, MatrixCost(actions={"unit": (0, 1), "actions": (1, 0)}), 2),
    ],
)
def test_the_shapes_of_a_cost_are_told_apart_by_their_keys(written: dict[str, Any], cost: Any, levels: int | None) -> None:
    found = decision(cost=written).cost
    assert found == cost
    assert found is not None
    assert decision_shape(found) == levels


def test_a_cost_made_in_python_is_taken_as_it_is() -> None:
    cost = MatrixCost(actions={"wait": (0.0, 9.0), "act": (4.0, 0.0)})
    assert Decision(cost=cost).cost == cost


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"over": 1}, "must give 'under' beside 'over'"),
        ({"miss": 1}, "must give 'false_alarm' beside 'miss'"),
        ({"over": 1, "miss": 2}, "mixes 'over' and 'miss'"),
        ({"miss": [1, 2], "act": [2, 1]}, "must name no action 'miss'"),
        ({"act": [2, 1]}, "must price at least two actions"),
        ({"wait": [0], "act": [2]}, "must hold a number for each level, and so at least two, but holds 1"),
        ({"over": float("inf"), "under": 1}, "finite number"),
        ({"wait": [0, float("nan")], "act": [2, 1]}, "finite number"),
        ({"wait": [0, -1], "act": [2, 1]}, "greater than or equal to 0"),
    ],
)
def test_a_cost_that_cannot_be_meant_is_refused(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        decision(cost=written)


@pytest.mark.parametrize("moment", ["-1d 18:00", "1d 18:00", "0d 06:30", "-2h", "-30min", "-1d", "-1.5 d", "-2w"])
def test_a_decision_is_made_at_a_clock_time_days_before_or_some_time_before(moment: str) -> None:
    assert decision(made_at=moment).made_at == moment


@pytest.mark.parametrize("moment", ["18:00", "1d", "2h", "-1d 24:00", "-1d 18:60", "-1d18:00", "yesterday", "-1m", ""])
def test_a_moment_that_is_none_is_refused(moment: str) -> None:
    with pytest.raises(ValidationError):
        decision(made_at=moment)


def test_a_budget_may_be_its_units_alone() -> None:
    assert decision(budget=8).budget == Budget(units=8)


COST = {"none": [0, 60, 240], "one": [40, 0, 90], "two": [90, 45, 0]}


def test_actions_use_the_budget_as_said_or_else_in_their_order() -> None:
    assert decision(cost=COST, budget=8).uses == {"none": 0, "one": 1, "two": 2}
    assert decision(cost=COST, budget=8, actions=["two", "one", "none"]).uses == {"two": 0, "one": 1, "none": 2}
    assert decision(cost=COST, budget={"units": 8, "uses": {"two": 3}}).uses == {"none": 0, "one": 0, "two": 3}
    assert decision(cost={"over": 1, "under": 2}).uses == {}


def test_no_action_of_a_sensible_matrix_is_dominated() -> None:
    assert dominated(decision(cost=COST)) == {}


def test_of_two_actions_that_cost_the_same_the_first_is_kept() -> None:
    assert dominated(decision(cost={"a": [0, 2], "b": [1, 0], "c": [0, 2]})) == {"c": "a"}


def test_an_action_that_costs_more_may_be_right_where_it_saves_the_budget() -> None:
    costs = {"none": [1, 9], "one": [0, 8]}
    assert dominated(decision(cost=costs)) == {"none": "one"}
    assert dominated(decision(cost=costs, budget=8)) == {}
    assert dominated(decision(cost=costs, budget={"units": 8, "uses": {"none": 1}})) == {"none": "one"}


ROWS = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=4)


@given(ROWS)
def test_whatever_comes_an_action_that_is_not_dominated_costs_least(rows: list[list[int]]) -> None:
    costs = {f"action {number}": row for number, row in enumerate(rows)}
    kept = [row for name, row in costs.items() if name not in dominated(decision(cost=costs))]
    assert kept
    for weights in itertools.product([0, 1, 2, 5], repeat=3):
        expected = np.array(rows) @ weights
        assert (np.array(kept) @ weights).min() == expected.min()


@given(ROWS)
def test_a_dominated_action_never_costs_less_than_the_one_it_is_named_with(rows: list[list[int]]) -> None:
    costs = {f"action {number}": row for number, row in enumerate(rows)}
    for worse, better in dominated(decision(cost=costs)).items():
        assert all(cost >= rival for cost, rival in zip(costs[worse], costs[better], strict=True))
