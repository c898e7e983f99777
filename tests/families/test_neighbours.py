"""Neighbours answer as scikit-learn's, and vote with their sample weight."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from piste.core.family import Task
from piste.families.neighbours import FAMILY, MOST_ROWS, Neighbours


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    return X, X[:, 0] + rng.normal(size=150), np.concatenate([rng.normal(size=(40, 3)), X[:10]])


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("n_neighbors", [1, 7, 150])
def test_equal_weights_give_scikit_learns_answers(rows, weights, p, n_neighbors):
    X, y, new = rows
    labels = np.digitize(y, [-1.0, 1.0])
    number = Neighbours(n_neighbors, weights, p, classify=False).fit(X, y, np.ones(150))
    label = Neighbours(n_neighbors, weights, p, classify=True).fit(X, labels, np.ones(150))
    plain_number = KNeighborsRegressor(n_neighbors, weights=weights, p=p).fit(X, y)
    plain_label = KNeighborsClassifier(n_neighbors, weights=weights, p=p).fit(X, labels)
    np.testing.assert_allclose(number.predict(new), plain_number.predict(new), atol=1e-9)
    np.testing.assert_allclose(label.predict_proba(new), plain_label.predict_proba(new), atol=1e-9)
    np.testing.assert_array_equal(label.predict(new), plain_label.predict(new))


def test_a_neighbour_of_weight_three_has_three_votes():
    X, y = np.array([[0.0], [1.0]]), np.array([10.0, 20.0])
    model = Neighbours(2, "uniform", 2, classify=False).fit(X, y, np.array([3.0, 1.0]))
    assert model.predict(np.array([[0.5]])) == pytest.approx((3 * 10 + 20) / 4)


def test_a_row_of_weight_zero_is_nobodys_neighbour():
    X, y = np.array([[0.0], [1.0], [5.0]]), np.array([0, 1, 1])
    model = Neighbours(1, "distance", 2, classify=True).fit(X, y, np.array([0.0, 1.0, 1.0]))
    np.testing.assert_array_equal(model.predict_proba(np.array([[0.0]])), [[0.0, 1.0]])


def test_rows_without_any_weight_are_refused():
    with pytest.raises(ValueError, match="above 0"):
        Neighbours(1, "uniform", 2, classify=False).fit(np.zeros((3, 1)), np.zeros(3), np.zeros(3))


def test_more_neighbours_than_rows_are_all_rows():
    X, y = np.array([[0.0], [1.0]]), np.array([10.0, 20.0])
    assert Neighbours(50, "uniform", 2, classify=False).fit(X, y).predict(X).tolist() == [15.0, 15.0]


def test_a_row_says_whom_it_asked():
    assert (
        FAMILY.describe(Task("mean", 100), {"n_neighbors": 7, "weights": "distance", "p": 1}) == "7 nearest, closer counts more, Manhattan"
    )


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_several_numbers_are_scikit_learns(rows, weights):
    X, y, new = rows
    both = np.column_stack([y, 1e6 * X[:, 1]])
    model = Neighbours(7, weights, 2, classify=False).fit(X, both)
    np.testing.assert_allclose(model.predict(new), KNeighborsRegressor(7, weights=weights).fit(X, both).predict(new))
    np.testing.assert_array_equal(FAMILY.restore(FAMILY.state(model)).predict(new), model.predict(new))


def test_many_rows_are_left_to_others_with_the_reason():
    assert FAMILY.why_not(Task("mean", MOST_ROWS)) is None
    assert FAMILY.why_not(Task("mean", MOST_ROWS + 1)) == (
        "takes up to 200,000 training rows, as every new row is compared with each, but there are 200,001"
    )
