"""The perceptron is Rosenblatt's: a straight boundary, labels only, and it cannot learn XOR."""

import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.families.perceptron import FAMILY, Step


def fitted(X, y, *, every=5, n_classes=2, weight=None, class_weight=None):
    stop = np.arange(len(y)) % every == every - 1
    weight = np.ones(len(y)) if weight is None else weight
    return FAMILY.fit(Task("classes", len(y), n_classes), {"class_weight": class_weight}, Rows(X, y, weight), stop, 0), stop


@pytest.fixture
def apart():
    X = np.random.default_rng(0).normal(size=(200, 2))
    X = X[np.abs(X.sum(axis=1)) > 0.2]
    return X, (X.sum(axis=1) > 0).astype(int)


def test_it_separates_what_a_line_separates(apart):
    X, y = apart
    model, _ = fitted(X, y)
    assert (model.predict(X) == y).mean() > 0.97


def test_it_cannot_learn_xor():
    X = np.random.default_rng(0).uniform(-1, 1, size=(400, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model, _ = fitted(X, y)
    assert (model.predict(X) == y).mean() <= 0.75
    assert (model.predict_proba(X).argmax(axis=1) == y).mean() <= 0.75


@pytest.mark.parametrize("n_classes", [2, 3])
def test_its_labels_are_scikit_learns_on_the_rows_not_set_aside(n_classes):
    from sklearn.linear_model import Perceptron

    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    y = np.digitize(X[:, 0] + rng.normal(size=150) / 2, np.linspace(-0.5, 0.5, n_classes - 1))
    model, stop = fitted(X, y, n_classes=n_classes, class_weight="balanced")
    plain = Perceptron(class_weight="balanced", random_state=0).fit(X[~stop], y[~stop])
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))


def test_a_probability_is_the_smoothed_share_among_unseen_rows_with_the_same_label():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    y = (X[:, 0] + rng.normal(size=100) > 0.5).astype(int)
    model, stop = fitted(X, y)
    shares = np.bincount(y) / 100
    for label in (0, 1):
        unseen = y[stop & (model.predict(X) == label)]
        expected = (np.bincount(unseen, minlength=2) + 2 * shares) / (len(unseen) + 2)
        at = np.flatnonzero(model.predict(X) == label)[0]
        np.testing.assert_allclose(model.predict_proba(X[at : at + 1])[0], expected, atol=1e-12)


def test_a_class_that_only_unseen_rows_hold_has_a_probability(apart):
    X, y = apart
    y = y.copy()
    y[np.arange(len(y)) % 5 == 4] = 2
    model, _ = fitted(X, y, n_classes=3)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(X)[:, 2].min() > 0.5


def test_without_unseen_rows_every_label_says_the_class_shares(apart):
    X, y = apart
    model = Step(None, 0).fit(X, y, np.ones(len(y)))
    np.testing.assert_allclose(model.predict_proba(X), np.tile(np.bincount(y) / len(y), (len(y), 1)))


def test_weights_count_in_the_shares():
    X = np.tile([[-1.0], [1.0]], (50, 1))
    y = np.tile([0, 1], 50)
    flipped = np.arange(100) % 10 == 9  # among the rows set aside, the odd ones
    model, _ = fitted(X, np.where(flipped, 0, y), weight=np.where(flipped, 1e-9, 1.0))
    assert model.predict_proba(np.array([[1.0]]))[0, 1] < 0.6  # no unseen row of weight has this label
