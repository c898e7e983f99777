"""Values that stand for something else, told from amounts."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.audit.measures.odd import odd_values


def kinds(x: np.ndarray, *, ends: bool = False) -> dict[str, tuple[float, ...]]:
    return {each.kind: each.values for each in odd_values(x, ends=ends)}


def normal(n: int = 1000, mean: float = 50.0, sd: float = 8.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, sd, n).round(1)


@pytest.mark.parametrize("code", [-999.0, -9999.0, 999.0, 9999.0, 99999.0, 999.9, -1.0, -9.0])
def test_a_code_beyond_all_other_values_is_found(code: float):
    x = normal()
    x[:20] = code
    assert kinds(x) == {"code": (code,)}


def test_a_code_within_the_range_is_found_where_it_comes_far_more_often_than_its_neighbours():
    x = np.random.default_rng(0).normal(9000, 2000, 5000).round()
    assert kinds(x) == {}
    x[:60] = 9999
    assert kinds(x) == {"code": (9999.0,)}


def test_a_single_99_among_two_digit_numbers_is_an_amount():
    x = np.random.default_rng(0).integers(0, 99, 2000).astype(float)
    x[0] = 99
    assert kinds(x) == {}


def test_minus_one_is_an_amount_where_others_are_negative_too():
    x = np.random.default_rng(0).integers(-5, 20, 500).astype(float)
    assert kinds(x) == {}


def test_few_distinct_values_are_grades_of_which_none_is_odd():
    assert kinds(np.tile([-1.0, 0.0, 1.0, 2.0], 50)) == {}


@pytest.mark.parametrize(("lowest", "odd"), [(25.0, True), (3.0, False)])
def test_zero_is_odd_only_where_nothing_comes_near_it(lowest: float, odd: bool):
    x = np.random.default_rng(0).uniform(lowest, 100, 1000).round(1)
    x[:5] = 0
    assert ("zero" in kinds(x)) == odd


def test_counts_reach_zero_by_nature():
    assert kinds(np.random.default_rng(0).poisson(6, 5000).astype(float)) == {}


def test_a_column_that_is_mostly_zero_is_rain_and_not_unmeasured():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(2000) < 0.8, 0.0, rng.uniform(5, 9, 2000).round(2))
    assert "zero" not in kinds(x)


def test_a_slip_of_the_decimal_mark_is_found_on_either_side():
    x = normal()
    x[0] = 512.0
    assert kinds(x) == {"far": (512.0,)}
    assert kinds(-x) == {"far": (-512.0,)}


@pytest.mark.parametrize("seed", range(20))
def test_heavy_tails_are_left_alone(seed: int):
    rng = np.random.default_rng(seed)
    assert "far" not in kinds(rng.lognormal(0, 1, 3000))
    assert "far" not in kinds(rng.normal(0, 1, 3000))


def test_far_values_in_pareto_tails_are_rare():
    found = sum("far" in kinds(np.random.default_rng(seed).pareto(1.2, 2000)) for seed in range(200))
    assert found <= 6, "a tail so heavy leads to expect them"


def test_a_cap_is_found_at_the_ends_that_are_asked_for():
    x = np.minimum(np.random.default_rng(0).normal(300_000, 120_000, 4000).round(-2), 500_001)
    assert kinds(x) == {}
    assert kinds(x, ends=True) == {"cap": (500_001.0,)}


def test_a_percentage_ends_at_100_by_nature():
    x = np.minimum(np.random.default_rng(0).normal(90, 10, 4000).round(1), 100)
    assert kinds(x, ends=True) == {}


def test_zeros_that_outnumber_their_neighbours_are_found_in_an_answer():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(3000) < 0.3, 0, rng.negative_binomial(2, 0.02, 3000)).astype(float)
    assert kinds(x, ends=True) == {"zeros": (0.0,)}


def test_the_share_of_the_spread_is_that_of_the_squares():
    x = normal()
    x[:20] = -999
    [odd] = odd_values(x, ends=False)
    others = x[20:]
    squares = (x - np.quantile(others, 0.5, method="inverted_cdf")) ** 2
    assert odd.carried == pytest.approx(squares[:20].sum() / squares.sum())
    assert odd.rows == 20
    assert odd.share == pytest.approx(0.02)
    assert odd.next == others.min()
    assert odd.spread == pytest.approx(others.std())


@pytest.mark.parametrize("x", [np.array([]), np.full(50, np.nan), np.zeros(50), np.array([1.0, 2.0]), np.array([np.nan, -999.0, 3.0])])
def test_columns_that_say_nothing_hold_nothing_odd(x: np.ndarray):
    assert odd_values(x, ends=True) == []


@pytest.mark.parametrize(("code", "apart"), [(-999.0, True), (-1.0, True), (9999.0, False)])
def test_a_code_lies_apart_or_comes_too_often(code: float, apart: bool):
    x = np.random.default_rng(0).normal(9000, 2000, 5000).round()
    x[:60] = code
    [odd] = odd_values(x, ends=False)
    assert odd.apart == apart


def test_a_code_among_amounts_is_found_where_nothing_else_comes_as_often():
    x = np.random.default_rng(3).gamma(4, 400, 3000).round()
    x[:14] = 999.0
    assert [each.values for each in odd_values(x, ends=False)] == [(999.0,)]


def test_prices_that_end_on_nines_are_no_codes():
    rng = np.random.default_rng(3)
    x = rng.gamma(4, 400, 3000).round()
    nines = rng.random(3000) < 0.3
    x[nines] = (x[nines] // 100) * 100 + 99
    x[:14] = 999.0
    assert all(each.kind != "code" or 999.0 not in each.values for each in odd_values(x, ends=False))


def test_two_digits_that_are_repeated_far_beyond_all_others_are_a_code():
    x = np.random.default_rng(3).integers(1, 53, 2000).astype(float)
    x[:3] = 99.0
    assert "code" not in [each.kind for each in odd_values(x, ends=False)]
    x[:9] = 99.0
    assert "code" in [each.kind for each in odd_values(x, ends=False)]


def test_how_far_zero_lies_from_the_others_is_told():
    x = np.random.default_rng(3).normal(170, 9, 1000).round(1)
    x[:10] = 0.0
    [found] = odd_values(x, ends=False)
    assert found.kind == "zero"
    assert found.mean / found.spread == pytest.approx(x[10:].mean() / x[10:].std(), rel=1e-6)
