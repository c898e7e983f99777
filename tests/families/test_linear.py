"""Linear models are scikit-learn's and the algebra's, and their penalty means the same on any number of rows."""

import numpy as np
import pytest

from piste.core.family import Task
from piste.families.linear import FAMILY


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5))
    X[:, 4] = X[:, 0] - 2 * X[:, 1]  # as one-hot columns and their sums are
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X, 50 + X @ [3.0, -2.0, 0.0, 1.0, 0.5] + rng.normal(size=80)


def fitted(kind, params, X, y, *, weight=None, n_train=None, n_classes=0):
    model = FAMILY.build(Task(kind, n_train or len(y), n_classes), params, 0)
    return model.fit(X, y, sample_weight=np.ones(len(y)) if weight is None else weight)


def test_least_squares_of_collinear_columns_is_the_pseudo_inverse(rows):
    X, y = rows
    found = fitted("mean", {"penalty": "none"}, X, y)
    coefficients = np.linalg.pinv(X) @ (y - y.mean())
    np.testing.assert_allclose(found.coef_, coefficients, atol=1e-9)
    np.testing.assert_allclose(found.predict(X), y.mean() + X @ coefficients, atol=1e-9)


def test_ridge_solves_its_normal_equations_with_alpha_times_the_rows(rows):
    X, y = rows
    found = fitted("mean", {"penalty": "ridge", "alpha": 0.3}, X, y)
    coefficients = np.linalg.solve(X.T @ X + 0.3 * len(y) * np.eye(5), X.T @ (y - y.mean()))
    np.testing.assert_allclose(found.coef_, coefficients, atol=1e-9)
    assert found.alpha == pytest.approx(24)
    assert FAMILY.describe(Task("mean", len(y)), {"penalty": "ridge", "alpha": 0.3}) == "ridge, alpha 24"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("mean", {"penalty": "ridge", "alpha": 0.1}),
        ("mean", {"penalty": "elastic_net", "alpha": 0.1, "l1_ratio": 0.5}),
        ("distribution", {"alpha": 0.1}),
    ],
)
def test_alpha_means_the_same_on_twice_the_rows(rows, kind, params):
    X, y = rows
    y = np.round(y - y.min()) if kind == "distribution" else y
    once, twice = fitted(kind, params, X, y), fitted(kind, params, np.tile(X, (2, 1)), np.tile(y, 2))
    np.testing.assert_allclose(once.predict(X), twice.predict(X), rtol=1e-6)


def test_elastic_net_is_scikit_learns_on_the_standardised_target(rows):
    from sklearn.linear_model import ElasticNet

    X, y = rows
    found = fitted("mean", {"penalty": "elastic_net", "alpha": 0.05, "l1_ratio": 0.7}, X, y)
    plain = ElasticNet(alpha=0.05, l1_ratio=0.7, tol=1e-12, max_iter=100_000).fit(X, (y - y.mean()) / y.std())
    np.testing.assert_allclose(found.predict(X), y.mean() + y.std() * plain.predict(X), rtol=1e-4)


def test_elastic_net_does_not_depend_on_the_unit_of_the_target(rows):
    X, y = rows
    params = {"penalty": "elastic_net", "alpha": 0.05, "l1_ratio": 0.7}
    euros, cents = fitted("mean", params, X, y), fitted("mean", params, X, 100 * y)
    np.testing.assert_allclose(cents.predict(X), 100 * euros.predict(X), rtol=1e-9)


def test_elastic_net_weighs_rows(rows):
    X, y = rows
    params = {"penalty": "elastic_net", "alpha": 0.01, "l1_ratio": 0.5}
    twice = np.tile([1.0, 2.0], 40)
    weighted, doubled = (
        fitted("mean", params, X, y, weight=twice),
        fitted("mean", params, np.repeat(X, [1, 2] * 40, 0), np.repeat(y, [1, 2] * 40)),
    )
    np.testing.assert_allclose(weighted.predict(X), doubled.predict(X), rtol=1e-3)  # the target's deviation is taken unweighted


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_is_scikit_learns(rows, n_classes):
    from sklearn.linear_model import LogisticRegression

    X, y = rows
    labels = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    found = fitted("classes", {"C": 2.0, "class_weight": "balanced"}, X, labels, n_classes=n_classes)
    plain = LogisticRegression(C=2.0, class_weight="balanced").fit(X, labels)
    np.testing.assert_allclose(found.predict_proba(X), plain.predict_proba(X), atol=1e-9)


def test_a_poisson_fit_sets_its_score_to_zero(rows):
    """The gradient of the penalised mean deviance vanishes: sum (y - mu) x = n alpha w, and the totals agree."""
    X, _ = rows
    y = np.random.default_rng(1).poisson(np.exp(1 + 0.5 * X[:, 0])).astype(float)
    found = fitted("distribution", {"alpha": 0.01}, X, y)
    surplus = y - np.exp(found.intercept_ + X @ found.coef_)
    np.testing.assert_allclose(X.T @ surplus / len(y), 0.01 * found.coef_, atol=1e-6)
    assert surplus.sum() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("alpha", [1e-4, 1e1])
@pytest.mark.parametrize("l1_ratio", [0.1, 1.0])
def test_elastic_net_converges_at_the_ends_of_its_space(alpha, l1_ratio):
    """On the columns where coordinate descent is slowest: twins."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    X = np.column_stack([X, X[:, 2] + 1e-3 * X[:, 3]])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    fitted("mean", {"penalty": "elastic_net", "alpha": alpha, "l1_ratio": l1_ratio}, X, y)  # a warning is an error


@pytest.mark.parametrize("C", [1e-4, 1e4])
def test_logistic_regression_converges_at_the_ends_of_its_space(C):
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    X = (X[:, X.std(axis=0) > 0] - X.mean(axis=0)[X.std(axis=0) > 0]) / X.std(axis=0)[X.std(axis=0) > 0]
    fitted("classes", {"C": C, "class_weight": None}, X, y, n_classes=10)


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("mean", {"penalty": "elastic_net", "alpha": 0.01, "l1_ratio": 1}, "Linear regression (lasso, alpha 0.01, target standardised)"),
        ("mean", {"penalty": "none"}, "Linear regression (least squares)"),
        ("distribution", {"alpha": 0.001}, "Poisson regression (alpha 0.001)"),
        ("classes", {"C": 10.0, "class_weight": "balanced"}, "Logistic regression (C 10, balanced classes)"),
    ],
)
def test_a_row_says_which_model_it_is(kind, params, said):
    assert FAMILY.words(Task(kind, 100, 2), params) == said
