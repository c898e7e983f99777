"""Checks after training, on the loss matrix and the predictions beside it. A check is a function; files gather those of one kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from piste.core.check import Check, Examined, checks_of, examine
from piste.core.review.evidence import Evidence

__all__ = ["Evidence", "checks", "review"]


@cache
def checks() -> dict[str, Check[Evidence]]:
    """Return every check after training, by its id."""
    return checks_of(__name__, Path(__file__).parent)


def review(evidence: Evidence) -> Examined:
    """Look at a comparison with every check."""
    return examine(checks().values(), evidence)
