"""Columns that others show to be off by the factor of two units."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.audit.measures.ratios import two_ratios


def boxes(n: int = 600, seed: int = 0) -> dict[str, np.ndarray]:
    """Length, width and height of boxes of one shape and of many sizes."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(3, 0.8, n)
    return {name: size * times * rng.lognormal(0, 0.05, n) for name, times in {"length": 3.0, "width": 2.0, "height": 1.0}.items()}


@pytest.mark.parametrize("factor", [2.54, 1 / 2.54, 10.0, 1.609])
def test_a_column_in_two_units_is_found_by_those_that_go_along_with_it(factor: float):
    columns, mine = boxes(), np.arange(600) % 4 == 0
    columns["width"] = np.where(mine, columns["width"] * factor, columns["width"])
    [found] = two_ratios(columns)
    assert (found.column, found.certain) == ("width", True)
    assert found.factor == pytest.approx(factor, rel=0.02)
    assert (found.rows != mine).mean() < 0.02


def test_of_two_columns_either_may_be_off():
    columns = {name: each for name, each in boxes().items() if name != "height"}
    columns["width"][::4] *= 2.54
    [found] = two_ratios(columns)
    assert {found.column, found.beside} == {"width", "length"}
    assert not found.certain


def test_ratios_of_one_kind_or_of_many_are_no_units():
    assert all(two_ratios(boxes(seed=seed)) == [] for seed in range(20))
    columns = boxes()
    columns["width"] *= np.random.default_rng(1).choice([1.0, 1.6, 2.5, 4.0], 600)
    assert two_ratios(columns) == []


def test_two_kinds_that_no_units_are_apart_are_two_kinds_of_things():
    columns = boxes()
    columns["width"][::4] *= 5.0
    assert two_ratios(columns) == []


def test_columns_that_say_nothing_have_no_ratio():
    empty = {"a": np.full(300, np.nan), "b": np.zeros(300), "c": np.ones(300), "d": -np.arange(300.0), "e": np.arange(1.0, 301.0)}
    assert two_ratios(empty) == []
    assert two_ratios({}) == []
