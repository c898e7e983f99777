"""All series at once: long rows become wide ones and come back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from piste.core.errors import PisteError
from piste.core.wide import Pivot

RUNS = ["Meadow", "Larch", "Couloir"]
DATES = pd.date_range("2024-01-01", periods=4)
UNIT = pd.MultiIndex.from_product([DATES, RUNS], names=["date", "run"]).to_frame(index=False).astype({"run": "str"})
N = len(UNIT)


def by(column: str, values: dict) -> pd.Series:
    return UNIT[column].map(values)


FEATURES = pd.DataFrame(
    {
        "queue": np.arange(N, dtype=float),  # varies with both
        "snow": by("date", dict(zip(DATES, [1.0, np.nan, 3.0, 1.0], strict=True))),  # of the date
        "holiday": by("date", dict(zip(DATES, ["no", "yes", None, "no"], strict=True))).astype("str"),  # of the date
        "run": UNIT["run"],  # of the run
        "area": by("run", {"Meadow": 5.0, "Larch": 9.0, "Couloir": np.nan}),  # of the run
        "state": pd.Series(["open", "held", None] * 3 + ["held"] * 3, dtype="str"),  # varies with both
    }
)


@pytest.fixture
def pivot() -> Pivot:
    """Return a pivot as a model file brings it back."""
    return Pivot.from_json(json.loads(json.dumps(Pivot.learn(FEATURES, UNIT, "run").to_json())))


def test_plain_values_bring_a_pivot_back(pivot):
    assert pivot == Pivot.learn(FEATURES, UNIT, "run")


def test_what_is_the_same_in_a_wide_row_is_kept_once_and_what_only_names_the_series_is_left_out(pivot):
    assert (pivot.keys, pivot.values) == (("date",), ("Couloir", "Larch", "Meadow"))
    assert (pivot.once, pivot.each) == (("snow", "holiday"), ("queue", "state"))


def test_what_never_varies_is_left_out():
    assert Pivot.learn(FEATURES.assign(same=1.0), UNIT, "run").once == ("snow", "holiday")


def test_what_is_missing_in_some_rows_of_a_wide_row_varies():
    feature = FEATURES["snow"].where(np.arange(N) != 0)

    assert "snow" in Pivot.learn(FEATURES.assign(snow=feature), UNIT, "run").each


def test_wide_columns_agree_with_pandas_own_pivot(pivot):
    wide = pivot.frame(FEATURES, UNIT)

    for name in ("queue", "state"):
        expected = pd.concat([UNIT, FEATURES[[name]]], axis=1).pivot(index="date", columns="run", values=name)
        found = wide[[f"{name} [{run}]" for run in pivot.values]]
        pd.testing.assert_frame_equal(found.set_axis(expected.columns, axis=1), expected.reset_index(drop=True), check_column_type=False)
    np.testing.assert_array_equal(wide["snow"], [1.0, np.nan, 3.0, 1.0])
    assert wide["holiday"].fillna("-").tolist() == ["no", "yes", "-", "no"]
    assert tuple(wide) == pivot.names


def test_numbers_stay_numbers_and_categories_texts(pivot):
    kinds = pivot.frame(FEATURES, UNIT).dtypes.astype(str)

    assert kinds.to_dict() == {name: "str" if name.startswith(("holiday", "state")) else "float64" for name in pivot.names}


def test_what_is_learnt_comes_back_to_the_long_row_that_it_came_from(pivot):
    shuffled = UNIT.sample(frac=1, random_state=0)
    y = np.random.default_rng(0).normal(size=N)

    codes, place = pivot.rows(shuffled)
    wide = pivot.y(y, codes, place, 4)

    assert not np.isnan(wide).any()
    np.testing.assert_array_equal(pivot.long(wide, codes, place), y)


def test_the_order_of_rows_and_columns_changes_no_wide_row(pivot):
    order = np.random.default_rng(1).permutation(N)
    shuffled, unit = FEATURES.iloc[order, ::-1], UNIT.iloc[order, ::-1]

    rows = pivot.frame(shuffled, unit).set_index(unit["date"].drop_duplicates().to_numpy()).sort_index()

    pd.testing.assert_frame_equal(rows.reset_index(drop=True), pivot.frame(FEATURES, UNIT))


def test_an_absent_row_is_a_missing_output_and_leaves_its_columns_missing(pivot):
    there = np.arange(N) != 4  # Larch on the second date

    codes, place = pivot.rows(UNIT[there])
    y = pivot.y(np.arange(N, dtype=float)[there], codes, place, 4)
    wide = pivot.frame(FEATURES[there], UNIT[there])

    assert np.argwhere(np.isnan(y)).tolist() == [[1, 1]]
    assert wide.loc[1, ["queue [Larch]", "state [Larch]"]].isna().all()
    assert wide["queue [Larch]"].notna().sum() == 3


def test_one_run_of_a_new_date_is_answered_by_itself(pivot):
    unit = pd.DataFrame({"run": pd.Series(["Larch"], dtype="str"), "date": pd.to_datetime(["2025-06-01"]), "more": 1.0})
    features = FEATURES.iloc[[1]].assign(queue=70.0)

    codes, place = pivot.rows(unit)
    wide = pivot.frame(features, unit)

    assert wide.loc[0, ["queue [Larch]", "snow"]].tolist() == [70.0, 1.0]
    assert wide[["queue [Meadow]", "state [Couloir]"]].isna().all(axis=None)
    assert pivot.long(np.array([[10.0, 20.0, 30.0]]), codes, place).tolist() == [20.0]


def test_a_series_that_was_never_seen_has_no_place_and_no_answer(pivot):
    unit = UNIT.iloc[:3].assign(run=pd.Series(["Meadow", "Gunsight", None], dtype="str"))

    codes, place = pivot.rows(unit)

    assert place.tolist() == [2, -1, -1]
    np.testing.assert_array_equal(pivot.long(np.array([[1.0, 2.0, 3.0]]), codes, place), [3.0, np.nan, np.nan])
    assert pivot.frame(FEATURES.iloc[:3], unit)[["queue [Larch]", "queue [Couloir]"]].isna().all(axis=None)


def test_no_rows_give_no_wide_rows(pivot):
    empty = pivot.frame(FEATURES.iloc[:0], UNIT.iloc[:0])

    assert (len(empty), tuple(empty)) == (0, pivot.names)


@pytest.mark.parametrize(
    ("hours", "values", "names"),
    [
        ([9.0, 10.5, 9.0, 10.5], (9.0, 10.5), ("queue [9]", "queue [10.5]")),
        (
            pd.to_datetime(["2024-01-01 09:00", "2024-01-02 00:00"] * 2),
            ("2024-01-01T09:00:00", "2024-01-02T00:00:00"),
            ("queue [2024-01-01T09:00:00]", "queue [2024-01-02T00:00:00]"),
        ),
    ],
)
def test_series_may_be_named_by_numbers_and_times(hours, values, names):
    unit = pd.DataFrame({"run": ["a", "a", "b", "b"], "hour": hours})

    pivot = Pivot.learn(pd.DataFrame({"queue": [1.0, 2.0, 3.0, 4.0]}), unit, "hour")
    again = Pivot.from_json(json.loads(json.dumps(pivot.to_json())))

    assert (again.values, again.names) == (values, names)
    assert again.rows(unit)[1].tolist() == [0, 1, 0, 1]


def test_rows_are_wide_by_every_other_column_of_the_unit():
    unit = UNIT.assign(hour=9.0)
    both = pd.concat([unit, unit.assign(hour=10.0)], ignore_index=True)

    pivot = Pivot.learn(pd.concat([FEATURES] * 2, ignore_index=True), both, "run")

    assert pivot.keys == ("date", "hour")
    assert len(np.unique(pivot.rows(both)[0])) == 8


def test_a_wide_row_is_learnt_from_only_when_training_holds_all_of_it(pivot):
    codes, _ = pivot.rows(UNIT)

    train, test = pivot.sides(codes, train=np.array([0, 1, 2, 3, 4]), test=np.array([9, 11]))

    assert (train.tolist(), test.tolist()) == ([0], [3])


def test_a_wide_row_on_both_sides_of_a_fold_is_refused_with_the_line_that_helps(pivot):
    codes, _ = pivot.rows(UNIT)

    with pytest.raises(PisteError, match=r"1 of 4 are torn.*split: \{together: date\}"):
        pivot.sides(codes, train=np.arange(5), test=np.arange(5, N))


def test_two_rows_in_one_place_are_refused(pivot):
    twice = pd.concat([UNIT, UNIT.iloc[[4]]], ignore_index=True)

    with pytest.raises(PisteError, match="rows 5 and 13 share date and run"):
        pivot.rows(twice)
    with pytest.raises(PisteError, match="rows 5 and 13 share date and run"):
        Pivot.learn(FEATURES.iloc[[*range(N), 4]].reset_index(drop=True), twice, "run")


def test_new_rows_that_disagree_about_their_date_are_refused(pivot):
    features = FEATURES.assign(snow=FEATURES["snow"].where(np.arange(N) != 2, 7.0))

    with pytest.raises(PisteError, match=r"snow: must be the same in all rows that share date.*rows 1 and 3 hold 1\.0 and 7\.0"):
        pivot.frame(features, UNIT)


def test_a_new_row_that_does_not_know_its_date_takes_it_from_another(pivot):
    features = FEATURES.assign(snow=FEATURES["snow"].where(np.arange(N) != 0))

    assert pivot.frame(features, UNIT)["snow"].iloc[0] == 1.0


def test_a_single_series_is_refused():
    with pytest.raises(PisteError, match="'run' holds 1"):
        Pivot.learn(FEATURES.iloc[::3], UNIT.iloc[::3], "run")


def test_wide_columns_of_one_name_are_refused():
    same = FEATURES.assign(**{"queue [Larch]": FEATURES["snow"]})

    with pytest.raises(PisteError, match=r"2 wide columns would be called 'queue \[Larch\]'"):
        Pivot.learn(same, UNIT, "run")


def test_rows_given_are_left_as_they_were(pivot):
    features, unit = FEATURES.copy(), UNIT.copy()

    pivot.frame(features, unit)

    pd.testing.assert_frame_equal(features, FEATURES)
    pd.testing.assert_frame_equal(unit, UNIT)


def test_sensors_of_a_city_are_asked_at_once(shared):
    table = pd.read_csv(shared("pedestrian_melbourne") / "data.csv.gz", dtype={"Sensor": "str"}, parse_dates=["Date"])
    unit = table[["Sensor", "Date", "Hour"]].astype({"Hour": float})
    features = pd.DataFrame({"hour": unit["Hour"], "weekday": table["Date"].dt.day_name().astype("str"), "sensor": unit["Sensor"]})

    pivot = Pivot.learn(features, unit, "Sensor")
    codes, place = pivot.rows(unit)
    y = pivot.y(table["Count"].to_numpy(dtype=float), codes, place, int(codes.max()) + 1)

    assert (pivot.once, pivot.each, pivot.n_outputs) == (("hour", "weekday"), (), 4)
    expected = table.pivot(index=["Date", "Hour"], columns="Sensor", values="Count")
    assert np.isnan(y).any(axis=1).sum() == expected.isna().any(axis=1).sum() > 0
    np.testing.assert_array_equal(np.nansum(y, axis=0), expected.sum())
