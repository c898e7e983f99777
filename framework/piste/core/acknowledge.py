"""Findings that somebody takes as they are: bound to what was seen, signed, and for a time."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from piste.core.check import Check, ordered
from piste.core.finding import Finding, short
from piste.core.pasted import scalar
from piste.core.problem import Acknowledgement, Problem

Checks = Mapping[str, Check[Any]]  # by id
SLACK = 0.1  # of what was seen: a number that moves less from one day's rows to the next is the same finding
IDLE = "acknowledge"  # in the place of a check: findings about acknowledgements themselves


def settle(findings: Iterable[Finding], problem: Problem, checks: Checks, kinds: Mapping[str, str], today: date) -> tuple[Finding, ...]:
    """Mark the findings that the problem's author takes as they are; of those that stay open all the same, say why.

    An acknowledgement closes a finding of its check, about what it names, until its day has passed, while the finding
    means what it meant and its number has not become worse by more than SLACK of what was seen.

    Args:
        findings: of any checks; those marked before stay so.
        problem: says what is acknowledged.
        checks: those that the findings are of.
        kinds: column -> what it holds.
        today: decides which acknowledgements still count.
    """
    given = {(each.check, each.on): each for each in problem.acknowledge}
    return ordered(_settled(each, given.get((each.check, each.on)), checks, kinds, today) for each in findings)


def _settled(finding: Finding, given: Acknowledgement | None, checks: Checks, kinds: Mapping[str, str], today: date) -> Finding:
    if given is None or finding.acknowledged or finding.check not in checks or checks[finding.check].exact:
        return finding
    if reason := _reopened(finding, given, seen(finding, checks[finding.check], kinds), today):
        return replace(finding, message=f"{finding.message} (acknowledged by {given.by} {reason})")
    return replace(finding, acknowledged=f"by {given.by} until {given.until}: {given.why}")


def _reopened(finding: Finding, given: Acknowledgement, now: str, today: date) -> str:
    """Say why a finding is open although it was acknowledged, as words that follow the name; empty where it is not."""
    if date.fromisoformat(given.until) < today:
        return f"until {given.until}, which has passed"
    if given.seen is None:
        return f"without what was seen: add `seen: {now}`"
    number, _, meaning = given.seen.partition("@")
    if meaning != now.partition("@")[2]:
        return f"as another finding than this: it was {given.seen}, now it is {now}"
    if _worse(finding, float(number)):
        return f"at {short(float(number))}, now {short(finding.number)}"
    return ""


def _worse(finding: Finding, before: float) -> bool:
    """Tell whether a number has gone further from its threshold than SLACK allows."""
    if math.isnan(before) or math.isnan(finding.number):
        return not (math.isnan(before) and math.isnan(finding.number))
    away = 1 if finding.number >= finding.threshold else -1
    return away * (finding.number - before) > SLACK * abs(before)


def seen(finding: Finding, check: Check[Any], kinds: Mapping[str, str]) -> str:
    """Return what an acknowledgement is bound to: the number, and a hash of what the finding means.

    Args:
        finding: of the check.
        check: raises its version where its number comes to mean something else.
        kinds: column -> what it holds: a column that holds something else is another column.
    """
    means = json.dumps([check.id, check.version, finding.severity, finding.on, kinds.get(finding.on, "")])
    return f"{finding.number:.3g}@{hashlib.sha256(means.encode()).hexdigest()[:4]}"


def entry(finding: Finding, check: Check[Any], kinds: Mapping[str, str], today: date) -> str:
    """Return the item of `acknowledge` that takes a finding as it is, for a year; by whom and why is left to be written."""
    until = date(today.year + 1, today.month, min(today.day, 28) if today.month == 2 else today.day)
    said = {"check": finding.check, "on": scalar(finding.on), "seen": seen(finding, check, kinds), "until": until.isoformat()}
    return "{" + ", ".join(f"{key}: {value}" for key, value in said.items()) + ", by: , why: }"


def idle(findings: Iterable[Finding], problem: Problem, checks: Iterable[str]) -> tuple[Finding, ...]:
    """Return a note for each acknowledgement of one of some checks that have been run, of which there is no finding any more."""
    there, ran = {(each.check, each.on) for each in findings}, {*checks}
    return tuple(
        Finding(
            IDLE,
            "note",
            f"{each.check} {each.on}",
            0.0,
            0.0,
            f"{each.check} finds nothing about '{each.on}' any more, which {each.by} acknowledged until {each.until}",
            "take it out of `acknowledge`",
            "it would close such a finding if there were one again",
            field=f"acknowledge.{number}",
        )
        for number, each in enumerate(problem.acknowledge)
        if each.check in ran and (each.check, each.on) not in there
    )
