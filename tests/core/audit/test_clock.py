"""D07 and D08: units and levels in time, and the clock itself; and that no check of the rows fails on a strange table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.clock import broken, clock
from piste.core.audit.columns import dead, misread, missing
from piste.core.audit.sentinels import stand_ins
from piste.core.audit.target import contradictory, too_little
from piste.core.check import Check, Found, NotApplicable
from piste.core.finding import Finding
from tests.checks import surveyed

TIMED = "target: {column: y, kind: numeric}\ntime: day\n"


def rows(n: int = 800, **more: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"day": pd.date_range("2019-01-01", periods=n), "x": rng.lognormal(2, 0.5, n).round(1), "y": rng.normal(50, 9, n)})
    return frame.assign(**more)


def found(check: Check, problem: str, table: pd.DataFrame) -> list[Finding]:
    said = check.run(surveyed(problem, table))
    return list(said.findings) if isinstance(said, Found) else []


def test_sound_columns_on_a_sound_clock_are_left_alone():
    assert found(broken, TIMED, rows()) == []
    assert found(clock, TIMED, rows()) == []


def test_another_unit_is_found_without_a_clock_and_where_it_is_used_is_said():
    rng = np.random.default_rng(0)
    table = rows(site=rng.choice(["Bern", "Boston"], 800)).drop(columns="day")
    table["x"] = np.where(table["site"] == "Boston", table["x"] / 2.54, table["x"])
    [finding] = found(broken, "target: {column: y, kind: numeric}", table)
    assert "in inches" in finding.message
    assert "where 'site' is Boston" in finding.message


def test_heights_in_metres_among_centimetres_are_found_without_a_clock():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"height": rng.normal(170, 9, 400).round(), "age": rng.integers(18, 70, 400), "y": rng.normal(0, 1, 400)})
    table.loc[rng.choice(400, 30, replace=False), "height"] /= 100
    [finding] = found(broken, "target: {column: y, kind: numeric}", table)
    assert finding.number == pytest.approx(100, rel=0.02)
    assert "times smaller in 30 rows" in finding.message
    assert "as from ones to hundreds" in finding.message or "as from hundreds to ones" in finding.message


def test_a_stretch_in_another_unit_is_dated():
    table = rows()
    part = table["day"].between("2020-03-01", "2020-09-30")
    table["x"] = np.where(part, table["x"] / 2.54, table["x"])
    [finding] = found(broken, TIMED, table)
    assert "from 2020-03-0" in finding.message
    assert "to 2020-09-" in finding.message


def test_a_level_of_the_answer_that_changes_is_found_to_the_week():
    table = rows()
    table["y"] = np.where(table["day"] >= "2020-06-15", table["y"] * 10, table["y"])
    [finding] = found(broken, TIMED, table)
    assert finding.on == "y"
    assert finding.field == "target"
    assert finding.number == pytest.approx(10, rel=0.1)
    assert "2020-06-" in finding.message
    assert "as from ones to tens" in finding.message or "as from tens to ones" in finding.message


def test_a_break_in_one_series_is_found_and_named():
    rng = np.random.default_rng(0)
    table = pd.concat([rows(400).assign(run=name, x=rng.lognormal(2, 0.4, 400)) for name in "abcdef"])
    table["x"] = np.where((table["run"] == "d") & (table["day"] >= "2019-08-01"), table["x"] * 5, table["x"])
    [finding] = found(broken, f"{TIMED}unit: [run, day]", table)
    assert "where 'run' is d" in finding.message


def test_a_winter_that_comes_back_is_no_break():
    day = pd.Series(pd.date_range("2015-01-01", periods=1800))
    heat = np.exp(2 * np.sin(2 * np.pi * day.dt.day_of_year / 365) + np.random.default_rng(0).normal(0, 0.3, 1800))
    assert found(broken, TIMED, rows(1800, heat=heat)) == []


def test_a_stuck_gauge_warns_in_the_answer_and_from_one_percent_of_a_column():
    table = rows(4000)
    table.loc[500:514, "x"] = 7.7
    assert [each.severity for each in found(broken, TIMED, table)] == ["note"]
    table.loc[500:545, "x"] = 7.7
    assert [each.severity for each in found(broken, TIMED, table)] == ["warn"]
    table = rows(4000)
    table.loc[500:514, "y"] = 51.0
    assert [(each.on, each.severity) for each in found(broken, TIMED, table)] == [("y", "warn")]


@pytest.mark.parametrize(("n", "severities"), [(7, []), (9, ["warn"])])
def test_one_time_in_a_hundred_may_come_twice(n: int, severities: list[str]):
    table = rows()
    assert [each.severity for each in found(clock, TIMED, pd.concat([table, table.head(n)]))] == severities


@pytest.mark.parametrize(("n", "severities"), [(7, []), (40, ["note"]), (300, ["warn"])])
def test_steps_that_are_missing_are_noted_and_warn_where_they_are_many(n: int, severities: list[str]):
    table = rows().drop(index=np.random.default_rng(0).choice(np.arange(1, 799), n, replace=False))
    assert [each.severity for each in found(clock, TIMED, table)] == severities


def test_steps_that_are_missing_warn_where_something_looks_back():
    table = rows().drop(index=np.random.default_rng(0).choice(np.arange(1, 799), 40, replace=False))
    [finding] = found(clock, f"{TIMED}baselines: {{last_week: y@-7d}}", table)
    assert finding.severity == "warn"
    assert "(@)" in finding.consequence


def test_steps_of_two_kinds_warn():
    when = pd.date_range("2020-01-01", periods=400, freq="h").append(pd.date_range("2020-02-01", periods=400, freq="10min"))
    [finding] = found(clock, TIMED, rows().assign(day=when))
    assert "every 1 hour in the first half" in finding.message
    assert "every 10 minutes in the second" in finding.message


def test_times_that_are_irregular_by_nature_and_panels_without_a_name_are_let_be():
    rng = np.random.default_rng(0)
    when = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.cumsum(rng.exponential(3600, 800)).round(), unit="s")
    assert found(clock, TIMED, rows().assign(day=when)) == []
    panel = pd.concat([rows(100)] * 6).assign(x=rng.normal(0, 1, 600))
    assert isinstance(clock.run(surveyed(TIMED, panel)), NotApplicable)


def test_there_is_no_clock_without_a_time():
    assert isinstance(clock.run(surveyed("target: {column: y, kind: numeric}", rows())), NotApplicable)


def test_the_order_of_the_file_is_no_matter():
    table = rows()
    table["x"] = np.where(table["day"] >= "2020-03-01", table["x"] / 2.54, table["x"])
    mixed = table.sample(frac=1, random_state=1)
    assert [each.message for each in found(broken, TIMED, mixed)] == [each.message for each in found(broken, TIMED, table)]


CHECKS = (stand_ins, too_little, dead, missing, contradictory, misread, broken, clock)
RNG = np.random.default_rng(5)
DAYS = pd.date_range("2020-01-01", periods=60)
STRANGE = {
    "two rows": ("target: {column: y, kind: numeric}", pd.DataFrame({"x": [1, 2], "y": [1.0, 2.0]})),
    "two rows in time": ("target: {column: y, kind: numeric}\ntime: t", pd.DataFrame({"t": DAYS[:2], "x": [1, 2], "y": [1.0, 2.0]})),
    "huge numbers": (
        "target: {column: y, kind: numeric}",
        pd.DataFrame({"x": np.geomspace(1e-290, 1e290, 60), "y": np.arange(60) * 1e140}),
    ),
    "a column that is all but missing": (
        "target: {column: y, kind: numeric}",
        pd.DataFrame({"x": [1.0] + [np.nan] * 59, "z": [None] * 58 + ["a", "b"], "y": np.arange(60.0)}),
    ),
    "dates beside the time": (
        "target: {column: y, kind: count}\ntime: t",
        pd.DataFrame({"t": DAYS, "due": DAYS[::-1].where(RNG.random(60) < 0.5), "y": RNG.poisson(3, 60)}),
    ),
    "times that all but agree": (
        "target: {column: y, kind: numeric}\ntime: t",
        pd.DataFrame({"t": [DAYS[0]] * 59 + [DAYS[1]], "x": RNG.normal(0, 1, 60), "y": RNG.normal(0, 1, 60)}),
    ),
    "each left out once": (
        "target: {column: y, kind: category}\nsplit: {scheme: leave_one_out, by: g}",
        pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "x": RNG.normal(0, 1, 60), "y": np.tile(["p", "q", "r"], 20)}),
    ),
    "a split of its own": (
        "target: y\nsplit: {scheme: predefined, by: part}",
        pd.DataFrame({"part": np.tile(["train", "test"], 30), "x": RNG.normal(0, 1, 60), "y": RNG.choice(["a", "b"], 60)}),
    ),
    "weights, some of them 0": (
        "target: {column: y, kind: numeric}\nweight: w",
        pd.DataFrame({"w": np.tile([0.0, 2.0], 30), "x": np.repeat(np.arange(20), 3), "y": RNG.normal(0, 1, 60)}),
    ),
    "several targets in time": (
        "target: [y, z]\ntime: t",
        pd.DataFrame({"t": DAYS, "x": RNG.normal(0, 1, 60), "y": RNG.normal(0, 1, 60), "z": RNG.normal(9, 2, 60)}),
    ),
    "many levels": (
        "target: y",
        pd.DataFrame({"x": [f"level {i // 2}" for i in range(60)], "y": RNG.choice(["a", "b"], 60)}),
    ),
    "ordered classes": (
        "target: {column: y, kind: ordered}",
        pd.DataFrame({"x": RNG.normal(0, 1, 60), "y": np.tile([1, 2, 3], 20)}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.id)
@pytest.mark.parametrize("name", STRANGE)
def test_no_check_of_the_rows_fails_on_a_strange_table(name: str, check: Check):
    problem, table = STRANGE[name]
    said = check.run(surveyed(problem, table))
    assert isinstance(said, Found | NotApplicable)
    for finding in said.findings if isinstance(said, Found) else ():
        assert np.isfinite(finding.number)
        assert finding.severity in check.severity
        assert not finding.consequence.endswith(".")


def test_columns_in_the_same_other_unit_are_one_finding():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"day": rng.gamma(2.0, 8.0, 1500).round(1) + 0.1, "week": rng.gamma(4.0, 12.0, 1500).round(1) + 0.1})
    frame.loc[:199, "day"] /= 2.54  # 3 of 200, and 4 of 300, stay on the steps
    frame.loc[:299, "week"] /= 2.54
    frame["guests"] = rng.normal(100, 20, 1500).round(2)
    said = broken.run(surveyed("target: {column: guests, kind: numeric}", frame.round(6)))
    [finding] = [each for each in said.findings if "inches" in each.message]
    assert finding.on == "day + week"
    assert finding.message.startswith("'day' and 'week' seem to be in inches in 197 rows (13%) and 296 rows (20%), and in centimetres")
    assert "times 2.54, they fall on steps of 0.1 like all others" in finding.message
