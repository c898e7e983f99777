"""How single columns are read."""

from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piste.core.notation import DATE_PATTERNS, ISO, Form, UnsettledError, as_text, read, settle


def texts(*cells: str | None) -> pd.Series:
    return pd.Series(cells, dtype="str")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_as_python_writes_them_are_read_to_the_last_digit(numbers):
    readout = read(texts(*map(repr, numbers)), Form("number"))

    np.testing.assert_array_equal(readout.values, numbers)
    assert not readout.unread.any()


@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=20))
def test_thousands_as_python_writes_them_are_read(numbers):
    readout = read(texts(*(f"{number:,}" for number in numbers)), Form("number", thousands=","))

    np.testing.assert_array_equal(readout.values, numbers)


@pytest.mark.parametrize(
    ("form", "cell", "number"),
    [
        (Form("number"), " +3.5 ", 3.5),
        (Form("number"), ".5e2", 50.0),
        (Form("number", decimal=",", thousands="."), "1.234,5", 1234.5),
        (Form("number", prefix="$", thousands=","), "-$1,234.50", -1234.5),
        (Form("number", prefix="€"), "€ 7", 7.0),
        (Form("number", suffix="%"), "45 %", 45.0),
        (Form("number", suffix="€", decimal=","), "3,20 €", 3.2),
        (Form("boolean"), "Yes", 1.0),
        (Form("boolean"), "f", 0.0),
    ],
)
def test_a_cell_is_read_in_the_form_of_its_column(form, cell, number):
    assert read(texts(cell), form).values[0] == number


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5", "1 2", "٣", "１", "--1", "1e", "$1", "true", "1.2.3"])
def test_what_python_or_a_person_might_take_for_a_number_is_none(cell):
    assert read(texts(cell), Form("number")).unread[0]


@pytest.mark.parametrize("cell", ["", " ", "NA", "N/A", "nan", "NaN", "null", "NULL", "?", "-", "#N/A", "gone"])
def test_a_number_may_be_missing_in_many_ways(cell):
    readout = read(texts("1", cell), Form("number", (*Form("number").missing, "gone")))

    assert np.isnan(readout.values[1])
    assert not readout.unread.any()


@pytest.mark.parametrize("form", [form for form in DATE_PATTERNS if form != ISO])
def test_dates_are_read_as_strptime_reads_them(form):
    moments = [datetime(2021, 5, 14, 18, 30, 45), datetime(1999, 12, 31, 9, 5, 0)]
    cells = [moment.strftime(form) for moment in moments]

    readout = read(texts(*cells), Form("datetime", date=form))

    assert list(readout.values) == [datetime.strptime(cell, form) for cell in cells]


@pytest.mark.parametrize("cell", ["2021-05-14", "2021-05-14 18:30", "2021-05-14T18:30:45", "2021-05-14 18:30:45.25"])
def test_dates_of_iso_8601_are_read_as_python_reads_them(cell):
    assert read(texts(cell), Form("datetime")).values[0] == datetime.fromisoformat(cell)


def test_times_with_an_offset_are_put_on_the_clock_of_the_column():
    readout = read(texts("2021-01-01T12:00:00+01:00", "2021-01-01T12:00:00Z", "2021-01-01T12:00+03:00"), Form("datetime", offset="+01:00"))

    assert [moment.hour for moment in readout.values] == [12, 13, 10]


@pytest.mark.parametrize("cell", ["2021-13-01", "31/02/2021", "soon", "2021", "18:00"])
def test_what_is_no_date_is_marked(cell):
    assert read(texts(cell), Form("datetime", date="%d/%m/%Y" if "/" in cell else ISO)).unread[0]


def test_a_category_keeps_leading_zeros_and_words_that_mean_missing_elsewhere():
    readout = read(texts("007", "NA", "None", "", "?", " b "), Form("category", ("", "?")))

    assert list(readout.values[:3]) == ["007", "NA", "None"]
    assert readout.values[5] == "b"
    assert list(readout.values.isna()) == [False, False, False, True, True, False]


@pytest.mark.parametrize("values", [texts("3"), texts("3.0"), pd.Series([3]), pd.Series([3.0])])
def test_a_whole_number_is_one_level_however_it_is_written(values):
    assert list(read(values, Form("category", ("",))).values) == ["3"]


def test_own_missing_texts_are_found_among_numbers_that_came_typed():
    readout = read(pd.Series([1.0, -999.0]), Form("number", ("", "-999")))

    assert list(readout.values.isna()) == [False, True]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["a", None], "str"),
        ([1, 2], "int64"),
        ([1, None], "float64"),
        ([True, False], "bool"),
        ([True, None], "boolean"),
        ([date(2020, 1, 1), datetime(2020, 1, 2, 3), None], "datetime64[us]"),
        ([time(10, 30), "x"], "str"),
        ([None, None], "float64"),
        ([2**70, 1], "str"),
    ],
)
def test_objects_settle_to_plain_types(values, dtype):
    assert settle(pd.Series(values, dtype=object)).dtype == dtype


@pytest.mark.parametrize("dtype", ["category", "string", "string[pyarrow]", pd.ArrowDtype(__import__("pyarrow").string())])
def test_texts_settle_whatever_holds_them(dtype):
    assert list(settle(pd.Series(["b", "a"], dtype=dtype))) == ["b", "a"]


def test_dates_with_a_zone_keep_their_own_clock():
    zoned = pd.Series(pd.date_range("2020-07-01 08:00", periods=1, tz="Europe/Zurich"))

    assert settle(zoned)[0] == pd.Timestamp("2020-07-01 08:00")


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"x", timedelta(1), 1j, {1}])
def test_values_that_no_cell_holds_are_refused_with_their_row(value):
    with pytest.raises(UnsettledError) as caught:
        settle(pd.Series([None, value, "a"], dtype=object))

    assert caught.value.row == 1


def test_values_as_text_are_read_back_as_the_same_values():
    numbers = pd.Series([0.1, 3.0, np.nan, -1e-7, 123456789.0])
    moments = pd.Series(pd.to_datetime(["2020-01-01 10:00", None, "2020-01-02 00:00"])).astype("datetime64[us]")

    pd.testing.assert_series_equal(read(as_text(numbers), Form("number")).values, numbers)
    pd.testing.assert_series_equal(read(as_text(moments), Form("datetime")).values, moments)


def test_a_form_survives_json():
    form = Form("number", ("", "x"), ",", ".", "€", "", "%d.%m.%Y", "+02:00")

    assert Form.from_json(form.to_json()) == form
