"""What levels keep of a number, against published figures, and when classes are cut from one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.coarse import information_thrown_away, kept_by
from piste.core.check import Found, NotApplicable
from piste.core.finding import Finding
from piste.edges.strict_yaml import read
from tests.checks import surveyed

CLASSES = "target: busy\nknown_at: {after: [skiers]}"


def only(problem: str, rows: pd.DataFrame) -> Finding | None:
    """Return the finding, if there is one."""
    said = information_thrown_away.run(surveyed(problem, rows))
    assert isinstance(said, Found)
    return said.findings[0] if said.findings else None


def days(cuts: tuple[float, ...] = (100.0,), n_rows: int = 200, **columns: object) -> pd.DataFrame:
    """Return days with a count of skiers and how busy each is called by it."""
    skiers = np.random.default_rng(0).poisson(100.0, n_rows).astype(float)
    names = np.array(["quiet", "lively", "packed"])[: len(cuts) + 1]
    frame = pd.DataFrame({"snow": np.arange(n_rows) % 7, "skiers": skiers, "busy": names[np.searchsorted(cuts, skiers, side="right")]})
    return frame.assign(**columns)


@pytest.mark.parametrize(("n_levels", "kept"), [(2, 0.637), (3, 0.793), (4, 0.861), (5, 0.897), (6, 0.920)])
@pytest.mark.parametrize("skewed", [False, True], ids=["as they are", "after a transformation"])
def test_even_levels_keep_what_cox_found_in_1957(n_levels: int, kept: float, skewed: bool):
    number = np.random.default_rng(1).normal(size=60_000)
    levels = np.argsort(np.argsort(number)) * n_levels // len(number)
    assert kept_by(np.exp(3 * number) if skewed else number, levels, np.ones(len(number))) == pytest.approx(kept, abs=2e-3)


def test_rows_count_as_much_as_they_weigh():
    rng = np.random.default_rng(2)
    number, weight = rng.permutation(300).astype(float), rng.integers(0, 2, 300).astype(float)
    levels = (number > 100).astype(int)
    there = weight > 0
    assert kept_by(number, levels, weight) == pytest.approx(kept_by(number[there], levels[there], np.ones(int(there.sum()))))


@pytest.mark.parametrize("framings", ["[classes]", "[classes, ordered]", "{calm: {as: classes}}"])
def test_levels_alone_are_too_little(framings: str):
    levels = "target: {column: skiers, levels: {cuts: [95, 105], names: [low, medium, high]}}\ncolumns: {busy: drop}"
    decision = "decision: {cost: {a: [0, 5, 9], b: [2, 0, 4], c: [5, 2, 0]}}"
    found = only(f"{levels}\n{decision}\nframings: {framings}", days())
    assert found is not None
    assert found.number == pytest.approx(0.79, abs=0.03)
    assert only(f"{levels}\n{decision}\n{found.paste}", days()) is None
    assert only(f"{levels}\n{decision}", days()) is None


def test_levels_of_a_ratio_are_held_against_the_ratio():
    """Two runs of different size: the levels of how full they are say less of how many skiers there are than of how full."""
    rows = days(capacity=np.tile([150.0, 900.0], 100))
    rows["skiers"] = (rows["skiers"] / 150 * rows["capacity"]).round()
    decision = "columns: {busy: drop}\ndecision: {cost: {a: [0, 5], b: [2, 0]}}\nframings: [classes]"
    found = only(f"target: {{column: skiers, levels: {{of: skiers / capacity, cuts: [0.667]}}}}\n{decision}", rows)
    ratio = (rows["skiers"] / rows["capacity"]).to_numpy()
    assert found is not None
    assert found.number == pytest.approx(kept_by(ratio, (ratio >= 0.667).astype(int), np.ones(200)))


@pytest.mark.parametrize("cuts", [(100.0,), (95.0, 105.0)])
def test_classes_are_cut_from_a_number_that_models_do_not_see(cuts: tuple[float, ...]):
    rows = days(cuts)
    found = only(CLASSES, rows)
    assert found is not None
    assert found.on == "skiers"
    target = read(found.paste, "").value["target"]
    assert target["levels"]["cuts"] == [*cuts]
    again = surveyed(found.paste, rows.drop(columns="busy"))
    assert again.resolved.table.target.levels == ("quiet", "lively", "packed")[: len(cuts) + 1]
    np.testing.assert_array_equal(np.array(again.resolved.table.target.levels)[again.resolved.table.target.codes], rows["busy"])


def test_the_order_of_the_classes_does_not_matter():
    rows = days(busy=lambda frame: np.where(frame["skiers"] < 100, "z calm", "a busy"))
    found = only(CLASSES, rows)
    assert found is not None
    assert "names: [z calm, a busy]" in found.paste


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (days(n_rows=49), "49 rows"),
        (days((125.0,)), "a class of fewer than five rows"),
        (days(skiers=lambda frame: frame["skiers"].mask(frame.index == 0, 1.0)), "one day on the other side"),
        (days(skiers=lambda frame: (frame["busy"] == "lively").astype(float)), "a number that says no more than the class"),
        (days(skiers=np.nan), "no number at all"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_no_cut_is_seen(rows: pd.DataFrame, why: str):
    del why
    assert only(CLASSES, rows) is None


def test_days_without_a_count_do_not_hide_the_cut():
    found = only(CLASSES, days(skiers=lambda frame: frame["skiers"].mask(frame.index % 9 == 0)))
    assert found is not None


def test_a_column_that_models_see_is_the_business_of_leaks():
    assert isinstance(information_thrown_away.run(surveyed("target: busy", days())), NotApplicable)


def test_a_number_asked_for_as_it_is_loses_nothing():
    said = information_thrown_away.run(surveyed("target: {column: skiers, kind: count}\ncolumns: {busy: drop}", days()))
    assert isinstance(said, NotApplicable)
