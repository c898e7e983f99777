"""Boosting is LightGBM's, stopped on rows of the training part and fitted again on all of it."""

import json

import lightgbm
import numpy as np
import pytest

from piste.core.family import Rows, Task
from piste.families.boosting import FAMILY

PARAMS = {"learning_rate": 0.1, "num_leaves": 8, "min_data_in_leaf": 5, "feature_fraction": 0.8}
PLAIN = {"learning_rate": 0.1, "num_leaves": 8, "min_child_samples": 5, "colsample_bytree": 0.8, "random_state": 3, "n_jobs": 1}
QUIET = {"deterministic": True, "force_row_wise": True, "verbosity": -1}


def rows_of(kind, n=300):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(n, 3)), rng.integers(0, 5, n)])
    X[::11, 1] = np.nan
    signal = np.sin(2 * X[:, 0]) + np.array([0.0, 2.0, -1.0, 0.0, 1.0])[X[:, 3].astype(int)]
    noisy = signal + rng.normal(size=n) / 2
    y = {
        "mean": noisy,
        "distribution": rng.poisson(np.exp(signal)).astype(float),
        "two": (noisy > 0).astype(int),
        "classes": np.digitize(noisy, [-0.5, 1.0]),
    }
    return Rows(X, y[kind], np.ones(n), categorical=(3,))


def fitted(kind, rows, params=PARAMS, *, stopped=True):
    stop = np.arange(len(rows.y)) % 5 == 4
    return FAMILY.fit(Task(kind, len(rows.y), 3), params, rows, stop & stopped, 3)


def plain_rounds(model, rows):
    """Choose the number of rounds with LightGBM's own scikit-learn interface."""
    stop = np.arange(len(rows.y)) % 5 == 4
    model.set_params(n_estimators=1000).fit(
        rows.X[~stop],
        rows.y[~stop],
        eval_X=rows.X[stop],
        eval_y=rows.y[stop],
        categorical_feature=[3],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )
    return model.best_iteration_


@pytest.mark.parametrize(("kind", "objective"), [("mean", "regression"), ("distribution", "poisson")])
def test_numbers_are_predicted_as_by_lightgbm(kind, objective):
    rows = rows_of(kind)
    rounds = plain_rounds(lightgbm.LGBMRegressor(objective=objective, **PLAIN, **QUIET), rows)
    plain = lightgbm.LGBMRegressor(objective=objective, n_estimators=rounds, **PLAIN, **QUIET).fit(rows.X, rows.y, categorical_feature=[3])
    found = fitted(kind, rows)
    assert found.rounds_ == rounds
    np.testing.assert_allclose(found.predict(rows.X), plain.predict(rows.X), atol=1e-9)


@pytest.mark.parametrize("kind", ["two", "classes"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_classes_are_predicted_as_by_lightgbm(kind, class_weight):
    rows = rows_of(kind)
    found = fitted("classes", rows, PARAMS | {"class_weight": class_weight})
    plain = lightgbm.LGBMClassifier(n_estimators=found.rounds_, class_weight=class_weight, **PLAIN, **QUIET)
    plain.fit(rows.X, rows.y, categorical_feature=[3])
    np.testing.assert_allclose(found.predict_proba(rows.X), plain.predict_proba(rows.X), atol=1e-9)
    np.testing.assert_array_equal(found.predict(rows.X), plain.predict(rows.X))


def test_more_rounds_than_it_takes_are_not_trained():
    assert 1 < fitted("mean", rows_of("mean")).rounds_ < 200


def test_rows_set_aside_choose_the_rounds_but_all_rows_are_learnt():
    """Changing a target that was set aside moves its own prediction."""
    rows = rows_of("mean")
    changed = rows.y.copy()
    changed[4] += 20
    before, after = fitted("mean", rows), fitted("mean", Rows(rows.X, changed, rows.sample_weight, categorical=(3,)))
    assert after.predict(rows.X[4:5]) > before.predict(rows.X[4:5]) + 0.5


def test_without_rows_set_aside_it_trains_lightgbms_default_rounds():
    assert fitted("mean", rows_of("mean"), stopped=False).rounds_ == 100


def test_weights_count_in_training_and_in_stopping():
    """Rows of weight 0 teach nothing, whatever they say."""
    rows = rows_of("mean")
    spoilt = np.arange(len(rows.y)) % 4 == 0
    weight = np.where(spoilt, 0.0, 1.0)
    one, other = (fitted("mean", Rows(rows.X, np.where(spoilt, lie, rows.y), weight, categorical=(3,))) for lie in (0.0, 500.0))
    assert one.rounds_ == other.rounds_
    np.testing.assert_allclose(one.predict(rows.X), other.predict(rows.X), atol=1e-9)


def test_codes_are_categories_not_numbers():
    """Levels 1 and 4 against the rest: one split for categories, three for numbers."""
    rng = np.random.default_rng(0)
    code = rng.integers(0, 6, 400).astype(float)
    rows = Rows(code[:, None], np.isin(code, [1, 4]) * 10.0, np.ones(400), categorical=(0,))
    stump = {"learning_rate": 0.2, "num_leaves": 2, "min_data_in_leaf": 2, "feature_fraction": 1.0}
    model = FAMILY.fit(Task("mean", 400), stump, rows, np.zeros(400, dtype=bool), 0)
    np.testing.assert_allclose(model.predict(rows.X), rows.y, atol=0.5)


def test_its_state_is_the_text_of_the_model():
    rows = rows_of("classes")
    model = fitted("classes", rows)
    state = FAMILY.state(model)
    assert state["model"].startswith("tree\n")
    again = FAMILY.restore(state)
    assert again.rounds_ == model.rounds_
    np.testing.assert_array_equal(again.predict_proba(rows.X), model.predict_proba(rows.X))


def test_a_row_says_how_it_was_boosted():
    said = FAMILY.describe(Task("classes", 100, 2), PARAMS | {"class_weight": "balanced"})
    assert said == "LightGBM, learning rate 0.1, 8 leaves of at least 5 rows, 0.8 of the columns a tree, balanced classes"


LEVELS = (0.1, 0.5, 0.9)


def fitted_levels(rows, levels=LEVELS):
    return FAMILY.fit(Task("quantiles", len(rows.y), levels=levels), PARAMS, rows, np.arange(len(rows.y)) % 5 == 4, 3)


def test_each_quantile_is_lightgbms_with_rounds_of_its_own():
    rows = rows_of("mean")
    found = fitted_levels(rows)
    for number, level in enumerate(LEVELS):
        plain = lightgbm.LGBMRegressor(objective="quantile", alpha=level, **PLAIN, **QUIET)
        assert found.rounds_[number] == plain_rounds(plain, rows)
        plain.set_params(n_estimators=found.rounds_[number]).fit(rows.X, rows.y, categorical_feature=[3])
        np.testing.assert_allclose(found.predict(rows.X)[:, number], plain.predict(rows.X), atol=1e-9)


def test_one_level_is_answered_in_a_column():
    assert fitted_levels(rows_of("mean"), (0.5,)).predict(rows_of("mean").X).shape == (300, 1)


def test_levels_are_stored_as_text_each():
    rows = rows_of("mean")
    model = fitted_levels(rows)
    again = FAMILY.restore(json.loads(json.dumps(FAMILY.state(model))))
    assert again.rounds_ == model.rounds_
    np.testing.assert_array_equal(again.predict(rows.X), model.predict(rows.X))


def test_a_row_says_how_many_quantiles_were_boosted():
    task = Task("quantiles", 100, levels=LEVELS)
    said = FAMILY.words(task, PARAMS | {"feature_fraction": 1.0})
    assert said == "Gradient boosting (LightGBM, 3 quantiles, learning rate 0.1, 8 leaves of at least 5 rows)"


def racing(kind, rows, points, stop=None, **about):
    stop = np.arange(len(rows.y)) % 5 == 4 if stop is None else stop
    return FAMILY.tune(Task(kind, len(rows.y), 3, **about), points, rows, stop, 3)


@pytest.mark.parametrize(
    ("kind", "column"), [("mean", "mean"), ("distribution", "distribution"), ("classes", "two"), ("classes", "classes")]
)
def test_a_setting_that_cannot_learn_is_not_chosen(kind, column):
    rows = rows_of(column)
    dull = {**PARAMS, "min_data_in_leaf": 150}
    assert racing(kind, rows, [dull, dull, PARAMS, dull]) == 2
    assert racing(kind, rows, [PARAMS, dull]) == 0


def test_quantiles_are_chosen_by_a_few_of_their_levels():
    rows = rows_of("mean")
    dull = {**PARAMS, "min_data_in_leaf": 150}
    assert racing("quantiles", rows, [dull, PARAMS], levels=(0.1, 0.3, 0.5, 0.7, 0.9)) == 1


def test_settings_on_rows_binned_once_learn_as_each_on_its_own():
    """The least loss and its round are those of LightGBM trained alone, whatever ran on the same bins before."""
    from piste.families.boosting import _Binned, _Racer

    rows = rows_of("mean")
    stop = np.arange(len(rows.y)) % 5 == 4
    task = Task("mean", len(rows.y))
    points = [PARAMS, {**PARAMS, "min_data_in_leaf": 30, "num_leaves": 4}, {**PARAMS, "learning_rate": 0.05, "feature_fraction": 0.5}]
    models = [FAMILY.build(task, point, 3) for point in points]
    binned = _Binned.of(models[0], rows, stop)
    racers = [_Racer.of(model, binned, rows) for model in models]
    for learnt in (1.0, 1e9):
        for racer in racers:
            racer.run(learnt)
    for point, racer in zip(points, racers, strict=True):
        data = lightgbm.Dataset(rows.X[~stop], rows.y[~stop], categorical_feature=[3])
        aside = data.create_valid(rows.X[stop], rows.y[stop])
        words = {**point, **QUIET, "seed": 3, "num_threads": 1, "objective": "regression"}
        alone = lightgbm.train(words, data, 1000, valid_sets=[aside], callbacks=[lightgbm.early_stopping(50, verbose=False)])
        assert alone.best_iteration == racer.best_rounds
        assert alone.best_score["valid_0"]["l2"] == pytest.approx(racer.best, rel=1e-12)


def test_a_slow_rate_is_not_left_before_it_has_learnt():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = X[:, 0] + 0.3 * rng.normal(size=600)
    slow, usual, fast = ({**PARAMS, "num_leaves": 4, "learning_rate": rate} for rate in (0.02, 0.1, 0.2))
    rows = Rows(X, y, np.ones(600))
    errors = []
    for point in (slow, fast):
        model = FAMILY.fit(Task("mean", 600), point, rows, np.arange(600) % 5 == 4, 3)
        new = rng.normal(size=(4000, 4))
        errors.append(np.mean((model.predict(new) - new[:, 0]) ** 2))
    assert errors[0] < errors[1]
    assert racing("mean", rows, [fast, usual, slow]) == 2


@pytest.mark.parametrize("stop", [np.zeros(300, dtype=bool), np.ones(300, dtype=bool)])
def test_where_no_row_is_set_aside_the_default_is_taken(stop):
    assert racing("mean", rows_of("mean"), [{**PARAMS, "min_data_in_leaf": 150}, PARAMS], stop) == 0
