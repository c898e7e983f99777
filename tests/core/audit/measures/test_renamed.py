"""Names that take over from others in time are one thing; names that merely end, begin or look alike are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.measures.renamed import renamed
from tests.checks import surveyed

N = 600
DAY = pd.date_range("2024-01-01", periods=N, freq="D")
RUNS = {"Larch": "green", "Cirrus": "blue", "Gunsight": "black", "Couloir": "black"}


def rows(late: dict[str, str], *, drop: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return days of four runs; in the second half some have another name."""
    rng = np.random.default_rng(0)
    run = rng.choice(list(RUNS), N)
    grade = pd.Series(run).map(RUNS)
    called = np.where(np.arange(N) >= N // 2, pd.Series(run).replace(late), run)
    frame = pd.DataFrame({"day": DAY, "run": called, "grade": grade, "snow": rng.normal(size=N), "skiers": rng.normal(size=N)})
    return frame[~frame["run"].isin(drop)].reset_index(drop=True)


def found(frame: pd.DataFrame, problem: str = "{target: skiers, time: day}") -> list[tuple[str, str]]:
    return [(each.before, each.after) for each in renamed(surveyed(problem, frame), "run")]


def test_another_spelling_from_a_day_on_is_the_same_name():
    assert found(rows({"Gunsight": "Gun Sight"})) == [("Gunsight", "Gun Sight")]


def test_another_word_is_the_same_name_if_all_that_goes_with_it_is_the_same_and_nothing_else_has_it():
    assert found(rows({"Cirrus": "Boulevard"})) == [("Cirrus", "Boulevard")]
    assert found(rows({"Gunsight": "Boulevard"})) == [], "Couloir is black too"


def test_nothing_is_found_where_both_names_are_there_at_once():
    frame = rows({"Gunsight": "Gun Sight"})
    frame.loc[[N - 1], ["run", "grade"]] = ["Gunsight", "black"]
    assert found(frame) == []


def test_a_run_that_closes_is_not_renamed():
    frame = rows({"Gunsight": "gone"}, drop=("gone",))
    assert found(frame) == []


def test_numbers_in_names_tell_them_apart():
    assert found(rows({"Gunsight": "Larch 2", "Larch": "Larch 3"})) == []


def test_a_column_that_is_named_anew_as_a_whole_is_another_column():
    assert found(rows({name: f"{name}s" for name in RUNS})) == []


def test_without_a_time_nothing_can_be_told():
    assert found(rows({"Gunsight": "Gun Sight"}), "{target: skiers}") == []


@pytest.mark.parametrize(("n", "there"), [(19, False), (20, True)])
def test_a_handful_of_rows_is_no_beginning(n, there):
    frame = rows({})
    late = np.flatnonzero(frame["run"] == "Gunsight")
    frame.loc[late[-n:], "run"] = "Gun Sight"
    assert bool(found(frame)) == there
