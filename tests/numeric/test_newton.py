"""Penalised likelihoods have no slope left, and are scikit-learn's."""

import numpy as np
import pytest

from piste.numeric.newton import answers, fit_scores

PENALTIES = np.array([1e-6, 1e-2, 1e-4, 1.0, 1e2])


def rows(likelihood, seed=0, n=150, d=5, *, sharp=1.0):
    """Draw rows whose answers follow scores; `sharp`: how surely."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X = np.column_stack([X, X[:, 0], np.zeros(n)])
    scores = sharp * X @ rng.normal(size=(d + 2, {"logistic": 1, "softmax": 3, "poisson": 1}[likelihood]))
    if likelihood == "softmax":
        y = np.eye(3)[np.argmax(scores + rng.gumbel(size=scores.shape), axis=1)]
    elif likelihood == "logistic":
        y = (scores + rng.logistic(size=scores.shape) > 0).astype(float)
    else:
        y = rng.poisson(np.exp(np.minimum(scores, 6))).astype(float)
    return X, y, rng.uniform(0.0, 3.0, n)


@pytest.mark.parametrize("sharp", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("likelihood", ["logistic", "softmax", "poisson"])
def test_the_loss_has_no_slope_left(likelihood, sharp):
    for seed in range(5):
        X, y, weight = rows(likelihood, seed, sharp=sharp)
        fits = fit_scores(likelihood, X, y, weight, PENALTIES)
        assert fits.solved.all()
        for number, penalty in enumerate(PENALTIES):
            surplus = answers(likelihood, X @ fits.coef[number] + fits.intercept[number]) - y
            slope = (weight / weight.sum() * surplus.T) @ X + penalty * fits.coef[number].T
            scale = max(1.0, y.mean())
            np.testing.assert_allclose(slope, 0, atol=1e-9 * scale)
            np.testing.assert_allclose(weight @ surplus / weight.sum(), 0, atol=1e-9 * scale)


@pytest.mark.parametrize("likelihood", ["logistic", "softmax"])
def test_probabilities_are_scikit_learns(likelihood):
    from sklearn.linear_model import LogisticRegression

    X, y, weight = rows(likelihood)
    labels = y.argmax(axis=1) if likelihood == "softmax" else y[:, 0]
    fits = fit_scores(likelihood, X, y, weight, PENALTIES)
    for number, penalty in enumerate(PENALTIES):
        plain = LogisticRegression(C=1 / (penalty * weight.sum()), solver="newton-cg", tol=1e-10, max_iter=10_000)
        expected = plain.fit(X, labels, sample_weight=weight).predict_proba(X)
        found = answers(likelihood, fits.scores(X)[number])
        np.testing.assert_allclose(found, expected if likelihood == "softmax" else expected[:, 1:], atol=1e-6)


def test_means_of_counts_are_scikit_learns():
    from sklearn.linear_model import PoissonRegressor

    X, y, weight = rows("poisson")
    fits = fit_scores("poisson", X, y, weight, PENALTIES)
    for number, penalty in enumerate(PENALTIES):
        plain = PoissonRegressor(alpha=penalty, solver="newton-cholesky", tol=1e-10).fit(X, y[:, 0], sample_weight=weight)
        np.testing.assert_allclose(answers("poisson", fits.scores(X)[number])[:, 0], plain.predict(X), rtol=1e-6)


def test_classes_that_a_plane_parts_are_fitted():
    X = np.linspace(-1, 1, 40)[:, None]
    fits = fit_scores("logistic", X, (X > 0).astype(float), np.ones(40), PENALTIES)
    assert fits.solved.all()
    assert (np.diff(fits.coef[np.argsort(PENALTIES), 0, 0]) < 0).all()  # the weaker the penalty, the steeper


def test_coefficients_of_classes_sum_to_0():
    X, y, weight = rows("softmax")
    np.testing.assert_allclose(fit_scores("softmax", X, y, weight, PENALTIES).coef.sum(axis=2), 0, atol=1e-9)


@pytest.mark.parametrize("likelihood", ["logistic", "softmax", "poisson"])
def test_rows_in_several_batches_of_problems_give_the_same(likelihood, monkeypatch):
    X, y, weight = rows(likelihood)
    whole = fit_scores(likelihood, X, y, weight, PENALTIES)
    monkeypatch.setattr("piste.numeric.newton.MOST_SCORES", 2 * y.size)
    monkeypatch.setattr("piste.numeric.newton.MOST_PRODUCTS", 0)
    batched = fit_scores(likelihood, X, y, weight, PENALTIES)
    np.testing.assert_allclose(answers(likelihood, batched.scores(X)), answers(likelihood, whole.scores(X)), rtol=1e-7, atol=1e-9)


def test_what_is_not_solved_in_time_is_told(monkeypatch):
    monkeypatch.setattr("piste.numeric.newton.MOST_STEPS", 1)
    X, y, weight = rows("logistic")
    assert not fit_scores("logistic", X, y, weight, PENALTIES).solved.all()
