"""How far back a value must lie to be known at the decision: against a table of what is known when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from piste.core.grammar import Lag
from piste.core.horizon import distance, horizon, too_short
from piste.core.problem import Problem


def problem(made_at: str | None, delay: str | None = None) -> Problem:
    keys: dict[str, Any] = {"data": "rows.csv", "target": {"column": "y"} | ({"delay": delay} if delay else {}), "time": "t"}
    return Problem.model_validate(keys | ({"decision": {"made_at": made_at}} if made_at else {}))


@pytest.mark.parametrize(
    ("made_at", "row", "decided"),
    [
        ("-1d 18:00", datetime(2025, 1, 31), datetime(2025, 1, 30, 18)),
        ("-1d 18:00", datetime(2025, 1, 31, 9, 30), datetime(2025, 1, 30, 18)),
        ("-2d 06:15", datetime(2025, 1, 31), datetime(2025, 1, 29, 6, 15)),
        ("0d 06:00", datetime(2025, 1, 31, 9), datetime(2025, 1, 31, 6)),
        ("0d 06:00", datetime(2025, 1, 31), datetime(2025, 1, 31, 6)),
        ("-2h", datetime(2025, 1, 31, 9), datetime(2025, 1, 31, 7)),
        ("-30min", datetime(2025, 1, 31), datetime(2025, 1, 30, 23, 30)),
        ("-1d", datetime(2025, 1, 31, 9), datetime(2025, 1, 30, 9)),
    ],
)
def test_the_distance_leads_from_a_row_to_its_decision(made_at: str, row: datetime, decided: datetime) -> None:
    clock = row - row.replace(hour=0, minute=0)
    assert row - distance(made_at, clock) == decided


@pytest.mark.parametrize(
    ("made_at", "delay", "shortest"),
    [
        ("-1d 18:00", None, timedelta(hours=30)),  # six hours to 18:00, and the day looked back at must be over
        ("-1d 18:00", "1d", timedelta(hours=30)),
        ("-1d 18:00", "2h", timedelta(hours=8)),
        ("-1d", None, timedelta(days=2)),
        ("-1d", "3d", timedelta(days=4)),
        ("-2h", None, timedelta(hours=2, microseconds=1)),
        ("-2h", "30min", timedelta(hours=2, minutes=30)),
        ("0d 06:00", None, timedelta(hours=18)),
        ("0d 06:00", "1h", timedelta(microseconds=1)),
    ],
)
def test_the_horizon_is_the_distance_and_the_delay(made_at: str, delay: str | None, shortest: timedelta) -> None:
    assert horizon(problem(made_at, delay)) == shortest


def test_without_a_moment_of_decision_there_is_no_horizon() -> None:
    assert horizon(problem(None)) is None
    assert too_short(problem(None), Lag(1.0, "min")) is None


@pytest.mark.parametrize(
    ("made_at", "delay", "lag", "needed"),
    [
        ("-1d 18:00", None, Lag(1.0, "d"), "at least 2d"),
        ("-1d 18:00", None, Lag(2.0, "d"), ""),
        ("-1d 18:00", "1d", Lag(1.0, "d"), "at least 2d"),
        ("-1d 18:00", "1d", Lag(2.0, "d"), ""),
        ("-1d 18:00", "2d", Lag(2.0, "d"), "at least 3d"),
        ("-1d 18:00", "1h", Lag(1.0, "d"), ""),
        ("-1d 18:00", None, Lag(6.0, "h"), "more than 6h"),
        ("-1d 18:00", None, Lag(7.0, "h"), ""),  # what is known then hangs on the clock times of the rows
        ("-1d", None, Lag(1.0, "d"), "at least 2d"),
        ("-1d", None, Lag(1.0, "w"), ""),
        ("-2h", None, Lag(120.0, "min"), "more than 2h"),
        ("-2h", "30min", Lag(2.0, "h"), "at least 150min"),
        ("-2h", None, Lag(1.0, "d"), ""),
        ("-2d", None, Lag(1.0, ""), ""),  # numbers, which have no days
    ],
)
def test_a_lag_at_which_nothing_can_be_known_is_too_short(made_at: str, delay: str | None, lag: Lag, needed: str) -> None:
    said = too_short(problem(made_at, delay), lag)
    assert (said is None) == (not needed)
    assert needed in (said or "")
