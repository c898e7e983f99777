"""What a check has found: a finding, with its number, its consequence and its cure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Severity = Literal["block", "warn", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Args:
        check: its id in docs/checks.md, such as M07.
        severity: block: nothing else counts until it is resolved; warn: watch it; note: good to know.
        on: what it is about: a column, a slice, a row of the leaderboard.
        number: the evidence.
        threshold: what the number is held against.
        message: what was found and what follows from it, as a sentence.
        fix: what to do: a line of YAML, or a sentence; empty where there is nothing to do.
    """

    check: str
    severity: Severity
    on: str
    number: float
    threshold: float
    message: str
    fix: str = ""


def short(value: float) -> str:
    """Write a number as a sentence has it: three significant digits.

    >>> short(0.012345), short(31.26), short(12345.6), short(float("inf"))
    ('0.0123', '31.3', '12,300', 'unknown')
    """
    if not math.isfinite(value):
        return "unknown"
    return f"{value:.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}"
