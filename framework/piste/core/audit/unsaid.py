"""Columns of which nobody has said when they are known, and what to say of them."""

from __future__ import annotations

from piste.core.audit.survey import Survey
from piste.core.finding import percent
from piste.core.melt import OUTPUT

IF_AFTER = "filled in only afterwards: list it under known_at: after"
EITHER = f"{IF_AFTER}. Known before: under known_at: decision"
TOO_GOOD = "If it is known only afterwards, every score here is too good"


def unvouched(survey: Survey) -> list[str]:
    """Return the feature columns of which nobody has said when they are known."""
    return [column.name for column in survey.features if column.name not in survey.vouched and column.name != OUTPUT]


def says(survey: Survey, score: float) -> str:
    """Say what a column's skill is, as the end of a sentence: "explains 85% of how 'price' varies"."""
    target = survey.resolved.problem.target
    if survey.has_classes:
        return f"tells two rows of different '{target.column}' apart {percent((score + 1) / 2)} of the time (guessing: 50%)"
    share = percent(score) if score < 0.995 else "over 99%"
    what = "the targets vary" if target.columns else f"'{target.column}' varies"
    return f"explains {share} of how {what}"
