"""Columns that hold the answer, or look as if they do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from piste.core.audit import audit, checks
from piste.core.audit.leaks import strong_column, target_copied
from piste.core.check import Found, NotApplicable
from piste.core.finding import Finding
from tests.checks import read, surveyed

RNG = np.random.default_rng(0)


def shop(n: int = 400) -> pd.DataFrame:
    """Return sales that follow adverts a little."""
    rng = np.random.default_rng(0)
    adverts = rng.normal(10, 3, n)
    return pd.DataFrame({"adverts": adverts, "staff": rng.integers(1, 9, n), "sales": (90 + 4 * adverts + rng.gamma(2, 15, n)).round(2)})


def clinic(n: int = 600) -> pd.DataFrame:
    """Return who missed an appointment, which age tells a little."""
    rng = np.random.default_rng(1)
    age = rng.normal(50, 15, n)
    missed = rng.random(n) < 1 / (1 + np.exp((age - 40) / 12))
    return pd.DataFrame({"age": age, "room": rng.integers(1, 9, n), "missed": np.where(missed, "yes", "no")})


def said(check, problem: str, rows: pd.DataFrame) -> dict[str, Finding]:
    """Return what a check finds, by what it is about."""
    found = check.run(surveyed(problem, rows))
    assert isinstance(found, Found), found
    return {finding.on: finding for finding in found.findings}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (lambda y: y, "'x' is 'sales' in every row"),
        (lambda y: y / 1000, "'x' is 'sales' times 0.001 in every row"),
        (lambda y: 1.19 * y + 3, "'x' is 'sales' times 1.19, plus 3, in every row"),
        (lambda y: y.mask(np.arange(len(y)) % 3 == 0), "'x' is 'sales' wherever it is known"),
        (lambda y: np.log(y), "'x' puts the rows in the order of 'sales' (rank correlation 1.0000"),
        (lambda y: 1 / y, "'x' puts the rows in the reverse order of 'sales' (rank correlation 1.0000"),
        (lambda y: pd.cut(y.rank(), 6, labels=list("abcdef")).astype(str), "'x' is 'sales' cut into 6 ranges"),
    ],
)
def test_a_copy_of_a_number_is_found_in_any_unit(column: Callable[[pd.Series], pd.Series], message: str):
    rows = shop()
    found = said(target_copied, "target: sales", rows.assign(x=column(rows["sales"])))
    assert set(found) == {"x"}
    assert found["x"].severity == "block"
    assert message in found["x"].message


@pytest.mark.parametrize(("noise", "fires"), [(0.01, True), (0.2, False)])
def test_a_noisy_copy_is_one_as_long_as_it_keeps_the_order(noise, fires):
    rows = shop(3000)
    x = rows["sales"] + np.random.default_rng(2).normal(0, noise * rows["sales"].std(), 3000)
    found = said(target_copied, "target: sales", rows.assign(x=x))
    assert (set(found) == {"x"}) is fires
    assert (abs(x.corr(rows["sales"], method="spearman")) >= 0.999) == fires


def test_noise_within_the_marks_of_a_grade_is_a_copy_of_it():
    rng = np.random.default_rng(3)
    grade = rng.integers(1, 9, 800)
    rows = pd.DataFrame({"effort": grade + rng.normal(0, 3, 800), "points": grade + rng.normal(0, 0.05, 800), "grade": grade})
    assert set(said(target_copied, "target: {column: grade, kind: numeric}", rows)) == {"points"}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (lambda y: np.where(y == "yes", "no show", "came"), "'x' is 'missed' by other names: each value goes with one class in every row"),
        (lambda y: np.where(y == "yes", 1.0, 0.0) + RNG.normal(0, 0.05, len(y)), "'x' tells every class of 'missed' from the others"),
    ],
)
def test_a_copy_of_a_class_is_found_under_any_name(column, message):
    rows = clinic()
    found = said(target_copied, "target: missed", rows.assign(x=column(rows["missed"])))
    assert set(found) == {"x"}
    assert message in found["x"].message


def test_a_measurement_that_parts_a_few_rows_without_an_error_is_no_copy():
    rng = np.random.default_rng(4)
    kind = np.repeat(["setosa", "virginica"], 50)
    petal = np.where(kind == "setosa", 1.4, 5.5) + rng.normal(0, 0.2, 100)
    assert said(target_copied, "target: kind", pd.DataFrame({"petal": petal, "sepal": rng.normal(5, 1, 100), "kind": kind})) == {}


def test_two_dates_that_give_the_target_are_found():
    rng = np.random.default_rng(5)
    ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 300), unit="D")
    took = rng.integers(1, 30, 300)
    rows = pd.DataFrame({"ordered": ordered, "delivered": ordered + pd.to_timedelta(took, unit="D"), "days": took})
    found = said(target_copied, "target: days", rows)
    assert set(found) == {"ordered + delivered"}
    assert found["ordered + delivered"].message == "'delivered' - 'ordered' is 'days' in every row"


def test_a_law_with_numbers_of_its_own_only_warns():
    rows = shop()
    rows["sales"] = 3.7 * rows["adverts"] + 1.31 * rows["staff"]
    found = said(target_copied, "target: {column: sales, kind: numeric}", rows)
    assert [finding.severity for finding in found.values()] == ["warn"]


def test_a_total_that_grows_with_time_is_no_copy_of_the_year():
    n = 200
    rows = pd.DataFrame({"year": np.arange(n) + 1800, "other": RNG.normal(0, 1, n), "people": np.cumsum(RNG.gamma(2, 3, n)) ** 1.5})
    assert said(target_copied, "target: people", rows) == {}


def test_a_vouched_column_that_is_the_target_is_still_found():
    rows = shop()
    found = said(target_copied, "target: sales\nknown_at: {decision: [x, staff]}", rows.assign(x=rows["sales"] * 2))
    assert read(found["x"].paste, "problem.yaml").value == {"known_at": {"decision": ["staff"], "after": ["x"]}}


def test_what_is_known_after_is_not_asked_about():
    rows = shop()
    assert said(target_copied, "target: sales\nknown_at: {after: [x]}", rows.assign(x=rows["sales"])) == {}


def test_each_of_several_targets_has_its_own_copies():
    rng = np.random.default_rng(6)
    rows = pd.DataFrame(rng.gamma(3, 4, (200, 3)), columns=["heat", "cool", "size"])
    found = said(target_copied, "target: [heat, cool]", rows.assign(x=rows["cool"] * 3 + 1))
    assert set(found) == {"x"}
    assert "'cool'" in found["x"].message


def test_rows_of_the_holdout_are_not_looked_at():
    rows = shop()
    x = rows["sales"].copy()
    survey = surveyed("target: sales\nsplit: {holdout: 0.2}", rows.assign(x=x))
    held = survey.folds.holdout
    x.iloc[held] = RNG.normal(0, 1, len(held))
    found = said(target_copied, "target: sales\nsplit: {holdout: 0.2}", rows.assign(x=x))
    assert found["x"].message == "'x' is 'sales' in every row"


@pytest.mark.parametrize("rows", [shop(12), clinic(15)])
def test_a_dozen_rows_tell_no_copy_from_chance(rows):
    target = rows.columns[-1]
    survey = surveyed(f"target: {target}", rows)
    assert isinstance(target_copied.run(survey), NotApplicable)
    assert isinstance(strong_column.run(survey), NotApplicable)


@pytest.mark.parametrize(("noise", "fires"), [(0.42, True), (0.6, False)])
def test_a_column_is_strong_from_four_fifths_of_what_is_to_be_explained(noise, fires):
    rng = np.random.default_rng(7)
    y = rng.normal(50, 10, 5000)
    rows = pd.DataFrame({"x": y + rng.normal(0, 10 * noise, 5000), "other": rng.normal(0, 1, 5000), "y": y})
    found = said(strong_column, "target: y", rows)
    assert (set(found) == {"x"}) is fires
    if fires:
        assert found["x"].number == pytest.approx(rows["x"].corr(rows["y"]) ** 2, abs=0.02)


def test_strong_columns_that_are_vouched_for_are_not_asked_about():
    rng = np.random.default_rng(8)
    y = rng.normal(50, 10, 1000)
    rows = pd.DataFrame({"x": y + rng.normal(0, 2, 1000), "y": y})
    assert said(strong_column, "target: y\nknown_at: {always: [x]}", rows) == {}


def test_many_strong_columns_are_asked_about_once():
    rng = np.random.default_rng(9)
    y = rng.normal(50, 10, 1000)
    rows = pd.DataFrame({f"x{number}": y + rng.normal(0, 3 + number / 10, 1000) for number in range(5)}).assign(y=y)
    found = said(strong_column, "target: y", rows)
    assert len(found) == 1
    [finding] = found.values()
    assert "and 2 more come near it" in finding.message
    assert set(read(finding.paste, "problem.yaml").value["known_at"]["decision"]) == {f"x{number}" for number in range(5)}


def test_a_part_of_a_sum_is_asked_about_though_it_is_weak():
    rng = np.random.default_rng(10)
    part, rest = rng.poisson(20, 2000), rng.poisson(60, 2000) * (rng.random(2000) < 0.6)
    rows = pd.DataFrame({"members": part, "weather": rng.normal(0, 1, 2000), "visits": part + rest})
    found = said(strong_column, "target: visits", rows)
    assert set(found) == {"members"}
    assert "never above 'visits' and at times all of it" in found["members"].message
    assert found["members"].number == pytest.approx(part.sum() / (part + rest).sum())


def test_a_number_that_once_exceeds_the_target_is_no_part_of_it():
    rng = np.random.default_rng(10)
    part, rest = rng.poisson(20, 2000), rng.poisson(60, 2000) * (rng.random(2000) < 0.6)
    total = part + rest
    total[int(np.argmax(rest == 0))] -= 1
    rows = pd.DataFrame({"members": part, "weather": rng.normal(0, 1, 2000), "visits": total})
    assert said(strong_column, "target: visits", rows) == {}


def test_what_is_found_to_be_a_copy_is_not_called_strong_as_well():
    rows = shop()
    assert said(strong_column, "target: sales", rows.assign(x=rows["sales"] * 2)) == {}


def test_weird_columns_do_no_harm():
    rows = shop(60).assign(
        empty=np.nan, constant="same", day=pd.date_range("2024-01-01", periods=60), text=[f"row {i % 50}" for i in range(60)]
    )
    assert said(target_copied, "target: sales", rows) == {}
    assert said(strong_column, "target: sales", rows) == {}


def test_a_copy_of_the_answer_is_told_once_not_as_a_statistic_of_it_too():
    """What several checks see in one column has one cause, which is said."""
    rng = np.random.default_rng(0)
    visitors = rng.poisson(30, 300)
    frame = pd.DataFrame({"counter": np.tile(list("abc"), 100), "till": visitors * 4.5, "visitors": visitors})
    told = audit(surveyed("target: visitors", frame))
    assert [each.check for each in told.findings if each.on == "till" and each.severity == "block"] == ["L01"]
    assert {each.check for each in told.findings} | {*told.silent} | {*told.spared} == {*checks()}


def test_parts_of_the_answer_are_told_once_not_each_as_a_statistic_by_the_other_too():
    rng = np.random.default_rng(0)
    casual, registered = rng.poisson(8, 2_000), rng.poisson(12, 2_000)
    frame = pd.DataFrame({"casual": casual, "registered": registered, "heat": rng.normal(size=2_000), "count": casual + registered})
    told = audit(surveyed("target: count", frame))
    assert [(each.check, each.on) for each in told.findings if each.severity == "block"] == [("L01", "casual + registered")]
