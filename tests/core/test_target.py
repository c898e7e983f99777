"""What is inferred of the target."""

import numpy as np
import pandas as pd
import pytest

from piste.core.data import Raw
from piste.core.errors import PisteError
from piste.core.problem import Problem
from piste.core.target import Answer, read_target


def read(cells: list, **target) -> Answer:
    values = pd.Series(cells, dtype="str") if all(isinstance(cell, str) for cell in cells) else pd.Series(cells)
    problem = Problem.model_validate({"data": "data.csv", "target": {"column": "y", **target}})
    return read_target(problem, Raw(values.to_frame("y"), "data.csv", np.arange(2, len(values) + 2)), values)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0", "1", "1", "0"], "binary"),
        (["a", "b", "a", "b"], "binary"),
        (["True", "False", "True", "False"], "binary"),
        ([True, False, True, False], "binary"),
        ([1.0, 0.0, 1.0, 0.0], "binary"),
        (["0.5", "1.5", "0.5", "1.5"], "numeric"),
        (["1", "2"], "numeric"),
        (["a", "b", "c"] * 2, "category"),
        (["007", "008", "009"] * 2, "category"),
        ([str(grade) for grade in range(3, 10)], "numeric"),
        ([str(count) for count in range(50)], "count"),
        ([str(count - 1) for count in range(50)], "numeric"),
        ([str(count / 2) for count in range(50)], "numeric"),
        ([str(price) for price in range(12_789, 12_900)], "numeric"),
        ([str(year) for year in range(1990, 2020)], "numeric"),
    ],
)
def test_the_kind_is_what_a_careful_person_would_say(cells, kind):
    assert read(cells).target.kind == kind


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["yes", "no", "no", "yes", "no"], ("no", "yes")),
        (["no", "yes", "yes", "no", "yes"], ("yes", "no")),
        (["a", "b", "a", "b"], ("a", "b")),
        ([1, 0, 1, 0, 0], ("0", "1")),
        ([1.0, 2.0, 2.0, 1.0, 2.0], ("2", "1")),
        ([True, False, True, False, False], ("False", "True")),
    ],
)
def test_the_positive_class_of_two_is_the_last_and_by_default_the_rarer(cells, labels):
    assert read(cells).target.labels == labels


@pytest.mark.parametrize(
    ("cells", "positive", "labels"),
    [
        (["yes", "no", "no", "yes", "no"], "no", ("yes", "no")),
        ([1, 0, 1, 0, 0], 0, ("1", "0")),
        ([1, 0, 1, 0, 0], 0.0, ("1", "0")),
        (["true", "false"] * 2, True, ("false", "true")),
    ],
)
def test_the_positive_class_can_be_named(cells, positive, labels):
    assert read(cells, positive=positive).target.labels == labels


def test_codes_point_at_the_labels():
    answer = read(["10", "9", "b", "9", "b", "10"], kind="category")

    assert answer.target.labels == ("9", "10", "b")
    assert [answer.target.labels[code] for code in answer.target.values] == ["10", "9", "b", "9", "b", "10"]


def test_rows_without_a_target_are_left_out():
    answer = read(["1", "", "2", "NA", "3"], kind="numeric")

    np.testing.assert_array_equal(answer.keep, [True, False, True, False, True])
    np.testing.assert_array_equal(answer.target.values, [1.0, 2.0, 3.0])


def test_na_is_a_class_unless_the_problem_says_that_it_is_missing():
    assert "NA" in read(["NA", "a", "NA", "a"]).target.labels


def test_thousands_and_currencies_are_read_in_a_target_too():
    np.testing.assert_array_equal(read(["$1,200.50", "$3", "$4"]).target.values, [1200.5, 3.0, 4.0])


def test_a_number_declared_a_category_becomes_labels():
    assert read([3.0, 1.0, 3.0, 1.0, 2.0, 2.0], kind="category").target.labels == ("1", "2", "3")


def test_a_text_that_counts_is_refused_where_numbers_are_declared():
    with pytest.raises(PisteError, match="'many'"):
        read(["1", "2", "many"], kind="count")
