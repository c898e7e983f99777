"""Linear models are scikit-learn's and the algebra's, and their penalty means the same on any number of rows."""

import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.families.linear import FAMILY


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 5))
    X[:, 4] = X[:, 0] - 2 * X[:, 1]  # as one-hot columns and their sums are
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X, 50 + X @ [3.0, -2.0, 0.0, 1.0, 0.5] + rng.normal(size=80)


def fitted(kind, params, X, y, *, weight=None, n_train=None, n_classes=0):
    rows = Rows(X, y, np.ones(len(y)) if weight is None else weight)
    return FAMILY.fit(Task(kind, n_train or len(y), n_classes), params, rows, np.zeros(len(y), dtype=bool), 0)


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
    np.testing.assert_allclose(found.predict(X), y.mean() + y.std() * plain.predict(X), rtol=1e-9)


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
    np.testing.assert_allclose(weighted.predict(X), doubled.predict(X), rtol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_is_scikit_learns(rows, n_classes):
    from sklearn.linear_model import LogisticRegression

    X, y = rows
    labels = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    found = fitted("classes", {"C": 2.0, "class_weight": "balanced"}, X, labels, n_classes=n_classes)
    plain = LogisticRegression(C=2.0, class_weight="balanced", solver="newton-cg", tol=1e-12, max_iter=10_000).fit(X, labels)
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


LEVELS = (0.1, 0.5, 0.9)
ASKED = Task("quantiles", 200, levels=LEVELS)


@pytest.fixture
def uneven():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    return Rows(X, 50 + X @ np.array([3.0, -1.0, 0.0, 2.0]) + np.exp(X[:, 0]) * rng.normal(size=200), rng.uniform(0.5, 2, 200))


def quantile_lines(rows, alpha=1e-4, task=ASKED):
    return FAMILY.fit(task, {"alpha": alpha}, rows, np.zeros(len(rows.y), dtype=bool), 0)


def test_quantiles_are_scikit_learns_at_each_level(uneven):
    from sklearn.linear_model import QuantileRegressor

    found = quantile_lines(uneven, 1e-9).predict(uneven.X)
    for number, level in enumerate(LEVELS):
        plain = QuantileRegressor(quantile=level, alpha=0).fit(uneven.X, uneven.y, sample_weight=uneven.sample_weight)
        np.testing.assert_allclose(found[:, number], plain.predict(uneven.X), atol=1e-3)


def test_quantiles_are_stored_without_code_of_ours(uneven):
    from skops.io import dumps, get_untrusted_types, loads

    model = quantile_lines(uneven)
    stored = dumps(model)
    assert not [name for name in get_untrusted_types(data=stored) if name.startswith("piste")]
    np.testing.assert_array_equal(loads(stored).predict(uneven.X), model.predict(uneven.X))


def test_a_pinball_loss_that_is_not_the_smallest_is_told(uneven, monkeypatch):
    from sklearn.exceptions import ConvergenceWarning

    monkeypatch.setattr("piste.numeric.quantile.MOST_STEPS", 1)
    with pytest.warns(ConvergenceWarning, match="above the smallest"):
        quantile_lines(uneven)


def test_quantile_regression_says_its_name_and_penalty():
    assert FAMILY.words(ASKED, {"alpha": 0.001}) == "Quantile regression (ridge, alpha 0.001, target standardised)"


@pytest.mark.parametrize("penalty", ["none", "ridge", "elastic_net"])
def test_several_numbers_at_once_are_each_as_alone(uneven, penalty):
    both = np.column_stack([uneven.y, 1e6 * np.sin(uneven.X[:, 1]) + uneven.X[:, 2]])
    params = {"penalty": penalty, "alpha": 0.01, "l1_ratio": 0.5}
    nobody = np.zeros(200, dtype=bool)
    found = FAMILY.fit(Task("mean", 200, n_outputs=2), params, Rows(uneven.X, both, uneven.sample_weight), nobody, 0).predict(uneven.X)
    for number in range(2):
        alone = FAMILY.fit(Task("mean", 200), params, Rows(uneven.X, both[:, number], uneven.sample_weight), nobody, 0)
        np.testing.assert_allclose(found[:, number], alone.predict(uneven.X), rtol=1e-6)
