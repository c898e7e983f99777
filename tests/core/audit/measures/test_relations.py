"""Columns that give the target by plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.audit.measures.relations import relation
from piste.core.errors import both

N = 600


@pytest.fixture
def columns() -> dict[str, np.ndarray]:
    """Return thirty columns that have nothing to do with each other, and five whole numbers."""
    rng = np.random.default_rng(0)
    noise = {f"noise {number}": rng.normal(0, 10.0 ** rng.integers(-2, 4), N) for number in range(30)}
    return noise | {name: rng.integers(1, 400, N).astype(float) for name in "abcde"}


@pytest.mark.parametrize(
    ("target", "formula"),
    [
        (lambda c: c["a"] + c["b"], "'a' + 'b'"),
        (lambda c: c["a"] - c["b"], "'a' - 'b'"),
        (lambda c: c["b"] - c["a"] - c["c"], "'b' - 'a' - 'c'"),
        (lambda c: c["a"] + c["b"] + c["c"], "'a' + 'b' + 'c'"),
        (lambda c: 2 * c["a"] + c["b"], "2 x 'a' + 'b'"),
        (lambda c: (c["a"] + c["b"]) / 2 + 7, "0.5 x ('a' + 'b')"),
        (lambda c: c["a"] * c["b"], "'a' x 'b'"),
        (lambda c: c["a"] / c["b"], "'a' / 'b'"),
        (lambda c: c["a"] * c["b"] / c["c"], "'a' x 'b' / 'c'"),
        (lambda c: c["a"] / c["b"] ** 2, "'a' / 'b' squared"),
        (lambda c: -c["a"] - c["b"], "-'a' - 'b'"),
    ],
)
def test_a_formula_is_found_and_written_as_people_write_it(columns, target, formula):
    found = relation(target(columns), columns)
    assert found is not None
    assert found.formula == formula
    assert found.plain
    assert found.exact
    assert found.share == 1


def test_a_sum_of_more_than_three_columns_is_found(columns):
    found = relation(sum(columns[name] for name in "abcde"), columns)
    assert found is not None
    assert set(found.columns) == set("abcde")


def test_columns_that_explain_much_of_a_target_are_no_formula(columns):
    y = columns["a"] + columns["b"] + np.random.default_rng(1).normal(0, 5, N)
    assert relation(y, columns) is None


def test_a_formula_may_fail_in_one_row_of_twenty_but_no_more(columns):
    y = columns["a"] + columns["b"]
    few, many = y.copy(), y.copy()
    few[::25] += 50
    many[::10] += 50
    found = relation(few, columns)
    assert found is not None
    assert found.share == pytest.approx(0.96, abs=0.005)
    assert relation(many, columns) is None


def test_missing_values_do_not_hide_a_formula(columns):
    rng = np.random.default_rng(2)
    y = columns["a"] + columns["b"]
    columns["b"] = np.where(rng.random(N) < 0.15, np.nan, columns["b"])
    found = relation(y, columns)
    assert found is not None
    assert found.columns == ("a", "b")
    assert not found.known


def test_a_formula_with_numbers_of_its_own_is_told_from_a_sum(columns):
    found = relation(3.7 * columns["a"] + 0.283 * columns["b"], columns)
    assert found is not None
    assert not found.plain


def test_a_target_that_is_mostly_zero_is_not_explained_by_zeros():
    rng = np.random.default_rng(3)
    busy = rng.random(N) < 0.03
    y = np.where(busy, rng.integers(1, 50, N), 0).astype(float)
    columns = {name: np.where(rng.random(N) < 0.03, rng.integers(1, 50, N), 0).astype(float) for name in "abc"}
    assert relation(y, columns) is None


@pytest.mark.parametrize("y", [np.zeros(N), np.r_[np.ones(N - 1), 2.0]])
def test_a_target_that_hardly_varies_has_no_formula(columns, y):
    assert relation(y, columns) is None


def test_twins_and_constant_columns_do_no_harm(columns):
    columns |= {"twin": columns["a"].copy(), "constant": np.ones(N), "empty": np.full(N, np.nan)}
    found = relation(columns["a"] + columns["b"], columns)
    assert found is not None
    assert found.formula in ("'a' + 'b'", "'twin' + 'b'", "'b' + 'twin'")


def test_names_are_listed_as_people_list_them():
    assert both(["a"]) == "'a'"
    assert both(["a", "b", "c"]) == "'a', 'b' and 'c'"
