"""A forest is scikit-learn's."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from piste.core.family import Rows, Task
from piste.families import forest
from piste.families.forest import FAMILY


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    return X, X[:, 0] + rng.normal(size=120)


def fitted(kind, params, X, y, weight=None):
    weight = np.ones(len(y)) if weight is None else weight
    return FAMILY.fit(Task(kind, len(y), 3), params, Rows(X, y, weight), np.zeros(len(y), dtype=bool), 5)


@pytest.mark.parametrize(
    ("kind", "trees", "plain", "criterion"),
    [
        ("mean", "random", RandomForestRegressor, "squared_error"),
        ("mean", "extra", ExtraTreesRegressor, "squared_error"),
        ("distribution", "random", RandomForestRegressor, "poisson"),
        ("distribution", "extra", ExtraTreesRegressor, "poisson"),
    ],
)
def test_numbers_are_predicted_as_by_scikit_learn(rows, kind, trees, plain, criterion):
    X, y = rows
    y = np.round(np.exp(y)) if kind == "distribution" else y
    params = {"trees": trees, "max_features": 0.5, "min_samples_leaf": 3}
    found = fitted(kind, params, X, y)
    expected = plain(300, criterion=criterion, max_features=0.5, min_samples_leaf=3, random_state=5).fit(X, y)
    np.testing.assert_allclose(found.predict(X), expected.predict(X), atol=1e-9)


@pytest.mark.parametrize(("trees", "plain"), [("random", RandomForestClassifier), ("extra", ExtraTreesClassifier)])
def test_classes_are_predicted_as_by_scikit_learn(rows, trees, plain):
    X, y = rows
    labels = np.digitize(y, [-1.0, 1.0])
    params = {"trees": trees, "max_features": "sqrt", "min_samples_leaf": 1, "class_weight": "balanced"}
    found = fitted("classes", params, X, labels)
    expected = plain(300, class_weight="balanced", random_state=5).fit(X, labels)
    np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("trees", ["random", "extra"])
def test_a_row_of_weight_zero_is_in_no_tree(rows, trees):
    X, y = rows
    lies = np.where(np.arange(120) % 3 == 0, 1000.0, y)
    params = {"trees": trees, "max_features": 1.0, "min_samples_leaf": 1}
    assert fitted("mean", params, X, lies, np.where(lies == 1000, 0.0, 1.0)).predict(X).max() < 10


def test_it_works_on_one_thread_whatever_joblib_would_do():
    assert FAMILY.build(Task("mean", 100), {"trees": "random", "max_features": 1.0, "min_samples_leaf": 1}, 0).n_jobs == 1


def test_a_whole_1_means_all_columns_not_one():
    model = FAMILY.build(Task("mean", 100), {"trees": "random", "max_features": 1, "min_samples_leaf": 1}, 0)
    assert isinstance(model.max_features, float)


def test_a_row_says_what_was_planted(monkeypatch):
    monkeypatch.setattr(forest, "TREES", 300)
    params = {"trees": "extra", "max_features": 0.5, "min_samples_leaf": 2}
    assert FAMILY.describe(Task("mean", 100), params) == "extra trees, 300 trees, max_features 0.5, at least 2 rows a leaf"


@pytest.mark.parametrize(("trees", "plain"), [("random", RandomForestRegressor), ("extra", ExtraTreesRegressor)])
def test_several_numbers_are_predicted_by_scikit_learn_each_in_its_own_spread(rows, trees, plain):
    X, y = rows
    both = np.column_stack([y, 1e6 * np.sin(3 * X[:, 1])])
    params = {"trees": trees, "max_features": 0.5, "min_samples_leaf": 3}
    task = Task("mean", 120, n_outputs=2)
    found = FAMILY.fit(task, params, Rows(X, both, np.ones(120)), np.zeros(120, dtype=bool), 5).predict(X)
    mean, spread = both.mean(axis=0), both.std(axis=0)
    expected = plain(300, max_features=0.5, min_samples_leaf=3, random_state=5).fit(X, (both - mean) / spread)
    np.testing.assert_allclose(found, expected.predict(X) * spread + mean)


PLAIN = {"trees": "random", "max_features": 1.0, "min_samples_leaf": 1}


def chosen(task, points, X, y, *, weight=None, stop=None, seed=0):
    weight = np.ones(len(y)) if weight is None else weight
    stop = np.arange(len(y)) % 5 == 0 if stop is None else stop
    return FAMILY.tune(task, points, Rows(X, y, weight), stop, seed)


def curved(n=400):
    rng = np.random.default_rng(1)
    X = rng.uniform(-2, 2, (n, 3))
    return X, np.sin(3 * X[:, 0]), rng


@pytest.mark.parametrize("exchangeable", [True, False])
@pytest.mark.parametrize("trees", ["random", "extra"])
@pytest.mark.parametrize("kind", ["mean", "distribution", "classes"])
def test_the_leaf_that_suits_the_noise_is_chosen(kind, trees, exchangeable):
    X, signal, rng = curved(1000)
    points = [{**PLAIN, "trees": trees, "class_weight": None, "min_samples_leaf": leaf} for leaf in (1, 150)]
    sharp = {"mean": signal, "distribution": np.round(np.exp(2 * signal + 1)), "classes": (signal > 0).astype(int)}[kind]
    blurred = rng.permutation(sharp)
    task = Task(kind, len(X), 2, exchangeable=exchangeable)
    assert chosen(task, points, X, sharp) == 0
    assert chosen(task, points, X, blurred) == 1


def test_the_choice_is_that_of_the_error_of_whole_forests_out_of_bag():
    X, signal, rng = curved(300)
    y = signal + rng.normal(0, 0.7, 300)
    points = [{**PLAIN, "min_samples_leaf": leaf} for leaf in (1, 3, 10, 40)]
    errors = [
        np.mean(
            (
                RandomForestRegressor(300, min_samples_leaf=p["min_samples_leaf"], oob_score=True, random_state=0).fit(X, y).oob_prediction_
                - y
            )
            ** 2
        )
        for p in points
    ]
    found = chosen(Task("mean", 300, exchangeable=True), points, X, y)
    assert errors[found] < 1.01 * min(errors)


def test_where_rows_are_not_exchangeable_those_set_aside_decide():
    """What is told from the first rows is wrong for the last."""
    X, signal, rng = curved(500)
    stop = np.arange(500) >= 400
    y = np.where(stop, rng.permutation(signal), signal)
    points = [{**PLAIN, "min_samples_leaf": leaf} for leaf in (1, 200)]
    assert chosen(Task("mean", 500, exchangeable=True), points, X, y, stop=stop) == 0
    assert chosen(Task("mean", 500, exchangeable=False), points, X, y, stop=stop) == 1


def test_rows_of_weight_zero_count_for_nothing_in_the_choice():
    X, signal, _ = curved()
    lies = np.where(np.arange(len(X)) % 2 == 0, 100 * np.sign(signal - 0.1) * np.arange(len(X)), signal)
    weight = np.where(np.arange(len(X)) % 2 == 0, 0.0, 1.0)
    points = [{**PLAIN, "min_samples_leaf": leaf} for leaf in (100, 1)]
    assert chosen(Task("mean", len(X), exchangeable=True), points, X, lies, weight=weight) == 1


def test_several_numbers_count_by_their_own_spread_in_the_choice():
    X, signal, rng = curved()
    y = np.column_stack([1e6 * rng.permutation(signal), signal, signal, signal])
    points = [{**PLAIN, "min_samples_leaf": leaf} for leaf in (1, 150)]
    task = Task("mean", len(X), n_outputs=4, exchangeable=True)
    assert chosen(task, points, X, y) == 0
    assert chosen(task, points, X, y * np.array([1e-9, 1, 1, 1])) == 0


@pytest.mark.parametrize(("trees", "plain"), [("random", RandomForestRegressor), ("extra", ExtraTreesRegressor)])
def test_of_many_rows_each_tree_draws_some(rows, monkeypatch, trees, plain):
    monkeypatch.setattr(forest, "MOST_DRAWN", 50)
    X, y = rows
    params = {"trees": trees, "max_features": 0.5, "min_samples_leaf": 3}
    found = fitted("mean", params, X, y)
    expected = plain(300, max_features=0.5, min_samples_leaf=3, bootstrap=True, max_samples=50, random_state=5).fit(X, y)
    np.testing.assert_allclose(found.predict(X), expected.predict(X), atol=1e-9)
    assert FAMILY.describe(Task("mean", 120), params).endswith("300 trees of 50 rows, max_features 0.5, at least 3 rows a leaf")


@pytest.mark.parametrize("trees", ["random", "extra"])
def test_settings_are_chosen_by_trees_that_draw_as_many_rows(rows, monkeypatch, trees):
    monkeypatch.setattr(forest, "MOST_DRAWN", 50)
    X, y = rows
    params = {"trees": trees, "max_features": 0.5, "min_samples_leaf": 3}
    growing = forest._Growing(Task("mean", 120), params, X.astype(np.float32), Rows(X, y, np.ones(120)), 0)
    for _ in range(5):
        unseen, weight = growing._drawn(None)
        assert weight.sum() == 50
        assert not weight[unseen].any()
