"""M10: whether rows to predict lie beyond what the training rows show, and what that costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.review.reach import within_reach
from tests.cases import Written, told, written

N = 600
RNG = np.random.default_rng(0)
Y = 100 + 10 * RNG.normal(size=N)
DAY = pd.date_range("2000-01-03", periods=N, freq="7D")  # every season is seen before the first test
SIZE = RNG.uniform(0, 1, N)
FORWARD: dict[str, Any] = {"time": "day", "split": {"scheme": "forward", "folds": 2}, "metric": "mse"}
LATE = np.arange(N) >= 400  # tested by the last fold


def made(frame: pd.DataFrame, cost: np.ndarray | float = 4.0, **keys: Any) -> Written:
    """Judge a model that costs as much on each row."""
    return written(frame.assign(y=Y), {"linear": Y + np.sqrt(np.broadcast_to(cost, N))}, **FORWARD | keys)


def rows(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"day": DAY, "size": SIZE, **columns})


def grown(n: int) -> np.ndarray:
    """Return the rows of the last fold whose size is beyond all that was seen before."""
    return np.isin(np.arange(N), np.flatnonzero(LATE)[:n])


def test_later_days_are_later_and_that_says_nothing():
    findings, tables = told(within_reach, made(rows()).case)
    assert findings == []
    assert "day.days" not in set(tables["reach"]["column"])


def test_days_beyond_those_seen_count_where_they_need_not_be():
    frame = rows(part=np.where(LATE, "test", "train"))
    findings, _ = told(within_reach, made(frame, time=None, split={"scheme": "predefined", "by": "part"}).case)
    assert [finding.on for finding in findings] == ["day.days"]


@pytest.mark.parametrize(("n", "fires"), [(15, False), (35, True)])
def test_more_than_one_row_in_twenty_beyond_a_columns_range_is_found(n, fires):
    case = made(rows(size=np.where(grown(n), 1.5, SIZE))).case
    findings, tables = told(within_reach, case)
    assert len(case.court.lines.judged) == 400
    assert tables["reach"].set_index("column").loc["size", "rows"] == n
    assert bool(findings) == fires


def test_a_hair_beyond_the_range_is_within_it():
    assert told(within_reach, made(rows(size=np.where(grown(60), 1.005, SIZE))).case)[0] == []


def test_levels_never_seen_count_and_missing_ones_do_not():
    word = np.where(grown(50), "new", np.where(SIZE > 0.5, "big", "small"))
    [finding] = told(within_reach, made(rows(word=word)).case)[0]
    assert (finding.on, finding.number) == ("word", pytest.approx(50 / 400))
    assert told(within_reach, made(rows(word=np.where(word == "new", None, word))).case)[0] == []
    assert told(within_reach, made(rows(size=np.where(grown(50), np.nan, SIZE))).case)[0] == []


def test_where_rows_beyond_cost_more_it_warns_and_says_how_much():
    frame, cost = rows(size=np.where(grown(40), 1.5, SIZE)), np.where(grown(40), 9.0, 3.0)
    [finding] = told(within_reach, made(frame, cost).case)[0]
    assert (finding.check, finding.severity, finding.number) == ("M10", "warn", pytest.approx(0.1))
    assert finding.message == "10% of the tested rows lie beyond what training shows, most by 'size', and cost 3.0 times as much"


def test_where_they_cost_no_more_it_is_a_note():
    frame, cost = rows(size=np.where(grown(40), 1.5, SIZE)), np.where(grown(40), 1.0, 3.0)
    [finding] = told(within_reach, made(frame, cost).case)[0]
    assert finding.severity == "note"
    assert finding.message.endswith("at no greater cost")


def test_few_rows_that_cost_much_are_found_from_thirty():
    later = np.arange(N) >= 200
    cost = np.where(grown(30), 9.0, 3.0)
    found = {n: told(within_reach, made(rows(size=np.where(grown(n), 1.5, SIZE)), np.where(later, cost, 3.0)).case)[0] for n in (19, 30)}
    assert found[19] == []
    assert [finding.severity for finding in found[30]] == ["warn"]


def test_what_the_fold_that_warms_up_has_not_seen_is_not_counted():
    early = np.arange(N) < 200
    findings, tables = told(within_reach, made(rows(size=np.where(early, SIZE, np.where(np.arange(N) < 210, 0.5, SIZE)))).case)
    assert findings == []
    assert tables["reach"]["rows"].sum() <= 20
