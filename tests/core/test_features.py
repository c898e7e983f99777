"""From columns to matrices."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from piste.core.features import AT_ONCE, Encoding, expand, learn, without_clock


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=40, freq="D"),
            "x": np.where(rng.random(40) < 0.2, np.nan, rng.normal(size=40)),
            "colour": pd.Series(rng.choice(["red", "green", "blue"], 40), dtype="str").where(rng.random(40) < 0.9, None),
            "constant": 1.0,
        }
    )


TRAIN = np.arange(30)


@pytest.mark.parametrize("matrix", ["codes", "onehot", "scaled"])
def test_an_encoding_survives_the_way_through_json(frame, matrix):
    expanded = expand(frame, list(frame))
    encoding = learn(expanded, TRAIN, matrix)
    read = Encoding.from_json(json.loads(json.dumps(encoding.to_json())))
    assert read == encoding
    np.testing.assert_array_equal(read.apply(expanded), encoding.apply(expanded))


@pytest.mark.parametrize("matrix", ["codes", "onehot", "scaled"])
def test_only_training_rows_are_looked_at(frame, matrix):
    expanded = expand(frame, list(frame))
    changed = expanded.copy()
    changed.loc[30:, "x"] = 1e6
    changed.loc[30:, "colour"] = "violet"
    assert learn(changed, TRAIN, matrix) == learn(expanded, TRAIN, matrix)


def test_scaled_numbers_are_those_of_scikit_learn(frame):
    complete = frame.assign(x=frame["x"].fillna(0.5))
    encoding = learn(expand(complete, ["x"]), TRAIN, "scaled")
    expected = StandardScaler().fit(complete.loc[TRAIN, ["x"]].to_numpy()).transform(complete[["x"]].to_numpy())
    np.testing.assert_allclose(encoding.apply(expand(complete, ["x"])), expected, rtol=1e-12)


def test_scaled_categories_are_those_of_scikit_learn(frame):
    known = frame.loc[TRAIN, "colour"].fillna("missing").to_numpy()[:, None]
    every = frame["colour"].fillna("missing").to_numpy()[:, None]
    hot = OneHotEncoder(sparse_output=False).fit(known)
    encoding = learn(expand(frame, ["colour"]), TRAIN, "scaled")
    order = [hot.categories_[0].tolist().index(name.removeprefix("colour=")) for name in encoding.names]
    expected = StandardScaler().fit(hot.transform(known)).transform(hot.transform(every))[:, order]
    np.testing.assert_allclose(encoding.apply(expand(frame, ["colour"])), expected, rtol=1e-9)


@pytest.mark.parametrize("matrix", ["codes", "onehot", "scaled"])
def test_a_row_is_laid_out_the_same_alone_and_among_many(frame, matrix):
    expanded = pd.concat([expand(frame, list(frame))] * (AT_ONCE // 20), ignore_index=True)
    encoding = learn(expanded, np.arange(len(expanded)), matrix)
    X = encoding.apply(expanded)
    for row in (0, AT_ONCE - 1, AT_ONCE, len(X) - 1):
        np.testing.assert_array_equal(encoding.apply(expanded.iloc[[row]])[0], X[row])


def test_laying_out_takes_little_more_memory_than_the_matrix():
    levels = np.array([f"level {i:02d}" for i in range(30)])
    frame = pd.DataFrame({f"c{i}": pd.Series(levels[np.random.default_rng(i).integers(30, size=50_000)], dtype="str") for i in range(5)})
    tracemalloc.start()
    try:
        encoding = learn(frame, np.arange(len(frame)), "scaled")
        X = encoding.apply(frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert X.shape == (50_000, 150)
    assert peak < 1.3 * X.nbytes


def test_a_matrix_is_read_only(frame):
    X = learn(expand(frame, list(frame)), TRAIN, "scaled").apply(expand(frame, list(frame)))
    with pytest.raises(ValueError, match="read-only"):
        X[0, 0] = 1.0


def test_scaled_has_no_missing_value_and_no_constant_column(frame):
    encoding = learn(expand(frame, list(frame)), TRAIN, "scaled")
    X = encoding.apply(expand(frame, list(frame)))
    assert np.isfinite(X).all()
    assert "x is missing" in encoding.names
    assert "constant" not in encoding.names
    assert (X[TRAIN].std(axis=0) > 0).all()
    assert X.shape[1] == len(encoding.names)


def test_codes_hold_missing_and_unseen_levels_as_nan(frame):
    unseen = frame.assign(colour=frame["colour"].mask(frame.index == 35, "violet"))
    encoding = learn(expand(unseen, ["colour"]), TRAIN, "codes")
    codes = encoding.apply(expand(unseen, ["colour"]))[:, 0]
    assert encoding.categorical == (0,)
    assert np.isnan(codes[35])
    assert np.isnan(codes)[unseen["colour"].isna().to_numpy()].all()


@pytest.mark.parametrize(
    ("levels", "ordered"),
    [
        (["10", "9", "2", "10", "10"], ("2", "9", "10")),
        (["May", "June", "April", "June"], ("April", "May", "June")),
        (["Sunday", "Monday", "Sunday"], ("Monday", "Sunday")),
        (["c", "B", "a", "c"], ("a", "B", "c")),
    ],
)
def test_codes_count_levels_in_their_natural_order_not_by_how_often_they_occur(levels, ordered):
    frame = pd.DataFrame({"level": pd.Series(levels, dtype="str")})
    encoding = learn(frame, np.arange(len(levels)), "codes")
    assert encoding.columns[0].levels == ordered
    assert encoding.apply(frame)[:, 0].tolist() == [ordered.index(level) for level in levels]


def test_an_unseen_level_is_no_level_in_onehot():
    frame = pd.DataFrame({"colour": pd.Series(["a", "b", "c", "a", "z"], dtype="str")})
    encoding = learn(frame, np.arange(4), "onehot")
    assert encoding.names == ("colour=a", "colour=b", "colour=c")
    assert encoding.apply(frame)[4].tolist() == [0, 0, 0]


def test_of_a_plain_yes_and_no_one_column_is_enough():
    frame = pd.DataFrame({"answer": pd.Series(["yes", "no", "yes"], dtype="str")})
    assert learn(frame, np.arange(3), "onehot").names == ("answer=no",)


def test_rare_levels_share_a_column():
    levels = [f"level {i:02d}" for i in range(40)] * 2 + ["level 00"]
    encoding = learn(pd.DataFrame({"level": pd.Series(levels, dtype="str")}), np.arange(len(levels)), "onehot")
    assert len(encoding.names) == 31
    assert encoding.names[-1] == "level=other levels"


def test_dates_become_calendar_parts_in_english_whatever_the_locale(frame):
    expanded = without_clock(expand(frame, ["date"]))
    assert expanded.columns.tolist() == ["date.weekday", "date.month", "date.day_of_year", "date.days"]
    assert expanded.loc[0, ["date.weekday", "date.month"]].tolist() == ["Monday", "January"]
    assert expanded.loc[39, "date.days"] - expanded.loc[0, "date.days"] == 39


def test_clock_times_become_hours():
    frame = pd.DataFrame({"at": pd.date_range("2024-01-01 05:00", periods=3, freq="h")})
    assert expand(frame, ["at"])["at.hour"].tolist() == ["05", "06", "07"]
    assert "at.hour" in without_clock(expand(frame, ["at"]))


def test_new_rows_of_one_hour_keep_it_where_the_table_had_others():
    table = pd.DataFrame({"at": pd.date_range("2024-01-01 05:00", periods=3, freq="h")})
    encoding = learn(without_clock(expand(table, ["at"])), np.arange(3), "codes")
    np.testing.assert_array_equal(encoding.apply(expand(table.iloc[[1]], ["at"])), encoding.apply(expand(table, ["at"]))[[1]])
