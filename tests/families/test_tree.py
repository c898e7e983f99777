"""A tree is scikit-learn's, pruned by a complexity that has no unit."""

import numpy as np
import pandas as pd
import pytest

from piste.core.errors import PisteError
from piste.core.family import Rows, Task
from piste.core.model import predict
from piste.families.tree import FAMILY, LEAVES, MOST_DEPTH
from tests.cases import prepared


def rows_of(kind, n=300, *, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    signal = np.where(X[:, 0] > 0, 2.0, 0.0) + X[:, 1]
    y = {
        "mean": signal + rng.normal(size=n),
        "distribution": rng.poisson(np.exp(signal / 2)).astype(float),
        "classes": np.digitize(signal + rng.normal(size=n), [0.0, 2.0]),
    }[kind]
    return Rows(X, y, rng.uniform(0.5, 2.0, n))


def fitted(kind, params, rows):
    return FAMILY.fit(Task(kind, len(rows.y), 3), params, rows, np.zeros(len(rows.y), dtype=bool), 0)


TABLE = pd.DataFrame({"x": np.cos(np.arange(300.0)), "y": np.sin(np.arange(300.0))})
SHAPE = {"max_depth": 8, "min_samples_leaf": 5, "cp": 0.01, "class_weight": None}


def test_regression_is_scikit_learns_with_cp_times_the_variance():
    from sklearn.tree import DecisionTreeRegressor

    rows = rows_of("mean")
    variance = np.average((rows.y - np.average(rows.y, weights=rows.sample_weight)) ** 2, weights=rows.sample_weight)
    plain = DecisionTreeRegressor(max_depth=8, min_samples_leaf=5, ccp_alpha=0.01 * variance, random_state=0)
    plain.fit(rows.X, rows.y, sample_weight=rows.sample_weight)
    np.testing.assert_allclose(fitted("mean", SHAPE, rows).predict(rows.X), plain.predict(rows.X), atol=1e-9)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_classes_are_scikit_learns_with_cp_times_the_gini_impurity(class_weight):
    from sklearn.tree import DecisionTreeClassifier

    rows = rows_of("classes")
    weight = rows.sample_weight.copy()
    if class_weight:
        weight *= (len(rows.y) / (3 * np.bincount(rows.y)))[rows.y]
    shares = np.bincount(rows.y, weights=weight) / weight.sum()
    plain = DecisionTreeClassifier(
        max_depth=8, min_samples_leaf=5, ccp_alpha=0.01 * (1 - shares @ shares), class_weight=class_weight, random_state=0
    )
    plain.fit(rows.X, rows.y, sample_weight=rows.sample_weight)
    found = fitted("classes", SHAPE | {"class_weight": class_weight}, rows)
    np.testing.assert_allclose(found.predict_proba(rows.X), plain.predict_proba(rows.X), atol=1e-9)


def test_counts_are_split_by_poisson_deviance():
    from scipy.special import xlogy
    from sklearn.tree import DecisionTreeRegressor

    rows = rows_of("distribution")
    mean = np.average(rows.y, weights=rows.sample_weight)
    half_deviance = np.average(xlogy(rows.y, rows.y / mean), weights=rows.sample_weight)
    plain = DecisionTreeRegressor(criterion="poisson", max_depth=8, min_samples_leaf=5, ccp_alpha=0.01 * half_deviance, random_state=0)
    plain.fit(rows.X, rows.y, sample_weight=rows.sample_weight)
    np.testing.assert_allclose(fitted("distribution", SHAPE, rows).predict(rows.X), plain.predict(rows.X), atol=1e-9)


def test_pruning_does_not_depend_on_the_unit_of_the_target():
    rows = rows_of("mean")
    cents = Rows(rows.X, 100 * rows.y, rows.sample_weight)
    assert fitted("mean", SHAPE, rows).get_n_leaves() == fitted("mean", SHAPE, cents).get_n_leaves() > 1


def test_a_double_weight_is_a_double_row_where_leaves_may_hold_one():
    rows = rows_of("mean", 60)
    twice = np.arange(60) % 3 == 0
    again = np.repeat(np.arange(60), np.where(twice, 2, 1))
    shape = SHAPE | {"min_samples_leaf": 1}
    weighted = fitted("mean", shape, Rows(rows.X, rows.y, np.where(twice, 2.0, 1.0)))
    doubled = fitted("mean", shape, Rows(rows.X[again], rows.y[again], np.ones(len(again))))
    np.testing.assert_allclose(weighted.predict(rows.X), doubled.predict(rows.X), atol=1e-9)


def test_a_row_says_how_the_tree_was_grown():
    said = FAMILY.describe(Task("classes", 100, 2), SHAPE | {"min_samples_leaf": 1, "class_weight": "balanced"})
    assert said == "depth 8, at least 1 row a leaf, cp 0.01, balanced classes"


def test_a_depth_that_nobody_asked_for_is_not_spoken_of():
    assert FAMILY.describe(Task("mean", 100), SHAPE | {"max_depth": MOST_DEPTH}) == "at least 5 rows a leaf, cp 0.01"


def test_several_numbers_are_split_by_scikit_learn_each_in_its_own_spread():
    from sklearn.tree import DecisionTreeRegressor

    rows = rows_of("mean")
    both = np.column_stack([rows.y, 1e6 * np.sin(3 * rows.X[:, 2])])
    task = Task("mean", len(both), n_outputs=2)
    found = FAMILY.fit(task, SHAPE, Rows(rows.X, both, np.ones(len(both))), np.zeros(len(both), dtype=bool), 0).predict(rows.X)
    mean, spread = both.mean(axis=0), both.std(axis=0)
    plain = DecisionTreeRegressor(max_depth=8, min_samples_leaf=5, ccp_alpha=0.01, random_state=0).fit(rows.X, (both - mean) / spread)
    np.testing.assert_allclose(found, plain.predict(rows.X) * spread + mean)
    assert len(np.unique(found[:, 0])) > 4  # though the other counts in millions


def plainly(kind, params, rows, X):
    """Predict with the tree that scikit-learn prunes itself."""
    from sklearn.base import clone

    pruned = fitted(kind, params, rows)
    again = clone(pruned).fit(rows.X, rows.y, sample_weight=rows.sample_weight)
    assert again.ccp_alpha > 0
    return pruned, again, predict(Task(kind, len(rows.y), 3), again, X)


@pytest.mark.parametrize("kind", ["mean", "distribution", "classes"])
@pytest.mark.parametrize("cp", [1e-4, 3e-3, 0.05, 0.6])
def test_what_ships_is_node_for_node_the_tree_that_scikit_learn_prunes(kind, cp):
    rows = rows_of(kind)
    pruned, again, _ = plainly(kind, SHAPE | {"cp": cp}, rows, rows.X)
    found, expected = pruned.tree_.__getstate__(), again.tree_.__getstate__()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    assert pruned.get_depth() == again.get_depth()


@pytest.mark.parametrize("kind", ["mean", "distribution", "classes"])
def test_all_candidates_of_a_fold_predict_as_trees_of_their_own(kind):
    rows, new = rows_of(kind), rows_of(kind, seed=1).X
    new[::7, 0] = np.nan
    rows.X[::5, 1] = np.nan
    rows.sample_weight[::4] = 0.0
    points = [SHAPE | {"cp": cp, "min_samples_leaf": leaf} for cp in (0.02, 1e-5, 1e-3, 0.9) for leaf in (5, 1)]
    points += [SHAPE | {"class_weight": "balanced"}] * (kind == "classes")
    task = Task(kind, len(rows.y), 3)
    found = FAMILY.fit_fold(task, points, rows, np.zeros(len(rows.y), dtype=bool), (new, rows.X[:9]), range(len(points)))
    used = rows.take(rows.sample_weight > 0)
    for shared, params in zip(found, points, strict=True):
        np.testing.assert_array_equal(shared.predictions[0], plainly(kind, params, used, new)[2])
        np.testing.assert_array_equal(shared.predictions[1], plainly(kind, params, used, rows.X[:9])[2])


def test_trees_that_differ_in_the_pruning_alone_are_grown_once(monkeypatch):
    from sklearn.tree import DecisionTreeRegressor

    grown = []
    fit = DecisionTreeRegressor.fit
    monkeypatch.setattr(DecisionTreeRegressor, "fit", lambda self, *rows, **more: grown.append(self) or fit(self, *rows, **more))
    rows = rows_of("mean")
    points = [SHAPE | {"cp": cp, "min_samples_leaf": leaf} for leaf in (1, 5) for cp in (1e-4, 1e-3, 1e-2)]
    FAMILY.fit_fold(Task("mean", len(rows.y)), points, rows, np.zeros(len(rows.y), dtype=bool), (rows.X,), range(6))
    assert len(grown) == 2


def test_several_numbers_share_a_path():
    rows = rows_of("mean")
    both = Rows(rows.X, np.column_stack([rows.y, 1e6 * np.sin(3 * rows.X[:, 2])]), rows.sample_weight)
    task, points = Task("mean", len(both.y), n_outputs=2), [SHAPE | {"cp": cp} for cp in (1e-4, 0.05)]
    stop = np.zeros(len(both.y), dtype=bool)
    for shared, params in zip(FAMILY.fit_fold(task, points, both, stop, (rows.X,), (0, 1)), points, strict=True):
        expected = FAMILY.fit(task, params, both, stop, 0).predict(rows.X)
        np.testing.assert_allclose(shared.predictions[0], expected, rtol=1e-12)


def test_a_row_without_weight_counts_for_nothing_though_its_class_is_balanced():
    rows = rows_of("classes")
    weight = np.where(rows.y == 2, 0.0, 1.0)
    params = SHAPE | {"class_weight": "balanced"}
    ignored = fitted("classes", params, Rows(rows.X, rows.y, weight))
    absent = fitted("classes", params, Rows(rows.X, rows.y, weight).take(weight > 0))
    task = Task("classes", len(rows.y), 3)
    np.testing.assert_array_equal(predict(task, ignored, rows.X), predict(task, absent, rows.X))


@pytest.mark.parametrize(("kind", "value"), [("mean", 3.0), ("distribution", 0.0), ("distribution", 2.0), ("classes", 1)])
def test_a_target_that_never_varies_is_predicted(kind, value):
    rows = rows_of(kind, 40)
    rows.y[:] = value
    [shared] = FAMILY.fit_fold(Task(kind, 40, 3), [SHAPE], rows, np.zeros(40, dtype=bool), (rows.X[:3],), [0])
    expected = np.eye(3)[[1, 1, 1]] if kind == "classes" else np.full(3, value)
    np.testing.assert_allclose(shared.predictions[0], expected, rtol=1e-12)


def test_a_few_leaves_are_drawn_and_any_may_be_written():
    drawn = prepared(TABLE, families=["tree"], trials=12).plan.candidates
    leaves = {each.params["min_samples_leaf"] for each in drawn if each.entry == "tree"}
    assert leaves == {10, *LEAVES}
    written = prepared(TABLE, families=[{"tree": {"min_samples_leaf": [3, 7], "max_depth": 4}}]).plan.candidates
    assert {(each.params["min_samples_leaf"], each.params["max_depth"]) for each in written if each.entry == "tree"} == {(3, 4), (7, 4)}
    with pytest.raises(PisteError, match=r"must be a whole number, but is 2\.5"):
        prepared(TABLE, families=[{"tree": {"min_samples_leaf": 2.5}}])
