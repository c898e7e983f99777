"""A tree is scikit-learn's, pruned by a complexity that has no unit."""

import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.families.tree import FAMILY


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
