"""What is refused where a problem is read comes back as findings."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from textwrap import dedent

import pandas as pd
import pytest

from piste.core.audit.refused import known_too_late, never_right, unit_not_unique
from piste.core.check import Found
from piste.core.errors import Fault, Place
from piste.core.finding import Finding
from tests.checks import surveyed

spec = importlib.util.spec_from_file_location("examples_refused", Path(__file__).parent / "examples" / "refused.py")
assert spec
assert spec.loader
examples = importlib.util.module_from_spec(spec)
spec.loader.exec_module(examples)

LEVELS = "target: {column: skiers, levels: {cuts: [4, 8], names: [low, medium, high]}}"
ASKED = "target: skiers\ntime: date\nunit: [run, date]\ndecision: {made_at: -1d 18:00}\nknown_at: {after: [wait]}"


def findings(check: object, faults: tuple[Fault, ...]) -> list[Finding]:
    """Return what a check makes of faults."""
    said = check.run(surveyed("target: skiers", examples.run_days(), faults=faults))  # type: ignore[attr-defined]
    assert isinstance(said, Found)
    return list(said.findings)


def test_all_is_well_where_nothing_was_refused():
    for check in (never_right, unit_not_unique, known_too_late):
        assert findings(check, ()) == []


def test_faults_that_no_check_looks_for_are_no_findings():
    faults = (Fault("must be a number", "search.trials", Place("problem.yaml", 3)),)
    for check in (never_right, unit_not_unique, known_too_late):
        assert findings(check, faults) == []


@pytest.mark.parametrize("check", [never_right, unit_not_unique, known_too_late], ids=lambda each: each.id)
def test_they_cannot_be_mistaken(check: object):
    assert check.exact  # type: ignore[attr-defined]
    assert check.severity == ("block",)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("cost", "on"),
    [
        ("{none: [0, 60, 240], one: [40, 0, 90], two: [90, 45, 95]}", ["two"]),
        ("{none: [0, 60, 240], one: [40, 0, 90], two: [90, 45, 95], three: [90, 45, 240]}", ["two", "three"]),
        ("{none: [0, 0, 0], one: [40, 0, 90]}", ["decision"]),
    ],
)
def test_every_action_that_is_never_right_is_named(cost: str, on: list[str]):
    faults = examples.faults_of(f"{LEVELS}\ndecision: {{cost: {cost}}}", examples.run_days())
    assert sorted(finding.on for finding in findings(never_right, faults)) == sorted(on)
    assert findings(known_too_late, faults) == []


@pytest.mark.parametrize(
    ("line", "on"),
    [
        ("baselines: {yesterday: skiers@-1d}", "yesterday"),
        ("baselines: {queue: wait@-1d}", "queue"),
        ("baselines: {cheat: 2 * skiers}", "cheat"),
        ("baselines: {peek: 2 * wait}", "peek"),
        ("framings: {with_lags: {as: mean, add: [snow, skiers@-1d]}}", "with_lags"),
        ("framings: {with_wait: {as: mean, add: [wait]}}", "with_wait"),
        ("framings: {itself: {as: mean, add: [skiers]}}", "itself"),
    ],
)
def test_everything_that_is_known_too_late_is_named(line: str, on: str):
    faults = examples.faults_of(f"{ASKED}\n{line}", examples.run_days())
    [finding] = findings(known_too_late, faults)
    assert finding.on == on
    assert finding.field.startswith(line.partition(":")[0])
    assert finding.fix


def test_a_clock_in_the_rows_can_make_a_lag_too_short():
    """Rows of the evening, decided a day before at 18:00: a day is not enough, which only the rows tell."""
    rows = examples.run_days().assign(date=lambda frame: frame["date"] + pd.Timedelta(hours=20))
    problem = "target: {column: skiers, delay: 1h}\ntime: date\nunit: [run, date]\ndecision: {made_at: -1d 18:00}"
    [finding] = findings(known_too_late, examples.faults_of(f"{problem}\nbaselines: {{yesterday: skiers@-1d}}", rows))
    assert finding.on == "yesterday"


def test_levels_cut_by_what_is_known_only_after_are_named():
    levels = "target: {column: skiers, levels: {of: skiers / (1 + wait), cuts: [1]}}\nknown_at: {after: [wait]}"
    [finding] = findings(known_too_late, examples.faults_of(levels, examples.run_days()))
    assert finding.on == "target.levels.of"


def test_the_column_that_tells_rows_apart_is_named():
    rows = examples.run_days(halves=True)
    [finding] = findings(unit_not_unique, examples.faults_of("target: skiers\nunit: [run, date]", rows))
    assert "120 rows repeat" in finding.message
    assert finding.fix.endswith("such as 'half'")


def test_no_column_is_named_that_does_not_tell_them_apart():
    rows = pd.concat([examples.run_days()] * 2, ignore_index=True)
    rows["noise"] = [i / 7 for i in range(len(rows))]  # a measurement names nothing
    [finding] = findings(unit_not_unique, examples.faults_of("target: skiers\nunit: [run, date]", rows))
    assert finding.fix == "add the column that tells them apart"


def test_faults_keep_their_check_on_the_way_from_a_worker():
    import pickle

    from piste.core.errors import PisteError

    faults = examples.faults_of(dedent(f"{ASKED}\nbaselines: {{yesterday: skiers@-1d}}"), examples.run_days())
    assert [fault.check for fault in pickle.loads(pickle.dumps(PisteError(*faults))).faults] == ["L04"]
