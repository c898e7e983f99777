"""A fitted model: a typed frame in, predictions and decisions out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from piste.core.data import Target
from piste.core.decision import Actions, Priced, Quantity, probabilities
from piste.core.errors import PisteError
from piste.core.family import Task
from piste.core.features import expand, learn
from piste.core.framing import Others, Rule, State
from piste.core.levels import Cuts
from piste.core.model import Constant, Member, Model, Question, predict, rule_columns
from piste.core.shape import Shape
from piste.core.wide import Pivot
from piste.framings import framings

FRAME = pd.DataFrame(
    {
        "x": [1.0, 2.0, 3.0, 4.0],
        "run": pd.array(["a", "b", "a", "b"], dtype="str"),
        "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
        "capacity": [10.0, 20.0, 10.0, 20.0],
    }
)
MEAN = Task("mean", 4)


@dataclass
class First:
    """Predicts a multiple of the first column."""

    factor: float

    def predict(self, X):
        return self.factor * np.asarray(X)[:, 0]


class Picky(First):
    """Refuses no rows, as scikit-learn does."""

    def predict(self, X):
        if not len(X):
            raise ValueError("Found array with 0 sample(s)")
        return super().predict(X)


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


@dataclass
class Ladder:
    """Predicts ten quantiles around the first column."""

    def predict(self, X):
        return np.asarray(X)[:, :1] + np.linspace(-4.5, 4.5, 10)


def question(framing: str = "mean", rule: Rule = "plug_in", state: State | None = None, **more: Any) -> Question:
    """Return what a model answers."""
    asked, labels = framings()[framing], more.get("labels", ())
    usual: dict[str, Any] = {"labels": labels, "also": (), "features": ("x", "run")}
    task = asked.task(Target("y", "category" if labels else "numeric", np.empty(0), labels), 4)
    return Question("A model", framing, asked, rule, state or {}, task, "y", **{**usual, **more})


def model(*members: Member, **about: Any) -> Model:
    """Return a model of these members."""
    return Model(question(**about), members)


def member(estimator, weight: float = 1.0, matrix: str = "codes") -> Member:
    """Return a member that reads x and run."""
    return Member(weight, "family", Shape((learn(expand(FRAME, ["x", "run"]), np.arange(4), matrix),)), (estimator,))


def test_a_mean_is_a_prediction_and_no_more():
    answer = model(member(First(2.0))).predict(FRAME)
    pd.testing.assert_frame_equal(answer, pd.DataFrame({"prediction": [2.0, 4.0, 6.0, 8.0]}))


def test_a_mean_that_is_dressed_has_its_spread():
    answer = model(member(First(2.0)), rule="dressed", state=ERRORS).predict(FRAME)
    np.testing.assert_allclose(answer["prediction"], 2 * FRAME["x"] + OFF.mean())
    np.testing.assert_allclose(answer["q05"], 2 * FRAME["x"] + np.quantile(OFF, 0.05, method="inverted_cdf"))
    np.testing.assert_allclose(answer["q95"], 2 * FRAME["x"] + np.quantile(OFF, 0.95, method="inverted_cdf"))


def test_a_blend_is_the_weighted_mean_of_its_members():
    answer = model(member(First(2.0), 0.25), member(First(10.0), 0.75)).predict(FRAME)
    np.testing.assert_allclose(answer["prediction"], (0.25 * 2 + 0.75 * 10) * FRAME["x"])


def test_each_member_reads_the_matrix_that_it_was_fitted_on():
    scaled = member(First(1.0), 0.5, matrix="scaled")
    answer = model(member(First(1.0), 0.5), scaled).predict(FRAME)
    x = FRAME["x"].to_numpy()
    np.testing.assert_allclose(answer["prediction"], 0.5 * x + 0.5 * (x - x.mean()) / x.std())


def test_a_distribution_has_its_quantiles():
    answer = model(member(First(3.0)), framing="distribution", rule="min_expected_cost", state={"dispersion": 0.4}).predict(FRAME)
    mean, shape = 3 * FRAME["x"], 1 / 0.4
    np.testing.assert_array_equal(answer["prediction"], mean)
    for column, level in (("q05", 0.05), ("q95", 0.95)):
        np.testing.assert_array_equal(answer[column], stats.nbinom.ppf(level, shape, shape / (shape + mean)))


def test_no_count_is_below_nothing():
    answer = model(member(First(-1.0)), framing="distribution", rule="min_expected_cost", state={"dispersion": 0.4}).predict(FRAME)
    assert (answer == 0).all(axis=None)


def test_quantiles_are_those_that_the_family_predicts_moved_by_what_was_learnt():
    state = {"shifts": [0.5 / 9] * 10, "least": 0.1, "floor": None}  # half a unit, of a spread of nine
    answer = model(member(Ladder()), framing="quantiles", rule="quantile", state=state).predict(FRAME)
    np.testing.assert_allclose(answer["q05"], FRAME["x"] - 4.5 + 0.5)
    np.testing.assert_allclose(answer["q95"], FRAME["x"] + 4.5 + 0.5)
    np.testing.assert_allclose(answer["prediction"], FRAME["x"] + 0.5)


def test_classes_have_a_probability_each_and_the_likeliest_is_the_prediction():
    some = Shares(np.array([0, 2]), (0.4, 0.6))
    all_three = Shares(np.array([0, 1, 2]), (0.5, 0.3, 0.2))
    two = (member(some, 0.5), member(all_three, 0.5))
    answer = model(*two, framing="classes", rule="min_expected_cost", state={"ends": [0, 0]}, labels=("u", "v", "w")).predict(FRAME)
    assert answer.columns.tolist() == ["prediction", "P(u)", "P(v)", "P(w)"]
    assert answer.iloc[0].tolist() == ["u", pytest.approx(0.45), pytest.approx(0.15), pytest.approx(0.4)]


def test_the_likeliest_class_alone_still_tells_how_likely_the_classes_are():
    about = {"framing": "classes", "rule": "plug_in", "state": {"ends": [0, 0]}, "labels": ("u", "v")}
    answer = model(member(Shares(np.array([0, 1]), (0.4, 0.6))), **about).predict(FRAME)
    assert answer.iloc[0].tolist() == ["v", 0.4, 0.6]


def test_ordered_levels_are_put_together_from_the_questions_that_were_asked():
    estimators = (Shares(np.array([0, 1]), (0.3, 0.7)), Shares(np.array([0, 1]), (0.8, 0.2)))
    shape = Shape((learn(expand(FRAME, ["x", "run"]), np.arange(4), "codes"),), questions=2)
    about = {"framing": "ordered", "rule": "min_expected_cost", "state": {"ends": [0, 0]}, "labels": ("u", "v", "w")}
    answer = Model(question(**about), (Member(1.0, "family", shape, estimators),)).predict(FRAME)
    np.testing.assert_allclose(answer[["P(u)", "P(v)", "P(w)"]], [[0.3, 0.5, 0.2]] * 4, atol=1e-5)


def test_answers_keep_the_index_of_the_rows():
    assert model(member(First(1.0))).predict(FRAME.iloc[[3, 1]]).index.tolist() == [3, 1]


# --- decisions --------------------------------------------------------------------------------------------------------

LEVELS = ("low", "mid", "high")
SKI = Actions("EUR", ("none", "one", "two"), np.array([[0.0, 60.0, 240.0], [40.0, 0.0, 90.0], [90.0, 45.0, 0.0]]))
CUTS = Cuts("y / capacity", (0.2, 0.5), "y")
OFF = np.random.default_rng(1).normal(0.5, 2, 60)
ERRORS = framings()["mean"].learn("dressed", Others(np.zeros(60), OFF, OFF, np.ones(60), counts=False))
DECIDING = {
    "mean, plug_in": (member(First(2.0)), {"framing": "mean", "rule": "plug_in"}),
    "mean, dressed": (member(First(2.0)), {"framing": "mean", "rule": "dressed", "state": ERRORS}),
    "distribution": (member(First(2.0)), {"framing": "distribution", "rule": "min_expected_cost", "state": {"dispersion": 0.5}}),
    "quantiles": (
        member(Ladder()),
        {"framing": "quantiles", "rule": "min_expected_cost", "state": {"shifts": [0.0] * 10, "least": 1.0, "floor": 0.0}},
    ),
    "classes": (
        member(Shares(np.array([0, 1, 2]), (0.5, 0.35, 0.15))),
        {"framing": "classes", "rule": "min_expected_cost", "state": {"ends": [0, 30]}, "labels": LEVELS},
    ),
}


@pytest.mark.parametrize("name", DECIDING)
def test_an_answer_names_an_action_that_no_other_is_expected_to_undercut(name):
    made, about = DECIDING[name]
    ask = question(**about, cuts=CUTS, stakes=SKI)
    answer = Model(ask, (made,)).predict(FRAME)
    thresholds = FRAME["capacity"].to_numpy()[:, None] * [0.2, 0.5]  # by hand
    raw = Model(ask, (made,)).raw(FRAME)
    shares = probabilities(ask.framing.spread(ask.rule, raw, ask.state, thresholds), thresholds)
    slow = [[sum(p * cost for p, cost in zip(row, costs, strict=True)) for costs in SKI.costs] for row in shares]
    np.testing.assert_allclose(answer["expected_cost"], np.min(slow, axis=1), rtol=1e-12)
    assert answer["action"].tolist() == [SKI.actions[int(np.argmin(row))] for row in slow]


def test_the_worked_example_is_answered_with_one_marshal_at_33_50():
    made, about = DECIDING["classes"]
    answer = Model(question(**about, cuts=CUTS, stakes=SKI), (made,)).predict(FRAME)
    assert answer["prediction"].tolist() == ["low"] * 4
    assert answer["action"].tolist() == ["one"] * 4
    np.testing.assert_allclose(answer["expected_cost"], 33.5)


def test_an_amount_is_the_quantile_that_its_costs_ask_for():
    answer = model(member(First(2.0)), rule="dressed", state=ERRORS, stakes=Quantity("EUR", 1.0, 4.0)).predict(FRAME)
    wanted = np.quantile(OFF, 0.8, method="inverted_cdf")
    np.testing.assert_allclose(answer["action"], 2 * FRAME["x"] + wanted)
    assert "expected_cost" not in answer


def test_a_budget_is_shared_by_the_rows_that_are_asked_about_together():
    limited = replace(SKI, budget=1, uses=(0, 1, 2))
    made, about = DECIDING["mean, dressed"]
    frame = FRAME.assign(day=pd.to_datetime(["2024-01-01"] * 3 + ["2024-01-02"]), capacity=4.0)
    answer = Model(question(**about, cuts=CUTS, stakes=limited, together=("day",)), (made,)).predict(frame)
    free = Model(question(**about, cuts=CUTS, stakes=SKI), (made,)).predict(frame)
    assert free["action"].tolist() == ["two"] * 4
    assert sorted(answer["action"].iloc[:3]) == ["none", "none", "one"]
    assert answer["action"].iloc[3] == "one"
    assert answer["expected_cost"].sum() > free["expected_cost"].sum()


@pytest.mark.parametrize("stakes", [None, SKI, replace(SKI, budget=2, uses=(0, 1, 2)), Quantity("EUR", 1.0, 4.0)], ids=str)
@pytest.mark.parametrize("name", DECIDING)
def test_no_rows_are_answered_with_no_lines(name, stakes: Priced | None):
    made, about = DECIDING[name]
    ask = question(**about, cuts=CUTS, stakes=stakes, together=("day",) if getattr(stakes, "budget", None) else ())
    some, none = (Model(ask, (made,)).predict(each) for each in (FRAME, FRAME.iloc[:0]))
    assert none.shape == (0, some.shape[1])
    assert none.columns.tolist() == some.columns.tolist()


# --- rows of another form ---------------------------------------------------------------------------------------------


def apart() -> Shape:
    """Return a model for each run."""
    expanded = expand(FRAME, ["x"])
    return Shape(tuple(learn(expanded, rows, "codes") for rows in (np.array([0, 2]), np.array([1, 3]))), apart="run", values=("a", "b"))


def test_each_row_is_answered_by_the_model_of_its_own_group():
    ask = question(features=("x",), names=("run",))
    answer = Model(ask, (Member(1.0, "family", apart(), (First(1.0), First(-10.0))),)).predict(FRAME)
    assert answer["prediction"].tolist() == [1.0, -20.0, 3.0, -40.0]
    picky = First(1.0), Picky(-10.0)
    only = Model(ask, (Member(1.0, "family", apart(), picky[::-1]),)).predict(FRAME.iloc[[1]])
    assert only["prediction"].tolist() == [2.0]


def test_a_row_of_a_group_without_a_model_is_refused_by_its_name():
    ask = question(features=("x",), names=("run",))
    strange = FRAME.assign(run=pd.array(["a", "b", "a", "z"], dtype="str"))
    with pytest.raises(PisteError, match="'run' holds 'z', which no training row had"):
        Model(ask, (Member(1.0, "family", apart(), (First(1.0), First(2.0))),)).predict(strange)


class Both:
    """Predicts two outputs: the sum of the columns, and minus that."""

    def predict(self, X):
        total = np.nansum(X, axis=1)
        return np.column_stack([total, -total])


def wide() -> tuple[pd.DataFrame, Model]:
    """Return days of two runs, and a model of both at once that reads x of each."""
    frame = pd.DataFrame(list(itertools.product(pd.date_range("2024-01-01", periods=4), ["a", "b"])), columns=["day", "run"])
    frame["x"] = np.arange(8.0)
    names = frame[["day", "run"]]
    pivot = Pivot.learn(expand(frame, ["x"]), names, "run")
    encoding = learn(pivot.frame(expand(frame, ["x"]), names), np.arange(4), "codes")
    ask = question(features=("x",), names=("day", "run"))
    ask = replace(ask, task=Task("mean", 4, n_outputs=2))
    return frame, Model(ask, (Member(1.0, "family", Shape((encoding,), pivot=pivot), (Both(),)),))


def test_all_rows_of_a_day_are_answered_at_once_whatever_their_order():
    frame, made = wide()
    expected = [1.0, -1.0, 5.0, -5.0, 9.0, -9.0, 13.0, -13.0]
    assert made.predict(frame)["prediction"].tolist() == expected
    order = np.array([5, 0, 7, 2, 1, 6, 3, 4])
    assert made.predict(frame.iloc[order])["prediction"].tolist() == [expected[i] for i in order]


def test_a_day_of_which_one_row_is_asked_about_is_answered_all_the_same():
    frame, made = wide()
    assert made.predict(frame.iloc[[3]])["prediction"].tolist() == [-3.0]


def test_a_row_of_a_series_that_was_never_seen_is_refused():
    frame, made = wide()
    with pytest.raises(PisteError, match="'run' holds a value that was never seen"):
        made.predict(frame.assign(run=["a", "z"] * 4))


# --- what is read -----------------------------------------------------------------------------------------------------


def test_a_rule_reads_further_columns_and_their_calendar_parts_beside_the_features():
    names: list[str] = []
    model(member(Reads(names), matrix="raw"), also=("day", "run")).predict(FRAME)
    assert {"x", "run", "day", "day.weekday", "day.month", "day.day_of_year", "day.days"} <= set(names)
    assert len(names) == len(set(names))


def test_what_rules_read_beside_the_features_repeats_none_of_them():
    expanded = expand(FRAME, ["x", "run", "day"])
    assert rule_columns(FRAME, expanded, ["run", "day"]).columns.tolist() == ["day"]
    assert rule_columns(FRAME, expanded, []).shape == (4, 0)


def test_a_question_names_every_column_that_an_answer_needs_once():
    ask = question(
        features=("x", "run"), also=("day",), added=("2 * snow", "x + 1"), names=("day", "run"), cuts=CUTS, stakes=SKI, together=("day",)
    )
    assert ask.columns == ("x", "run", "day", "capacity", "snow")


def test_a_column_that_a_framing_adds_is_computed_from_the_row():
    class Last:
        def predict(self, X):
            return np.asarray(X)[:, -1]

    expanded = expand(FRAME, ["x", "run"]).assign(**{"2 * capacity": 2 * FRAME["capacity"]})
    shape = Shape((learn(expanded, np.arange(4), "codes"),))
    answer = Model(question(added=("2 * capacity",)), (Member(1.0, "family", shape, (Last(),)),)).predict(FRAME)
    assert answer["prediction"].tolist() == [20.0, 40.0, 20.0, 40.0]


# --- one estimator ----------------------------------------------------------------------------------------------------


def test_probabilities_of_classes_that_an_estimator_never_met_are_nothing():
    found = predict(Task("classes", 9, 4), Shares(np.array([1, 3]), (0.9, 0.1)), np.zeros((2, 1)))
    np.testing.assert_array_equal(found, [[0, 0.9, 0, 0.1]] * 2)


def test_the_only_class_is_certain():
    np.testing.assert_array_equal(predict(Task("classes", 9, 3), Constant(2), np.zeros((2, 1))), [[0, 0, 1]] * 2)


@pytest.mark.parametrize(("bad", "n"), [([1.0, np.nan, 2.0], 1), ([np.inf, -np.inf, np.nan], 3)])
def test_no_number_is_no_prediction(bad, n):
    class Lost:
        def predict(self, X):
            return np.array(bad)

    with pytest.raises(FloatingPointError, match=f"predicted no finite number for {n} of 3 rows"):
        predict(MEAN, Lost(), np.zeros((3, 1)))


def test_a_row_of_several_numbers_is_no_prediction_where_one_of_them_is_none():
    class Lost:
        def predict(self, X):
            return np.array([[1.0, np.nan], [1.0, 2.0], [np.inf, np.nan]])

    with pytest.raises(FloatingPointError, match="predicted no finite number for 2 of 3 rows"):
        predict(Task("mean", 9, n_outputs=2), Lost(), np.zeros((3, 1)))


def test_a_column_of_predictions_is_a_prediction_a_row():
    class Upright:
        def predict(self, X):
            return np.arange(3.0)[:, None]

    np.testing.assert_array_equal(predict(MEAN, Upright(), np.zeros((3, 1))), [0.0, 1.0, 2.0])


def test_several_numbers_stay_in_their_columns():
    class Two:
        def predict(self, X):
            return np.arange(6.0).reshape(3, 2)

    np.testing.assert_array_equal(predict(Task("mean", 9, n_outputs=2), Two(), np.zeros((3, 1))), [[0, 1], [2, 3], [4, 5]])
