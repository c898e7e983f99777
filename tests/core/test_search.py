"""Which hyperparameters are tried, in which order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from piste.core.family import choice, integer, log, uniform
from piste.core.problem import Entry, Problem
from piste.core.search import MOST_GRID, candidates, faults, live, settings

SPACE = {
    "penalty": choice("none", "ridge", "net", default="ridge"),
    "alpha": log(1e-4, 1e1, default=1e-3, penalty=("ridge", "net")),
    "l1_ratio": uniform(0.1, 1.0, default=0.5, penalty=("net",)),
    "depth": integer(2, 5, default=4),
    "leaves": integer(4, 255, default=31, scale="log"),
}


def entry(**params) -> Entry:
    """Return an entry with values and grids of the user's own."""
    return Entry(name="mine", family="mine", params=params)


def fault_texts(**params) -> list[str]:
    """Return what is wrong with an entry, as text."""
    problem = Problem.model_validate({"data": "x.csv", "target": "y"})
    return [str(fault) for fault in faults(problem, "families.0", entry(**params), SPACE)]


def test_the_default_comes_first_without_the_parameters_that_do_not_exist_beside_it():
    assert settings(SPACE, entry(), 5, seed=0)[0] == {"penalty": "ridge", "alpha": 1e-3, "depth": 4, "leaves": 31}


@pytest.mark.parametrize(("few", "many"), [(0, 1), (1, 2), (3, 4), (5, 17), (8, 100)])
def test_more_trials_only_append(few, many):
    first, more = settings(SPACE, entry(), few, seed=7), settings(SPACE, entry(), many, seed=7)
    assert more[: len(first)] == first
    assert len(more) > len(first)


def test_a_setting_is_tried_once():
    small = {"a": choice("x", "y", default="x"), "b": integer(1, 2, default=1)}
    tried = settings(small, entry(), 64, seed=0)
    assert sorted((point["a"], point["b"]) for point in tried) == [("x", 1), ("x", 2), ("y", 1), ("y", 2)]


def test_another_seed_draws_other_settings_and_the_same_seed_the_same():
    assert settings(SPACE, entry(), 6, seed=1) == settings(SPACE, entry(), 6, seed=1)
    assert settings(SPACE, entry(), 6, seed=1)[1:] != settings(SPACE, entry(), 6, seed=2)[1:]


def test_a_parameter_is_there_exactly_where_its_when_says():
    tried = settings(SPACE, entry(), 64, seed=0)
    assert {point["penalty"] for point in tried} == {"none", "ridge", "net"}
    for point in tried:
        assert ("alpha" in point) == (point["penalty"] != "none")
        assert ("l1_ratio" in point) == (point["penalty"] == "net")


def test_a_parameter_that_goes_takes_those_that_hang_on_it():
    chain = {
        "a": choice(1, 2, default=1),
        "b": choice(1, 2, default=1, a=(1,)),
        "c": choice(1, 2, default=1, b=(1,)),
    }
    assert live(chain, {"a": 2, "b": 1, "c": 1}) == {"a": 2}
    assert live(dict(reversed(chain.items())), {"a": 2, "b": 1, "c": 1}) == {"a": 2}


def test_drawn_values_cover_the_space_evenly_on_its_own_scale():
    space = {
        "a": log(1e-4, 1e4, default=1.0),
        "b": uniform(-2.0, 2.0, default=0.0),
        "c": choice(None, None, None, "balanced", default=None),
    }
    tried = settings(space, entry(), 256, seed=3)[1:]
    decades = np.histogram(np.log10([point["a"] for point in tried]), bins=8, range=(-4, 4))[0]
    quarters = np.histogram([point["b"] for point in tried], bins=4, range=(-2, 2))[0]
    assert decades.tolist() == [32] * 8  # what a Sobol sequence of 2^8 points promises
    assert quarters.tolist() == [64] * 4
    assert sum(point["c"] == "balanced" for point in tried) == 64  # named once of four


def test_whole_numbers_are_whole_reach_both_ends_and_stay_within():
    tried = settings({"n": integer(2, 5, default=4), "m": integer(1, 64, default=1, scale="log")}, entry(), 512, seed=0)
    assert {point["n"] for point in tried} == {2, 3, 4, 5}
    assert (min(point["m"] for point in tried), max(point["m"] for point in tried)) == (1, 64)
    assert all(type(point["n"]) is int and type(point["m"]) is int for point in tried)


def test_a_fixed_value_stands_in_every_setting_and_the_rest_is_searched():
    tried = settings(SPACE, entry(penalty="net", depth=3), 20, seed=0)
    assert {(point["penalty"], point["depth"]) for point in tried} == {("net", 3)}
    assert len({point["l1_ratio"] for point in tried}) > 10


def test_a_fixed_value_beyond_the_usual_range_is_taken_as_it_is():
    assert {point["alpha"] for point in settings(SPACE, entry(alpha=1e6, penalty="ridge"), 8, seed=0)} == {1e6}


@pytest.mark.parametrize("trials", [0, 3, 50])
def test_a_grid_of_the_users_own_is_tried_whole_whatever_the_number_of_trials(trials):
    tried = settings(SPACE, entry(depth=(2, 3, 5), leaves=(7, 15), penalty="none"), trials, seed=0)
    expected = [{"penalty": "none", "depth": d, "leaves": n} for d, n in itertools.product((2, 3, 5), (7, 15))]
    assert tried == expected


def test_what_a_grid_does_not_name_keeps_its_default():
    assert settings(SPACE, entry(depth=(2,)), 9, seed=0) == [{"penalty": "ridge", "alpha": 1e-3, "depth": 2, "leaves": 31}]


def test_a_family_without_hyperparameters_has_one_setting():
    assert settings({}, entry(), 10, seed=0) == [{}]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"dept": 3}, "is not a hyperparameter of 'mine'; it has penalty, alpha, l1_ratio, depth, leaves. Did you mean 'depth'?"),
        ({"penalty": "rigde"}, "must be 'none', 'ridge' or 'net', but is 'rigde'. Did you mean 'ridge'?"),
        ({"alpha": 0.0}, "must be above 0, but is 0.0"),
        ({"alpha": "much"}, "must be a number, but is 'much'"),
        ({"depth": True}, "must be a number, but is 'True'"),
        ({"depth": 2.5}, "must be a whole number, but is 2.5"),
        ({"penalty": "net", "l1_ratio": -0.1}, "must be at least 0, but is -0.1"),
        ({"l1_ratio": (0.1, 0.5)}, "has no effect beside penalty 'ridge'; add penalty: net"),
        ({"depth": ()}, "must list at least one value, but the list is empty"),
        ({"depth": tuple(range(101)), "leaves": tuple(range(4, 14))}, f"must span at most {MOST_GRID:,} settings, but the grid has 1,010"),
    ],
)
def test_a_wrong_hyperparameter_is_said_with_what_must_hold(params, said):
    [fault] = fault_texts(**params)
    assert said in fault


def test_every_wrong_value_of_a_grid_is_said():
    assert len(fault_texts(depth=(2, 2.5, "x"), penalty="l3")) == 3


def test_right_values_are_not_refused():
    assert fault_texts(penalty=("none", "net"), alpha=(1e-9, 5), l1_ratio=0.0, depth=50.0) == []


def test_settings_that_a_family_chooses_among_are_one_candidate_beside_the_default():
    default, chosen = candidates("mean", entry(), SPACE, 5, 0, tuned=True)
    drawn = settings(SPACE, entry(), 5, seed=0)
    assert (default.number, default.params, default.points) == (0, drawn[0], ())
    assert (chosen.number, dict(chosen.params), list(chosen.points)) == (1, {"tuned": 6}, drawn)


def test_settings_that_no_family_chooses_among_are_a_candidate_each():
    drawn = settings(SPACE, entry(), 5, seed=0)
    found = candidates("mean", entry(), SPACE, 5, 0, tuned=False)
    assert [(each.number, each.params, each.points) for each in found] == [(number, point, ()) for number, point in enumerate(drawn)]


def test_what_the_author_lists_is_asked_for_one_by_one():
    found = candidates("mean", entry(depth=(2, 3, 4)), SPACE, 5, 0, tuned=True)
    assert [(each.params["depth"], each.points) for each in found] == [(2, ()), (3, ()), (4, ())]


@pytest.mark.parametrize("trials", [0, 5])
def test_where_there_is_one_setting_there_is_nothing_to_choose(trials):
    fixed = {name: dimension.default for name, dimension in SPACE.items()} if trials else {}
    [only] = candidates("mean", entry(**fixed), SPACE, trials, 0, tuned=True)
    assert (only.number, only.points) == (0, ())
