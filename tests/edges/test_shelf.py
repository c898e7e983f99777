"""A comparison in the store, and out of it again, whole."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass, replace

import numpy as np
import pandas as pd
import pytest

from piste.core.comparison import Claimed, Comparison, Curve, Interval, Versus
from piste.core.data import Target
from piste.core.finding import Finding
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
        row.id: [
            (0.7, "tree", {"max_depth": None, "cp": 0.001}, ()),
            (0.2, "linear", {"penalty": "ridge", "balanced": True}, ()),
            (0.1, "forest", {"tuned": 2}, ({"trees": "random"}, {"trees": "extra"})),
        ]
        for row in comparison.judged
    }
    return Shelved(comparison, link, 1.7e9 + 0.25, models, members)


def written(value: object) -> str:
    """Write a value out, so that what is unknown (NaN) is equal to itself."""
    return json.dumps(value, default=lambda each: asdict(each) if is_dataclass(each) else each.item())


def same(one: Comparison, other: Comparison) -> None:
    """Check that two comparisons hold the same, types included."""
    for field in fields(Comparison):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, pd.DataFrame):
            pd.testing.assert_frame_equal(mine, theirs, check_exact=True, check_column_type=False)
        elif field.name in ("trials", "tables"):
            assert list(mine) == list(theirs)
            for id in mine:
                pd.testing.assert_frame_equal(mine[id], theirs[id], check_exact=True, check_column_type=False)
        elif field.name == "target":
            assert replace(mine, values=None, thresholds=None) == replace(theirs, values=None, thresholds=None)
            np.testing.assert_array_equal(mine.values, theirs.values)
            np.testing.assert_array_equal(mine.thresholds, theirs.thresholds)
            assert mine.values.dtype == theirs.values.dtype
        elif field.name == "curve" and mine is not None:
            pd.testing.assert_frame_equal(mine.points, theirs.points, check_exact=True, check_column_type=False)
            assert replace(mine, points=None) == replace(theirs, points=None)
        else:
            assert type(mine) is type(theirs), field.name
            assert written(mine) == written(theirs), field.name


def priced() -> Comparison:
    """Return a comparison in which everything that may be there is there."""
    plain = regression()
    row = plain.judged[0]
    target = Target("count", "count", plain.target.values, (), ("low", "high"), np.linspace(40, 90, len(plain.target.values))[:, None])
    points = pd.DataFrame({"entry": ["forest"] * 3, "rows": [50, 100, 200], "cost": [9.0, 8.0, 7.5], "cost_lo": [np.nan, 7.0, 7.0]})
    known = replace(row, framing="foresight", family="reference", rule="known", cost_lo=float("nan"), actions={"none": 0.25, "one": 0.75})
    return replace(
        plain,
        target=target,
        priced=True,
        per_year=6900.0,
        judged=(replace(row, actions={"none": 0.5, "one": 0.5}, value=0.4, own_score=2.5, details=("chose it",)), *plain.judged[1:]),
        references=(known,),
        states={row.id: {"residuals": [-1.5, 0.0, 2.5], "ratio": False}, "mean/tree/plug_in": {}},
        estimate=Interval(31.0, 29.5, float("nan")),
        claimed=Claimed(Interval(4.0, 1.0, 7.0), Interval(0.2, 0.05, 0.3), 0.35, 1.5, 0.1, 124, float("inf"), "blocks drawn again"),
        next_period=Interval(3.0, -1.0, 7.0),
        versus=Versus("mean/forest/mean", 0.05, 0.15, 0.8),
        curve=Curve(points, Interval(7.0, 6.5, 7.4), 0.3, 0.01, ("The network overtakes the forest at about 3,000 rows.",)),
        findings=(Finding("M07", "warn", "80% intervals", 0.7, 0.8, "too narrow", "widen"), Finding("M02", "note", "rule", 0.0, 0.0, "no")),
        tables={
            "slices": pd.DataFrame({"value": ["a", "b"], "p": [0.5, np.nan]}),
            "self_test": pd.DataFrame({"rule": [1.0]}),
        },
        spared={"M12": "the problem does not say between which factors its cost may lie"},
        silent=("D01", "M04"),
    )


@pytest.mark.parametrize("made", [regression, classification, priced], ids=lambda made: made.__name__)
def test_a_comparison_comes_back_whole(made, store):
    kept = shelved(made())
    shelf.keep(store, kept)
    found = shelf.by_key(store, kept.comparison.key)
    same(found.comparison, kept.comparison)
    assert (found.link, found.started, found.models, found.members) == (kept.link, kept.started, kept.models, kept.members)


def test_a_comparison_that_an_earlier_version_kept_with_less_comes_back(store):
    kept = shelved(regression())
    shelf.keep(store, kept)
    record = store.comparison(kept.comparison.key)
    meta = {name: value for name, value in record.meta.items() if name not in ("spared", "silent")}
    meta["judged"] = [{name: value for name, value in row.items() if name != "details"} for row in meta["judged"]]
    store.save_comparison("e" * 64, "ski-runs", {**meta, "key": "e" * 64}, arrays=record.arrays, frames=record.frames)
    found = shelf.by_key(store, "e" * 64).comparison
    assert (found.spared, found.silent) == ({}, ())
    same(replace(found, key=kept.comparison.key), kept.comparison)


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
