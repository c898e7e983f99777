"""What a worker fits, and what it hands back."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from piste.core.layout import answered
from piste.core.problem import Entry
from piste.edges.models import read_model
from piste.work import Refitted, Share, Wanted, compute_model, join_models, kin, needed
from tests.fits import judged, rows

ROWS = {  # kind of task -> a problem, and the row of its blend
    "mean": ("a number", "mean/linear/plug_in"),
    "distribution": ("a count", "distribution/linear/min_expected_cost"),
    "quantiles": ("an amount", "quantiles/linear/quantile"),
    "classes": ("classes", "classes/linear/min_expected_cost"),
    "ordered": ("an order", "ordered/linear/min_expected_cost"),
    "wide": ("shapes", "all_at_once/linear/dressed"),
    "apart": ("shapes", "each_run/linear/dressed"),
}
OTHER = {kind: "tree" if kind != "quantiles" else "baseline" for kind in ROWS}


def wanted(kind: str, *shares: tuple[float, str]) -> Wanted:
    """Say what is fitted: a row of the leaderboard, of these members."""
    problem, row = ROWS[kind]
    of = judged(problem)
    plain, framing = of.wanted(row), row.split("/")[0]
    found = {each.entry: each.params for each in of.at.plan.candidates if each.framing == framing}
    entries = {name: (entry, found.get(name)) for name, (entry, _) in of.at.plan.entries.items()}
    members = []
    for share, name in shares:
        entry, params = entries["baseline:constant" if name == "baseline" else name]
        assert params is not None, f"{kind} is asked of {name}"
        members.append(Share(share, entry, params))
    return replace(plain, members=tuple(members))


@cache
def fitted(what: str, *shares: tuple[float, str]) -> Refitted:
    """Fit in this process."""
    return alone(what, wanted(what, *shares))


def alone(kind: str, what: Wanted) -> Refitted:
    """Fit what is wanted in this process."""
    at = judged(ROWS[kind][0]).at
    return compute_model(at.study, what, at.layout, at.resolved.table.frame.iloc[:6], Path())


def joined(kind: str, parts: list[Refitted], what: Wanted) -> Refitted:
    """Join what is fitted."""
    at = judged(ROWS[kind][0]).at
    return join_models([part.packed for part in parts], what, at.layout, at.resolved.table.frame.iloc[:6], Path())


def asked(packed: bytes) -> tuple[pd.DataFrame, np.ndarray]:
    """Return what a packed model answers to rows that come from outside, and what its members predict."""
    model, layout = read_model(packed)
    frame = rows(12, seed=5, start="2024-02-10")
    raw: list[np.ndarray] = []

    def predict(typed: pd.DataFrame) -> pd.DataFrame:
        raw.append(model.raw(typed))
        return model.predict(typed)

    return answered(layout, predict, frame), raw[0]


@pytest.mark.parametrize("kind", ROWS)
def test_a_blend_joined_from_fitted_members_predicts_their_weighted_mean(kind):
    blend = wanted(kind, (0.7, "linear"), (0.3, OTHER[kind]))
    parts = [alone(kind, each) for each in blend.alone()]
    found, linear, other = (asked(each.packed)[1] for each in (joined(kind, parts, blend), *parts))
    np.testing.assert_allclose(found, 0.7 * linear + 0.3 * other, rtol=1e-12)
    assert (linear != other).any()


@pytest.mark.parametrize("kind", ROWS)
def test_a_joined_blend_is_the_one_that_is_fitted_whole(kind):
    blend = wanted(kind, (0.25, OTHER[kind]), (0.75, "linear"))
    made, whole = joined(kind, [alone(kind, each) for each in blend.alone()], blend), alone(kind, blend)
    pd.testing.assert_frame_equal(made.example, whole.example, check_exact=True)
    pd.testing.assert_frame_equal(asked(made.packed)[0], asked(whole.packed)[0], check_exact=True)


def test_a_blend_has_a_spread_of_its_own_not_its_members():
    blend = wanted("distribution", (0.5, "linear"), (0.5, "tree"))
    wide = replace(blend, question=replace(blend.question, state={"dispersion": 3.0}))
    made = joined("distribution", [alone("distribution", each) for each in blend.alone()], wide)
    assert read_model(made.packed)[0].question.state == {"dispersion": 3.0}


def test_the_same_fit_decides_by_another_rule_without_another_fit():
    dressed = wanted("apart", (1.0, "linear"))
    plain = replace(dressed, question=replace(dressed.question, rule="plug_in", state={}))
    made = joined("apart", [fitted("apart", (1.0, "linear"))], plain)
    pd.testing.assert_frame_equal(asked(made.packed)[0], asked(alone("apart", plain).packed)[0], check_exact=True)
    assert "q05" not in made.example


def test_the_example_is_what_the_stored_model_answers_and_the_inputs_are_what_it_needs():
    found = fitted("mean", (1.0, "tree"))
    model, _ = read_model(found.packed)
    sample = judged("a number").at.resolved.table.frame.iloc[:6]
    pd.testing.assert_frame_equal(model.predict(sample), found.example, check_exact=True)
    assert set(found.inputs) == {"day", "run", "snow", "capacity"}
    assert found.reason == ""


def test_what_cuts_the_levels_and_names_the_row_is_an_input_too():
    assert {"day", "run", "capacity"} <= set(fitted("apart", (1.0, "linear")).inputs)


def test_a_model_that_cannot_be_stored_says_why_and_answers_all_the_same(tmp_path):
    (tmp_path / "own.py").write_text(
        "from sklearn.linear_model import Ridge\n\nclass Mine(Ridge):\n    pass\n\ndef make():\n    return Mine()\n"
    )
    at = judged("a number").at
    mine = replace(wanted("mean", (1.0, "tree")), members=(Share(1.0, Entry(name="mine", factory="own.py:make"), {}),))
    found = compute_model(at.study, mine, at.layout, at.resolved.table.frame.iloc[:5], tmp_path)
    assert found.packed == b""
    assert "cannot be stored without storing code" in found.reason
    assert len(found.example) == 5


def test_each_member_alone_is_a_model_of_weight_1_under_its_own_name():
    parts = wanted("mean", (0.7, "linear"), (0.3, "tree")).alone()
    assert [(each.question.title, [share.weight for share in each.members]) for each in parts] == [("linear", [1.0]), ("tree", [1.0])]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"rule": "constant"}, ()),
        ({"by": "run+day.weekday"}, ("run", "day")),
        ({"by": "a.b"}, ("a.b",)),  # a column of that very name
        ({"by": "run", "time": "day"}, ("run", "day")),
        ({"expression": "mean(y) by run"}, ("run",)),  # the target is never read
        ({"expression": "x + log(z)"}, ("x", "z")),
        ({"max_depth": 3}, ()),
    ],
)
def test_rules_name_the_columns_that_they_read(params, expected):
    share = Share(1.0, Entry(name="r", family="baseline"), params)
    assert needed([share], ("x", "z", "run", "day", "a.b", "y"), "y") == expected


def test_an_entry_is_one_of_piste_or_of_the_problems_folder(tmp_path):
    (tmp_path / "own.py").write_text("from sklearn.linear_model import Ridge\n\ndef make():\n    return Ridge()\n")
    assert kin(Entry(name="stump", family="tree"), tmp_path).name == "tree"
    assert kin(Entry(name="mine", factory="own.py:make"), tmp_path).name == "mine"
