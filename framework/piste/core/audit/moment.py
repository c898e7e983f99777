"""When the decision is made, in the words of those who make it."""

from __future__ import annotations

import re

from piste.core.cost import CLOCK
from piste.core.part import DURATION
from piste.core.problem import Problem

UNITS = {"min": "minute", "h": "hour", "d": "day", "w": "week"}
DAYS = {0: "the same day", 1: "the day before", 2: "two days before", 3: "three days before"}


def when(problem: Problem) -> str:
    """Say when the decision is made, to follow "is it known": "when the decision is made, the day before at 18:00"."""
    if problem.decision is None:
        return "when the prediction is made"
    made_at = problem.decision.made_at
    return "when the decision is made" + (f", {in_words(made_at)}" if made_at else "")


def in_words(made_at: str) -> str:
    """Write a moment as people say it.

    >>> in_words("-1d 18:00"), in_words("0d 06:30"), in_words("-90min"), in_words("-1w")
    ('the day before at 18:00', 'the same day at 06:30', '90 minutes before', '1 week before')
    """
    if clock := re.fullmatch(CLOCK, made_at):
        days, hours, minutes = clock.groups()
        return f"{DAYS.get(int(days), f'{int(days)} days before')} at {hours}:{minutes}"
    length = DURATION.fullmatch(made_at.removeprefix("-"))
    assert length, f"the schema lets no other moment through, but {made_at=}"
    return f"{length[1]} {UNITS[length[2]]}{'s' * (float(length[1]) != 1)} before"
