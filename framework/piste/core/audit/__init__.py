"""Checks before training, on the problem and its rows. A check is a function; files gather those that look at the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from piste.core.audit.survey import Survey
from piste.core.check import ORDER, Check, Examined, checks_of, examine
from piste.core.finding import Finding, Severity

__all__ = ["Survey", "audit", "checks"]

CAUSES = {"L08": "L11", "L09": "L01", "L10": "L01"}  # the cause: a split that uses later rows; a copy of the answer


@cache
def checks() -> dict[str, Check[Survey]]:
    """Return every check before training, by its id."""
    return checks_of(__name__, Path(__file__).parent)


def audit(survey: Survey) -> Examined:
    """Look at a problem and its rows with every check."""
    return _one_cause(examine(checks().values(), survey))


def _one_cause(examined: Examined) -> Examined:
    """Leave out what one check says of a thing of which another one says the cause."""
    told = {(each.check, on): each.severity for each in examined.findings for on in (each.on, *each.on.split(" + "))}
    kept = tuple(each for each in examined.findings if not _told(each, told))
    gone = {each.check: each.on for each in examined.findings if each not in kept}
    for each in kept:
        gone.pop(each.check, None)
    spared = {id: f"{CAUSES[id]} says all of '{on}'" for id, on in gone.items()}
    return replace(examined, findings=kept, spared={**examined.spared, **spared})


def _told(finding: Finding, told: Mapping[tuple[str, str], Severity]) -> bool:
    """Tell whether the cause of a finding has been said of the same thing, as gravely."""
    said = told.get((CAUSES.get(finding.check, ""), finding.on))
    return said is not None and ORDER[said] <= ORDER[finding.severity]
