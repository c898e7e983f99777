"""A fitted model: a typed frame in, predictions out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from piste.core.features import expand, learn
from piste.core.model import Constant, Member, Model, predict, rule_columns

FRAME = pd.DataFrame(
    {
        "x": [1.0, 2.0, 3.0, 4.0],
        "run": pd.array(["a", "b", "a", "b"], dtype="str"),
        "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
    }
)


@dataclass
class First:
    """Predicts a multiple of the first column."""

    factor: float

    def predict(self, X):
        return self.factor * np.asarray(X)[:, 0]


@dataclass
class Shares:
    """Knows some classes, and gives them these probabilities."""

    classes_: np.ndarray
    shares: tuple[float, ...]

    def predict_proba(self, X):
        return np.tile(self.shares, (len(X), 1))


@dataclass
class Reads:
    """Keeps the names of the columns that it is given."""

    names: list

    def predict(self, X):
        self.names[:] = list(X.columns)
        return np.zeros(len(X))


def model(*members: Member, kind: str = "mean", labels: tuple[str, ...] = (), dispersion: float | None = None, also=()) -> Model:
    """Return a model of these members."""
    return Model("A model", kind, kind, "y", labels, ("x", "run"), also, dispersion, members)


def member(estimator, weight: float = 1.0, matrix: str = "codes") -> Member:
    """Return a member that reads x and run."""
    return Member(weight, "family", learn(expand(FRAME, ["x", "run"]), np.arange(4), matrix), estimator)


def test_a_mean_is_a_prediction_and_no_more():
    answer = model(member(First(2.0))).predict(FRAME)
    pd.testing.assert_frame_equal(answer, pd.DataFrame({"prediction": [2.0, 4.0, 6.0, 8.0]}))


def test_a_blend_is_the_weighted_mean_of_its_members():
    answer = model(member(First(2.0), 0.25), member(First(10.0), 0.75)).predict(FRAME)
    np.testing.assert_allclose(answer["prediction"], (0.25 * 2 + 0.75 * 10) * FRAME["x"])


def test_each_member_reads_the_matrix_that_it_was_fitted_on():
    scaled = member(First(1.0), 0.5, matrix="scaled")
    answer = model(member(First(1.0), 0.5), scaled).predict(FRAME)
    x = FRAME["x"].to_numpy()
    np.testing.assert_allclose(answer["prediction"], 0.5 * x + 0.5 * (x - x.mean()) / x.std())


def test_a_distribution_has_its_quantiles():
    answer = model(member(First(3.0)), kind="distribution", dispersion=0.4).predict(FRAME)
    mean, shape = 3 * FRAME["x"], 1 / 0.4
    np.testing.assert_array_equal(answer["prediction"], mean)
    for column, level in (("q05", 0.05), ("q95", 0.95)):
        np.testing.assert_array_equal(answer[column], stats.nbinom.ppf(level, shape, shape / (shape + mean)))


def test_no_count_is_below_nothing():
    answer = model(member(First(-1.0)), kind="distribution", dispersion=0.4).predict(FRAME)
    assert (answer == 0).all(axis=None)


def test_classes_have_a_probability_each_and_the_likeliest_is_the_prediction():
    some = Shares(np.array([0, 2]), (0.4, 0.6))
    all_three = Shares(np.array([0, 1, 2]), (0.5, 0.3, 0.2))
    answer = model(member(some, 0.5), member(all_three, 0.5), kind="classes", labels=("u", "v", "w")).predict(FRAME)
    assert answer.columns.tolist() == ["prediction", "P(u)", "P(v)", "P(w)"]
    assert answer.iloc[0].tolist() == ["u", pytest.approx(0.45), pytest.approx(0.15), pytest.approx(0.4)]


def test_answers_keep_the_index_of_the_rows():
    assert model(member(First(1.0))).predict(FRAME.iloc[[3, 1]]).index.tolist() == [3, 1]


def test_no_rows_are_answered_with_no_lines():
    none = FRAME.iloc[:0]
    assert model(member(First(1.0))).predict(none).shape == (0, 1)
    assert model(member(Constant(0)), kind="classes", labels=("u", "v")).predict(none).shape == (0, 3)


def test_a_rule_reads_further_columns_and_their_calendar_parts_beside_the_features():
    names: list[str] = []
    model(member(Reads(names), matrix="raw"), also=("day", "run")).predict(FRAME)
    assert set(names) == {"x", "run", "day", "day.weekday", "day.month", "day.day_of_year", "day.days"}
    assert len(names) == len(set(names))


def test_what_rules_read_beside_the_features_repeats_none_of_them():
    expanded = expand(FRAME, ["x", "run", "day"])
    assert rule_columns(FRAME, expanded, ["run", "day"]).columns.tolist() == ["day"]
    assert rule_columns(FRAME, expanded, []).shape == (4, 0)


def test_probabilities_of_classes_that_an_estimator_never_met_are_nothing():
    found = predict("classes", Shares(np.array([1, 3]), (0.9, 0.1)), np.zeros((2, 1)), 4)
    np.testing.assert_array_equal(found, [[0, 0.9, 0, 0.1]] * 2)


def test_the_only_class_is_certain():
    np.testing.assert_array_equal(predict("classes", Constant(2), np.zeros((2, 1)), 3), [[0, 0, 1]] * 2)


@pytest.mark.parametrize(("bad", "n"), [([1.0, np.nan, 2.0], 1), ([np.inf, -np.inf, np.nan], 3)])
def test_no_number_is_no_prediction(bad, n):
    class Lost:
        def predict(self, X):
            return np.array(bad)

    with pytest.raises(FloatingPointError, match=f"predicted no finite number for {n} of 3 rows"):
        predict("mean", Lost(), np.zeros((3, 1)), 0)


def test_a_column_of_predictions_is_a_prediction_a_row():
    class Upright:
        def predict(self, X):
            return np.arange(3.0)[:, None]

    np.testing.assert_array_equal(predict("mean", Upright(), np.zeros((3, 1)), 0), [0.0, 1.0, 2.0])
