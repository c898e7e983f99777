"""Kernel ridge regression is scikit-learn's, with leave-one-out scores that leave one out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.core.model import predict
from piste.core.problem import Entry
from piste.core.search import _wrong, settings
from piste.families.kernel import (
    CALIBRATION_ROWS,
    EXACT_ROWS,
    FAMILY,
    GAMMA_SCALES,
    Lesson,
    build,
    describe,
    fit,
    left_out_scores,
    restore,
    state,
)
from piste.numeric.kernel import rbf, scaled_gamma
from piste.numeric.kernel_path import MANY, kernel_path

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


@pytest.mark.parametrize("n_alphas", [1, MANY])
def test_a_row_left_out_is_scored_as_by_a_fit_without_it(n_alphas, X, code, weight):
    lesson = Lesson.of(THREE, X, code, weight, None)
    models = [build(THREE, PARAMS | {"alpha": alpha}, 0) for alpha in np.geomspace(0.3, 3, n_alphas)]
    kernel = rbf(X, X, scaled_gamma(X, 1.0))
    root = np.sqrt(lesson.weight)
    centre = np.average(lesson.targets, axis=0, weights=lesson.weight)
    rooted = np.hstack([(lesson.targets - centre) * root[:, None], root[:, None]])
    alphas = np.array([model.alpha for model in models])
    path = kernel_path(kernel * root[:, None] * root, rooted, alphas, "each")
    for alpha, residuals in zip(alphas, path.residuals, strict=True):
        scores = left_out_scores(lesson, centre, residuals)
        for row in (0, 77):
            rest = np.arange(150) != row
            matrix = kernel[np.ix_(rest, rest)] * root[rest, None] * root[rest] + alpha * np.eye(149)
            coef = root[rest, None] * np.linalg.solve(matrix, (lesson.targets - centre)[rest] * root[rest, None])
            np.testing.assert_allclose(scores[row], kernel[row, rest] @ coef + centre, atol=1e-9)


def test_rows_set_aside_are_scored_as_by_a_fit_without_them():
    rng = np.random.default_rng(3)
    X, weight, held = rng.normal(size=(700, 3)), rng.uniform(0.5, 2, 700), rng.random(700) < 0.6
    code = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)
    lesson = Lesson.of(Task("classes", 700, n_classes=2), X, code, weight, held)
    assert lesson.left_out == held.sum()
    gamma, root = scaled_gamma(X, 1.0), np.sqrt(lesson.weight)
    centre = np.average(lesson.targets, axis=0, weights=lesson.weight)
    rooted = np.hstack([(lesson.targets - centre) * root[:, None], root[:, None]])
    K = rbf(lesson.X, lesson.X, gamma) * root[:, None] * root
    scores = left_out_scores(lesson, centre, kernel_path(K, rooted, np.array([0.3]), lesson.left_out).residuals[0])
    w = weight[~held] / weight.mean()
    own = np.average(np.eye(2)[code[~held]], axis=0, weights=w)
    matrix = rbf(X[~held], X[~held], gamma) + 0.3 * np.diag(1 / w)
    expected = rbf(X[held], X[~held], gamma) @ np.linalg.solve(matrix, np.eye(2)[code[~held]] - own) + own
    np.testing.assert_allclose(scores, expected, atol=1e-9)


@pytest.mark.parametrize("held_share", [0.0, 0.4], ids=["leave-one-out", "set-aside"])
@pytest.mark.parametrize("n_train", [700, EXACT_ROWS + 1], ids=["exact", "nystroem"])
@pytest.mark.parametrize("kind", ["mean", "classes", "several"])
def test_all_candidates_of_a_fold_at_once_are_as_one_by_one(kind, n_train, held_share):
    rng = np.random.default_rng(3)
    X, new = rng.normal(size=(700, 4)), rng.normal(size=(50, 4))
    y = 50 + 10 * np.sin(2 * X[:, 0]) + X[:, 1] + rng.normal(size=700)
    if kind == "classes":
        y = 2 * (y > 50) + (y > 55)  # of four classes one has no row
    task = Task("classes" if kind == "classes" else "mean", n_train, n_classes=4 if kind == "classes" else 0)
    if kind == "several":
        y, task = np.column_stack([y, X[:, 2] ** 2]), replace(task, n_outputs=2)
    weight = rng.uniform(0.5, 2, 700) * (rng.random(700) < 0.9)
    train, stop = Rows(X, y, weight), rng.random(700) < held_share
    points = [{"alpha": float(a), "gamma_scale": g} for a in np.geomspace(1e-4, 10, MANY + 1) for g in (0.25, 1.0)]
    points.append({"alpha": 0.1, "gamma_scale": 4.0})
    found = FAMILY.fit_fold(task, points, train, stop, (new, X[:3]), range(len(points)))
    for number, point in enumerate(points):
        model = fit(task, point, train, stop, number)
        for predicted, rows in zip(found[number].predictions, (new, X[:3]), strict=True):
            np.testing.assert_allclose(predicted, predict(task, model, rows), rtol=1e-8, atol=1e-8)


def test_rows_without_weight_count_for_nothing(X, code, weight):
    none = np.arange(150) % 5 == 0
    stop = np.arange(150) > 100
    params = PARAMS | {"alpha": 0.01}
    weighted = fit(THREE, params, Rows(X, code, np.where(none, 0.0, weight)), stop, 0)
    without = fit(THREE, params, Rows(X, code, weight).take(~none), stop[~none], 0)
    np.testing.assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_equal_weights_are_as_none(X, y):
    np.testing.assert_array_equal(
        build(MEAN, PARAMS, 0).fit(X, y, np.full(150, 4.0)).predict(X), build(MEAN, PARAMS, 0).fit(X, y).predict(X)
    )


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


def test_any_width_may_be_written_though_few_are_drawn():
    space = FAMILY.space(MEAN)
    drawn = settings(space, Entry.model_construct(name="kernel", family="kernel", params={}), 40, 0)
    assert {point["gamma_scale"] for point in drawn} == set(GAMMA_SCALES)
    assert _wrong(space["gamma_scale"], 0.7) is None
    assert _wrong(space["gamma_scale"], -1.0) == "must be above 0, but is -1.0"
