"""Linear quantile regression is as good as the linear program's own solution, and knows how good that is."""

import numpy as np
import pytest
from sklearn.linear_model import QuantileRegressor

from piste.numeric.quantile import GAP, GAP_FLOOR, Lines, fit_lines, pinball

LEVELS = (0.05, 0.5, 0.9)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 5))
HOT = np.eye(4)[RNG.integers(0, 4, 400)]  # its columns sum to the intercept's
ONES = np.ones(400)
COUNTS = RNG.poisson(np.exp(X[:, 0] + HOT @ np.array([-2.0, -1.0, 0.0, 1.5]))).astype(float)
SPREAD = RNG.normal(size=400) * np.exp(X[:, 0] / 2)

TABLES = {
    "uneven noise": (X, X @ np.arange(5) + SPREAD, ONES),
    "heavy tails": (X, RNG.standard_cauchy(400), ONES),
    "ties": (np.round(X), np.round(X[:, 0] + SPREAD), ONES),
    "counts, 54 % zeros, collinear one-hot columns, some weights 0": (np.column_stack([X, HOT]), COUNTS, RNG.integers(0, 4, 400) * 1.0),
    "nearly all zeros": (X, (RNG.random(400) < 0.03) * 1.0, ONES),
    "columns twice, one without variance": (np.column_stack([X, X, ONES]), X[:, 0] + SPREAD, RNG.uniform(0.2, 3, 400)),
    "weights over nine orders of magnitude": (X, COUNTS, 10.0 ** RNG.uniform(-6, 3, 400)),
    "almost as many columns as rows": (RNG.normal(size=(60, 50)), RNG.normal(size=60), np.ones(60)),
    "a far-off unit": (X, 1e9 + 1e6 * (X[:, 1] + SPREAD), ONES),
}


def mean_loss(y, predicted, weight):
    return np.average(pinball(y, predicted, LEVELS), axis=0, weights=weight)


@pytest.mark.parametrize("name", TABLES)
def test_its_pinball_loss_is_that_of_the_linear_program(name):
    rows, y, weight = TABLES[name]
    program = np.column_stack([QuantileRegressor(quantile=at, alpha=0).fit(rows, y, sample_weight=weight).predict(rows) for at in LEVELS])
    lines = fit_lines(rows, y, weight, LEVELS, 0.0)
    assert lines.closed
    np.testing.assert_allclose(mean_loss(y, lines(rows), weight), mean_loss(y, program, weight), rtol=1e-5)


@pytest.mark.parametrize("alpha", [1e-6, 1e-3, 10.0])
@pytest.mark.parametrize("name", TABLES)
def test_the_gap_that_it_reports_is_as_small_as_it_promises(name, alpha):
    rows, y, weight = TABLES[name]
    lines = fit_lines(rows, y, weight, LEVELS, alpha)
    assert lines.closed
    assert (lines.gap <= (GAP + GAP_FLOOR) * np.sqrt(np.cov(y, aweights=weight, ddof=0))).all()  # no loss here is above the spread


def test_the_penalty_is_half_the_squared_coefficients_beside_the_loss_of_the_standardised_target():
    """Against a general optimiser, started at the answer: there is nothing lower nearby."""
    from scipy.optimize import minimize

    y, alpha = X @ np.arange(5) + SPREAD, 0.1
    spread = y.std()
    lines = fit_lines(X, y, ONES, (0.9,), alpha)

    def penalised(beta):
        return pinball(y / spread, (beta[0] + X @ beta[1:])[:, None], (0.9,)).mean() + alpha / 2 * beta[1:] @ beta[1:]

    found = np.concatenate([lines.intercept, lines.coef[0]]) / spread
    elsewhere = minimize(penalised, found, method="Powell", options={"xtol": 1e-8, "ftol": 1e-12})
    assert elsewhere.fun > penalised(found) - 1e-6
    assert penalised(found) < penalised(found * 1.01)
    assert penalised(found) < penalised(found * 0.99)


def test_a_strong_penalty_leaves_the_quantiles_of_the_target():
    lines = fit_lines(X, COUNTS, ONES, LEVELS, 1e6)
    np.testing.assert_allclose(lines(X), np.tile(np.quantile(COUNTS, LEVELS), (400, 1)), atol=1e-4)


def test_without_columns_the_quantiles_are_those_of_the_rows():
    np.testing.assert_allclose(fit_lines(X[:, :0], SPREAD, ONES, (0.5,), 0.0).intercept, np.median(SPREAD), atol=0.01)


def test_a_share_of_the_rows_is_below_each_line():
    lines = fit_lines(X, TABLES["uneven noise"][1], ONES, LEVELS, 0.0)
    below = (TABLES["uneven noise"][1][:, None] < lines(X)).mean(axis=0)
    np.testing.assert_allclose(below, LEVELS, atol=6 / 400)  # each of the six coefficients may hold one row on its line


def test_a_unit_changes_nothing_but_the_unit():
    one, other = (fit_lines(X, scale * SPREAD + shift, ONES, LEVELS, 0.01) for scale, shift in ((1.0, 0.0), (1e3, 5e4)))
    np.testing.assert_allclose(other(X), 1e3 * one(X) + 5e4, rtol=1e-6)


def test_a_double_weight_is_a_double_row():
    times = RNG.integers(0, 3, 400)
    weighted = fit_lines(X, SPREAD, times * 1.0, LEVELS, 0.01)
    repeated = fit_lines(np.repeat(X, times, axis=0), np.repeat(SPREAD, times), np.ones(times.sum()), LEVELS, 0.01)
    np.testing.assert_allclose(weighted(X), repeated(X), atol=1e-4)


@pytest.mark.parametrize("y", [np.full(400, 7.0), 3 + X @ np.arange(5)], ids=["constant", "on a line"])
def test_a_target_without_noise_is_met(y):
    lines = fit_lines(X, y, ONES, LEVELS, 0.0)
    assert lines.closed
    np.testing.assert_allclose(lines(X), np.tile(y[:, None], (1, 3)), atol=1e-6)


@pytest.mark.parametrize("seed", [*range(40), 384, 1051, 1644, 2166])  # the last four: where longer steps went in circles
def test_odd_tables_are_solved_to_a_millionth_of_the_spread(seed):
    """Few rows of many columns, of two or three values or with wild ones, for targets of one value, two, or a long tail."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(2, 60), rng.integers(0, 40)
    rows = [rng.normal(size=(n, p)), (rng.random((n, p)) < 0.1) * 1.0, rng.standard_cauchy((n, p))][seed % 3]
    y = [rng.poisson(0.3, n) * 1.0, np.exp(3 * rng.normal(size=n)), rng.integers(0, 2, n) * 1.0, rng.standard_cauchy(n)][seed % 4]
    lines = fit_lines(rows, y, rng.integers(1, 3, n) * 1.0, (0.001, 0.05, 0.5, 0.75, 0.99), 10.0 ** -(seed % 6))
    assert lines.gap.max() <= 1e-6 * y.std()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_handful_of_rows_is_enough(n):
    lines = fit_lines(X[:n], SPREAD[:n], ONES[:n], LEVELS, 1e-3)
    assert lines.closed
    assert np.isfinite(lines(X)).all()


def test_what_is_not_solved_says_so(monkeypatch):
    monkeypatch.setattr("piste.numeric.quantile.MOST_STEPS", 2)
    lines = fit_lines(X, SPREAD, ONES, LEVELS, 0.0)
    assert isinstance(lines, Lines)
    assert not lines.closed
    assert lines.gap.max() > 1e-3


def test_rows_are_left_as_they_were():
    arrays = (X.copy(), SPREAD.copy(), ONES.copy())
    for array in arrays:
        array.flags.writeable = False  # whoever writes, raises
    fit_lines(*arrays, LEVELS, 0.01)


def test_the_pinball_loss_is_scikit_learns():
    from sklearn.metrics import mean_pinball_loss

    predicted = np.column_stack([SPREAD, COUNTS, X[:, 0]])
    expected = [mean_pinball_loss(X[:, 1], column, alpha=level) for column, level in zip(predicted.T, LEVELS, strict=True)]
    np.testing.assert_allclose(pinball(X[:, 1], predicted, LEVELS).mean(axis=0), expected)
