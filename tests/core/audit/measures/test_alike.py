"""Columns that say the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from piste.core.audit.measures import alike as module
from piste.core.audit.measures.alike import alike


def columns(n: int = 600) -> dict[str, pd.Series]:
    rng = np.random.default_rng(0)
    return {name: pd.Series(rng.normal(size=n)) for name in ("adults", "children", "seniors", "snow")}


def together(found: list[tuple[str, ...]]) -> set[frozenset[str]]:
    return {frozenset(group) for group in found if len(group) > 1}


def test_numbers_of_the_same_ranks_say_the_same_whatever_their_unit_and_direction():
    given = columns()
    given |= {"snow_in_inches": np.exp(given["snow"] / 2.54), "bare_ground": -given["snow"]}
    assert together(alike(given)) == {frozenset({"snow", "snow_in_inches", "bare_ground"})}


@pytest.mark.parametrize("noise", [0.05, 0.15, 0.3, 0.6])
def test_a_pair_says_the_same_from_a_rank_correlation_of_98_percent(noise: float):
    given = columns()
    given["gauge"] = given["snow"] + np.random.default_rng(1).normal(0, noise, 600)
    same = stats.spearmanr(given["snow"], given["gauge"]).statistic > module.SAME_RANKS
    assert (together(alike(given)) == {frozenset({"snow", "gauge"})}) == same


def test_a_sum_and_its_parts_say_the_same():
    given = columns()
    given["guests"] = given["adults"] + given["children"] + 2 * given["seniors"] + 7
    assert together(alike(given)) == {frozenset({"adults", "children", "seniors", "guests"})}


def test_a_sum_with_something_of_its_own_stands_alone():
    given = columns()
    given["guests"] = given["adults"] + given["children"] + np.random.default_rng(1).normal(0, 0.5, 600)
    assert together(alike(given)) == set()


def test_what_nearly_everything_is_a_part_of_is_no_sum():
    rng = np.random.default_rng(0)
    parts = {f"part {i}": pd.Series(rng.normal(size=600)) for i in range(20)}
    assert together(alike({**parts, "all": sum(parts.values(), pd.Series(np.zeros(600)))})) == set()


def test_a_code_and_its_name_say_the_same():
    code = pd.Series(np.random.default_rng(0).integers(0, 5, 600).astype(float))
    name = code.map({0: "none", 1: "school", 2: "college", 3: "bachelor", 4: "master"})
    shuffled = code.sample(frac=1, random_state=0, ignore_index=True).map({0: "a", 1: "b", 2: "c", 3: "d", 4: "e"})
    assert together(alike({"code": code, "name": name, "other": shuffled})) == {frozenset({"code", "name"})}


@pytest.mark.parametrize(("wrong", "same"), [(0, True), (20, True), (60, False)])
def test_names_say_the_same_as_long_as_nearly_every_error_is_spared(wrong: int, *, same: bool):
    rng = np.random.default_rng(0)
    one = rng.integers(0, 5, 1_000)
    other = one.copy()
    other[:wrong] = (other[:wrong] + 1) % 5
    texts = {"one": pd.Series(one).map("abcde".__getitem__), "other": pd.Series(other).map("vwxyz".__getitem__)}
    assert bool(together(alike(texts))) == same


def test_two_rare_flags_do_not_say_the_same_because_both_are_mostly_off():
    rng = np.random.default_rng(0)
    flags = {name: pd.Series(np.where(rng.random(2_000) < 0.01, "yes", "no")) for name in ("holiday", "race")}
    assert together(alike(flags)) == set()


def test_names_that_differ_from_row_to_row_do_not_say_the_same():
    rows = pd.Series([f"row {i}" for i in range(300)])
    assert together(alike({"id": rows, "key": rows.sample(frac=1, random_state=0, ignore_index=True)})) == set()


def test_times_are_numbers():
    day = pd.Series(pd.date_range("2020-01-01", periods=300))
    assert together(alike({"day": day, "number": pd.Series(np.arange(300.0)), "snow": columns(300)["snow"]})) == {
        frozenset({"day", "number"})
    }


def test_odd_columns_are_each_alone():
    n = 200
    given = {
        "missing": pd.Series(np.full(n, np.nan)),
        "constant": pd.Series(np.ones(n)),
        "half": pd.Series(np.where(np.arange(n) % 2, 1.0, np.nan)),
        "empty": pd.Series([None] * n, dtype="str"),
        "rows": pd.Series(np.random.default_rng(0).normal(size=n)),
    }
    assert alike(given) == [(name,) for name in given]
    assert alike({"one": given["rows"]}) == [("one",)]
    assert alike({}) == []
    assert alike({name: each.iloc[:2] for name, each in given.items()})
