"""What is inferred of a column from its cells."""

import pandas as pd
import pytest

from piste.core.kinds import Trouble, decimal_mark, infer
from piste.core.notation import Form, read


def texts(*cells: str) -> pd.Series:
    return pd.Series(cells, dtype="str")


def inferred(*cells: str, missing: tuple[str, ...] = (), decimal: str | None = ".") -> Form | Trouble:
    return infer(texts(*cells), missing, decimal, lambda row: f"line {row + 2}")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("1", "2.5", "NA", ""), "number"),
        (("0", "1", "1"), "number"),
        (("1,234", "12", "1,234,567"), "number"),
        (("$5", "$1,200"), "number"),
        (("45%", "3 %"), "number"),
        (("yes", "no", "Yes"), "boolean"),
        (("True", "False", ""), "boolean"),
        (("yes", "no", "no service"), "category"),
        (("t", "f"), "category"),
        (("007", "012"), "category"),
        (("12345678901234567", "3"), "category"),
        (("a", "b"), "category"),
        (("NA", "Ex", "Gd"), "category"),
        (("1.2.3", "1.2.4"), "category"),
        (("12.5 kg", "3 kg"), "category"),
        (("18:00", "19:30"), "category"),
        (("2020-01-01", "2020-01-02 18:00"), "datetime"),
        (("31/12/2020", "1/2/2021"), "datetime"),
        (("12/31/2020", "1/2/2021"), "datetime"),
        (("31.12.2020", "01.02.2021"), "datetime"),
        (("May 3, 2020", "Jun 10, 2020"), "datetime"),
        (("3 May 2020", "10 May 2020"), "datetime"),
        (("20200101", "20200102"), "number"),
    ],
)
def test_the_kind_is_what_a_careful_person_would_say(cells, kind):
    assert inferred(*cells).kind == kind
    assert isinstance(inferred(*cells), Form)


@pytest.mark.parametrize("cells", [("1", "x"), ("1", "2", "3", "4", "5", "6", "7", "8", "9", "x")])
def test_up_to_nine_numbers_in_ten_are_a_category(cells):
    assert inferred(*cells).kind == "category"


def test_beyond_nine_numbers_in_ten_the_other_cells_are_taken_for_mistakes():
    trouble = inferred(*map(str, range(10)), "x")

    assert isinstance(trouble, Trouble)
    assert (trouble.kind, trouble.row) == ("number", 10)


def test_own_missing_texts_are_no_mistakes():
    assert inferred(*map(str, range(10)), "x", missing=("x",)).kind == "number"


def test_one_date_beyond_the_twelfth_tells_the_order_of_day_and_month():
    assert inferred("01/02/2020", "13/02/2020").date == "%d/%m/%Y"
    assert inferred("01/02/2020", "02/13/2020").date == "%m/%d/%Y"


def test_dates_that_read_the_same_either_way_are_fine():
    form = inferred("01/01/2020", "02/02/2020")

    assert list(read(texts("02/02/2020"), form).values) == [pd.Timestamp("2020-02-02")]


def test_one_offset_from_utc_is_the_clock_and_several_are_read_as_utc():
    assert inferred("2020-01-01T00:00+01:00", "2020-01-02T00:00+01:00").offset == "+01:00"
    assert inferred("2020-01-01T00:00+01:00", "2020-07-01T00:00+02:00").offset == "+00:00"


@pytest.mark.parametrize(
    "values", [pd.Series([1, 2]), pd.Series([1.5, None]), pd.Series([2**63 + 1], dtype="uint64"), pd.Series([-(2**60)])]
)
def test_typed_numbers_are_numbers_unless_floats_cannot_hold_them(values):
    exact = values.abs().max() < 2**53

    assert infer(values, (), ".", str).kind == ("number" if exact else "category")


@pytest.mark.parametrize(
    ("columns", "mark"),
    [
        ([("1,5", "2,25")], ","),
        ([("1.5", "2.25")], "."),
        ([("1,234", "2,345")], None),
        ([("1,234", "2,345"), ("0,5", "1,5")], ","),
        ([("1,234", "2,345"), ("0.5", "1.5")], "."),
        ([("0,5", "1,5"), ("0.5", "1.5")], None),
        ([("a, b", "c")], None),
        ([("1.234,5", "2")], ","),
    ],
)
def test_the_decimal_mark_is_told_by_the_columns_that_leave_no_choice(columns, mark):
    assert decimal_mark([texts(*cells) for cells in columns], ()) == mark


def test_a_comma_before_three_digits_is_taken_as_the_rest_of_the_file_has_it():
    assert inferred("1,234", "2,345", decimal=",").decimal == ","
    assert inferred("1,234", "2,345", decimal=".").thousands == ","
    assert isinstance(inferred("1,234", "2,345", decimal=None), Trouble)


def test_whole_numbers_are_numbers_whatever_the_decimal_mark_of_the_file():
    form = inferred("18", "7", "NA", decimal=",")
    assert form == Form("number", decimal=",")
    assert read(texts("18", "7,5"), form).values.tolist() == [18.0, 7.5]
