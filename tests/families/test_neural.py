"""Networks: as good as the model they contain, better where it bends, stopped before they learn noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from piste.core.family import Rows, Task
from piste.families.neural import FAMILY, batch_size, build, describe, fit, fit_fold, least_loss, restore, state, unfinished
from piste.numeric.quantile import fit_lines, pinball

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def params(task=None, **changed):
    task = task or Task("mean", 400)
    return {name: dimension.default for name, dimension in FAMILY.space(task).items()} | changed


def rows(X, y, weight=None):
    return Rows(X, y, np.ones(len(y)) if weight is None else weight)


def a_seventh(n):
    return np.arange(n) % 7 == 0


@pytest.fixture(scope="module")
def xor():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(1400, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    keep = np.abs(X).min(axis=1) > 0.05
    X, y = X[keep] / X.std(), y[keep]
    return X[:400], y[:400], X[400:], y[400:]


SMALL = {"depth": 1, "width": 16, "activation": "tanh", "dropout": 0.0, "members": 1, "steps": 2000}


def test_a_small_tanh_network_solves_xor(xor):
    X, y, X_new, y_new = xor
    task = Task("classes", 400, n_classes=2)
    model = build(task, params(task, encoding="plain", **SMALL), 0).fit(X, y, stop=a_seventh(400))
    assert np.mean(model.predict(X) == y) >= 0.99
    assert np.mean(model.predict(X_new) == y_new) >= 0.97


def test_a_network_with_linear_activations_cannot_solve_xor(xor):
    X, y, X_new, y_new = xor
    task = Task("classes", 400, n_classes=2)
    model = fit(task, params(task, encoding="plain", **(SMALL | {"activation": "linear", "depth": 3})), rows(X, y), a_seventh(400), 0)
    assert np.mean(model.predict(X_new) == y_new) < 0.75


@pytest.mark.parametrize("depth", [1, 3])
def test_a_network_with_linear_activations_is_least_squares(depth):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = 100 + 30 * X @ np.array([1.0, -2.0, 0.5, 0.0, 3.0]) + 40 * rng.normal(size=300)
    plain = params(
        encoding="plain", activation="linear", depth=depth, dropout=0.0, weight_decay=0.0, learning_rate=0.01, members=1, steps=4000
    )
    model = build(Task("mean", 300), plain, 0).fit(X, y)
    design = np.column_stack([np.ones(300), X])
    expected = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(model.predict(X), expected, atol=2e-3 * y.std())


def test_a_rate_is_the_poisson_regression_where_that_is_true():
    from sklearn.linear_model import PoissonRegressor

    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3))
    y = rng.poisson(np.exp(1 + X @ np.array([0.5, -0.3, 0.0]))).astype(float)
    plain = params(encoding="plain", activation="linear", dropout=0.0, weight_decay=0.0, members=1)
    model = build(Task("distribution", 2000), plain, 0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), PoissonRegressor(alpha=0.0, tol=1e-8).fit(X, y).predict(X), rtol=0.03)


def test_probabilities_of_two_classes_are_the_logistic_regression_where_that_is_true():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3))
    y = (rng.uniform(size=2000) < 1 / (1 + np.exp(-X @ np.array([1.0, -1.0, 0.0])))).astype(int)
    task = Task("classes", 2000, n_classes=2)
    plain = params(task, encoding="plain", activation="linear", dropout=0.0, weight_decay=0.0, members=1)
    model = build(task, plain, 0).fit(X, y)
    expected = LogisticRegression(C=np.inf, tol=1e-8).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=0.01)


def test_training_ends_where_the_rows_set_aside_are_predicted_best():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 10)), rng.normal(size=200)
    model = fit(Task("mean", 200), params(steps=1000), rows(X, y), a_seventh(200), 0)
    assert model.best_epoch_ == 1 + np.argmin(model.history_["stop_loss"])
    assert len(model.history_["train_loss"]) == len(model.history_["stop_loss"]) > model.best_epoch_
    assert np.std(model.predict(X)) < np.std(build(Task("mean", 200), params(steps=1000), 0).fit(X, y).predict(X))


def test_the_rows_set_aside_are_learnt_from_in_the_end():
    rng = np.random.default_rng(0)
    marked = np.arange(210) % 21 == 0  # all of them among the rows set aside
    X = np.column_stack([rng.normal(size=210), marked])
    model = fit(Task("mean", 210), params(dropout=0.0), rows(X, 20.0 * X[:, 0] + 10.0 * marked), a_seventh(210), 0)
    assert (model.predict(X) - 20.0 * X[:, 0])[marked].mean() > 5


@pytest.mark.parametrize("exchangeable", [True, False])
def test_many_rows_are_learnt_from_once_unless_the_rows_set_aside_are_the_latest(monkeypatch, exchangeable):
    monkeypatch.setattr("piste.families.neural.ONE_PASS", 210)
    rng = np.random.default_rng(0)
    marked = np.arange(210) % 21 == 0  # all of them among the rows set aside
    X = np.column_stack([rng.normal(size=210), marked])
    task = Task("mean", 210, exchangeable=exchangeable)
    model = fit(task, params(dropout=0.0), rows(X, 20.0 * X[:, 0] + 10.0 * marked), a_seventh(210), 0)
    learnt = (model.predict(X) - 20.0 * X[:, 0])[marked].mean() > 5
    assert learnt != exchangeable
    assert len(model.history_["stop_loss"]) > model.best_epoch_


def test_a_row_with_weight_two_counts_as_two_rows():
    X = np.zeros((60, 1))
    y = np.repeat([0.0, 1.0], 30)
    plain = params(encoding="plain", dropout=0.0)
    model = build(Task("mean", 60), plain, 0).fit(X, y, np.where(y > 0, 2.0, 1.0))
    np.testing.assert_allclose(model.predict(X), 2 / 3, atol=0.02)


def test_rows_without_weight_teach_nothing():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.normal(size=120)
    weight = (np.arange(120) % 3 > 0).astype(float)
    stop = a_seventh(120)
    some = fit(Task("mean", 80), params(steps=500), rows(X[weight > 0], y[weight > 0]), stop[weight > 0], 0)
    model = fit(Task("mean", 80), params(steps=500), rows(X, np.where(weight > 0, y, 1e6), weight), stop, 0)
    np.testing.assert_allclose(model.predict(X), some.predict(X), rtol=1e-5, atol=1e-6)


def test_a_seed_leaves_torch_and_numpy_as_they_were():
    import torch

    before = torch.get_rng_state().clone(), np.random.get_state()[1].copy(), torch.get_num_threads()  # noqa: NPY002
    build(Task("mean", 50), params(steps=500), 0).fit(np.ones((50, 1)), np.arange(50.0))
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert torch.get_num_threads() == before[2]


def test_another_seed_is_another_network():
    X, y = np.random.default_rng(0).normal(size=(100, 3)), np.arange(100.0)
    first, again, other = (build(Task("mean", 100), params(steps=500), seed).fit(X, y).predict(X) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_loss_that_is_no_number_says_what_to_do():
    X, y = np.random.default_rng(0).normal(size=(100, 3)), np.arange(100.0)
    wild = params(activation="relu", learning_rate=1e12, depth=4)
    with pytest.raises(FloatingPointError, match="learning rate must be lower"):
        build(Task("mean", 100), wild, 0).fit(X, y)


@pytest.mark.parametrize("encoding", ["piecewise", "plain"])
@pytest.mark.parametrize("kind", ["mean", "distribution", "classes"])
def test_networks_kept_as_plain_values_predict_the_same(kind, encoding):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 3)), rng.integers(0, 3, 80)
    task = Task(kind, 80, n_classes=3 if kind == "classes" else 0)
    model = fit(task, params(task, steps=500, encoding=encoding), rows(X, y if kind == "classes" else y.astype(float)), a_seventh(80), 0)
    plain = {
        name: np.array(value) if isinstance(value, np.ndarray) else json.loads(json.dumps(value)) for name, value in state(model).items()
    }
    again = restore(plain)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.history_["stop_loss"], model.history_["stop_loss"])
    if kind == "classes":
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        np.testing.assert_array_equal(again.classes_, model.classes_)


@pytest.mark.parametrize(("n_samples", "expected"), [(50, 32), (1000, 64), (4000, 256), (10**6, 256)])
def test_a_batch_is_a_twentieth_of_the_rows_within_bounds(n_samples, expected):
    assert batch_size(n_samples) == expected


def test_a_network_says_its_shape():
    assert (
        describe(Task("mean", 9), params(width=64, activation="tanh", learning_rate=0.01, members=1)) == "2 x 64 tanh, dropout 0.1, lr 0.01"
    )
    assert describe(Task("mean", 9), params(dropout=0.0)) == "2 x 64 silu, lr 0.02, 4 averaged"


def test_the_encoding_halves_the_distance_to_boosted_trees_on_concrete():
    if not (SHARED / "concrete").exists():
        pytest.skip("the shared data set concrete is not there")
    frame = pd.read_csv(SHARED / "concrete" / "data.csv")
    X, y = frame.drop(columns="strength").to_numpy(float), frame["strength"].to_numpy(float)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:824], order[824:]
    X = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
    error = {
        encoding: np.sqrt(
            np.mean(
                (
                    build(Task("mean", 824), params(encoding=encoding), 0).fit(X[train], y[train], stop=a_seventh(824)).predict(X[test])
                    - y[test]
                )
                ** 2
            )
        )
        for encoding in ("piecewise", "plain")
    }
    assert error["piecewise"] < 0.85 * error["plain"]
    assert error["piecewise"] < 0.27 * y.std()  # scikit-learn's own network, tuned: .317


LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
ASKED = Task("quantiles", 2000, levels=LEVELS)


@pytest.fixture(scope="module")
def uneven():
    """Spread that grows with the first column, so that quantiles are known: median + spread x the normal's own."""
    from scipy import stats

    X = np.random.default_rng(0).normal(size=(2000, 3))
    middle, spread = 100 + 20 * X[:, 1], 5 * np.exp(0.5 * X[:, 0])
    y = middle + spread * np.random.default_rng(1).normal(size=2000)
    return X, y, middle[:, None] + spread[:, None] * stats.norm.ppf(LEVELS)


@pytest.fixture(scope="module")
def quantile_network(uneven):
    X, y, _ = uneven
    return fit(ASKED, params(ASKED), rows(X, y), a_seventh(2000), 0)


def test_quantiles_find_where_the_spread_grows(uneven, quantile_network):
    X, y, true = uneven
    found = quantile_network.predict(X)
    assert np.sqrt(np.mean((found - true) ** 2)) < 0.15 * y.std()
    np.testing.assert_allclose((y[:, None] < found).mean(axis=0), LEVELS, atol=0.1)


def test_quantiles_are_the_quantile_regression_where_that_is_true():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3))
    y = 100 + 20 * X @ np.array([1.0, -1.0, 0.0]) + 10 * rng.exponential(size=2000)
    plain = params(ASKED, encoding="plain", activation="linear", dropout=0.0, weight_decay=0.0, members=1)
    found = build(ASKED, plain, 0).fit(X, y).predict(X)
    lines = fit_lines(X, y, np.ones(2000), LEVELS, 0.0)
    assert pinball(y, found, LEVELS).mean() < 1.01 * pinball(y, lines(X), LEVELS).mean()
    np.testing.assert_allclose((y[:, None] < found).mean(axis=0), LEVELS, atol=0.02)


def test_quantiles_ascend_by_construction_wherever_they_are_asked(quantile_network):
    far = np.random.default_rng(2).normal(size=(500, 3)) * 10
    assert (np.diff(quantile_network.predict(far), axis=1) >= 0).all()


def test_quantiles_where_most_of_the_target_is_one_value():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 3))
    y = rng.poisson(np.exp(X[:, 0] - 0.5)).astype(float)
    assert np.mean(y == 0) > 0.5
    found = fit(ASKED, params(ASKED), rows(X, y), a_seventh(1000), 0).predict(X)
    constant = np.tile(np.quantile(y, LEVELS), (1000, 1))
    assert pinball(y, found, LEVELS).mean() < 0.9 * pinball(y, constant, LEVELS).mean()


def test_quantiles_kept_as_plain_values_predict_the_same(uneven, quantile_network):
    kept = {
        name: value if isinstance(value, np.ndarray) else json.loads(json.dumps(value)) for name, value in state(quantile_network).items()
    }
    np.testing.assert_array_equal(restore(kept).predict(uneven[0]), quantile_network.predict(uneven[0]))


def test_the_loss_that_is_watched_is_the_pinball_loss_of_the_standardised_target():
    """One epoch is both passes: with next to no learning rate the answer stays the quantiles of the training rows."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 3)), 7 + 3 * rng.normal(size=400)
    stop = a_seventh(400)
    still = fit(ASKED, params(ASKED, learning_rate=1e-12, dropout=0.0), rows(X, y), stop, 0)
    constant = np.quantile(y[~stop], LEVELS, method="inverted_cdf")
    expected = pinball(y[stop], np.tile(constant, (stop.sum(), 1)), LEVELS).mean() / y.std()
    np.testing.assert_allclose(still.history_["stop_loss"], expected, rtol=1e-4)


@pytest.mark.parametrize("n_outputs", [2, 5])
def test_several_numbers_are_one_network_that_standardises_each(n_outputs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    unit = 1e3 ** np.arange(n_outputs)
    y = unit * (X @ rng.normal(size=(4, n_outputs)) + 10)
    task = Task("mean", 300, n_outputs=n_outputs)
    model = fit(task, params(task), rows(X, y), a_seventh(300), 0)
    assert model.network_.weights[-1].shape[2] == n_outputs
    assert (np.mean((model.predict(X) - y) ** 2, axis=0) < 0.05 * y.var(axis=0)).all()
    kept = {name: value if isinstance(value, np.ndarray) else json.loads(json.dumps(value)) for name, value in state(model).items()}
    np.testing.assert_array_equal(restore(kept).predict(X), model.predict(X))


def test_an_output_that_never_changes_is_predicted_as_it_is():
    X = np.random.default_rng(0).normal(size=(100, 2))
    task = Task("mean", 100, n_outputs=2)
    model = build(task, params(task, steps=500), 0).fit(X, np.column_stack([X[:, 0], np.full(100, 3.0)]))
    np.testing.assert_allclose(model.predict(X)[:, 1], 3.0, atol=0.2)


def test_a_schedule_that_ends_while_the_loss_falls_has_not_converged_and_a_longer_one_has():
    from sklearn.exceptions import ConvergenceWarning

    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 4))
    lesson, stop, task = rows(X, np.sin(2 * X[:, 0]) * X[:, 1]), a_seventh(700), Task("mean", 700)
    short, long = (params(dropout=0.0, members=1, encoding="plain", steps=steps) for steps in (300, 4000))
    with pytest.warns(ConvergenceWarning, match="still fell by .* more steps"):
        one = fit(task, short, lesson, stop, 0)
    other = fit(task, long, lesson, stop, 0)
    assert np.std(other.predict(X) - lesson.y) < 0.8 * np.std(one.predict(X) - lesson.y)
    found = fit_fold(task, [short, long], lesson, stop, [X], [0, 0])
    assert [each.notes for each in found] == [("not converged",), ()]


def test_a_target_that_is_learnt_soon_has_converged_whatever_its_loss():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 3))
    rate = np.exp(1 + 0.5 * X[:, 0])
    for kind, y in (("mean", X[:, 0] + rng.normal(size=700)), ("distribution", rng.poisson(rate).astype(float)), ("classes", X[:, 0] > 0)):
        task = Task(kind, 700, n_classes=2 if kind == "classes" else 0)
        y = (y ^ (rng.uniform(size=700) < 0.2)).astype(int) if kind == "classes" else y
        assert fit(task, params(task), rows(X, y), a_seventh(700), 0).unfinished_ == ""


def test_a_loss_that_ends_above_its_start_has_not_converged():
    falls = np.array([1.0, 0.5, 0.4, 0.4])
    assert unfinished(falls, np.empty(0), 4) == ""
    assert "the learning rate must be lower" in unfinished(falls[::-1], np.empty(0), 4)
    assert "the learning rate must be lower" in unfinished(falls[::-1], falls, 4)


@pytest.mark.parametrize(
    ("watched", "n_epochs", "said"),
    [
        ([1.0, 0.8, 0.7, 0.6], 4, True),
        ([1.0, 0.8, 0.78, 0.77], 4, False),
        ([1.0, 0.6, 0.7, 0.7], 4, False),  # was best early
        ([1.0, 0.02, 0.02, 0.011], 4, False),  # little is left
        ([1.0, 0.8, 0.7, 0.6], 8, False),  # left before half of its schedule
    ],
)
def test_only_a_fall_in_the_second_half_of_the_schedule_speaks_against_its_length(watched, n_epochs, said):
    assert bool(unfinished(np.ones(4), np.array(watched), n_epochs)) == said


def test_a_rate_is_held_against_the_best_that_its_likelihood_allows():
    """That constant is no part of the loss: a perfect rate loses y - y log y, on average below 0 where counts are spread."""
    from scipy.special import gammaln
    from scipy.stats import poisson

    y, weight = np.array([0.0, 1.0, 5.0]), np.array([1.0, 2.0, 1.0])
    expected = np.average(-poisson.logpmf(y, y) - gammaln(y + 1), weights=weight)
    assert least_loss("distribution", y, weight) == pytest.approx(expected)
    assert least_loss("mean", y, weight) == least_loss("distribution", y[:0], weight[:0]) == 0
