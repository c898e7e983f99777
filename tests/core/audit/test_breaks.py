"""Units that change, levels that jump, and gauges that are stuck."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.audit.breaks import CLEAR, chunked, converted, factor_words, jump, level_break, stuck, two_scales


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


def test_a_stretch_at_another_level_is_found_with_its_ends():
    z = np.random.default_rng(0).normal(0, 0.2, 60)
    z[20:35] += 2
    found = jump(z)
    assert found is not None
    assert (found.start, found.stop) == (20, 35)
    assert found.height == pytest.approx(2, abs=0.2)


def test_a_level_that_changes_for_good_is_found():
    z = np.random.default_rng(0).normal(0, 0.2, 60)
    z[41:] -= 2
    found = jump(z)
    assert found is not None
    assert (found.start, found.stop) == (41, 60)
    assert found.height == pytest.approx(-2, abs=0.2)


@pytest.mark.parametrize(
    "z",
    [
        np.linspace(0, 5, 60),  # a trend
        2 * np.sin(np.arange(60) / 5),  # seasons
        np.tile(np.repeat([0.0, 2.0], 6), 5),  # a gauge that is changed twice a year
        np.arange(60) % 12 * 0.4,  # snow that piles up each winter
        np.zeros(60),
        np.full(60, np.nan),
    ],
)
def test_trends_and_seasons_are_no_jump(z: np.ndarray):
    found = jump(z)
    assert found is None or abs(found.height) <= CLEAR * found.noise


def test_noise_and_wandering_are_no_jump():
    rng = np.random.default_rng(0)
    noise = [jump(rng.normal(0, 1, 60)) for _ in range(200)]
    walks = [jump(np.cumsum(rng.normal(0, 1, 60))) for _ in range(200)]
    wrong = [found for found in [*noise, *walks] if found and abs(found.height) > CLEAR * found.noise]
    assert len(wrong) <= 8


def in_time(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    return x, np.arange(len(x)) * 60 // len(x), 60


@pytest.mark.parametrize(("times", "found"), [(4.0, True), (0.2, True), (2.54, True), (1.4, False)])
def test_a_level_is_a_break_where_it_is_three_times_as_high_or_by_the_factor_of_two_units(times: float, found: bool):
    x = np.random.default_rng(0).lognormal(3, 0.9, 6000)
    x[3400:] *= times
    broken = level_break(chunked(*in_time(x)))
    assert (broken is not None) == found
    if broken:
        assert broken[1] == pytest.approx(times, rel=0.1)


def test_degrees_that_change_their_scale_are_a_break_by_an_amount():
    x = np.random.default_rng(0).normal(-2, 6, 3000)
    x[1500:] = x[1500:] * 1.8 + 32
    broken = level_break(chunked(*in_time(x)))
    assert broken is not None
    assert np.isnan(broken[1])


def test_a_number_that_does_not_vary_within_a_stretch_is_a_year_or_a_season():
    assert level_break(chunked(*in_time(np.repeat([2019.0, 2120.0], 1500)))) is None


def test_the_level_of_a_stretch_is_its_median():
    x = np.random.default_rng(0).normal(10, 3, 600)
    levels = chunked(*in_time(x))
    parts = x.reshape(60, 10)
    assert levels.middle == pytest.approx(np.quantile(parts, 0.5, axis=1, method="lower"))
    assert levels.logs == pytest.approx(np.log(np.quantile(np.abs(parts), 0.5, axis=1, method="lower")))


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


ONE = np.zeros(2000, dtype=int)


def test_a_gauge_that_is_stuck_is_found():
    x = np.random.default_rng(0).normal(10, 3, 2000).round(1)
    x[500:530] = x[500]
    found = stuck(x, ONE)
    assert found is not None
    assert (found.longest, found.first, found.runs, found.rows) == (30, 500, 1, 30)
    assert found.value == x[500]


@pytest.mark.parametrize("length", [10, 12])
def test_up_to_twelve_equal_values_may_be(length: int):
    x = np.random.default_rng(0).normal(10, 3, 2000).round(1)
    x[500 : 500 + length] = 10.0
    assert stuck(x, ONE) is None


@pytest.mark.parametrize("rest", [0.0, "least", "most"])
def test_a_column_may_rest_at_zero_and_at_the_ends_of_its_range(rest):
    x = np.random.default_rng(0).normal(10, 3, 2000).round(1)
    x[500:560] = {"least": x.min(), "most": x.max()}.get(rest, rest)
    assert stuck(x, ONE) is None


def test_a_weather_that_is_known_by_the_day_repeats_by_the_hour():
    assert stuck(np.repeat(np.random.default_rng(0).normal(10, 3, 84).round(1), 24)[:2000], ONE) is None


def test_runs_end_where_another_series_begins():
    x = np.random.default_rng(0).normal(10, 3, 2000).round(1)
    x[992:1008] = 10.0
    assert stuck(x, ONE) is not None
    assert stuck(x, np.repeat([0, 1], 1000)) is None
