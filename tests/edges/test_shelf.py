"""A comparison in the store, and out of it again, whole."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from piste.core.comparison import Comparison
from piste.edges import shelf
from piste.edges.shelf import Shelved
from piste.edges.store import Store
from tests.comparisons import classification, regression


@pytest.fixture
def store(tmp_path):
    """Return an empty store."""
    with Store(tmp_path / "results.sqlite") as opened:
        yield opened


def shelved(comparison: Comparison, link: str = "http://127.0.0.1:5000/#/experiments/1") -> Shelved:
    """Return a comparison with models and members."""
    models = {row.id: f"{place:064x}" for place, row in enumerate(comparison.judged)}
    members = {
        row.id: [(0.75, "tree", {"max_depth": None, "cp": 0.001}), (0.25, "linear", {"penalty": "ridge", "balanced": True})]
        for row in comparison.judged
    }
    return Shelved(comparison, link, 1.7e9 + 0.25, models, members)


def same(one: Comparison, other: Comparison) -> None:
    """Check that two comparisons hold the same, types included."""
    for field in fields(Comparison):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, pd.DataFrame):
            pd.testing.assert_frame_equal(mine, theirs, check_exact=True, check_column_type=False)
        elif field.name == "trials":
            assert list(mine) == list(theirs)
            for id in mine:
                pd.testing.assert_frame_equal(mine[id], theirs[id], check_exact=True, check_column_type=False)
        elif field.name == "target":
            assert replace(mine, values=None) == replace(theirs, values=None)
            np.testing.assert_array_equal(mine.values, theirs.values)
            assert mine.values.dtype == theirs.values.dtype
        else:
            assert mine == theirs, field.name


@pytest.mark.parametrize("made", [regression, classification], ids=lambda made: made.__name__)
def test_a_comparison_comes_back_whole(made, store):
    kept = shelved(made())
    shelf.keep(store, kept)
    found = shelf.by_key(store, kept.comparison.key)
    same(found.comparison, kept.comparison)
    assert (found.link, found.started, found.models, found.members) == (kept.link, kept.started, kept.models, kept.members)


def test_what_is_unknown_or_endless_comes_back_as_it_was(store):
    comparison = regression()
    odd = replace(comparison.judged[0], cost_lo=float("nan"), cost_hi=float("inf"), gain_lo=float("-inf"), fit_seconds=float("nan"))
    shelf.keep(store, shelved(replace(comparison, judged=(odd, *comparison.judged[1:]))))
    found = shelf.by_key(store, comparison.key).comparison.judged[0]
    assert np.isnan([found.cost_lo, found.fit_seconds]).all()
    assert (found.cost_hi, found.gain_lo) == (np.inf, -np.inf)


def test_numbers_of_numpy_come_back_as_numbers(store):
    comparison = regression()
    row = replace(comparison.judged[0], params={"k": np.int64(3), "c": np.float64(0.1), "b": np.bool_(True)}, cost=np.float64(31.5))
    shelf.keep(store, shelved(replace(comparison, judged=(row, *comparison.judged[1:]))))
    found = shelf.by_key(store, comparison.key).comparison.judged[0]
    assert (dict(found.params), found.cost) == ({"k": 3, "c": 0.1, "b": True}, 31.5)
    assert [type(value) for value in found.params.values()] == [int, float, bool]


def test_the_latest_of_a_problem_is_the_one_last_kept(store):
    first, second = regression(seed=0), regression(seed=1)
    for comparison in (first, second):
        shelf.keep(store, shelved(comparison))
    assert shelf.latest(store, "ski-runs").comparison.key == second.key
    shelf.keep(store, shelved(first))  # run again with nothing changed
    assert shelf.latest(store, "ski-runs").comparison.key == first.key
    assert shelf.by_key(store, second.key).comparison.key == second.key


def test_each_problem_has_a_latest_of_its_own(store):
    shelf.keep(store, shelved(regression()))
    shelf.keep(store, shelved(classification()))
    assert shelf.latest(store, "ski-runs").comparison.problem == "ski-runs"
    assert shelf.latest(store, "digits").comparison.problem == "digits"


def test_a_link_that_comes_later_replaces_the_empty_one(store):
    kept = shelved(regression(), link="")
    shelf.keep(store, kept)
    shelf.keep(store, replace(kept, link="http://x"))
    assert shelf.latest(store, "ski-runs").link == "http://x"


def test_what_is_not_there_is_none(store):
    assert shelf.latest(store, "ski-runs") is None
    assert shelf.by_key(store, "0" * 64) is None


def test_another_process_reads_the_same(store, tmp_path):
    kept = shelved(classification())
    shelf.keep(store, kept)
    with Store(tmp_path / "results.sqlite") as other:
        same(shelf.by_key(other, kept.comparison.key).comparison, kept.comparison)
