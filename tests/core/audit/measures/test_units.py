"""Rows of a column that are in another unit than the others."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.audit.measures.units import converted, factor_words, other_part, two_scales


def rain(n: int = 1000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.5, rng.gamma(1.5, 4, n), 0).round(1)


@pytest.mark.parametrize(
    ("change", "unit", "usual"),
    [
        (lambda x: x / 2.54, "inches", "centimetres"),
        (lambda x: x * 2.54, "centimetres", "inches"),
        (lambda x: x * 0.393701, "inches", "centimetres"),  # by a rounded factor
        (lambda x: x / 1.609344, "miles", "kilometres"),
        (lambda x: x * 2.20462, "pounds", "kilograms"),
        (lambda x: x / 60, "hours", "minutes"),
    ],
)
def test_a_conversion_is_found_by_the_steps_in_which_a_column_is_written(change, unit: str, usual: str):
    x = rain()
    mine = (np.arange(1000) % 5 == 0) & (x > 0)
    found = converted(np.where(mine, change(x), x))
    assert found is not None
    assert (found.unit, found.usual) == (unit, usual)
    assert found.step == pytest.approx(0.1)
    wrong = found.rows != mine
    assert not wrong[~mine].any(), "none is taken for what it is not"
    assert wrong.sum() <= 0.03 * mine.sum(), "but for some that fall on a step by chance"


@pytest.mark.parametrize("decimals", [0, 1, 2, 6])
def test_what_is_written_in_one_way_is_in_one_unit(decimals: int):
    assert converted(np.random.default_rng(1).normal(50, 10, 500).round(decimals)) is None


def test_more_decimals_in_some_rows_are_no_other_unit():
    x = np.random.default_rng(1).uniform(0, 100, 1000)
    assert converted(np.where(np.arange(1000) % 4 == 0, x, x.round(1))) is None
    assert converted(np.where(np.arange(1000) % 4 == 0, x.round(2), x.round(0))) is None


@pytest.mark.parametrize("x", [np.array([]), np.full(30, np.nan), np.zeros(30), np.ones(30), np.array([1e300, 1e-300] * 20)])
def test_columns_that_say_nothing_have_no_unit(x: np.ndarray):
    assert converted(x) is None


@pytest.mark.parametrize("factor", [0.01, 100.0, 1000.0, 2.54])
def test_two_clusters_a_factor_apart_are_two_units(factor: float):
    x = np.random.default_rng(0).normal(172, 9, 500).round()
    x[::6] *= factor
    found = two_scales(x)
    assert found is not None
    assert np.array_equal(found.rows, np.arange(500) % 6 == 0)
    assert found.factor == pytest.approx(factor, rel=0.03)


def test_two_clusters_of_other_shapes_or_factors_are_two_kinds_of_things():
    rng = np.random.default_rng(0)
    small = rng.lognormal(0, 0.1, 500)
    assert two_scales(np.concatenate([small, rng.lognormal(np.log(100), 0.5, 200)])) is None, "spread in another way"
    assert two_scales(np.concatenate([small, 40 * rng.lognormal(0, 0.1, 200)])) is None, "no two units are 40 times apart"
    assert two_scales(np.tile([9.99, 99.9, 999.0], 200)) is None, "a list of prices"
    assert all(two_scales(np.random.default_rng(seed).lognormal(0, 2, 500)) is None for seed in range(50))


def test_factors_are_named_both_ways():
    assert factor_words(2.54) == "as from inches to centimetres"
    assert factor_words(1 / 25.4) == "as from millimetres to inches"
    assert factor_words(1.3) == ""


@pytest.mark.parametrize(("factor", "decimals", "unit"), [(1 / 2.54, 2, "inches"), (2.54, 1, "centimetres"), (1.609344, 1, "kilometres")])
def test_a_conversion_that_was_rounded_is_found_by_how_near_values_come_to_the_steps(factor: float, decimals: int, unit: str):
    rng = np.random.default_rng(0)
    x = rng.normal(200, 40, 1500).round()
    mine = rng.random(1500) < 0.3
    found = converted(np.where(mine, (x * factor).round(decimals), x))
    assert found is not None
    assert found.unit == unit
    assert not found.rows[~mine].any()


@pytest.mark.parametrize("parts", [2, 3, 4, 7, 12, 24, 48, 240])
def test_averages_and_shillings_are_no_other_unit(parts: int):
    rng = np.random.default_rng(parts)
    whole = rng.integers(5, 80, 900)
    assert converted((whole + np.where(rng.random(900) < 0.4, rng.integers(1, parts, 900) / parts, 0)).round(4)) is None


AFTER = np.arange(1000) >= 520


@pytest.mark.parametrize("factor", [1.609344, 2.54, 1 / 0.44704])
def test_whole_numbers_that_skip_those_which_no_conversion_gives_are_found_from_a_day_on(factor: float):
    x = np.random.default_rng(0).gamma(9, 8, 1000).round()
    found = other_part(np.where(AFTER, (x * factor).round(), x), [], np.arange(1000))
    assert found is not None
    rows, way = found
    assert way.factor == pytest.approx(1 / factor)
    assert (rows != AFTER).mean() < 0.02


def test_the_station_that_reports_in_another_unit_is_found():
    rng = np.random.default_rng(0)
    x, station = rng.gamma(9, 8, 1000).round(), rng.integers(0, 4, 1000)
    found = other_part(np.where(station == 2, (x * 1.609344).round(), x), [rng.integers(0, 5, 1000), station], np.empty(0, dtype=int))
    assert found is not None
    assert np.array_equal(found[0], (station == 2) & (x > 0))


def test_rows_that_are_written_more_coarsely_are_in_no_other_unit():
    rng = np.random.default_rng(0)
    for step in (2.0, 5.0, 10.0):
        x = rng.gamma(9, 8, 1000)
        assert other_part(np.where(AFTER, step * (x / step).round(), x.round()), [AFTER.astype(int)], np.arange(1000)) is None
