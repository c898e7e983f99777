"""Checks before training, on the problem and its rows. A check is a function; files gather those that look at the same thing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from piste.core.audit.survey import Survey
from piste.core.check import Check, Examined, checks_of, examine

__all__ = ["Survey", "audit", "checks"]


@cache
def checks() -> dict[str, Check[Survey]]:
    """Return every check before training, by its id."""
    return checks_of(__name__, Path(__file__).parent)


def audit(survey: Survey) -> Examined:
    """Look at a problem and its rows with every check."""
    return _one_cause(examine(checks().values(), survey))


def _one_cause(examined: Examined) -> Examined:
    """Leave out what L08 says of the column of which L11 says more: that a split at random uses later rows."""
    told = {each.on for each in examined.findings if each.check == "L11"}
    kept = tuple(each for each in examined.findings if each.check != "L08" or each.on not in told)
    if len(kept) == len(examined.findings):
        return examined
    still = any(each.check == "L08" for each in kept)
    spared = {} if still else {"L08": f"L11 says what the split does to {', '.join(sorted(told))}"}
    return replace(examined, findings=kept, spared={**examined.spared, **spared})
