"""A finding is taken as it is by somebody, for a reason and a time, and only while it is what was seen."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from piste.core.acknowledge import IDLE, entry, idle, seen, settle
from piste.core.check import Check, NotApplicable
from piste.core.finding import Finding
from piste.core.problem import Problem
from piste.edges.strict_yaml import read

TODAY = date(2026, 11, 24)
KINDS = {"tickets": "number"}


def checks(version: int = 1) -> dict[str, Check[Any]]:
    def run(_: Any) -> NotApplicable:
        return NotApplicable("it is a test")

    made = {"L02": ("warn",), "M04": ("warn", "note")}
    return {id: Check(id, id, severity, *["x"] * 5, run=run, version=version) for id, severity in made.items()} | {
        "F02": Check("F02", "F02", ("block",), *["x"] * 5, run=run, exact=True)
    }


def finding(number: float = 0.83, **changed: Any) -> Finding:
    return Finding(
        **{"check": "L02", "severity": "warn", "on": "tickets", "number": number, "threshold": 0.8, "message": "strong", **changed}
    )


def problem(**changed: Any) -> Problem:
    given = {"check": "L02", "on": "tickets", "why": "frozen at 18:00", "by": "ana", "until": "2027-11-01"}
    given |= {"seen": seen(finding(), checks()["L02"], KINDS), **changed}
    return Problem(data="a.csv", target="y", acknowledge=[{key: value for key, value in given.items() if value is not None}])


def settled(found: Finding, given: Problem, *, version: int = 1, kinds: dict[str, str] = KINDS, today: date = TODAY) -> Finding:
    [one] = settle([found], given, checks(version), kinds, today)
    return one


def test_an_acknowledged_finding_says_by_whom_until_when_and_why():
    assert settled(finding(), problem()).acknowledged == "by ana until 2027-11-01: frozen at 18:00"


def test_what_was_seen_is_the_number_to_three_digits_and_four_signs_of_what_it_means():
    said = seen(finding(0.834567), checks()["L02"], KINDS)
    number, _, meaning = said.partition("@")
    assert number == "0.835"
    assert len(meaning) == 4
    assert seen(finding(0.9), checks()["L02"], KINDS).endswith(f"@{meaning}")


@pytest.mark.parametrize(("day", "closed"), [("2026-11-24", True), ("2026-11-23", False)])
def test_an_acknowledgement_counts_on_its_last_day_and_not_on_the_next(day, closed):
    found = settled(finding(), problem(until=day))
    assert bool(found.acknowledged) is closed
    assert found.message == ("strong" if closed else "strong (acknowledged by ana until 2026-11-23, which has passed)")


@pytest.mark.parametrize(("number", "closed"), [(0.83, True), (0.91, True), (0.92, False), (0.97, False), (0.81, True)])
def test_a_finding_that_gets_worse_by_more_than_a_tenth_is_open_again(number, closed):
    found = settled(finding(number), problem())
    assert bool(found.acknowledged) is closed
    assert closed or found.message == f"strong (acknowledged by ana at 0.83, now {number:g})"


@pytest.mark.parametrize(("number", "closed"), [(0.02, True), (0.019, True), (0.017, False), (0.03, True)])
def test_of_a_number_that_is_too_small_worse_is_smaller(number, closed):
    given = problem(seen=seen(finding(0.02, threshold=0.05), checks()["L02"], KINDS))
    assert bool(settled(finding(number, threshold=0.05), given).acknowledged) is closed


@pytest.mark.parametrize(
    ("before", "now", "closed"), [(float("nan"), float("nan"), True), (float("nan"), 1.0, False), (1.0, float("nan"), False)]
)
def test_a_number_that_nobody_knows_is_the_same_only_as_itself(before, now, closed):
    given = problem(seen=seen(finding(before), checks()["L02"], KINDS))
    assert bool(settled(finding(now), given).acknowledged) is closed


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        ({"severity": "block"}, {}),
        ({}, {"version": 2}),
        ({}, {"kinds": {"tickets": "category"}}),
    ],
    ids=["a graver finding", "another meaning of the number", "a column that holds something else"],
)
def test_what_has_become_another_finding_is_open_again(changed, more):
    found = settled(finding(**changed), problem(), **more)
    assert not found.acknowledged
    assert "as another finding than this: it was 0.83@" in found.message


@pytest.mark.parametrize("changed", [{"on": "passes"}, {"check": "M04"}])
def test_an_acknowledgement_closes_what_it_names_and_nothing_else(changed):
    found = finding(**changed)
    assert settled(found, problem()) == found


def test_without_what_was_seen_nothing_closes_and_it_is_said():
    found = settled(finding(), problem(seen=None))
    assert not found.acknowledged
    assert found.message == f"strong (acknowledged by ana without what was seen: add `seen: {seen(finding(), checks()['L02'], KINDS)}`)"


def test_what_is_exact_cannot_be_closed():
    exact = finding(check="F02", severity="block")
    assert settled(exact, problem(check="F02", seen=seen(exact, checks()["F02"], KINDS))) == exact


def test_settling_twice_is_settling_once():
    given = problem(until="2026-01-01")
    once = settle([finding(), finding(on="passes")], problem(), checks(), KINDS, TODAY)
    assert settle(once, problem(), checks(), KINDS, TODAY) == once
    assert settled(finding(), given).message.count("which has passed") == 1


def test_those_acknowledged_come_last():
    found = settle([finding(), finding(check="M04", severity="note")], problem(), checks(), KINDS, TODAY)
    assert [each.check for each in found] == ["M04", "L02"]


@pytest.mark.parametrize("on", ["tickets", "no: comma, [x]", "true", "Preis in €", "a #b", "12"])
def test_the_line_to_paste_reads_back_but_for_why_and_by_whom(on):
    line = entry(finding(on=on), checks()["L02"], KINDS, TODAY)
    [item] = read(f"acknowledge: [{line}]", "a.yaml").value["acknowledge"]
    assert item == {
        "check": "L02",
        "on": on,
        "seen": seen(finding(on=on), checks()["L02"], KINDS),
        "until": "2027-11-24",
        "by": None,
        "why": None,
    }


@pytest.mark.parametrize("number", [0.0, -1.5, 123456.0, 1e-7, float("inf"), float("nan")])
def test_whatever_the_number_the_line_is_one_that_a_problem_takes_and_that_closes(number):
    found = finding(number)
    [item] = read(f"[{entry(found, checks()['L02'], KINDS, TODAY)}]", "a.yaml").value
    given = Problem(data="a.csv", target="y", acknowledge=[{**item, "by": "ana", "why": "known"}])
    assert settled(found, given).acknowledged


def test_a_year_from_a_leap_day_is_a_day():
    assert "until: 2029-02-28" in entry(finding(), checks()["L02"], KINDS, date(2028, 2, 29))


def test_an_acknowledgement_that_closes_nothing_any_more_is_a_note_at_its_line():
    [note] = idle([], problem(), checks())
    assert (note.check, note.severity, note.field) == (IDLE, "note", "acknowledge.0")
    assert "L02 finds nothing about 'tickets' any more" in note.message
    assert idle([finding()], problem(), checks()) == ()
    assert idle([], problem(), ["M04"]) == (), "what has not been looked for may be there"
