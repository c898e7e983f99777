"""Support vector machines are scikit-learn's, with probabilities that no row has helped to judge itself by."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.families import svm
from piste.families.svm import CALIBRATION_ROWS, EXACT_ROWS, FAMILY, MOST_ROWS, build, dealt_out, describe, fit, restore, state, tune

MEAN = Task("mean", 200)
TWO = Task("classes", 200, n_classes=2)
THREE = Task("classes", 200, n_classes=3)
LARGE = {"mean": Task("mean", EXACT_ROWS + 1), "classes": Task("classes", EXACT_ROWS + 1, n_classes=3)}


def params(task, **changed):
    return {name: dimension.default for name, dimension in FAMILY.space(task).items()} | changed


@pytest.fixture(scope="module")
def X():
    X = np.random.default_rng(0).normal(size=(200, 4))
    return (X - X.mean(axis=0)) / X.std(axis=0)


@pytest.fixture(scope="module")
def y(X):
    return 50 + 10 * np.sin(2 * X[:, 0]) + X[:, 1] + np.random.default_rng(1).normal(size=200)


@pytest.fixture(scope="module")
def code(X):
    return np.digitize(np.hypot(X[:, 0], X[:, 1]) + 0.3 * np.random.default_rng(2).normal(size=200), [0.9, 1.4])


def test_the_exact_machine_is_scikit_learns_on_the_standardised_target(X, y):
    from sklearn.svm import SVR

    weight = np.random.default_rng(3).uniform(0.5, 2, 200)
    weight /= weight.mean()
    mean = np.average(y, weights=weight)
    scale = np.sqrt(np.average((y - mean) ** 2, weights=weight))
    expected = SVR(C=10.0, epsilon=0.2, gamma="scale").fit(X, (y - mean) / scale, sample_weight=weight).predict(X) * scale + mean
    ours = build(MEAN, params(MEAN, C=10.0, epsilon=0.2), 0).fit(X, y, weight)
    np.testing.assert_allclose(ours.predict(X), expected, rtol=1e-9)


def test_the_scores_of_two_classes_are_scikit_learns(X, code):
    from sklearn.svm import SVC

    two = (code > 0).astype(int)
    ours = build(TWO, params(TWO, C=5.0, class_weight="balanced"), 0).fit(X, two)
    theirs = SVC(C=5.0, gamma="scale", class_weight="balanced").fit(X, two)
    np.testing.assert_allclose(ours.function_(X)[:, 0], theirs.decision_function(X), rtol=1e-8, atol=1e-9)


def test_three_classes_vote_as_scikit_learns_do(X, code):
    from sklearn.svm import SVC

    ours = build(THREE, params(THREE), 0).fit(X, code).function_(X)
    theirs = SVC(C=3.0, gamma="scale", decision_function_shape="ovo").fit(X, code).decision_function(X)
    np.testing.assert_allclose(ours, -theirs, rtol=1e-8, atol=1e-9)  # scikit-learn's are positive for the first of a pair


def test_the_linear_machine_is_liblinears(X, code):
    from sklearn.svm import LinearSVC

    two = (code > 0).astype(int)
    ours = build(TWO, params(TWO, kernel="linear", C=0.5), 0).fit(X, two)
    np.testing.assert_allclose(ours.function_(X)[:, 0], LinearSVC(C=0.5, dual=False).fit(X, two).decision_function(X), atol=1e-9)


@pytest.mark.parametrize("kind", ["mean", "classes"])
def test_nystroem_features_come_close_to_the_kernel_and_are_named(kind, X, y, code):
    exact, approximate = (MEAN if kind == "mean" else THREE), LARGE[kind]
    target = y if kind == "mean" else code
    small, large = (build(task, params(task), 0).fit(X, target) for task in (exact, approximate))
    if kind == "mean":
        assert np.sqrt(np.mean((small.predict(X) - large.predict(X)) ** 2)) < 0.2 * y.std()
    else:
        assert np.mean(small.predict(X) == large.predict(X)) > 0.9
    assert "on 625 Nystroem features" in describe(approximate, params(approximate))
    assert "Nystroem" not in describe(exact, params(exact))


def test_probabilities_are_calibrated_out_of_fold_where_few_rows_are_set_aside(X, code):
    noise = np.random.default_rng(5).permutation(code > 0).astype(int)  # nothing to learn, but much to remember
    model = build(TWO, params(TWO, C=100.0, gamma_scale=10.0), 0).fit(X, noise)
    assert np.mean(np.sign(model.function_(X)[:, 0]) == 2 * noise - 1) > 0.95
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], noise.mean(), atol=0.1)


def test_probabilities_are_calibrated_on_the_rows_set_aside_where_they_are_many():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 2))
    held = np.arange(1200) % 3 == 0
    y = (X[:, 0] > 0).astype(int)
    y[held] = rng.integers(0, 2, held.sum())  # there the scores are worth nothing
    assert min(np.bincount(y[held])) > CALIBRATION_ROWS
    task = Task("classes", 1200, n_classes=2)
    model = fit(task, params(task, kernel="linear"), Rows(X, y, np.ones(1200)), held, 0)
    np.testing.assert_allclose(model.predict_proba(X), 0.5, atol=0.15)


def test_a_class_of_one_row_has_a_probability(X, code):
    rare = np.where(np.arange(200) == 7, 3, code)
    task = Task("classes", 200, n_classes=4)
    probabilities = build(task, params(task), 0).fit(X, rare).predict_proba(X)
    assert probabilities.shape == (200, 4)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_a_row_with_weight_two_counts_as_two_rows(kernel, X, y):
    twice = np.repeat(np.arange(200), np.where(y > 50, 2, 1))
    weighted = build(MEAN, params(MEAN, kernel=kernel), 0).fit(X, y, np.where(y > 50, 2.0, 1.0))
    # C and gamma are told to rows of mean weight 1: as many as there are.
    scale = X[twice].var() / X.var()
    repeated = build(MEAN, params(MEAN, kernel=kernel, C=3.0 * 200 / len(twice), gamma_scale=scale), 0).fit(X[twice], y[twice])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), atol=0.02 * y.std())


def test_a_fit_that_takes_too_long_is_cut_short_and_says_so(X, y, monkeypatch):
    monkeypatch.setattr(svm, "MAX_ITER", 10)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build(MEAN, params(MEAN), 0).fit(X, y)
    assert [warning.category.__name__ for warning in caught] == ["ConvergenceWarning"]


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("task", [MEAN, THREE, LARGE["mean"], LARGE["classes"]], ids=str)
def test_a_machine_kept_as_plain_values_predicts_the_same(task, kernel, X, y, code):
    model = build(task, params(task, kernel=kernel), 0).fit(X, y if task.kind == "mean" else code)
    kept = {
        name: np.array(value) if isinstance(value, np.ndarray) else json.loads(json.dumps(value)) for name, value in state(model).items()
    }
    np.testing.assert_array_equal(restore(kept).predict(X), model.predict(X))
    if task.kind == "classes":
        np.testing.assert_array_equal(restore(kept).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"C": 10.0, "gamma_scale": 0.5}, "RBF, C 10, gamma 0.5 x scale, epsilon 0.1"),
        ({"kernel": "linear", "C": 0.25}, "linear, C 0.25, epsilon 0.1"),
    ],
)
def test_a_machine_says_its_kernel(changed, words):
    assert describe(MEAN, params(MEAN, **changed)) == words


def points_of(task, **lists):
    """Make settings, each with one of the values listed: wrong, right, wrong."""
    return [params(task, **dict(zip(lists, values, strict=True))) for values in zip(*lists.values(), strict=True)]


@pytest.mark.parametrize("exchangeable", [True, False])
@pytest.mark.parametrize("task", [MEAN, THREE], ids=["mean", "classes"])
def test_the_settings_that_suit_the_rows_are_chosen(task, exchangeable, X, y, code):
    points = points_of(task, gamma_scale=(30.0, 1.0, 0.03125), C=(0.125, 10.0, 0.125))
    train = Rows(X, y if task.kind == "mean" else code, np.ones(200))
    assert tune(replace(task, exchangeable=exchangeable), points, train, np.arange(200) >= 160, 0) == 1


def test_rows_set_aside_are_the_judges_where_rows_are_not_exchangeable(X):
    stop = np.arange(200) >= 160
    y = np.where(stop, 0.0, 10 * np.sin(3 * X[:, 0]))  # later there are no waves, and a line has hardly followed them
    points = points_of(MEAN, kernel=("rbf", "linear"), C=(50.0, 1.0))
    chosen = {
        exchangeable: tune(replace(MEAN, exchangeable=exchangeable), points, Rows(X[:, :1], y, np.ones(200)), stop, 0)
        for exchangeable in (True, False)
    }
    assert chosen == {True: 0, False: 1}


def test_rows_without_weight_have_no_say_in_the_choice(X, y):
    points = points_of(MEAN, gamma_scale=(30.0, 1.0, 0.03125))
    none = np.arange(200) % 4 == 0
    spoilt = Rows(X, np.where(none, 1e9, y), np.where(none, 0.0, 1.0))
    stop = np.arange(200) >= 150
    for exchangeable in (True, False):
        task = replace(MEAN, exchangeable=exchangeable)
        assert tune(task, points, spoilt, stop, 0) == tune(task, points, spoilt.take(~none), stop[~none], 0) == 1


@pytest.mark.parametrize("n", [2, 3, 7])
@pytest.mark.parametrize("kind", ["mean", "classes"])
def test_of_a_handful_of_rows_something_is_chosen(kind, n, X, y):
    task = Task(kind, n, n_classes=2 if kind == "classes" else 0, exchangeable=True)
    target = np.arange(n) % 2 if kind == "classes" else y[:n]
    assert tune(task, points_of(task, C=(1.0, 10.0)), Rows(X[:n], target, np.ones(n)), np.zeros(n, dtype=bool), 0) in (0, 1)


def test_without_a_judge_the_first_settings_are_taken(X, y):
    assert tune(MEAN, points_of(MEAN, C=(0.125, 10.0)), Rows(X, y, np.ones(200)), np.zeros(200, dtype=bool), 0) == 0


def test_a_class_of_one_row_does_not_keep_the_others_from_being_tuned(X, code):
    rare = np.where(np.arange(200) == 7, 3, code)
    task = Task("classes", 200, n_classes=4, exchangeable=True)
    points = points_of(task, gamma_scale=(30.0, 1.0), C=(0.125, 10.0))
    assert tune(task, points, Rows(X, rare, np.ones(200)), np.zeros(200, dtype=bool), 0) == 1


def test_every_beginning_of_the_order_has_its_share_of_every_class():
    code = np.repeat([0, 1, 2], [600, 300, 100])
    order = dealt_out(code, 0)
    assert sorted(order) == list(range(1000))
    for n in (100, 250, 700):
        np.testing.assert_allclose(np.bincount(code[order[:n]]), n * np.array([0.6, 0.3, 0.1]), atol=1.01)


def test_many_rows_are_left_to_others_with_the_reason():
    assert FAMILY.why_not(Task("mean", MOST_ROWS)) is None
    assert FAMILY.why_not(Task("mean", MOST_ROWS + 1)) == (
        "takes up to 100,000 training rows, as each takes 24 kB, but there are 100,001: kernel is its like for more"
    )
