"""What levels of text give away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.measures.texts import Levels, dates_among, numbers_among, other_date, spellings, unit_of

RNG = np.random.default_rng(0)


def levels(*texts: str) -> Levels:
    return Levels.of(pd.Series(texts, dtype="str"))


def numbers(n: int, *others: str) -> list[str]:
    return [*(f"{each:.2f}" for each in RNG.uniform(0, 100, n)), *others]


def test_numbers_are_found_among_few_words():
    found = numbers_among(levels(*numbers(80, *["n.a."] * 15, *["see note"] * 5)))
    assert found is not None
    assert found.share == pytest.approx(0.8)
    assert found.others == ("n.a.", "see note")


@pytest.mark.parametrize(
    "texts",
    [
        ["3", "4", "5+"] * 20,  # a few grades
        [*numbers(30), *(f"PC {each}" for each in range(70))],  # names with digits in them
        numbers(50),  # nothing but numbers: declared text
        ["red", "green", "blue"] * 20,
    ],
)
def test_names_are_no_numbers(texts: list[str]):
    assert numbers_among(levels(*texts)) is None


def test_dates_are_found_among_few_words():
    days = [str(day.date()) for day in pd.date_range("2020-01-01", periods=60)]
    found = dates_among(levels(*days, *["unknown"] * 20))
    assert found is not None
    assert found.share == pytest.approx(0.75)
    assert dates_among(levels("red", "blue")) is None


@pytest.mark.parametrize(("form", "unit"), [("{} cm", "cm"), ("{}kg", "kg"), ("{} km/h", "km/h"), ("EUR {}", "EUR"), ("{} GB", "GB")])
def test_a_unit_behind_or_before_a_number_is_found(form: str, unit: str):
    assert unit_of(levels(*(form.format(each) for each in range(5, 60)))) == unit


@pytest.mark.parametrize("form", ["{}B", "run {}", "{}th street", "A{}"])
def test_numbers_of_houses_and_runs_have_no_unit(form: str):
    assert unit_of(levels(*(form.format(each) for each in range(5, 60)))) == ""


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("%Y-%m", "a month"),
        ("%b %Y", "a month"),
        ("%m/%Y", "a month"),
        ("%GW%V", "a week"),
        ("%Y%m%dT%H%M%S", "a time"),
        ("%a, %d %B %Y", "a date"),
    ],
)
def test_times_in_other_words_are_found(form: str, words: str):
    texts = pd.date_range("2015-01-15", periods=30, freq="45D").strftime(form)
    assert words in other_date(levels(*texts))


def test_fractions_and_codes_are_no_times():
    assert other_date(levels(*(f"{each}/{each + 1}" for each in range(1, 40)))) == ""
    assert other_date(levels(*(f"X-{each}" for each in range(1, 40)))) == ""


def test_one_name_in_several_spellings_is_found_the_commonest_first():
    texts = ["Sky is Clear"] * 3 + ["sky is clear"] * 5 + ["sky_is_clear"] + ["rain"] * 4
    assert spellings(levels(*texts)) == [["sky is clear", "Sky is Clear", "sky_is_clear"]]


def test_single_letters_may_be_two_codes():
    assert spellings(levels("a", "A", "b", "B")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Two year", "two-year"),
        ("Very Good", "VeryGood"),
        ("<1H OCEAN", "< 1H OCEAN"),
        ("Mailed check", "Mailed check."),
        ("10 cm", "10cm"),
    ],
)
def test_blanks_hyphens_and_dots_make_no_other_name(one: str, other: str):
    assert spellings(levels(one, one, other, "something else")) == [[one, other]]


@pytest.mark.parametrize(
    ("one", "other"), [("A+", "A-"), ("1-2", "12"), ("3 4", "34"), ("-1", "1"), ("5-10", "510"), (">50K", "<=50K"), ("A", "AB")]
)
def test_signs_and_what_stands_between_digits_make_one(one: str, other: str):
    assert spellings(levels(one, other, "something else")) == []


def test_a_single_letter_in_the_other_case_is_the_same_where_the_others_have_no_partner():
    assert spellings(levels("D", "E", "F", "G", "G", "g")) == [["G", "g"]]


def test_the_first_letter_of_one_name_stands_for_it_where_all_others_are_names():
    assert spellings(levels("male", "male", "female", "m")) == [["male", "m"]]
    assert spellings(levels("march", "may", "m")) == [], "of two names"
    assert spellings(levels("M", "F", "I", "male")) == [], "letters are the rule"


def test_a_column_without_texts_gives_nothing_away():
    empty = Levels.of(pd.Series([None, None], dtype="str"))
    assert numbers_among(empty) is None
    assert dates_among(empty) is None
    assert unit_of(empty) == ""
    assert other_date(empty) == ""
    assert spellings(empty) == []
