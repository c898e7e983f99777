"""Rules to beat: each says what a person with pencil and paper would say, and never less than the constant."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from piste.core.family import Task
from piste.families.baseline import LAPLACE_ROWS, PRIOR_ROWS, build, describe, restore, state, weighted_quantiles

MEAN = Task("mean", 6)
THREE = Task("classes", 6, n_classes=3)
TENTHS = Task("quantiles", 6, levels=(0.1, 0.5, 0.9))


@pytest.fixture
def frame():
    """Two runs over three days, in no order."""
    return pd.DataFrame(
        {
            "run": pd.array(["a", "b", "a", "b", "a", "b"], dtype="str"),
            "grade": [1.0, 2.0, 1.0, 2.0, 1.0, 2.0],
            "date": pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]),
            "count@-1d": [20.0, np.nan, np.nan, 100.0, 10.0, 200.0],
        }
    )


Y = np.array([30.0, 100.0, 10.0, 200.0, 20.0, 300.0])


def fitted(params, X, y=Y, task=MEAN, **more):
    return build(task, params, 0).fit(X, y, **more)


def test_the_constant_is_the_weighted_mean(frame):
    weight = np.array([1.0, 0, 0, 0, 0, 3.0])
    assert fitted({"rule": "constant"}, frame, sample_weight=weight).predict(frame)[0] == pytest.approx((30 + 3 * 300) / 4)


def test_the_constant_for_absolute_error_is_the_median(frame):
    assert fitted({"rule": "constant", "statistic": "median"}, frame).predict(frame)[0] == np.median(Y)


@pytest.mark.parametrize("seed", range(5))
def test_weighted_quantiles_are_the_quantiles_of_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    values, times = rng.integers(0, 9, 12).astype(float), rng.integers(0, 4, 12)
    levels = (0.05, 0.25, 0.5, 0.9)
    expected = np.quantile(np.repeat(values, times), levels, method="averaged_inverted_cdf")
    np.testing.assert_array_equal(weighted_quantiles(values, times.astype(float), levels), expected)


def test_the_constant_of_a_quantile_task_is_the_quantile_at_each_level(frame):
    predicted = fitted({"rule": "constant"}, frame, task=TENTHS).predict(frame)
    np.testing.assert_array_equal(predicted, np.tile(np.quantile(Y, TENTHS.levels, method="averaged_inverted_cdf"), (6, 1)))


def test_a_climatology_of_quantiles_is_the_groups_own_with_a_little_of_the_overall_ones(frame):
    predicted = fitted({"rule": "climatology", "by": "run"}, frame, task=TENTHS).predict(frame)
    overall, own = (np.quantile(y, TENTHS.levels, method="averaged_inverted_cdf") for y in (Y, Y[frame["run"] == "a"]))
    np.testing.assert_allclose(predicted[0], (3 * own + PRIOR_ROWS * overall) / (3 + PRIOR_ROWS))
    assert (np.diff(predicted, axis=1) >= 0).all()


def test_a_group_that_training_never_saw_gets_the_overall_quantiles(frame):
    model = fitted({"rule": "climatology", "by": "run"}, frame, task=TENTHS)
    strangers = frame.assign(run=pd.array(["x"] * 6, dtype="str"))
    np.testing.assert_array_equal(model.predict(strangers), fitted({"rule": "constant"}, frame, task=TENTHS).predict(frame))
    assert model.fallbacks_ == 6


@pytest.mark.parametrize("rule", ["last_value", "expression"])
def test_a_rule_that_names_one_value_is_not_asked_for_quantiles(rule):
    with pytest.raises(AssertionError, match="no quantiles"):
        build(TENTHS, {"rule": rule}, 0)


def test_the_constant_of_classes_gives_every_class_a_probability(frame):
    model = fitted({"rule": "constant"}, frame, np.array([0, 0, 0, 1, 1, 0]), THREE)
    expected = (np.array([4, 2, 0]) + LAPLACE_ROWS) / (6 + 3 * LAPLACE_ROWS)
    np.testing.assert_allclose(model.predict_proba(frame), np.tile(expected, (6, 1)))
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])


def test_a_climatology_is_the_group_mean_with_a_little_of_the_overall_one(frame):
    predicted = fitted({"rule": "climatology", "by": "run"}, frame).predict(frame)
    assert predicted[0] == pytest.approx((60 + PRIOR_ROWS * Y.mean()) / (3 + PRIOR_ROWS))
    assert predicted[1] == pytest.approx((600 + PRIOR_ROWS * Y.mean()) / (3 + PRIOR_ROWS))


def test_a_climatology_agrees_with_pandas_on_large_groups():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"run": pd.array(rng.choice(["a", "b", "c"], 3000), dtype="str"), "weekday": rng.integers(0, 7, 3000)})
    y = rng.normal(size=3000) + X["weekday"].to_numpy()
    expected = pd.Series(y).groupby([X["run"], X["weekday"]]).transform("mean")
    np.testing.assert_allclose(fitted({"rule": "climatology", "by": "run+weekday"}, X, y).predict(X), expected, atol=0.05)


def test_a_climatology_for_absolute_error_takes_group_medians():
    X = pd.DataFrame({"run": pd.array(["a"] * 101 + ["b"] * 101, dtype="str")})
    y = np.concatenate([np.full(100, 1.0), [1e6], np.full(100, 5.0), [1e6]])
    predicted = fitted({"rule": "climatology", "by": "run", "statistic": "median"}, X, y).predict(X)
    np.testing.assert_allclose(predicted[[0, -1]], [1.0, 5.0], atol=0.05)


def test_a_group_that_training_never_saw_gets_the_constant_and_is_counted(frame):
    model = fitted({"rule": "climatology", "by": "run"}, frame)
    strangers = frame.assign(run=pd.array(["a", "x", "x", None, "b", "b"], dtype="str"))
    np.testing.assert_allclose(model.predict(strangers)[[1, 2, 3]], Y.mean())
    assert model.fallbacks_ == 3


def test_missing_is_a_group_of_its_own():
    X = pd.DataFrame({"run": pd.array(["a", None, None], dtype="str")})
    predicted = fitted({"rule": "climatology", "by": "run"}, X, np.array([0.0, 9.0, 9.0])).predict(X)
    assert predicted[1] == pytest.approx((18 + PRIOR_ROWS * 6) / (2 + PRIOR_ROWS))


def test_class_shares_by_group_lean_on_the_overall_shares(frame):
    model = fitted({"rule": "climatology", "by": "run"}, frame, np.array([0, 1, 0, 1, 0, 1]), THREE)
    overall = (np.array([3, 3, 0]) + LAPLACE_ROWS) / (6 + 3 * LAPLACE_ROWS)
    np.testing.assert_allclose(model.predict_proba(frame)[0], (np.array([3, 0, 0]) + PRIOR_ROWS * overall) / (3 + PRIOR_ROWS))


def test_rows_without_weight_teach_nothing(frame):
    weight = np.array([1.0, 1, 1, 0, 1, 0])
    for params in ({"rule": "climatology", "by": "run"}, {"rule": "last_value", "by": "run", "time": "date"}):
        some = fitted(params, frame[weight > 0], Y[weight > 0]).predict(frame)
        np.testing.assert_allclose(fitted(params, frame, sample_weight=weight).predict(frame), some)


def test_the_last_value_is_the_latest_of_the_series_before_the_row(frame):
    model = fitted({"rule": "last_value", "by": "run", "time": "date"}, frame)
    later = pd.DataFrame(
        {"run": pd.array(["b", "a", "a"], dtype="str"), "date": pd.to_datetime(["2024-02-01", "2024-02-01", "2024-01-03"])}
    )
    np.testing.assert_array_equal(model.predict(later), [300, 30, 20])


def test_a_row_before_all_others_of_its_series_has_no_last_value(frame):
    model = fitted({"rule": "last_value", "by": "run", "time": "date"}, frame)
    np.testing.assert_allclose(model.predict(frame), [20, Y.mean(), Y.mean(), 100, 10, 200])
    assert model.fallbacks_ == 2


def test_the_last_value_agrees_with_pandas():
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"run": pd.array(rng.choice(["a", "b", "c"], 300), dtype="str"), "hour": rng.permutation(300).astype(float)})
    y = rng.normal(size=300)
    model = fitted({"rule": "last_value", "by": "run", "time": "hour"}, X[:200], y[:200])
    known = X[:200].assign(y=y[:200]).sort_values("hour")
    asked = X[200:].reset_index().sort_values("hour")
    merged = pd.merge_asof(asked, known, on="hour", by="run", allow_exact_matches=False).set_index("index").loc[X.index[200:], "y"]
    np.testing.assert_allclose(model.predict(X[200:]), merged.fillna(y[:200].mean()))


def test_without_a_series_the_last_value_is_of_the_whole_table(frame):
    model = fitted({"rule": "last_value", "by": "", "time": "date"}, frame)
    assert model.predict(frame.assign(date=pd.Timestamp("2025-01-01")))[0] == (30 + 300) / 2  # both of the last day


def test_an_expression_is_learnt_from_training_rows_as_it_stands(frame):
    model = fitted({"rule": "expression", "expression": "mean(count) by run", "target": "count"}, frame)
    np.testing.assert_allclose(model.predict(frame), [20, 200, 20, 200, 20, 200])


def test_an_expression_without_a_value_falls_back_to_the_constant(frame):
    model = fitted({"rule": "expression", "expression": "count@-1d", "target": "count"}, frame)
    np.testing.assert_allclose(model.predict(frame), [20, Y.mean(), Y.mean(), 100, 10, 200])
    assert model.fallbacks_ == 2


def test_an_expression_answers_a_yes_or_no_question_by_a_probability(frame):
    task = Task("classes", 6, n_classes=2)
    model = fitted({"rule": "expression", "expression": "grade - 0.75", "target": "full"}, frame, np.array([0, 1, 0, 1, 0, 1]), task)
    np.testing.assert_allclose(model.predict_proba(frame)[:2], [[0.75, 0.25], [0, 1]])
    np.testing.assert_array_equal(model.predict(frame)[:2], [0, 1])


ALL = (
    {"rule": "constant"},
    {"rule": "climatology", "by": "run+grade"},
    {"rule": "last_value", "by": "run", "time": "date"},
    {"rule": "expression", "expression": "mean(count) by run", "target": "count"},
)


@pytest.mark.parametrize("params", ALL, ids=lambda params: params["rule"])
def test_a_rule_kept_as_plain_values_predicts_the_same(frame, params):
    model = fitted(params, frame)
    kept = {
        name: np.array(value) if isinstance(value, np.ndarray) else json.loads(json.dumps(value)) for name, value in state(model).items()
    }
    np.testing.assert_array_equal(restore(kept).predict(frame), model.predict(frame))


@pytest.mark.parametrize("params", ALL, ids=lambda params: params["rule"])
def test_a_rule_leaves_its_rows_untouched(frame, params):
    before = frame.copy(deep=True)
    fitted(params, frame).predict(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"rule": "constant"}, "constant: mean"),
        ({"rule": "constant", "statistic": "median"}, "constant: median"),
        ({"rule": "climatology", "by": "run+weekday"}, "climatology: mean by run and weekday"),
        ({"rule": "last_value", "by": "run", "time": "date"}, "last value by run"),
        ({"rule": "expression", "expression": "mean(count) by run and hour"}, "mean(count) by run and hour"),
    ],
)
def test_a_rule_says_what_it_is(params, words):
    assert describe(MEAN, params) == words


def test_a_rule_of_a_quantile_task_says_so():
    assert describe(TENTHS, {"rule": "climatology", "by": "run"}) == "climatology: quantiles by run"


def test_quantiles_kept_as_plain_values_predict_the_same(frame):
    model = fitted({"rule": "climatology", "by": "run"}, frame, task=TENTHS)
    np.testing.assert_array_equal(restore(state(model)).predict(frame), model.predict(frame))
