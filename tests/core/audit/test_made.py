"""Columns that were computed from the whole file, the answer among it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler, TargetEncoder

from piste.core.audit.made import made_from_the_file, own_answer
from piste.core.check import Found, NotApplicable
from piste.core.finding import Finding
from tests.checks import read, surveyed


def flats(n: int = 1200) -> pd.DataFrame:
    """Return flats in fifteen districts on five floors."""
    rng = np.random.default_rng(0)
    district, floor = rng.integers(0, 15, n), rng.integers(0, 5, n)
    size = rng.gamma(20, 4, n).round(1)
    rent = 9 * size + 40 * district + 15 * floor + rng.normal(0, 90, n)
    return pd.DataFrame({"district": [f"d{code}" for code in district], "floor": floor, "size": size, "rent": rent.round(2)})


def days(n: int = 400) -> pd.DataFrame:
    """Return days of four shops in order of time, with a week in them."""
    rng = np.random.default_rng(1)
    day = pd.date_range("2023-01-01", periods=n)
    rows = pd.DataFrame({"day": np.repeat(day, 4), "shop": np.tile(list("abcd"), n)})
    usual = np.tile([50, 80, 20, 140], n) * np.repeat(np.where(day.day_of_week == 5, 1.6, 1.0), 4)
    return rows.assign(adverts=rng.integers(0, 5, 4 * n), sales=rng.poisson(usual))


BY_SHOP = "target: {column: sales, kind: count}\ntime: day\nunit: [shop, day]"
ONE_SHOP = "target: {column: sales, kind: count}\ntime: day"


def said(check, problem: str, rows: pd.DataFrame) -> dict[str, Finding]:
    """Return what a check finds, by what it is about."""
    found = check.run(surveyed(problem, rows))
    assert isinstance(found, Found), found
    return {finding.on: finding for finding in found.findings}


def encoder(rows: pd.DataFrame, smooth: float | str) -> np.ndarray:
    """Return the district as scikit-learn encodes it when it is fitted to all rows."""
    return TargetEncoder(smooth=smooth, target_type="continuous").fit(rows[["district"]], rows["rent"]).transform(rows[["district"]])[:, 0]


def in_district(statistic: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return a statistic of the rents of a district."""
    return lambda rows: rows.groupby("district")["rent"].transform(statistic)


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (in_district("mean"), "the mean of 'rent' by 'district'"),
        (in_district("median"), "the median of 'rent' by 'district'"),
        (in_district("sum"), "the sum of 'rent' by 'district'"),
        (lambda rows: in_district("mean")(rows).round(1), "the mean of 'rent' by 'district'"),
        (lambda rows: in_district("mean")(rows) / 1000 - 3, "the mean in other units of 'rent' by 'district'"),
        (lambda rows: encoder(rows, 20.0), "the smoothed mean of 'rent' by 'district'"),
        (
            lambda rows: (in_district("sum")(rows) - rows["rent"]) / (in_district("size")(rows) - 1),
            "the mean over the other rows of 'rent' by 'district'",
        ),
        (lambda rows: rows.groupby(["district", "floor"])["rent"].transform("mean"), "the mean of 'rent' by 'floor' and 'district'"),
    ],
)
def test_a_statistic_of_the_target_by_a_category_is_found_and_the_category_named(column, what):
    rows = flats()
    found = said(made_from_the_file, "target: rent", rows.assign(x=column(rows)))
    assert set(found) == {"x"}
    assert found["x"].severity == "block"
    assert found["x"].message.startswith(f"'x' is {what}, over the whole file")


def test_the_empirical_bayes_of_scikit_learn_is_found():
    rng = np.random.default_rng(11)
    street = rng.integers(0, 120, 1200)
    rows = pd.DataFrame({"district": [f"street {code}" for code in street], "rent": 3 * street + rng.normal(0, 200, 1200)})
    found = said(made_from_the_file, "target: rent", rows.assign(x=encoder(rows, "auto")))
    assert found["x"].message.startswith("'x' is the smoothed mean of 'rent' by 'district'")


def test_a_statistic_is_found_when_its_category_is_gone():
    rows = flats()
    found = said(made_from_the_file, "target: rent", rows.assign(x=in_district("mean")(rows)).drop(columns="district"))
    assert "by some grouping of the rows" in found["x"].message


@pytest.mark.parametrize("labels", [2, 3])
def test_the_share_of_a_class_by_a_category_is_found(labels):
    rng = np.random.default_rng(2)
    rows = flats().drop(columns="rent").assign(let=rng.choice(["no", "yes", "maybe"][:labels], 1200))
    x = (rows["let"] == "yes").astype(float).groupby(rows["district"]).transform("mean")
    found = said(made_from_the_file, "target: let", rows.assign(x=x))
    assert set(found) == {"x"}
    assert "the share of 'let' being 'yes' by 'district'" in found["x"].message


@pytest.mark.parametrize(
    "column",
    [
        lambda rows, rng: rows["district"].map(rows[rng.random(len(rows)) < 0.5].groupby("district")["rent"].mean()),
        lambda rows, rng: (rows["rent"] + rng.normal(0, 90, len(rows))).round(-2),
        lambda rows, rng: rows.groupby("district")["size"].transform("mean"),
        lambda rows, rng: rows.groupby("district")["rent"].transform("size").astype(float),
        lambda rows, rng: 700.0 + 40 * rows["district"].str[1:].astype(int),
        lambda rows, rng: rows.groupby("district")["rent"].transform(lambda rent: rent.expanding().mean().shift(1)),
    ],
    ids=["of the other half", "an honest guess", "of another column", "the number of rows", "from a table", "of the rows before"],
)
def test_an_honest_estimate_is_not_mistaken_for_a_statistic_of_the_file(column):
    rows = flats()
    assert said(made_from_the_file, "target: rent", rows.assign(x=column(rows, np.random.default_rng(3)))) == {}


def test_a_list_price_that_most_pay_is_no_median():
    rng = np.random.default_rng(4)
    price = 10.0 * rng.integers(1, 20, 900)
    paid = np.where(rng.random(900) < 0.3, price * rng.uniform(0.8, 0.99, 900), price).round(2)
    assert said(made_from_the_file, "target: paid", pd.DataFrame({"price": price, "paid": paid})) == {}


def test_rows_of_the_holdout_are_not_looked_at():
    rows = flats()
    problem = "target: rent\nsplit: {holdout: 0.2}"
    held = surveyed(problem, rows).folds.holdout
    seen = rows.drop(index=held).groupby("district")["rent"].mean()
    found = said(made_from_the_file, problem, rows.assign(x=rows["district"].map(seen)))
    assert set(found) == {"x"}


def test_the_line_to_paste_drops_the_column():
    rows = flats()
    found = said(made_from_the_file, "target: rent\ncolumns: {floor: category}", rows.assign(x=in_district("mean")(rows)))
    assert read(found["x"].paste, "problem.yaml").value == {"columns": {"floor": "category", "x": "drop"}}


def test_a_scaled_file_is_noted_once():
    rows = flats().assign(age=np.random.default_rng(5).gamma(3, 10, 1200))
    rows[["size", "floor", "age"]] = StandardScaler().fit_transform(rows[["size", "floor", "age"]])
    found = said(made_from_the_file, "target: rent", rows)
    assert [finding.severity for finding in found.values()] == ["note"]
    [finding] = found.values()
    assert finding.number == 3


def test_columns_that_share_any_deviation_were_scaled_together():
    rng = np.random.default_rng(6)
    X = rng.normal(0, 1, (300, 3))
    X = (X - X.mean(axis=0)) / np.sqrt(((X - X.mean(axis=0)) ** 2).sum(axis=0))
    rows = pd.DataFrame(X, columns=["age", "weight", "pulse"]).assign(days=rng.gamma(3, 4, 300))
    assert set(said(made_from_the_file, "target: days", rows)) == {"age"}


@pytest.mark.parametrize("off", [0.01, 0.5])
def test_a_mean_that_is_not_zero_is_no_sign_of_scaling(off):
    rows = flats()
    rows["size"] = StandardScaler().fit_transform(rows[["size"]])[:, 0] + off
    assert said(made_from_the_file, "target: rent", rows) == {}


WITH_ITS_ANSWER = {
    "the mean of 'sales' over the 7 rows that end with the row itself": lambda y: y.rolling(7, min_periods=1).mean(),
    "the mean of 'sales' over the 28 rows that end with the row itself": lambda y: y.rolling(28).mean().round(1),
    "the mean of 'sales' over 5 rows: 2 before, the row itself and 2 after": lambda y: y.rolling(5, center=True).mean(),
    "the sum of 'sales' over the 3 rows that end with the row itself": lambda y: y.rolling(3).sum(),
    "the greatest 'sales' over the 14 rows that end with the row itself": lambda y: y.rolling(14).max(),
    "the least 'sales' over the 4 rows that end with the row itself": lambda y: y.rolling(4).min(),
    "the median 'sales' over the 9 rows that end with the row itself": lambda y: y.rolling(9).median(),
    "the mean of 'sales' over the 5 rows that begin with the row itself": lambda y: y[::-1].rolling(5).mean()[::-1],
    "the mean of 'sales' over the next 3 rows": lambda y: y[::-1].rolling(3).mean()[::-1].shift(-1),
    "'sales' of the next row": lambda y: y.shift(-1),
    "the mean of 'sales' over all rows up to the row itself": lambda y: y.expanding().mean(),
    "the sum of 'sales' over all rows up to the row itself": lambda y: y.cumsum(),
    "the median 'sales' over all rows up to the row itself": lambda y: y.expanding().median(),
    "the change of 'sales' since the row before": lambda y: y.diff(),
    "the relative change of 'sales' since the row before": lambda y: y.pct_change(),
    "a running mean of 'sales' in which the row itself counts 33%": lambda y: y.ewm(span=5).mean(),
}


@pytest.mark.parametrize(("what", "made"), WITH_ITS_ANSWER.items(), ids=WITH_ITS_ANSWER)
def test_a_running_statistic_with_its_own_answer_is_found(what, made):
    rows = days()
    rows = rows[rows["shop"] == "b"].drop(columns="shop").reset_index(drop=True)
    found = said(own_answer, ONE_SHOP, rows.assign(x=made(rows["sales"].astype(float))))
    assert set(found) == {"x"}
    assert found["x"].severity == "block"
    assert found["x"].message.startswith(f"'x' is {what}, in order of time")


@pytest.mark.parametrize(("what", "made"), WITH_ITS_ANSWER.items(), ids=WITH_ITS_ANSWER)
def test_the_same_statistic_of_the_rows_before_is_not(what, made):
    rows = days()
    rows = rows[rows["shop"] == "b"].drop(columns="shop").reset_index(drop=True)
    before = made(rows["sales"].astype(float)).shift(10)
    assert said(own_answer, ONE_SHOP, rows.assign(x=before)) == {}


@pytest.mark.parametrize(
    "made",
    [
        lambda y: y.shift(1),
        lambda y: y.shift(7),
        lambda y: y.shift(1).rolling(7, min_periods=1).mean(),
        lambda y: y.shift(1).ewm(span=5).mean(),
        lambda y: y.shift(1).expanding().mean(),
        lambda y: y.shift(1).cummax(),
        lambda y: y.shift(1).diff(),
    ],
)
def test_what_only_looks_back_is_left_alone_even_by_one_row(made):
    rows = days()
    rows = rows[rows["shop"] == "b"].drop(columns="shop").reset_index(drop=True)
    assert said(own_answer, ONE_SHOP, rows.assign(x=made(rows["sales"].astype(float)))) == {}


def test_the_row_before_of_a_total_that_only_grows_is_left_alone():
    rng = np.random.default_rng(7)
    rows = pd.DataFrame({"day": pd.date_range("2023-01-01", periods=500), "total": np.cumsum(rng.poisson(3, 500))})
    rows["x"] = rows["total"].shift(1)
    rows["y"] = rows["total"].shift(1).rolling(5).min()
    assert said(own_answer, "target: {column: total, kind: count}\ntime: day", rows) == {}


def test_a_window_within_each_series_is_found_whatever_the_order_of_the_rows():
    rows = days()
    rows["x"] = rows.groupby("shop")["sales"].transform(lambda y: y.rolling(7, min_periods=1).mean())
    rows = rows.sample(frac=1, random_state=0).reset_index(drop=True)
    found = said(own_answer, BY_SHOP, rows)
    assert set(found) == {"x"}
    assert found["x"].message.endswith("the 7 rows that end with the row itself, in order of time within each 'shop'")


def test_a_window_is_found_without_a_word_on_time_or_series():
    rows = days()
    rows["x"] = rows.groupby("shop")["sales"].transform(lambda y: y.rolling(7, min_periods=1).mean())
    found = said(own_answer, "target: {column: sales, kind: count}\ncolumns: {day: drop}", rows)
    assert set(found) == {"x"}


def test_the_mean_of_a_day_is_an_aggregate_of_its_own_answer():
    rows = days()
    rows["x"] = rows.groupby("day")["sales"].transform("mean")
    assert "by 'day'" in said(own_answer, BY_SHOP, rows)["x"].message
    assert said(made_from_the_file, BY_SHOP, rows) == {}


def test_a_running_share_of_a_class_is_found():
    rng = np.random.default_rng(8)
    rows = pd.DataFrame({"day": pd.date_range("2023-01-01", periods=600), "late": np.where(rng.random(600) < 0.4, "yes", "no")})
    rows["x"] = (rows["late"] == "yes").astype(float).rolling(10).mean()
    assert set(said(own_answer, "target: late\ntime: day", rows)) == {"x"}


def test_windows_do_not_need_the_answers_of_the_holdout():
    rows = days()
    rows = rows[rows["shop"] == "b"].drop(columns="shop").reset_index(drop=True)
    rows["x"] = rows["sales"].rolling(7).mean()
    found = said(own_answer, f"{ONE_SHOP}\nsplit: {{scheme: forward, holdout: 0.2}}", rows)
    assert set(found) == {"x"}


def test_flags_of_rare_days_are_no_window():
    rng = np.random.default_rng(9)
    rows = pd.DataFrame({"day": pd.date_range("2022-01-01", periods=900), "late": rng.random(900) < 0.05})
    flags = {f"flag {number}": (rng.random(900) < 0.04).astype(float) for number in range(20)}
    rows = rows.assign(**flags, late=np.where(rows["late"], "yes", "no"))
    assert said(own_answer, "target: late\ntime: day", rows) == {}


def test_what_has_no_running_mean_says_why():
    rng = np.random.default_rng(10)
    rows = flats(200).assign(kind=rng.choice(["a", "b", "c"], 200))
    assert isinstance(own_answer.run(surveyed("target: kind", rows)), NotApplicable)
    several = pd.DataFrame(rng.normal(0, 1, (60, 3)), columns=["x", "y", "z"])
    assert isinstance(own_answer.run(surveyed("target: [x, y]", several)), NotApplicable)
    assert said(made_from_the_file, "target: [x, y]", several) == {}


@pytest.mark.parametrize("n", [2, 8, 19])
def test_few_rows_tell_no_statistic_from_chance(n):
    survey = surveyed("target: rent", flats().head(n))
    assert isinstance(made_from_the_file.run(survey), NotApplicable)
    assert isinstance(own_answer.run(survey), NotApplicable)


def test_weird_columns_do_no_harm():
    rows = flats(60).assign(
        empty=np.nan, constant=1.0, mostly=[np.nan] * 55 + [1.0, 2, 3, 4, 5], day=pd.date_range("2024-01-01", periods=60)
    )
    assert said(made_from_the_file, "target: rent", rows) == {}
    assert said(own_answer, "target: rent\ntime: day", rows) == {}
