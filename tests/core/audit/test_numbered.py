"""Numbers of rows that tell the answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.numbered import row_number
from piste.core.check import Found, NotApplicable
from tests.checks import read, surveyed


def ordered(n: int = 500, noise: float = 0.1) -> pd.DataFrame:
    """Return rows that were sorted by the target before they were numbered, in tens."""
    rng = np.random.default_rng(0)
    y = np.sort(rng.gamma(3, 10, n))
    return pd.DataFrame({"ticket": np.arange(n) * 10 + 1000, "size": y + rng.normal(0, 30, n), "price": y * rng.lognormal(0, noise, n)})


def found(problem: str, rows: pd.DataFrame) -> set[str]:
    """Return what the check speaks about."""
    said = row_number.run(surveyed(problem, rows))
    assert isinstance(said, Found)
    return {finding.on for finding in said.findings}


def test_a_number_that_rises_along_a_sorted_file_is_found():
    assert found("target: price", ordered()) == {"ticket"}


def test_the_line_to_paste_drops_it_and_keeps_what_the_problem_says_of_other_columns():
    said = row_number.run(surveyed("target: price\ncolumns: {size: number}", ordered()))
    assert isinstance(said, Found)
    assert read(said.findings[0].paste, "problem.yaml").value == {"columns": {"size": "number", "ticket": "drop"}}


def test_a_number_that_tells_nothing_is_left_alone():
    rows = ordered()
    assert found("target: price", rows.assign(price=np.random.default_rng(1).permutation(rows["price"]))) == set()


def test_a_measurement_that_differs_in_every_row_is_no_number_of_the_row():
    rows = ordered().sample(frac=1, random_state=0).rename(columns={"ticket": "square_feet"})
    assert found("target: price", rows) == set()


def test_a_name_can_tell_where_the_order_does_not():
    rows = ordered().sample(frac=1, random_state=0).rename(columns={"ticket": "parcel_id"})
    assert found("target: price", rows) == {"parcel_id"}


def test_a_clock_is_no_number_of_the_row():
    rows = ordered().assign(day=pd.date_range("2023-01-01", periods=500))
    assert found("target: price\ntime: day", rows) == set()


def test_a_number_that_somebody_vouches_for_is_not_asked_about():
    assert found("target: price\nknown_at: {always: [ticket]}", ordered()) == set()


@pytest.mark.parametrize("swapped", [0, 40])
def test_a_counter_of_the_rows_of_a_group_is_found_where_it_follows_the_target(swapped):
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"race": np.repeat([f"race {i}" for i in range(40)], 5), "minutes": rng.gamma(30, 2, 200).round(2)})
    rows = rows.sort_values(["race", "minutes"]).assign(place=lambda r: r.groupby("race").cumcount() + 1, lane=rng.integers(1, 9, 200))
    rows = rows.reset_index(drop=True)
    for first in range(0, 5 * swapped, 5):
        rows.loc[[first, first + 1], "place"] = [2, 1]
    assert found("target: minutes", rows) == (set() if swapped else {"place"})


def test_a_counter_within_two_columns_is_found():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"family": np.repeat([f"f{i}" for i in range(60)], 6), "sex": np.tile(["girl", "boy"], 180)})
    rows["height"] = (160 + 8 * (rows["sex"] == "boy") + rng.normal(0, 5, 360)).round(1)
    rows = rows.sort_values(["family", "sex", "height"], ascending=[True, True, False]).reset_index(drop=True)
    rows["child"] = rows.groupby("family").cumcount() + 1
    said = row_number.run(surveyed("target: height", rows))
    assert isinstance(said, Found)
    [finding] = said.findings
    assert finding.message.startswith("'child' counts the rows of every 'family' and 'sex', and 'height' always falls along it")


def test_few_rows_have_no_order_to_speak_of():
    assert isinstance(row_number.run(surveyed("target: price", ordered(12))), NotApplicable)


def test_a_number_that_only_counts_the_rows_tells_where_the_file_is_sorted_by_the_answer():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"size": rng.normal(size=400)}).assign(price=lambda frame: frame["size"] + rng.normal(size=400))
    for order, told in ((rows, 0), (rows.sort_values("price", ignore_index=True), 1)):
        numbered = order.assign(row=np.arange(1, 401))
        survey = surveyed("target: price", numbered)
        assert "row" not in {column.name for column in survey.features}
        assert len(row_number.run(survey).findings) == told
        assert not row_number.run(surveyed("{target: price, columns: {row: drop}}", numbered)).findings


def test_a_number_that_counts_in_the_order_of_time_says_that_time_has_passed():
    rng = np.random.default_rng(0)
    day = pd.date_range("2024-01-01", periods=400)
    rows = pd.DataFrame({"day": day, "row": np.arange(400), "size": rng.normal(size=400), "price": np.arange(400) + rng.normal(size=400)})
    assert not row_number.run(surveyed("{target: price, time: day}", rows)).findings
