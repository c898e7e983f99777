"""Splits that flatter, tests of another kind, and levels that training never met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import piste
from piste.checking import survey_of
from piste.core.audit import Survey, drift
from piste.core.audit.drift import flattering_split, other_rows, unseen_levels
from piste.core.check import Check, Found, NotApplicable
from piste.core.finding import Finding
from piste.edges.strict_yaml import read
from piste.prepare import prepare
from piste.watch import silent
from tests.checks import surveyed

DATA = Path(__file__).parents[4] / "shared" / "data"


def found(check: Check[Survey], survey: Survey) -> dict[str, Finding]:
    said = check.run(survey)
    assert isinstance(said, Found), said
    return {finding.on: finding for finding in said.findings}


def spared(check: Check[Survey], survey: Survey) -> str:
    said = check.run(survey)
    assert isinstance(said, NotApplicable), said
    return said.reason


def real(name: str, file: str, problem: str) -> Survey:
    path = DATA / name / file
    if not path.exists():
        pytest.skip(f"no {path}")
    return survey_of(prepare(piste.Problem(data=path, **read(problem, "problem.yaml").value), (), silent, quick=True, code=True))


def days(n: int = 500, *, growth: float = 0.0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rain = rng.exponential(4, n).round(1)
    takings = 200 - 5 * rain + growth * np.arange(n) + rng.normal(0, 10, n)
    return pd.DataFrame({"day": pd.date_range("2021-01-01", periods=n), "rain": rain, "takings": takings.round(1)})


# L11


def test_the_share_is_that_of_the_two_costs_in_the_message():
    finding = found(flattering_split, surveyed("target: takings\ntime: day\nsplit: {scheme: kfold}", days(growth=0.5)))["day"]
    costs = [float(word) for word in finding.consequence.replace(",", "").split() if word.replace(".", "").isdigit()]
    assert finding.number == pytest.approx(1 - costs[1] / costs[0], abs=0.01)
    assert finding.paste == "split: {scheme: forward}"


def test_halves_are_of_the_same_rows_and_sizes_and_forward_ones_learn_from_the_past():
    survey = surveyed("target: takings\ntime: day\nsplit: {scheme: kfold}", days())
    halves = drift._halves(survey, "day")
    assert halves is not None
    at_random, forward = halves
    for folds in halves:
        np.testing.assert_array_equal(np.sort(np.concatenate([fold.test for fold in folds])), np.arange(250, 500))
        assert all(abs(len(fold.train) - 250) <= 1 for fold in folds)
        assert not any(set(fold.train) & set(fold.test) for fold in folds)
    assert all(fold.train.max() < fold.test.min() for fold in forward)
    assert all(fold.train.max() > fold.test.min() for fold in at_random)


def test_rows_that_stand_together_are_never_on_both_sides():
    rows = days().assign(shop=[f"shop {i % 40}" for i in range(500)])
    survey = surveyed("target: takings\ntime: day\nsplit: {scheme: kfold, together: shop}", rows)
    halves = drift._halves(survey, "day")
    assert halves is None or all(
        not set(rows["shop"].iloc[fold.train]) & set(rows["shop"].iloc[fold.test]) for folds in halves for fold in folds
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_random_split_does_not_flatter_where_time_tells_nothing(seed: int):
    assert found(flattering_split, surveyed("target: takings\ntime: day\nsplit: {scheme: kfold}", days(seed=seed))) == {}


def test_a_date_in_whose_order_the_file_stands_is_a_time_that_nobody_named():
    finding = found(flattering_split, surveyed("target: takings\nsplit: {scheme: kfold}", days(growth=0.5)))["day"]
    assert finding.paste == "time: day\nsplit: {scheme: forward}"
    mixed = days(growth=0.5).sample(frac=1, random_state=0, ignore_index=True)
    assert "no column says when" in spared(flattering_split, surveyed("target: takings\nsplit: {scheme: kfold}", mixed))


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("target: takings\ntime: day", "not divided at random"),
        ("target: takings\ncolumns: {day: drop}", "no column says when"),
    ],
)
def test_a_split_that_cannot_flatter_in_time_is_spared(problem: str, reason: str):
    assert reason in spared(flattering_split, surveyed(problem, days()))


def test_few_rows_and_few_times_are_spared():
    few = surveyed("target: takings\ntime: day\nsplit: {scheme: kfold}", days(60))
    assert "too few" in spared(flattering_split, few)
    years = days().assign(day=np.repeat(pd.to_datetime(["2020-01-01", "2021-01-01"]), 250))
    assert "too few" in spared(flattering_split, surveyed("target: takings\ntime: day\nsplit: {scheme: kfold}", years))


def test_real_rentals_that_grow_and_have_seasons_are_flattered_by_a_random_split():
    problem = (
        "target: {column: cnt, kind: count}\ntime: dteday\ncolumns: {instant: drop, casual: drop, registered: drop}\nsplit: {scheme: kfold}"
    )
    assert found(flattering_split, real("bike_day", "day.csv", problem))["dteday"].number > 0.2


# L12


def sides(n: int = 400, *, apart: float = 0.0, harder: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Return rows of two sides whose `size` is `apart` standard deviations apart, and which are `harder` to predict on the second."""
    rng = np.random.default_rng(seed)
    second = np.arange(2 * n) >= n
    size = rng.normal(0, 1, 2 * n) + apart * second
    shape = rng.choice(["round", "flat"], 2 * n)
    mass = size + rng.normal(0, 0.3, 2 * n) * (1 + harder * second)
    return pd.DataFrame({"size": size.round(3), "shape": shape, "side": np.where(second, "test", "train"), "mass": mass.round(3)})


BY_SIDE = "target: mass\nsplit: {scheme: predefined, by: side}"


@pytest.mark.parametrize(("apart", "speaks"), [(0.0, False), (0.3, False), (1.0, True), (2.0, True)])
def test_sides_are_told_apart_from_65_in_100_on(apart: float, *, speaks: bool):
    """Two normal distributions d apart are told apart in Phi(d / sqrt 2) of the cases: 0.58 at 0.3, 0.76 at 1, 0.92 at 2."""
    from scipy import stats

    survey = surveyed(BY_SIDE, sides(apart=apart))
    said = found(other_rows, survey)
    assert set(said) == ({"test"} if speaks else set())
    if speaks:
        assert said["test"].number == pytest.approx(stats.norm.cdf(apart / np.sqrt(2)), abs=0.06)
        assert "mostly by 'size' |" in f"{said['test'].message} |"


@pytest.mark.parametrize(("harder", "severity"), [(0.0, "note"), (1.0, "warn")])
def test_it_warns_only_where_the_other_rows_cost_more(harder: float, severity: str):
    rows = sides(1_000, harder=harder)
    rows["shape"] = rows["shape"].where(rows["side"] == "train", "flat")
    rows["colour"] = np.where(rows["side"] == "train", "white", np.random.default_rng(0).choice(["white", "blue", "green"], 2_000))
    finding = found(other_rows, surveyed(BY_SIDE, rows))["test"]
    assert finding.severity == severity
    assert "'colour' and 'shape'" in finding.message


def test_in_time_it_notes_however_hard_the_latest_rows_are():
    rows = sides(apart=1.5, harder=3.0).assign(day=pd.date_range("2020-01-01", periods=800)).drop(columns="side")
    said = found(other_rows, surveyed("target: mass\ntime: day", rows))
    assert {finding.severity for finding in said.values()} <= {"note"}


def test_clocks_do_not_count():
    """Dates, counters and names of months tell the latest rows at once, which is no news."""
    rows = days(800)
    at = rows["day"].dt
    rows = rows.assign(number=np.arange(800) + 7, month=at.month_name(), year=at.year, week=at.isocalendar().week.astype(int))
    survey = surveyed("target: takings\ntime: day\ncolumns: {number: number}", rows)
    assert {"day", "number", "month", "year"} <= drift._clocks(survey, survey.folds.folds[-1])
    assert "rain" not in drift._clocks(survey, survey.folds.folds[-1])
    assert found(other_rows, survey) == {}


def test_only_clocks_leave_nothing_to_ask():
    rows = days(400).drop(columns="rain")
    assert "but for times" in spared(other_rows, surveyed("target: takings\ntime: day", rows))


@pytest.mark.parametrize("problem", ["target: mass\ncolumns: {side: drop}", "target: mass\nsplit: {scheme: leave_one_out, by: side}"])
def test_sides_that_are_the_same_rows_in_turn_are_spared(problem: str):
    assert "both sides are the same rows" in spared(other_rows, surveyed(problem, sides(apart=2.0)))


def test_few_rows_on_a_side_are_spared():
    assert "too few rows" in spared(other_rows, surveyed(BY_SIDE, sides(20)))


@pytest.mark.parametrize("seed", range(3))
def test_the_area_is_that_of_scikit_learn(seed: int):
    rng = np.random.default_rng(seed)
    truth, score = rng.random(200) < 0.3, rng.integers(0, 12, 200).astype(float)
    assert drift._area(score, truth) == pytest.approx(roc_auc_score(truth, score))


def test_how_far_columns_are_apart_by_chance_is_what_samples_of_one_kind_are_apart():
    shown = []
    for seed in range(20):
        survey = surveyed(BY_SIDE, sides(seed=seed))
        shown.append(drift._shift(survey, survey.folds.folds[-1], ["size", "shape"]).set_index("column"))
    for column in ("size", "shape"):
        assert np.mean([each.loc[column, "apart"] for each in shown]) == pytest.approx(shown[0].loc[column, "by_chance"], rel=0.25)


def test_the_published_split_of_a_real_table_is_of_one_kind():
    problem = "target: {column: income, kind: binary}\ncolumns: {fnlwgt: drop}\nsplit: {scheme: predefined, by: split}"
    assert found(other_rows, real("adult", "data.csv.gz", problem)) == {}


# L13


def sales(n_new: int) -> pd.DataFrame:
    """Return 400 sales in time; so many of the last hundred are by an agent whom no sale before them has."""
    rng = np.random.default_rng(0)
    agent = rng.choice(["Ada", "Bo", "Cleo"], 400).astype(object)
    agent[300 : 300 + n_new] = [f"new {i}" for i in range(n_new)]
    day = pd.date_range("2021-01-01", periods=400)
    return pd.DataFrame({"day": day, "agent": agent, "price": rng.integers(5, 500, 400)})


@pytest.mark.parametrize(("n_new", "speaks"), [(0, False), (2, False), (4, True), (60, True)])
def test_unseen_levels_are_noted_from_one_judged_row_in_a_hundred_on(n_new: int, *, speaks: bool):
    survey = surveyed("target: price\ntime: day", sales(n_new))
    frame = survey.frame["agent"]
    new = sum((~frame.iloc[fold.test].isin(frame.iloc[fold.train])).sum() for fold in survey.folds.shown)
    n_judged = sum(len(fold.test) for fold in survey.folds.shown)
    said = found(unseen_levels, survey)
    assert ("agent" in said) == speaks == (new / n_judged >= 0.01)
    if speaks:
        assert said["agent"].number == new / n_judged
        assert said["agent"].severity == "note"


def test_what_is_missing_is_no_level_and_what_divides_the_rows_is_no_news():
    rows = sales(60)
    rows["agent"] = rows["agent"].where(~rows["agent"].str.startswith("new"))
    assert found(unseen_levels, surveyed("target: price\ntime: day", rows)) == {}
    grouped = sales(0).assign(team=[f"team {i // 20}" for i in range(400)])
    problem = "target: price\ncolumns: {day: drop}\nsplit: {scheme: kfold, together: team}\nknown_at: {always: [team]}"
    assert found(unseen_levels, surveyed(problem, grouped)) == {}


def test_the_holdout_is_not_looked_at():
    survey = surveyed("target: price\ntime: day\nsplit: {holdout: 0.25}", sales(60))
    assert found(unseen_levels, survey) == {}


def test_a_table_of_numbers_has_no_levels():
    assert "no column of names" in spared(unseen_levels, surveyed("target: takings\ntime: day", days(100)))


@pytest.mark.parametrize("check", [flattering_split, other_rows, unseen_levels])
@pytest.mark.parametrize(
    ("problem", "rows"),
    [
        ("target: takings", days(2)),
        ("target: takings\ntime: day", days(3)),
        ("target: takings\ntime: day\nsplit: {scheme: kfold, folds: 2}", days(8)),
        ("target: [takings, rain]\ntime: day", days(300).assign(wind=np.arange(300) % 9)),
        ("target: {column: wet, kind: binary}\ntime: day", days(300).assign(wet=lambda rows: (rows["rain"] > 3).astype(int))),
        ("target: takings\ntime: day\nweight: w", days(300).assign(w=np.tile([0.0, 1.0, 2.0], 100))),
        ("target: takings\ntime: day\nunit: [day]", days(200).assign(day=pd.date_range("1990-01-01", periods=200, freq="MS"))),
        (BY_SIDE, sides(300).assign(side=np.repeat(["train", "test"], [590, 10]))),
        (BY_SIDE, sides(300, apart=1.0).assign(size=lambda rows: rows["size"].where(rows["side"] == "train"))),
        ("target: takings\nsplit: {scheme: kfold}", days(300).assign(day=lambda rows: rows["day"].where(rows["rain"] > 2))),
    ],
)
def test_odd_tables_are_no_trouble(check: Check[Survey], problem: str, rows: pd.DataFrame):
    assert isinstance(check.run(surveyed(problem, rows)), Found | NotApplicable)


@pytest.mark.parametrize("check", [flattering_split, other_rows])
def test_the_same_seed_says_the_same(check: Check[Survey]):
    for problem, rows in (("target: takings\ntime: day\nsplit: {scheme: kfold}", days(growth=0.5)), (BY_SIDE, sides(apart=1.0))):
        said = [check.run(surveyed(problem, rows)) for _ in range(2)]
        assert [getattr(each, "findings", each) for each in said[:1]] == [getattr(each, "findings", each) for each in said[1:]]
