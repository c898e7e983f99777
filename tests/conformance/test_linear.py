"""The linear family's shortcut gives the plain loop's predictions on rows that are hard on linear algebra."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.core.model import predict
from piste.core.search import live
from piste.families.linear import FAMILY

TASKS = [("mean", 1), ("mean", 2), ("distribution", 1), ("two classes", 1), ("three classes", 1), ("quantiles", 1)]


def plain(rng):
    X = rng.normal(size=(90, 4))
    return X, np.ones(90)


def weighted(rng):
    return rng.normal(size=(90, 4)), rng.uniform(0.2, 5.0, 90)


def weighted_alike(rng):
    return rng.normal(size=(90, 4)), np.full(90, 2.5)


def weighted_by_nothing(rng):
    """A third of the rows count for nothing."""
    return rng.normal(size=(90, 4)), np.where(rng.random(90) < 1 / 3, 0.0, rng.uniform(0.5, 2.0, 90))


def missing_and_marked(rng):
    """Missing numbers filled with the median, and a column that marks them, of which one is rare."""
    X = rng.normal(size=(90, 4))
    missing = rng.random((90, 2)) < [0.3, 0.02]
    missing[0, 1] = True
    X[:, :2] = np.where(missing, np.median(X[:, :2], axis=0), X[:, :2])
    return standardised(np.column_stack([X, missing])), np.ones(90)


def twins(rng):
    """A column twice, one that is the sum of others, and one that is nearly another."""
    X = rng.normal(size=(90, 4))
    return standardised(np.column_stack([X, X[:, 0], X[:, 1] - X[:, 2], X[:, 3] + 1e-3 * rng.normal(size=90)])), np.ones(90)


def one_hot(rng):
    """Every level of two categories, so that each set of columns sums to a constant."""
    codes = rng.integers(0, 3, (90, 2))
    hot = (codes[:, :, None] == np.arange(3)).reshape(90, 6)
    return standardised(np.column_stack([rng.normal(size=90), hot])), np.ones(90)


def constant_columns(rng):
    X = rng.normal(size=(90, 4))
    return np.column_stack([X, np.zeros(90), np.zeros(90)]), np.ones(90)


def far_off(rng):
    """Columns whose mean is a thousand deviations from 0."""
    return rng.normal([1000.0, -1000.0, 0.0, 5.0], size=(90, 4)), np.ones(90)


def fewer_rows_than_columns(rng):
    return rng.normal(size=(20, 30)), rng.uniform(0.5, 2.0, 20)


def a_handful(rng):
    return rng.normal(size=(4, 3)), np.ones(4)


SCENES = [
    plain,
    weighted,
    weighted_alike,
    weighted_by_nothing,
    missing_and_marked,
    twins,
    one_hot,
    constant_columns,
    far_off,
    fewer_rows_than_columns,
    a_handful,
]


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def made(scene, kind, n_outputs):
    """Return a task, rows to learn from, and rows of the same columns to predict."""
    rng = np.random.default_rng(0)
    X, weight = scene(rng)
    lean = X[:, :3] @ [1.0, -0.5, 0.25]
    lean = (lean - lean.mean()) / lean.std()
    if "classes" in kind:
        n_classes = 2 if kind == "two classes" else 3
        y = np.digitize(lean + 0.7 * rng.normal(size=len(X)), np.quantile(lean, np.arange(1, n_classes) / n_classes))
        y[:n_classes] = np.arange(n_classes)
        task = Task("classes", len(X), n_classes)
    else:
        y = rng.poisson(np.exp(1 + 0.5 * lean)) + (np.arange(len(X)) == 0.0) if kind == "distribution" else 50 + 10 * lean
        y = y + (0.0 if kind == "distribution" else 3 * rng.normal(size=len(X)))
        y = np.column_stack([y, 1e-3 * rng.normal(size=len(X)) + 1e-3 * X[:, 1]]) if n_outputs > 1 else y.astype(float)
        task = Task(kind, len(X), 0, (0.1, 0.5, 0.9) if kind == "quantiles" else (), n_outputs)
    return task, Rows(X, y, weight), X[::-2] + 0.1 * rng.normal(size=X[::-2].shape)


def points_of(task):
    """Return the default, every corner of the space, and a repeat of the first."""
    space = FAMILY.space(task)
    edges = {name: dimension.choices or (dimension.low, dimension.high) for name, dimension in space.items()}
    corners = [live(space, dict(zip(edges, each, strict=True))) for each in itertools.product(*map(dict.fromkeys, edges.values()))]
    default = live(space, {name: dimension.default for name, dimension in space.items()})
    return [default, *{tuple(sorted(corner.items(), key=str)): corner for corner in corners}.values(), default]


def one_at_a_time(task, points, rows, X):
    nobody = np.zeros(len(rows.y), dtype=bool)
    return [predict(task, FAMILY.fit(task, point, rows, nobody, 0), X) for point in points]


def all_at_once(task, points, rows, X):
    return [each.predictions[0] for each in FAMILY.fit_fold(task, points, rows, np.zeros(len(rows.y), dtype=bool), (X,), [0] * len(points))]


# Quantiles have no shortcut, and their interior point method wants columns of one scale.
PAIRS = [(scene, *task) for scene in SCENES for task in TASKS if (scene, task[0]) != (far_off, "quantiles")]


@pytest.mark.parametrize(("scene", "kind", "n_outputs"), PAIRS)
def test_all_points_at_once_predict_as_one_at_a_time(scene, kind, n_outputs):
    task, rows, X = made(scene, kind, n_outputs)
    points = points_of(task)
    size = np.abs(rows.y).max(axis=0)
    for point, found, expected in zip(points, all_at_once(task, points, rows, X), one_at_a_time(task, points, rows, X), strict=True):
        np.testing.assert_allclose(found / size, expected / size, rtol=1e-7, atol=1e-8, err_msg=str(point))


@pytest.mark.parametrize(("kind", "n_outputs"), TASKS)
def test_rows_of_weight_0_count_for_nothing(kind, n_outputs):
    task, rows, X = made(weighted_by_nothing, kind, n_outputs)
    points = points_of(task)
    wild = np.where((rows.sample_weight == 0).reshape(-1, *[1] * (rows.y.ndim - 1)), rows.y.max() if "classes" in kind else 1e6, rows.y)
    without = rows.take(rows.sample_weight > 0)
    spoilt = replace(rows, y=wild.astype(rows.y.dtype))
    for way in (all_at_once, one_at_a_time):
        for found, expected in zip(way(task, points, spoilt, X), way(task, points, without, X), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("kind", ["two classes", "three classes"])
def test_a_class_without_weight_is_not_there(kind):
    task, rows, X = made(plain, kind, 1)
    none = replace(rows, sample_weight=np.where(rows.y == 1, 0.0, 1.0))
    points = points_of(task)
    for way in (all_at_once, one_at_a_time):
        for found in way(task, points, none, X):
            assert not found[:, 1].any()
            np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_class_that_only_other_folds_have_gets_no_probability():
    task, rows, X = made(plain, "three classes", 1)
    some = rows.take(rows.y != 1)
    for found, expected in zip(*(way(task, points_of(task), some, X) for way in (all_at_once, one_at_a_time)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-8)
        assert not found[:, 1].any()


@pytest.mark.parametrize(("kind", "n_outputs"), [each for each in TASKS if "classes" not in each[0]])
def test_a_target_that_does_not_vary_is_predicted_as_it_is(kind, n_outputs):
    task, rows, X = made(plain, kind, n_outputs)
    still = replace(rows, y=np.full_like(rows.y, 7.0))
    for found in all_at_once(task, points_of(task), still, X):
        np.testing.assert_allclose(found, 7.0, rtol=1e-6)


def test_more_columns_than_the_shortcut_takes_are_fitted_plainly(monkeypatch):
    for kind, limit in (("mean", "MOST_NET_COLUMNS"), ("three classes", "MOST_COEFFICIENTS"), ("distribution", "MOST_COEFFICIENTS")):
        task, rows, X = made(plain, kind, 1)
        points = [point for point in points_of(task) if point.get("alpha") != 1e-4 and point.get("C") != 1e4]  # where they converge
        expected = all_at_once(task, points, rows, X)
        monkeypatch.setattr(f"piste.families.linear.{limit}", 1)
        for found, exact in zip(all_at_once(task, points, rows, X), expected, strict=True):
            np.testing.assert_allclose(found, exact, rtol=3e-3, atol=3e-3)
