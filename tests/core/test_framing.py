"""What a framing is, and how it is put to the rows of a problem."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste.framings
from piste.core.data import Target
from piste.core.decision import Actions, ByMetric, Quantity, Yardstick
from piste.core.family import Task
from piste.core.framing import Form, whole_rule
from piste.core.metrics import METRICS
from piste.core.model import Question
from piste.framings import NAMES, framings

SKI = Actions("EUR", ("none", "one"), np.array([[0.0, 60.0], [40.0, 0.0]]))
YARDSTICKS: dict[str, Yardstick] = {
    "rmse": ByMetric(METRICS["rmse"]),
    "mae": ByMetric(METRICS["mae"]),
    "log_loss": ByMetric(METRICS["log_loss"]),
    "amounts": Quantity("EUR", 1.0, 4.0),
    "actions": SKI,
}


def test_a_framing_is_one_file_and_is_called_as_the_file():
    files = {path.stem for path in Path(piste.framings.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(framings()) == set(NAMES) == files
    assert all(name == framing.name for name, framing in framings().items())


def test_the_plainest_question_comes_first_and_no_two_share_a_place():
    orders = [framing.order for framing in framings().values()]
    assert orders == sorted(set(orders))
    assert next(iter(framings())) == "mean"


@pytest.mark.parametrize("framing", framings().values(), ids=lambda framing: framing.name)
def test_a_framing_reaches_a_worker_whole(framing):
    assert pickle.loads(pickle.dumps(framing)) == framing


@pytest.mark.parametrize("framing", framings().values(), ids=lambda framing: framing.name)
def test_a_framing_says_what_it_asks_and_what_it_loses_in_words(framing):
    assert framing.asks.format(target="count", levels="low or high").endswith("?")
    assert framing.loses
    assert not framing.loses.endswith(".")


@pytest.mark.parametrize(
    ("yardstick", "rules"),
    [
        ("rmse", {"mean": ("plug_in",), "distribution": ("min_expected_cost",), "quantiles": ("min_expected_cost",)}),
        ("mae", {"mean": ("plug_in", "dressed"), "distribution": ("min_expected_cost",), "quantiles": ("min_expected_cost",)}),
        ("log_loss", {"classes": ("min_expected_cost",), "ordered": ("min_expected_cost",)}),
        ("amounts", {"mean": ("plug_in", "dressed"), "distribution": ("quantile",), "quantiles": ("quantile",)}),
        (
            "actions",
            {
                "mean": ("plug_in", "dressed"),
                "distribution": ("min_expected_cost",),
                "quantiles": ("min_expected_cost",),
                "classes": ("plug_in", "min_expected_cost"),
                "ordered": ("min_expected_cost",),
            },
        ),
    ],
)
def test_a_rule_is_there_where_it_can_change_what_is_done_the_most_naive_first(yardstick, rules):
    assert {name: framings()[name].rules(YARDSTICKS[yardstick]) for name in rules} == rules


def test_a_whole_distribution_decides_amounts_by_a_quantile_and_all_else_by_the_least_expected_cost():
    found = {name: whole_rule(yardstick) for name, yardstick in YARDSTICKS.items()}
    assert found == {name: ("quantile" if name == "amounts" else "min_expected_cost",) for name in YARDSTICKS}


NUMBER = Target("y", "numeric", np.arange(3.0))
COUNT = Target("n", "count", np.arange(3.0))
CUT = Target("n", "count", np.arange(3.0), (), ("low", "mid", "high"), np.tile([1.0, 2.0], (3, 1)))
HALVED = Target("y", "numeric", np.arange(3.0), (), ("low", "high"), np.ones((3, 1)))
BINARY = Target("k", "binary", np.array([0, 1, 1]), ("no", "yes"))
CATEGORY = Target("k", "category", np.array([0, 1, 2]), ("u", "v", "w"))
ORDERED = Target("k", "ordered", np.array([0, 1, 2]), ("low", "mid", "high"))


@pytest.mark.parametrize(
    ("target", "fitting"),
    [
        (NUMBER, {"mean", "quantiles"}),
        (COUNT, {"mean", "distribution", "quantiles"}),
        (CUT, {"mean", "distribution", "quantiles", "classes", "ordered"}),
        (HALVED, {"mean", "quantiles", "classes"}),
        (BINARY, {"classes"}),
        (CATEGORY, {"classes"}),
        (ORDERED, {"classes", "ordered"}),
    ],
    ids=["number", "count", "count in levels", "number in halves", "binary", "category", "ordered"],
)
def test_a_target_is_asked_about_in_the_framings_that_fit_it_and_the_others_say_why_not(target, fitting):
    reasons = {name: framing.why_not(target) for name, framing in framings().items()}
    assert {name for name, reason in reasons.items() if reason is None} == fitting
    assert all(reason is None or (reason == reason.strip() and not reason.endswith(".")) for reason in reasons.values())


@pytest.mark.parametrize(
    ("name", "target", "task"),
    [
        ("mean", NUMBER, Task("mean", 90)),
        ("distribution", COUNT, Task("distribution", 90)),
        ("quantiles", NUMBER, Task("quantiles", 90, levels=framings()["quantiles"].levels)),
        ("classes", CUT, Task("classes", 90, 3)),
        ("ordered", CUT, Task("classes", 90, 2)),  # a yes or no for each level
    ],
)
def test_the_task_that_is_made_of_a_target(name, target, task):
    assert framings()[name].task(target, 90) == task


def test_what_is_learnt_is_the_number_or_the_level_that_it_lies_in():
    np.testing.assert_array_equal(framings()["mean"].y(CUT), [0, 1, 2])
    np.testing.assert_array_equal(framings()["classes"].y(HALVED), [0, 1, 1])
    np.testing.assert_array_equal(framings()["ordered"].y(CUT), [0, 1, 2])


def test_a_model_is_given_fewer_rows_where_they_are_turned_or_shared_out():
    names = pd.DataFrame({"day": np.repeat([1, 2, 3], 4), "run": list("abcd") * 3})
    assert [form.n_parts(names) for form in (Form("mean"), Form("mean", wide="run"), Form("mean", apart="day"))] == [1, 4, 3]


def test_a_question_is_equal_to_another_that_asks_the_same():
    made = [Question("A", "mean", framings()["mean"], "plug_in", {}, Task("mean", 9), "y", (), ("x",), ()) for _ in range(2)]
    assert made[0] == made[1]
