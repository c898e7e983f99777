"""The one error that reaches a user."""

from __future__ import annotations

import pickle

import pytest

from piste.core.errors import Fault, PisteError, Place, either, near


def test_a_fault_reads_as_editors_want_it():
    fault = Fault("must be 'kfold', but is 'kfld'", "split.scheme", Place("p/problem.yaml", 5, 3))
    assert str(fault) == "p/problem.yaml:5:3: split.scheme: must be 'kfold', but is 'kfld'"


@pytest.mark.parametrize(
    ("fault", "read"),
    [
        (Fault("no rows"), "no rows"),
        (Fault("no rows", "data"), "data: no rows"),
        (Fault("no rows", place=Place("rows.csv")), "rows.csv: no rows"),
        (Fault("no rows", place=Place("rows.csv", 7)), "rows.csv:7: no rows"),
    ],
)
def test_what_is_unknown_of_a_place_is_left_out(fault, read):
    assert str(fault) == read


def test_all_faults_are_said_at_once_in_the_order_of_the_file():
    late, early, first = (Fault("x", place=Place("a.yaml", line, column)) for line, column in ((10, 1), (9, 5), (9, 2)))
    error = PisteError(late, early, first)
    assert error.faults == (first, early, late)
    assert str(error).splitlines() == ["a.yaml:9:2: x", "a.yaml:9:5: x", "a.yaml:10:1: x"]


def test_plain_text_is_a_fault_without_a_place():
    assert PisteError("no rows").faults == (Fault("no rows"),)


def test_the_error_survives_the_way_from_a_worker_process():
    error = PisteError(Fault("x", "data", Place("a.yaml", 2, 1)), "y")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is PisteError
    assert back.faults == error.faults
    assert str(back) == str(error)


@pytest.mark.parametrize(
    ("word", "hint"),
    [("linaer", " Did you mean 'linear'?"), ("FOREST", " Did you mean 'forest'?"), ("zzz", ""), ("", ""), (3, "")],
)
def test_a_near_miss_is_named_and_a_far_one_not(word, hint):
    assert near(word, ["linear", "forest", "tree"]) == hint


@pytest.mark.parametrize(("choices", "prose"), [(["a"], "'a'"), (["a", "b"], "'a' or 'b'"), (["a", "b", "c"], "'a', 'b' or 'c'")])
def test_choices_read_as_prose(choices, prose):
    assert either(choices) == prose
