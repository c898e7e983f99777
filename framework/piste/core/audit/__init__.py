"""Checks before training, on the problem and its rows. A check is a function; files gather those that look at the same thing."""

from __future__ import annotations

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
    return examine(checks().values(), survey)
