"""Quick models: what they see, what judges them, and that threads and seeds change no number."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from piste.core.audit import Survey
from piste.core.audit.measures import quick
from piste.core.audit.measures.quick import CELLS, MOST_FOLDS, drawn, error_of, few, standing
from piste.core.audit.moment import when
from piste.core.problem import Problem
from tests.checks import surveyed


def lake(n: int, *, seed: int = 0) -> pd.DataFrame:
    """Return days at a lake: how many bathe, by the weather."""
    rng = np.random.default_rng(seed)
    day = pd.date_range("2020-01-01", periods=n)
    warm, wind = rng.normal(20, 6, n).round(1), rng.exponential(3, n).round(1)
    flag = rng.choice(["red", "yellow", "green"], n)
    guests = np.round(10 * warm.clip(0) + 30 * (flag == "green") + rng.normal(0, 20, n)).clip(0)
    return pd.DataFrame({"day": day, "warm": warm, "wind": wind, "flag": flag, "guests": guests.astype(int)})


def tried(survey: Survey) -> quick.Quick:
    found = quick.quick(survey)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def shuffled() -> Survey:
    return surveyed("target: {column: guests, kind: count}\ncolumns: {day: drop}", lake(600))


def test_losses_are_those_of_lightgbm_on_the_same_rows(shuffled: Survey):
    import lightgbm

    found = tried(shuffled)
    expected = np.zeros(len(shuffled.frame))
    for fold in found.folds.folds:
        X = np.column_stack(
            [
                shuffled.frame["warm"],
                shuffled.frame["wind"],
                pd.Categorical(shuffled.frame["flag"], categories=["green", "red", "yellow"]).codes.astype(float),
            ]
        )
        settings = {"objective": "regression", "learning_rate": 0.1, "num_leaves": 15, "num_threads": 1, "verbosity": -1, "seed": 0}
        model = lightgbm.train(
            {**settings, "deterministic": True, "force_row_wise": True}, lightgbm.Dataset(X[fold.train], shuffled.y[fold.train]), 40
        )
        expected[fold.test] = (shuffled.y[fold.test] - model.predict(X[fold.test])) ** 2
    np.testing.assert_allclose(found.losses()[0], expected[found.judged], rtol=1e-9)
    assert found.cost(found.losses()[0]) == pytest.approx(np.sqrt(expected[found.judged].mean()))


def test_a_model_does_without_the_columns_that_it_is_told_to(shuffled: Survey):
    found = tried(shuffled)
    everything, without, alone = found.losses([(), ("warm",), ("wind", "flag")])
    assert found.mean(without) > 3 * found.mean(everything)
    assert found.mean(alone) < found.mean(without)
    narrow = surveyed("target: {column: guests, kind: count}\ncolumns: {day: drop, warm: drop}", lake(600))
    np.testing.assert_array_equal(tried(narrow).losses()[0], without)


def test_a_model_without_any_column_predicts_the_mean_of_its_training_rows(shuffled: Survey):
    found = tried(shuffled)
    [losses] = found.losses([("warm", "wind", "flag")])
    for fold in found.folds.folds:
        at = np.searchsorted(found.judged, fold.test)
        np.testing.assert_allclose(losses[at], (shuffled.y[fold.test] - shuffled.y[fold.train].mean()) ** 2, rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_change_no_number(shuffled: Survey, threads: int, monkeypatch: pytest.MonkeyPatch):
    once = tried(shuffled).losses([(), ("warm",), ("wind",)])
    monkeypatch.setattr(quick, "THREADS", threads)
    np.testing.assert_array_equal(tried(shuffled).losses([(), ("warm",), ("wind",)]), once)


def test_models_leave_the_filters_of_warnings_as_they_were(shuffled: Survey):
    before = list(warnings.filters)
    tried(shuffled).losses([()] * 3)
    assert warnings.filters == before


def test_a_whole_date_goes_with_its_calendar(shuffled: Survey):
    dated = surveyed("target: {column: guests, kind: count}\ncolumns: {flag: category}\nsplit: {scheme: kfold}", lake(600))
    found = tried(dated)
    np.testing.assert_array_equal(found.losses([("day",)])[0], tried(shuffled).losses()[0])


def test_the_best_rule_is_judged_on_the_same_rows():
    survey = surveyed("target: {column: guests, kind: count}\ntime: day\nbaselines: {warmth: 10 * warm}", lake(900))
    found = tried(survey)
    expected = (survey.frame["guests"] - 10 * survey.frame["warm"]).to_numpy()[found.judged] ** 2
    np.testing.assert_allclose(found.rule(), expected)


def test_in_time_the_latest_folds_are_tried_and_the_holdout_is_not_looked_at():
    survey = surveyed("target: {column: guests, kind: count}\ntime: day\nsplit: {holdout: 0.2}", lake(900))
    found = tried(survey)
    assert [fold.name for fold in found.folds.folds] == [fold.name for fold in survey.folds.shown[-len(found.folds.folds) :]]
    seen = np.concatenate([np.concatenate([fold.train, fold.test]) for fold in found.folds.folds])
    assert not np.isin(seen, survey.folds.holdout).any()


def test_costs_are_those_of_the_decision():
    asked = "target: {column: guests, kind: count}\ncolumns: {day: drop}\ndecision: {cost: {over: 1, under: 3}}"
    found = tried(surveyed(asked, lake(600)))
    [losses] = found.losses()
    assert found.task.kind == "quantiles"
    assert found.task.levels == (0.75,)
    assert found.cost(losses) == found.mean(losses)
    y = found.court.came.y
    best_fixed = min(np.where(y > a, 3 * (y - a), a - y).mean() for a in np.unique(y))
    assert 0 < found.mean(losses) < best_fixed


def test_classes_are_judged_by_their_probabilities_and_weights_count():
    rows = lake(600).assign(weight=np.tile([1.0, 3.0], 300))
    survey = surveyed("target: {column: flag, kind: category}\ncolumns: {day: drop}\nweight: weight", rows)
    found = tried(survey)
    [losses] = found.losses()
    assert found.task.n_classes == 3
    assert (losses > 0).all()
    assert found.mean(losses) == pytest.approx(np.average(losses, weights=survey.frame["weight"].to_numpy()[found.judged]))


def test_a_fold_whose_training_rows_hold_one_class_is_no_trouble():
    rows = lake(300)
    rows["flag"] = np.where(np.arange(300) < 250, "green", "red")
    survey = surveyed("target: {column: flag, kind: binary}\ntime: day", rows)
    assert np.isfinite(tried(survey).losses()[0]).all()


def test_large_tables_are_thinned_to_what_takes_a_tenth_of_a_second():
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(9_000, 90)), columns=[f"gauge {i}" for i in range(90)]).assign(level=rng.normal(size=9_000))
    survey = surveyed("target: level", wide)
    assert len(drawn(survey)) <= CELLS / 90
    assert len(tried(survey).folds.folds) <= MOST_FOLDS


def test_wide_tables_keep_the_columns_that_know_most():
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(400, 130)), columns=[f"gauge {i}" for i in range(130)])
    survey = surveyed("target: level", wide.assign(level=wide["gauge 129"] + rng.normal(0, 0.1, 400)))
    kept = set(quick.sources(survey).values())
    assert len(kept) == quick.MOST_COLUMNS
    assert "gauge 129" in kept


def test_groups_left_out_one_by_one_are_left_out_together():
    rows = lake(600).assign(shore=np.repeat([f"shore {i:02}" for i in range(20)], 30))
    survey = surveyed("target: guests\nsplit: {scheme: leave_one_out, by: shore}", rows)
    folds = few(survey.folds, survey).folds
    assert len(folds) <= MOST_FOLDS
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in folds])), np.arange(600))
    for fold in folds:
        assert not set(rows["shore"].iloc[fold.train]) & set(rows["shore"].iloc[fold.test])


def test_where_no_fold_is_left_there_is_no_quick_model():
    survey = surveyed("target: guests", lake(40))
    assert few(replace(survey.folds, folds=()), survey).folds == ()


@pytest.mark.parametrize("n_groups", [2, 7, 40])
def test_a_standard_error_is_that_of_the_mean_of_group_means(n_groups: int):
    """Of groups of one size, the weighted mean is that of the group means, whose error is sd / sqrt(n)."""
    rng = np.random.default_rng(n_groups)
    values, blocks = rng.normal(1, 1, n_groups * 5), np.repeat(np.arange(n_groups), 5)
    means = values.reshape(n_groups, 5).mean(axis=1)
    assert error_of(values, np.ones(len(values)), blocks) == pytest.approx(means.std(ddof=1) / np.sqrt(n_groups))
    assert standing(values, np.ones(len(values)), blocks) == pytest.approx(means.mean() / (means.std(ddof=1) / np.sqrt(n_groups)))


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("", "when the prediction is made"),
        ("decision: {cost: {over: 1, under: 2}}", "when the decision is made"),
        ("decision: {made_at: -1d 18:00, cost: {over: 1, under: 2}}", "when the decision is made, the day before at 18:00"),
        ("decision: {made_at: -5d 7:30, cost: {over: 1, under: 2}}", "when the decision is made, 5 days before at 7:30"),
        ("decision: {made_at: -2h, cost: {over: 1, under: 2}}", "when the decision is made, 2 hours before"),
    ],
)
def test_the_moment_of_the_decision_is_said_as_people_say_it(decision: str, words: str):
    problem: Problem = surveyed(f"target: guests\n{decision}", lake(60)).resolved.problem
    assert when(problem) == words
