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
        message: what was found, as a sentence without its full stop.
        fix: what to do, in words; empty where there is nothing to do.
        consequence: what follows if nothing is done, as a sentence, in the problem's own unit where that can be told.
        paste: the line of problem.yaml that does it, as it is pasted; empty where no line does.
        field: what it is about in problem.yaml, such as "split.scheme" or "columns.tickets"; empty for the data as a whole.
        acknowledged: who takes it as it is, until when, and why; empty while it is open.
        harm: which share of the cost is at stake, by which findings of one severity are put in order; 0 where nobody can say.
    """

    check: str
    severity: Severity
    on: str
    number: float
    threshold: float
    message: str
    fix: str = ""
    consequence: str = ""
    paste: str = ""
    field: str = ""
    acknowledged: str = ""
    harm: float = 0.0


def short(value: float) -> str:
    """Write a number as a sentence has it: three significant digits.

    >>> short(0.012345), short(31.26), short(12345.6), short(float("inf"))
    ('0.0123', '31.3', '12,300', 'unknown')
    """
    if not math.isfinite(value):
        return "unknown"
    return f"{value:.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}"


def percent(share: float) -> str:
    """Write a share as a sentence has it: two significant digits, and never all or nothing where a little is missing.

    >>> percent(0.0049), percent(0.031), percent(0.167), percent(1.0), percent(0.9996)
    ('0.49%', '3.1%', '17%', '100%', '99.9%')
    """
    points = 100 * share
    if not math.isfinite(points):
        return "unknown"
    if 99.5 <= abs(points) < 100:
        return f"{math.copysign(min(abs(points), 99.9), points):.1f}%"
    return f"{float(f'{points:.2g}'):g}%" if abs(points) < 10 else f"{points:,.0f}%"


def sentence(words: str) -> str:
    """Begin words with a capital letter, and end them, once.

    >>> sentence("leave it out"), sentence("Is it known?"), sentence("")
    ('Leave it out.', 'Is it known?', '')
    """
    end = "" if words.endswith(("?", "!")) else "."
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}{end}" if words else ""
