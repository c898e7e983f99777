"""The spacing of times, series by series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.measures.timeline import Spacing, spacing, timeline, turned
from tests.checks import surveyed

TARGET = "target: {column: y, kind: numeric}\ntime: t\n"


def table(times: pd.DatetimeIndex | pd.Series, **more: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"t": times, "x": rng.normal(0, 1, len(times)), "y": rng.normal(0, 1, len(times)), **more})


def spaced(frame: pd.DataFrame, more: str = "") -> Spacing:
    survey = surveyed(TARGET + more, frame)
    line = timeline(survey, survey.rows)
    assert line
    found = spacing(line)
    assert found
    return found


def test_days_without_a_row_are_counted_whatever_the_order_of_the_file():
    days = pd.date_range("2020-01-01", periods=300).delete([50, 51, 52, 200])
    found = spaced(table(days).sample(frac=1, random_state=0))
    assert (found.step, found.missing, found.repeated) == (86_400.0, 4, 0)
    assert found.longest == 4 * 86_400


def test_weekends_and_nights_that_never_have_a_row_are_not_missing():
    assert spaced(table(pd.bdate_range("2020-01-01", periods=300))).missing == 0
    hours = pd.date_range("2020-01-01", periods=2000, freq="h")
    assert spaced(table(hours[(hours.hour >= 8) & (hours.hour < 18)])).missing == 0


def test_breaks_between_seasons_are_not_missing_but_a_single_break_is():
    winters = [pd.date_range(f"{year}-12-01", periods=120) for year in (2017, 2018, 2019)]
    assert spaced(table(winters[0].append(winters[1:]))).missing == 0
    assert spaced(table(winters[0].append(winters[1]))).missing == 245


def test_series_are_told_apart_by_the_unit_or_by_the_one_column_that_does():
    days = pd.Series(np.tile(pd.date_range("2020-01-01", periods=100), 3))
    frame = table(days, run=np.repeat(["a", "b", "c"], 100))
    assert spaced(frame, "unit: [run, t]").repeated == 0
    assert spaced(frame).repeated == 0
    assert spaced(frame.drop(columns="run")).repeated == 200


def test_repeated_times_are_counted():
    days = pd.date_range("2020-01-01", periods=100)
    assert spaced(table(days.append(days[:7]))).repeated == 7


def test_the_hour_that_is_skipped_in_spring_is_told_from_other_gaps():
    local = pd.date_range("2019-01-01", "2021-12-31", freq="h", tz="Europe/Zurich").tz_localize(None)
    found = spaced(table(local))
    assert [str(pd.Timestamp(time, unit="s").date()) for time in found.skipped] == ["2019-03-31", "2020-03-29", "2021-03-28"]
    assert spaced(table(pd.date_range("2019-01-01", periods=20_000, freq="h"))).skipped == ()


def test_steps_that_change_are_seen_in_the_halves():
    early, late = pd.date_range("2020-01-01", periods=500, freq="h"), pd.date_range("2020-02-01", periods=500, freq="15min")
    assert [step for step, _ in spaced(table(early.append(late))).halves] == [3600.0, 900.0]


def test_there_is_no_timeline_without_a_time():
    frame = table(pd.date_range("2020-01-01", periods=50))
    survey = surveyed("target: {column: y, kind: numeric}", frame)
    assert timeline(survey, survey.rows) is None


@pytest.mark.parametrize(
    ("length", "words"), [(3600.0, "1 hour"), (10 * 86_400.0, "10 days"), (300 * 86_400.0, "10 months"), (900.0, "15 minutes")]
)
def test_lengths_of_time_are_said_as_people_say_them(length: float, words: str):
    survey = surveyed(TARGET, table(pd.date_range("2020-01-01", periods=50)))
    line = timeline(survey, survey.rows)
    assert line
    assert line.span(length) == words


def changed(days: pd.Series, which: np.ndarray) -> pd.Series:
    """Let day and month change places in some dates, where that gives a date."""
    either = which & (days.dt.day <= 12) & (days.dt.day != days.dt.month)
    return days.where(~either, pd.to_datetime(days.dt.strftime("%Y-%d-%m").where(either), format="%Y-%m-%d"))


DAYS = pd.Series(pd.date_range("2020-01-01", periods=700))


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_days_and_months_in_each_others_place_are_found_by_the_order_of_the_rows(share: float):
    which = np.random.default_rng(0).random(700) < share
    read = changed(DAYS, which)
    wrong = (read != DAYS).to_numpy()
    found = turned(read, np.zeros(700, dtype=int))
    assert wrong.sum() > 20
    assert not found[~wrong].any()
    assert found.sum() >= 0.9 * wrong.sum()


def test_each_series_has_an_order_of_its_own():
    read = pd.concat([DAYS, changed(DAYS, np.ones(700, dtype=bool))], ignore_index=True)
    found = turned(read, np.repeat([0, 1], 700))
    assert not found[:700].any()
    assert found[700:].sum() > 200


def test_rows_in_no_order_tell_nothing():
    assert not turned(changed(DAYS, np.ones(700, dtype=bool)).sample(frac=1, random_state=0), np.zeros(700, dtype=int)).any()
    assert not turned(DAYS, np.zeros(700, dtype=int)).any()
    assert not turned(pd.Series(pd.to_datetime(["2020-03-02", None])), np.zeros(2, dtype=int)).any()
