"""The rows that models are fitted on: against tables turned by pandas, loops by group, and one question at a time."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from piste.core.data import Target
from piste.core.errors import PisteError
from piste.core.family import Family, MatrixKind
from piste.core.features import expand
from piste.core.fit import TRAIN_SAMPLE, Predicted, Study, fit_cell, refit
from piste.core.framing import Form
from piste.core.plan import Cell
from piste.core.search import Candidate, live
from piste.core.shape import Shape, Source, lay_out
from piste.core.split import Fold, Folds
from piste.families import NAMES, family
from piste.framings import framings

DAYS, RUNS = 40, ("a", "b", "c")
TRAIN = 30  # days
PLAIN = [lambda: Ridge(alpha=1.5), lambda: DecisionTreeRegressor(min_samples_leaf=3, random_state=0)]


def table(*, seed: int = 0) -> pd.DataFrame:
    """Return days x runs in no order: snow says the same of a day, length of a run, queue varies with both."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(list(itertools.product(range(DAYS), RUNS)), columns=["number", "run"])
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["number"], unit="D")
    frame["snow"] = rng.normal(size=DAYS)[frame["number"]]
    frame["length"] = frame["run"].map({"a": 1.0, "b": 2.5, "c": 3.0})
    frame["queue"] = rng.normal(size=len(frame))
    effect = frame["run"].map({"a": 3.0, "b": -1.0, "c": 0.5})
    frame["y"] = effect * frame["snow"] + frame["queue"] + rng.normal(0, 0.2, len(frame))
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def study(frame: pd.DataFrame, form: Form, target: Target | None = None) -> Study:
    """Return the rows of a framing named 'it': the first days are the training part of the only fold."""
    rows = np.arange(len(frame))
    train, test = rows[frame["number"] < TRAIN], rows[frame["number"] >= TRAIN]
    stop = (frame["number"].to_numpy()[train]) >= TRAIN - 6
    folds = Folds(
        (Fold("one", 0, train, stop, test),), Fold("all", 0, rows, rows < 0, rows[:0]), frame["number"].to_numpy(), True, rows[:0]
    )
    return Study(
        expanded=expand(frame, ["snow", "length", "queue", "run"]),
        rules=pd.DataFrame(index=frame.index),
        added={},
        names=frame[["day", "run"]],
        target=target or Target("y", "numeric", frame["y"].to_numpy()),
        weight=np.ones(len(frame)),
        folds=folds,
        forms={"it": form},
        seed=0,
    )


def plain(build: Callable[[], Any], matrix: MatrixKind = "codes", *, several: bool = False) -> Family:
    """Return a family around an estimator."""
    return Family(
        "plain",
        "Plain",
        0,
        frozenset({"mean", "classes"}),
        matrix,
        space=lambda task: {},
        build=lambda task, params, seed: build(),
        describe=lambda task, params: "",
        several=several,
    )


def fitted(of: Study, kin: Family, params: dict[str, Any] | None = None) -> Predicted:
    """Fit one candidate on the only fold."""
    framing = framings()[of.forms["it"].framing]
    [found] = fit_cell(of, Cell("default", "it", kin.name, 0, (Candidate("it", kin.name, 0, params or {}),)), kin, framing, lambda: 0.0)
    return found


def turned(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return a wide table made by pandas, (n_days, 4) features and (n_days, 3) answers, days in order."""
    queue, y = (frame.pivot(index="number", columns="run", values=name) for name in ("queue", "y"))
    return np.column_stack([frame.groupby("number")["snow"].first(), queue]), y.to_numpy()


@pytest.mark.parametrize(
    "build", [lambda: Ridge(alpha=1.5), lambda: DecisionTreeRegressor(min_samples_leaf=3, random_state=0)], ids=["ridge", "tree"]
)
def test_all_at_once_predicts_what_the_library_does_on_the_table_turned_by_pandas(build):
    frame = table()
    of = study(frame, Form("mean", wide="run"))
    found = fitted(of, plain(build, several=True))
    X, y = turned(frame)
    expected = build().fit(X[:TRAIN], y[:TRAIN]).predict(X)
    test = of.folds.folds[0].test
    places = frame["number"].to_numpy()[test], frame["run"].map({"a": 0, "b": 1, "c": 2}).to_numpy()[test]
    np.testing.assert_allclose(found.predictions, expected[places], rtol=0, atol=1e-9)


def test_all_at_once_is_standardised_as_a_row_of_all():
    frame = table()
    of = study(frame, Form("mean", wide="run"))
    found = fitted(of, family("linear"), {"penalty": "ridge", "alpha": 0.1})
    X, y = turned(frame)
    scaler = StandardScaler().fit(X[:TRAIN])
    expected = Ridge(alpha=0.1 * TRAIN).fit(scaler.transform(X[:TRAIN]), y[:TRAIN]).predict(scaler.transform(X))
    test = of.folds.folds[0].test
    places = frame["number"].to_numpy()[test], frame["run"].map({"a": 0, "b": 1, "c": 2}).to_numpy()[test]
    np.testing.assert_allclose(found.predictions, expected[places], rtol=0, atol=1e-9)


def test_a_day_that_lacks_a_run_teaches_nothing_and_is_predicted_all_the_same():
    frame = table()
    lost = frame.index[(frame["number"].isin([3, 8]) | (frame["number"] == DAYS - 1)) & (frame["run"] == "b")]
    short = frame.drop(index=lost).reset_index(drop=True)
    found = fitted(study(short, Form("mean", wide="run")), plain(lambda: Ridge(alpha=1.5), "scaled", several=True))
    X, y = turned(frame)
    whole = np.setdiff1d(np.arange(TRAIN), [3, 8])
    X = StandardScaler().fit(X[whole]).transform(X)
    model = Ridge(alpha=1.5).fit(X[whole], y[whole])
    of = study(short, Form("mean", wide="run"))
    test = of.folds.folds[0].test
    known = short["number"].to_numpy()[test] < DAYS - 1
    places = short["number"].to_numpy()[test][known], short["run"].map({"a": 0, "b": 1, "c": 2}).to_numpy()[test][known]
    np.testing.assert_allclose(found.predictions[known], model.predict(X)[places], rtol=0, atol=1e-9)
    assert np.isfinite(found.predictions).all()


def test_too_few_whole_days_are_refused():
    frame = table()
    thin = frame[(frame["run"] != "b") | (frame["number"] % 6 == 0)].reset_index(drop=True)
    with pytest.raises(PisteError, match="only 5 of 30 rows hold a value for every 'run'"):
        fitted(study(thin, Form("mean", wide="run")), plain(Ridge, several=True))


@pytest.mark.parametrize(
    "build", [lambda: Ridge(alpha=1.5), lambda: DecisionTreeRegressor(min_samples_leaf=3, random_state=0)], ids=["ridge", "tree"]
)
def test_each_apart_predicts_what_a_loop_over_the_groups_does(build):
    frame = table()
    of = study(frame, Form("mean", apart="run"))
    found = fitted(of, plain(build))
    fold = of.folds.folds[0]
    expected = np.empty(len(frame))
    for run in RUNS:
        train, test = (rows[frame["run"].to_numpy()[rows] == run] for rows in (fold.train, fold.test))
        X = frame[["snow", "length", "queue"]].assign(run=0.0).to_numpy()
        expected[test] = build().fit(X[train], frame["y"].to_numpy()[train]).predict(X[test])
    np.testing.assert_allclose(found.predictions, expected[fold.test], rtol=0, atol=1e-9)


def test_each_apart_is_standardised_by_its_own_rows():
    frame = table()
    frame["snow"] += 50 * (frame["run"] == "b")  # so that one scale for all would show
    of = study(frame, Form("mean", apart="run"))
    fold, found = of.folds.folds[0], fitted(of, family("linear"), {"penalty": "ridge", "alpha": 0.1})
    expected = np.empty(len(frame))
    for run in RUNS:
        train, test = (rows[frame["run"].to_numpy()[rows] == run] for rows in (fold.train, fold.test))
        X = frame[["snow", "queue"]].to_numpy()
        scaler = StandardScaler().fit(X[train])
        model = Ridge(alpha=0.1 * len(train)).fit(scaler.transform(X[train]), frame["y"].to_numpy()[train])
        expected[test] = model.predict(scaler.transform(X[test]))
    np.testing.assert_allclose(found.predictions, expected[fold.test], rtol=0, atol=1e-9)


def test_a_value_that_no_training_row_had_has_no_model():
    frame = table()
    frame.loc[frame.index[frame["number"] >= TRAIN][0], "run"] = "new"
    with pytest.raises(PisteError, match="'run' holds 'new', which no training row had: there is no model for it"):
        fitted(study(frame, Form("mean", apart="run")), plain(Ridge))


@pytest.mark.parametrize("name", ["boosting", "neural", "forest", "linear"])
def test_a_group_none_of_whose_rows_is_set_aside_for_stopping_is_learnt_all_the_same(name):
    kin = family(name)
    frame = table()
    frame = frame[(frame["run"] != "c") | (frame["number"] < TRAIN - 8) | (frame["number"] >= TRAIN)].reset_index(drop=True)
    of = study(frame, Form("mean", apart="run"))
    fold = of.folds.folds[0]
    assert not (fold.stop & (frame["run"].to_numpy()[fold.train] == "c")).any()
    params = {key: dimension.default for key, dimension in kin.space(framings()["mean"].task(of.target, 90)).items()}
    params |= {"neural": {"steps": 300, "members": 1}, "forest": {"n_estimators": 10}}.get(name, {})
    assert np.isfinite(fitted(of, kin, params).predictions).all()


@pytest.mark.parametrize("name", ["boosting", "neural"])
def test_a_group_all_of_whose_rows_are_set_aside_for_stopping_is_learnt_all_the_same(name):
    kin = family(name)
    frame = table()
    frame = frame[(frame["run"] != "c") | (frame["number"] >= TRAIN - 6)].reset_index(drop=True)
    of = study(frame, Form("mean", apart="run"))
    params = {key: dimension.default for key, dimension in kin.space(framings()["mean"].task(of.target, 90)).items()}
    params |= {"neural": {"steps": 300, "members": 1}}.get(name, {})
    assert np.isfinite(fitted(of, kin, params).predictions).all()


@pytest.mark.parametrize("name", [name for name in NAMES if {"mean", "classes"} & family(name).kinds and name != "baseline"])
def test_a_group_that_has_no_row_to_predict_is_asked_nothing(name):
    kin = family(name)
    framing = "mean" if "mean" in kin.kinds else "classes"
    frame = table()
    frame = frame[(frame["run"] != "c") | (frame["number"] < TRAIN)].reset_index(drop=True)
    target = Target("y", "numeric", frame["y"].to_numpy(), (), ("low", "high"), np.zeros((len(frame), 1)))
    of = study(frame, Form(framing, apart="run"), target)
    space = kin.space(framings()[framing].task(of.target, TRAIN))
    params = live(space, {key: dimension.default for key, dimension in space.items()})
    params |= {"neural": {"steps": 300, "members": 1}, "forest": {"n_estimators": 10}}.get(name, {})
    found = fitted(of, kin, params).predictions
    assert len(found) == 2 * (DAYS - TRAIN)
    assert np.isfinite(found).all()


def ordered_target(frame: pd.DataFrame) -> Target:
    """Return the number cut into four levels, by thresholds of each row."""
    cuts = np.array([-0.4, 0.0, 0.5]) * frame["length"].to_numpy()[:, None]
    return Target("y", "numeric", frame["y"].to_numpy(), (), ("w", "x", "y", "z"), cuts)


def test_ordered_levels_are_asked_as_frank_and_hall_do():
    frame = table()
    target = ordered_target(frame)
    of = study(frame, Form("ordered"), target)
    fold, found = of.folds.folds[0], fitted(of, plain(lambda: LogisticRegression(C=0.5), "codes"))
    X = np.column_stack([frame[["snow", "length", "queue"]], frame["run"].map({"a": 0.0, "b": 1.0, "c": 2.0})])
    reached = np.column_stack(
        [
            LogisticRegression(C=0.5).fit(X[fold.train], target.codes[fold.train] >= level).predict_proba(X[fold.test])[:, 1]
            for level in (1, 2, 3)
        ]
    )
    np.testing.assert_allclose(found.predictions, reached, rtol=0, atol=1e-9)
    slow = []
    for row in reached:  # by hand: each level is reached no likelier than the one before
        falling = [1.0]
        for p in row:
            falling.append(min(p, falling[-1]))
        slow.append([a - b for a, b in itertools.pairwise([*falling, 0.0])])
    np.testing.assert_allclose(framings()["ordered"].plain(found.predictions), slow, rtol=0, atol=1e-5)


def test_ordered_levels_of_each_group_apart():
    frame = table()
    target = ordered_target(frame)
    of = study(frame, Form("ordered", apart="run"), target)
    fold, found = of.folds.folds[0], fitted(of, plain(lambda: LogisticRegression(C=0.5), "codes"))
    expected = np.empty((len(frame), 3))
    for run in RUNS:
        train, test = (rows[frame["run"].to_numpy()[rows] == run] for rows in (fold.train, fold.test))
        X = frame[["snow", "length", "queue"]].assign(run=0.0).to_numpy()
        for level in (1, 2, 3):
            model = LogisticRegression(C=0.5).fit(X[train], target.codes[train] >= level)
            expected[test, level - 1] = model.predict_proba(X[test])[:, 1]
    np.testing.assert_allclose(found.predictions, expected[fold.test], rtol=0, atol=1e-9)


def test_a_level_that_training_never_reaches_is_never_reached():
    frame = table()
    codes = np.where(frame["number"] < TRAIN, frame.index % 2, 2)
    found = fitted(study(frame, Form("ordered"), Target("y", "ordered", codes, ("u", "v", "w"))), plain(LogisticRegression, "scaled"))
    np.testing.assert_array_equal(found.predictions[:, 1], 0.0)
    assert (found.predictions[:, 0] > 0).all()


FORMS = {
    "plain": Form("mean"),
    "wide": Form("mean", wide="run"),
    "apart": Form("mean", apart="run"),
    "ordered": Form("ordered"),
    "ordered, apart": Form("ordered", apart="run"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_nothing_that_came_in_the_test_moves_a_prediction(form):
    frame = table()
    changed = frame.assign(y=np.where(frame["number"] >= TRAIN, -99.0, frame["y"]))
    kin = plain(LogisticRegression if form.framing == "ordered" else Ridge, "scaled", several=True)
    before, after = (fitted(study(each, form, ordered_target(each)), kin).predictions for each in (frame, changed))
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_shape_survives_the_way_through_json(form):
    frame = table()
    of = study(frame, form, ordered_target(frame))
    kin = plain(LogisticRegression if form.framing == "ordered" else Ridge, "scaled", several=True)
    member = refit(of, kin, framings()[form.framing], "it", {}, 1.0)
    again = Shape.from_json(json.loads(json.dumps(member.shape.to_json())))
    assert again == member.shape
    for one, other in zip(again.matrices(of.expanded, of.names), member.shape.matrices(of.expanded, of.names), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_rows_in_another_order_get_the_same_predictions(form):
    frame = table()
    order = np.random.default_rng(5).permutation(len(frame))
    found = {}
    for name, each in (("as they are", frame), ("shuffled", frame.iloc[order].reset_index(drop=True))):
        of = study(each, form, ordered_target(each))
        kin = plain(lambda: LogisticRegression(tol=1e-12, max_iter=5000), "scaled") if form.framing == "ordered" else plain(Ridge, "scaled")
        keys = each.loc[of.folds.folds[0].test, ["number", "run"]].itertuples(index=False, name=None)
        found[name] = dict(zip(keys, fitted(of, kin).predictions.tolist(), strict=True))
    assert found["as they are"].keys() == found["shuffled"].keys()
    for key, value in found["as they are"].items():
        assert found["shuffled"][key] == pytest.approx(value, abs=1e-6)


def test_training_rows_that_are_predicted_at_once_are_judged_together():
    n = TRAIN_SAMPLE  # days of three runs: three times as many rows as are judged
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(list(itertools.product(range(n), RUNS)), columns=["number", "run"])
    frame["day"], frame["snow"] = frame["number"], rng.normal(size=n)[frame["number"]]
    frame["length"], frame["queue"], frame["y"] = 1.0, rng.normal(size=len(frame)), rng.normal(size=len(frame))
    asked: list[int] = []

    class Counts(Ridge):
        def predict(self, X):
            asked.append(len(X))
            return super().predict(X)

    of = study(frame, Form("mean", wide="run"))
    rows = np.arange(len(frame))
    fold = Fold("one", 0, rows[:-3], rows[:-3] < 0, rows[-3:])
    fitted(replace(of, folds=replace(of.folds, folds=(fold,))), plain(Counts, several=True))
    assert asked == [1, TRAIN_SAMPLE * (n - 1) // (3 * n - 3)]


def test_a_model_for_each_value_is_named_in_their_order_and_missing_is_a_value_of_its_own():
    frame = table()
    names = pd.DataFrame({"run": frame["run"].where(frame["run"] != "c", None), "day": frame["day"]})
    source = Source(expand(frame, ["snow"]), names, frame["y"].to_numpy(), np.ones(len(frame)))
    rows = np.arange(len(frame))
    shape, lessons = lay_out(source, Form("mean", apart="run"), "codes", rows, rows < 0, rows[:0], 0)
    assert shape.values == ("a", "b", "missing")
    assert [len(lesson.train.y) for lesson in lessons] == [DAYS] * 3


def test_what_is_set_aside_for_stopping_is_set_aside_of_whole_days_too():
    frame = table()
    of = study(frame, Form("mean", wide="run"))
    fold = of.folds.folds[0]
    source = Source(of.expanded, of.names, of.target.values, of.weight)
    _, [lesson] = lay_out(source, of.forms["it"], "codes", fold.train, fold.stop, fold.test, 0)
    assert lesson.stop.sum() == 6
    assert len(lesson.train.y) == TRAIN
    aside = {tuple(row) for row in lesson.train.y[lesson.stop]}
    _, y = turned(frame)
    assert aside == {tuple(row) for row in y[TRAIN - 6 : TRAIN]}
