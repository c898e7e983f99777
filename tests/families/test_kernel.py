"""Kernel ridge regression is scikit-learn's, with leave-one-out scores that leave one out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.families.kernel import CALIBRATION_ROWS, EXACT_ROWS, FAMILY, build, describe, fit, restore, state
from piste.numeric.kernel import rbf, scaled_gamma

MEAN = Task("mean", 150)
THREE = Task("classes", 150, n_classes=3)
LARGE = {"mean": Task("mean", EXACT_ROWS + 1), "classes": Task("classes", EXACT_ROWS + 1, n_classes=3)}
PARAMS = {"alpha": 0.3, "gamma_scale": 1.0}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(150, 3))


@pytest.fixture(scope="module")
def y(X):
    return 50 + 10 * np.sin(2 * X[:, 0]) + np.random.default_rng(1).normal(size=150)


@pytest.fixture(scope="module")
def code(X):
    return np.digitize(np.hypot(X[:, 0], X[:, 1]), [0.9, 1.4])


@pytest.fixture(scope="module")
def weight():
    weight = np.random.default_rng(2).uniform(0.5, 2, 150)
    return weight / weight.mean()


def test_the_exact_solution_is_scikit_learns(X, y, weight):
    from sklearn.kernel_ridge import KernelRidge

    mean = np.average(y, weights=weight)
    theirs = KernelRidge(alpha=0.3, kernel="rbf", gamma=scaled_gamma(X, 1.0)).fit(X, y - mean, sample_weight=weight).predict(X) + mean
    np.testing.assert_allclose(build(MEAN, PARAMS, 0).fit(X, y, weight).predict(X), theirs, rtol=1e-8)


@pytest.mark.parametrize("kind", ["mean", "classes"])
def test_nystroem_features_come_close_to_the_kernel_and_are_named(kind, X, y, code):
    exact = MEAN if kind == "mean" else THREE
    target = y if kind == "mean" else code
    small, large = (build(task, PARAMS, 0).fit(X, target).function_(X) for task in (exact, LARGE[kind]))
    np.testing.assert_allclose(small, large, atol=1e-4 * target.std())  # every row is a landmark here
    assert "on 625 Nystroem features" in describe(LARGE[kind], PARAMS)
    assert "Nystroem" not in describe(exact, PARAMS)


@pytest.mark.parametrize("task", [THREE, LARGE["classes"]], ids=["exact", "nystroem"])
def test_a_row_left_out_is_scored_as_by_a_fit_without_it(task, X, code, weight):
    targets = np.eye(3)[code]
    _, left_out = build(task, PARAMS, 0)._solve(X, targets, weight)
    centre, root, kernel = np.average(targets, axis=0, weights=weight), np.sqrt(weight), rbf(X, X, scaled_gamma(X, 1.0))
    for row in (0, 77):
        rest = np.delete(np.arange(150), row)
        system = kernel[np.ix_(rest, rest)] * np.outer(root[rest], root[rest]) + PARAMS["alpha"] * np.eye(149)
        coef = np.linalg.solve(system, (targets - centre)[rest] * root[rest, None]) * root[rest, None]
        np.testing.assert_allclose(left_out()[row], kernel[row, rest] @ coef + centre, atol=1e-6)


def test_memory_is_not_taken_for_knowledge(X, code):
    noise = np.random.default_rng(5).permutation(code > 0).astype(int)
    task = Task("classes", 150, n_classes=2)
    model = build(task, {"alpha": 1e-3, "gamma_scale": 30.0}, 0).fit(X, noise)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], noise.mean(), atol=0.1)


def test_probabilities_are_calibrated_on_the_rows_set_aside_where_they_are_many():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 2))
    held = np.arange(900) % 3 == 0
    y = (X[:, 0] > 0).astype(int)
    y[held] = rng.integers(0, 2, held.sum())  # there the scores are worth nothing
    assert min(np.bincount(y[held])) > CALIBRATION_ROWS
    model = fit(Task("classes", 900, n_classes=2), PARAMS, Rows(X, y, np.ones(900)), held, 0)
    np.testing.assert_allclose(model.predict_proba(X), 0.5, atol=0.15)


def test_probabilities_find_the_classes(X, code):
    model = build(THREE, PARAMS, 0).fit(X, code)
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.mean(model.predict(X) == code) > 0.85


@pytest.mark.parametrize("task", [MEAN, THREE, LARGE["mean"], LARGE["classes"]], ids=str)
def test_a_kernel_ridge_kept_as_plain_values_predicts_the_same(task, X, y, code):
    model = build(task, PARAMS, 0).fit(X, y if task.kind == "mean" else code)
    kept = {
        name: np.array(value) if isinstance(value, np.ndarray) else json.loads(json.dumps(value)) for name, value in state(model).items()
    }
    np.testing.assert_array_equal(restore(kept).predict(X), model.predict(X))
    if task.kind == "classes":
        np.testing.assert_array_equal(restore(kept).predict_proba(X), model.predict_proba(X))


def test_it_says_its_kernel():
    assert describe(MEAN, {name: dimension.default for name, dimension in FAMILY.space(MEAN).items()}) == "RBF, alpha 0.3, gamma 1 x scale"


@pytest.mark.parametrize("n_train", [150, EXACT_ROWS + 1], ids=["exact", "nystroem"])
def test_several_numbers_at_once_are_each_as_alone(n_train, X, y, weight):
    both = np.column_stack([y, 1e6 * np.cos(X[:, 1])])
    model = build(Task("mean", n_train, n_outputs=2), PARAMS, 0).fit(X, both, weight)
    for number in range(2):
        alone = build(Task("mean", n_train), PARAMS, 0).fit(X, both[:, number], weight)
        np.testing.assert_allclose(model.predict(X)[:, number], alone.predict(X), rtol=1e-6)
    kept = json.loads(json.dumps({name: value for name, value in state(model).items() if not isinstance(value, np.ndarray)}))
    again = restore({name: value for name, value in state(model).items() if isinstance(value, np.ndarray)} | kept)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
