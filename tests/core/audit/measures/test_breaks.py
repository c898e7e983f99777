"""Levels that jump, and gauges that are stuck."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.audit.measures.breaks import CLEAR, YEAR, Chunked, chunked, degrees, jump, known_step, level_break, step, stuck


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
    value = {"least": x.min(), "most": x.max()}.get(rest, rest)
    x[500:560] = x[900:940] = value
    assert stuck(x, ONE) is None


def test_a_column_that_sinks_to_zero_and_rises_again_rests_there():
    x = 10 + np.random.default_rng(0).normal(0, 1, 2000).round(1)
    x[460:500] = np.linspace(9, 0.1, 40)
    x[500:560] = 0.0
    x[560:600] = np.linspace(0.1, 9, 40)
    assert stuck(x, ONE) is None


def test_the_only_zeros_on_end_in_the_midst_of_amounts_are_a_gauge_that_is_stuck():
    x = np.random.default_rng(0).normal(10, 3, 2000).round(1)
    x[498:500] = x[530:532] = 10.0
    x[500:530] = 0.0
    found = stuck(x, ONE)
    assert found is not None
    assert (found.first, found.longest, found.value) == (500, 30, 0.0)


def test_a_weather_that_is_known_by_the_day_repeats_by_the_hour():
    assert stuck(np.repeat(np.random.default_rng(0).normal(10, 3, 84).round(1), 24)[:2000], ONE) is None


def test_runs_end_where_another_series_begins():
    x = np.random.default_rng(0).normal(10, 3, 2000).round(1)
    x[992:1008] = 10.0
    assert stuck(x, ONE) is not None
    assert stuck(x, np.repeat([0, 1], 1000)) is None


DAYS = np.arange(731) * 86_400.0


def by_stretch(x: np.ndarray) -> tuple[Chunked, np.ndarray]:
    number = np.arange(len(x)) * 60 // len(x)
    return chunked(x, number, 60), DAYS[np.searchsorted(number, np.arange(60))]


def wind(seed: int = 0) -> np.ndarray:
    """Two years of wind by day, more in winter; a windy day is often followed by another."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.3, 731)
    for day in range(1, 731):
        noise[day] += 0.3 * noise[day - 1]
    return np.exp(2.3 + 0.2 * np.cos(2 * np.pi * DAYS / YEAR) + noise)


@pytest.mark.parametrize("factor", [1.609, 2.54, 1 / 1.609])
@pytest.mark.parametrize("day", [300, 365, 450])
def test_a_noisy_column_that_changes_its_unit_is_found_beside_its_season(factor: float, day: int):
    found = [known_step(*by_stretch(np.where(np.arange(731) >= day, factor * wind(seed), wind(seed)))) for seed in range(10)]
    close = [each for each in found if each and abs(np.log(each[1] / factor)) < 0.15]
    assert len(close) >= 5
    assert len(close) == sum(each is not None for each in found)


def test_nothing_that_is_smooth_is_a_change_of_unit():
    growth = np.exp(np.arange(731) / 731 * np.log(1.8))
    waves = np.exp(0.4 * np.sin(2 * np.pi * DAYS / YEAR / 1.3))
    for change in (1.0, growth, waves):
        assert [known_step(*by_stretch(wind(seed) * change)) for seed in range(20)] == [None] * 20


def test_a_step_that_no_two_units_explain_is_none_of_units():
    x = np.random.default_rng(0).lognormal(3, 0.2, 731)
    x[365:] *= 2.0
    found = step(*(lambda levels, when: (levels.logs, when))(*by_stretch(x)))
    assert found is not None
    assert found.height == pytest.approx(np.log(2), abs=0.05)
    assert known_step(*by_stretch(x)) is None


@pytest.mark.parametrize("to_celsius", [True, False])
def test_degrees_that_change_in_part_are_found_by_level_and_spread(to_celsius: bool):
    rng = np.random.default_rng(0)
    celsius = 12 + 9 * np.sin(2 * np.pi * DAYS / YEAR) + rng.normal(0, 4, 731)
    fahrenheit = celsius * 1.8 + 32
    before, after = (fahrenheit, celsius) if to_celsius else (celsius, fahrenheit)
    found = degrees(*by_stretch(np.where(np.arange(731) >= 365, after, before)))
    assert found is not None
    assert found[1].unit == ("degrees Celsius" if to_celsius else "degrees Fahrenheit")
    assert degrees(*by_stretch(celsius)) is None
    assert degrees(*by_stretch(np.where(np.arange(731) >= 365, celsius + 20, celsius))) is None
