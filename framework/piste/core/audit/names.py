"""L15: whether a name speaks of what happens after the decision."""

from __future__ import annotations

import re
from collections.abc import Sequence

from piste.core.audit import cures
from piste.core.audit.survey import Survey
from piste.core.audit.unsaid import EITHER, TOO_GOOD, unvouched
from piste.core.check import Found, check
from piste.core.finding import Finding
from piste.core.melt import targets

SMELLS = {
    "after", "outcome", "result", "results", "final", "refund", "refunded", "actual", "next", "future", "wait", "waited", "waiting",
    "eventual", "realised", "realized", "resolution", "resolved", "closed", "cancelled", "canceled", "followup",
}  # fmt: skip
EARLIER = {"lag", "last", "prev", "previous", "yesterday", "ago", "usual", "forecast", "expected", "planned", "prior", "before", "past"}
PLAIN_NAMES = {"target", "class", "label", "value", "total", "type", "goal", "outcome", "result", "score", "count", "number", "price"}


@check(
    "L15",
    "Name that smells of afterwards",
    "note",
    computed="the words of each column's name",
    threshold="a word of things that happen later (after, outcome, result, final, refund, actual, next, future, wait, ...), or the name of "
    "the target with more words",
    alarm="none: it is a note",
    source="Kapoor and Narayanan 2023 (L2); Kaggle's competitions lost to columns named after the event",
)
def telling_name(survey: Survey) -> Found:
    """A column whose name speaks of what happens after the decision, or of the target itself."""
    found = []
    for name in unvouched(survey):
        if what := smell(survey, name):
            found.append(
                Finding(
                    "L15", "note", name, 1.0, 1.0, f"{what}, and nothing says when it is known",
                    fix=EITHER,
                    consequence=TOO_GOOD,
                    paste=cures.known_at(survey.resolved.problem, "after", [name]),
                    field="known_at",
                )
            )  # fmt: skip
    return Found(found)


def smell(survey: Survey, name: str) -> str:
    """Say how a column's name speaks of what happens after the decision, or of the target; empty where it does not."""
    its = words(name)
    if EARLIER & set(its):
        return ""
    if word := next((word for word in its if word in SMELLS), None):
        return f"'{name}' has '{word}' in its name"
    akin = next((answer for answer in targets(survey.resolved.problem) if _inside(words(answer), its)), None)
    return f"'{name}' has the name of the target, '{akin}', in its own" if akin else ""


def words(name: str) -> list[str]:
    """Return the words of a name: "wait_minutes", "waitMinutes" and "Wait Minutes" are alike."""
    return [word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)] or [name.casefold()]


def _inside(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Tell whether the words of a target stand in a longer name, where they are no word that names anything."""
    if set(part) <= PLAIN_NAMES or len("".join(part)) < 4 or len(part) >= len(whole):
        return False
    return any(list(whole[i : i + len(part)]) == list(part) for i in range(len(whole) - len(part) + 1))
