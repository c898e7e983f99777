"""What a worker fits, and what it hands back."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.layout import typed
from piste.core.problem import Entry
from piste.edges.models import read_model
from piste.prepare import Prepared, prepare
from piste.watch import silent
from piste.work import Refitted, Share, Wanted, compute_model, join_models, kin, needed

KINDS = {"mean": ("y", "numeric"), "distribution": ("count", "count"), "classes": ("kind", "category")}
MEMBERS = {
    "linear": {"mean": {"penalty": "ridge", "alpha": 0.01}, "distribution": {"alpha": 0.01}, "classes": {"C": 1.0, "class_weight": None}},
    "tree": {
        "mean": {"max_depth": 3, "min_samples_leaf": 5, "cp": 0.001},
        "distribution": {"max_depth": 3, "min_samples_leaf": 5, "cp": 0.001},
        "classes": {"max_depth": 3, "min_samples_leaf": 5, "cp": 0.001, "class_weight": None},
    },
}


def rows(n: int = 80, *, seed: int = 0) -> pd.DataFrame:
    """Return rows with a target of each kind."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": x,
            "run": rng.choice(["a", "b", "c"], n),
            "y": 2 * x + rng.normal(size=n),
            "count": rng.poisson(np.exp(2 + 0.5 * x)),
            "kind": np.select([x > 0.5, x < -0.5], ["high", "low"], "middle"),
        }
    )


@cache
def prepared(kind: str) -> Prepared:
    """Prepare the problem of a kind."""
    column, what = KINDS[kind]
    problem = piste.Problem(
        data=rows()[["x", "run", column]], target={"column": column, "kind": what}, framings=[kind], families=["linear"]
    )
    return prepare(problem, (), silent, quick=True, code=False)


def wanted(kind: str, *shares: tuple[float, str], dispersion: float | None = None) -> Wanted:
    """Say what is fitted."""
    members = tuple(Share(share, Entry(name=name, family=name), MEMBERS[name][kind]) for share, name in shares)
    return Wanted("A model", kind, ("x", "run"), (), dispersion, members)


def fitted(what: Wanted) -> Refitted:
    """Fit in this process."""
    at = prepared(what.framing)
    return compute_model(at.study, what, at.layout, at.resolved.table.frame.iloc[:5], Path())


def answers(packed: bytes, frame: pd.DataFrame) -> pd.DataFrame:
    """Return what a packed model answers to rows that come from outside."""
    model, layout = read_model(packed)
    return model.predict(typed(layout, frame))


@pytest.mark.parametrize("kind", KINDS)
def test_a_blend_joined_from_fitted_members_predicts_their_weighted_mean(kind):
    at = prepared(kind)
    blend = wanted(kind, (0.7, "linear"), (0.3, "tree"), dispersion=0.2 if kind == "distribution" else None)
    parts = [fitted(each).packed for each in blend.alone()]
    joined = join_models(parts, blend, at.layout, at.resolved.table.frame.iloc[:5], Path())
    new = rows(30, seed=5)[["x", "run"]]
    found, linear, tree = (answers(each, new) for each in (joined.packed, *parts))
    columns = [name for name in found if name.startswith("P(")] or ["prediction"]
    assert len(columns) == (3 if kind == "classes" else 1)
    np.testing.assert_allclose(found[columns], 0.7 * linear[columns] + 0.3 * tree[columns], rtol=1e-12)
    assert (linear[columns] != tree[columns]).any(axis=None)


def test_a_joined_blend_is_the_one_that_is_fitted_whole():
    blend = wanted("classes", (0.25, "tree"), (0.75, "linear"))
    at = prepared("classes")
    sample = at.resolved.table.frame.iloc[:5]
    joined = join_models([fitted(each).packed for each in blend.alone()], blend, at.layout, sample, Path())
    whole = fitted(blend)
    pd.testing.assert_frame_equal(joined.example, whole.example, check_exact=True)
    new = rows(30, seed=5)
    pd.testing.assert_frame_equal(answers(joined.packed, new), answers(whole.packed, new), check_exact=True)


def test_a_blend_in_the_framing_of_counts_has_a_spread_of_its_own_not_its_members():
    blend = wanted("distribution", (0.5, "linear"), (0.5, "tree"), dispersion=3.0)
    at = prepared("distribution")
    parts = [fitted(each).packed for each in wanted("distribution", (0.5, "linear"), (0.5, "tree"), dispersion=0.0).alone()]
    joined = join_models(parts, blend, at.layout, at.resolved.table.frame.iloc[:5], Path())
    assert read_model(joined.packed)[0].dispersion == 3.0


def test_the_example_is_what_the_stored_model_answers_and_the_inputs_are_what_it_needs():
    found = fitted(wanted("mean", (1.0, "tree")))
    sample = prepared("mean").resolved.table.frame.iloc[:5]
    pd.testing.assert_frame_equal(answers(found.packed, sample), found.example.reset_index(drop=True), check_exact=True)
    assert found.inputs == ("x", "run")
    assert found.reason == ""


def test_a_model_that_cannot_be_stored_says_why_and_answers_all_the_same(tmp_path):
    (tmp_path / "own.py").write_text(
        "from sklearn.linear_model import Ridge\n\nclass Mine(Ridge):\n    pass\n\ndef make():\n    return Mine()\n"
    )
    at = prepared("mean")
    what = Wanted("Mine", "mean", ("x", "run"), (), None, (Share(1.0, Entry(name="mine", factory="own.py:make"), {}),))
    found = compute_model(at.study, what, at.layout, at.resolved.table.frame.iloc[:5], tmp_path)
    assert found.packed == b""
    assert "cannot be stored without storing code" in found.reason
    assert len(found.example) == 5


def test_each_member_alone_is_a_model_of_weight_1_under_its_own_name():
    alone = wanted("mean", (0.7, "linear"), (0.3, "tree")).alone()
    assert [(each.title, [share.weight for share in each.members]) for each in alone] == [("linear", [1.0]), ("tree", [1.0])]


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
