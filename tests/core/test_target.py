"""What is inferred of the target."""

import numpy as np
import pandas as pd
import pytest

from piste.core.data import Raw
from piste.core.errors import PisteError
from piste.core.problem import Problem
from piste.core.target import Answer, read_target, read_targets


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


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        ([10, 9, 2, 9, 2, 10], ("2", "9", "10")),
        (["18-25", "6-17", "over 65", "6-17", "18-25", "26-65", "26-65", "over 65"], None),
        (["18-25", "6-17", ">65", "6-17", "18-25", "26-65", "26-65", ">65"], ("6-17", "18-25", "26-65", ">65")),
        (["-1", "1", "0", "-1", "1", "0"], ("-1", "0", "1")),
        (["low", "mid", "high"] * 2, None),
        (["<50", "50-60", "60+"] * 2, None),
    ],
)
def test_classes_follow_the_numbers_that_they_begin_with_and_others_need_their_order(cells, labels):
    if labels is None:
        with pytest.raises(PisteError, match="must come with the order of the classes"):
            read(cells, kind="ordered")
    else:
        assert read(cells, kind="ordered").target.labels == labels


def test_a_declared_order_is_kept():
    answer = read(["mid", "low", "high", "low", "mid", "high"], order=["low", "mid", "high"])

    assert (answer.target.kind, answer.target.labels) == ("ordered", ("low", "mid", "high"))
    assert answer.target.values.tolist() == [1, 0, 2, 0, 1, 2]


def test_two_classes_may_be_ordered():
    assert read([1, 0, 0, 1], kind="ordered").target.labels == ("0", "1")


def test_an_order_names_every_class_and_no_other():
    with pytest.raises(PisteError) as caught:
        read(["mid", "low", "high"] * 2, kind="ordered", order=["low", "midd"])

    assert {fault.field: fault.message for fault in caught.value.faults} == {
        "target.order.1": "must be a class of 'y', but no row is 'midd'. Did you mean 'mid'?",
        "target.order": "must name every class of 'y', but leaves out 'high', 'mid'",
    }


def read_list(columns: dict[str, list], **target) -> dict[str, Answer]:
    frame = pd.DataFrame(columns)
    problem = Problem.model_validate({"data": "data.csv", "target": {"columns": list(columns), **target}})
    return read_targets(problem, Raw(frame, "data.csv", np.arange(2, len(frame) + 2)), frame)


def test_a_row_has_all_targets_of_a_list_or_counts_for_none():
    answers = read_list({"a": [1.5, None, 3.0, 4.0], "b": [1.0, 2.0, 3.5, None]})

    assert [answer.keep.tolist() for answer in answers.values()] == [[True, False, True, False]] * 2


def test_each_target_of_a_list_has_its_own_kind():
    answers = read_list({"a": [float(i) for i in range(20)], "b": [i / 3 for i in range(20)]})

    assert [answer.target.kind for answer in answers.values()] == ["count", "numeric"]


@pytest.mark.parametrize(
    ("columns", "places", "said"),
    [
        ({"a": [1.5, 2.0, 3.0], "b": ["x", "y", "x"]}, ["target.1"], "must hold numbers, as all targets of a list do, but holds texts"),
        (
            {"a": ["yes", "no", "no"], "b": ["x", "y", "x"]},
            ["target.0", "target.1"],
            "'a' must hold numbers, as all targets of a list do, but holds yes or no",
        ),
        ({"a": [0, 1, 0, 1], "b": [1.5, 2.0, 3.0, 4.0]}, ["target.0"], "but 0 and 1 are taken for classes. Say `kind: numeric`"),
        ({"a": [1.5, 2.0, 3.0], "b": [2.0, 2.0, 2.0]}, ["target.1"], "every row holds 2"),
        ({"a": [1.5, 2.0, None], "b": [2.0, 2.0, 3.0]}, ["target.1"], "must differ between the rows that hold every target"),
        (
            {"a": [1.5, 2.0, None, None], "b": [None, None, 3.0, 4.0]},
            ["target.0", "target.1"],
            "must stand in a row with all other targets",
        ),
        ({"a": [1.5, 2.0, float("inf")], "b": [2.0, 1.0, 3.0]}, ["target.0"], "must be finite"),
    ],
)
def test_every_target_of_a_list_must_be_a_number_to_learn(columns, places, said):
    with pytest.raises(PisteError, match=said) as caught:
        read_list(columns)

    assert [fault.field for fault in caught.value.faults] == places
    assert "kind: category" not in str(caught.value)


def test_two_values_may_be_declared_numbers():
    assert read_list({"a": [0, 1, 0, 1], "b": [1.5, 2.0, 3.0, 4.0]}, kind="numeric")["a"].target.kind == "numeric"


def test_ratings_of_wine_have_an_order(shared):
    frame = pd.read_csv(shared("wine_quality") / "data.csv")
    problem = Problem.model_validate({"data": "data.csv", "target": {"column": "quality", "kind": "ordered"}})

    answer = read_target(problem, Raw(frame, "data.csv", np.arange(len(frame))), frame["quality"])

    assert answer.target.labels == ("3", "4", "5", "6", "7", "8", "9")
    np.testing.assert_array_equal(answer.target.values + 3, frame["quality"])


@pytest.mark.parametrize("pair", [("yes", "Yes"), ("no", "NO"), ("New York", "new york"), ("a ", "a")])
def test_one_class_spelt_in_two_ways_is_refused(pair):
    with pytest.raises(PisteError, match="differ only by case or blanks"):
        read([*pair, "other"] * 3)


def test_a_capital_within_a_word_makes_another_class():
    assert read(["hid", "hId", "hEd"] * 3).target.labels == ("hEd", "hId", "hid")
