"""F02, F07, L04: what a problem says that cannot be, or that would be a leak: refused where it is read, and told here as findings."""

from __future__ import annotations

from collections.abc import Callable

from piste.core.audit.survey import Survey
from piste.core.check import Found, check
from piste.core.errors import Fault
from piste.core.finding import Finding


def _found(survey: Survey, id: str, subject: Callable[[str], tuple[str, str]], fix: Callable[[str], str], consequence: str) -> Found:
    """Make findings of the faults that a check looks for.

    Args:
        survey: holds what had to be set aside.
        id: of the check.
        subject: field of the fault -> what the finding is about, and the words that come before "must".
        fix: what the fault itself says to do -> what to do.
        consequence: what would follow.
    """
    return Found([_finding(fault, *subject(fault.field), fix, consequence) for fault in survey.faults if fault.check == id])


def _finding(fault: Fault, on: str, subject: str, fix: Callable[[str], str], consequence: str) -> Finding:
    said, _, tip = fault.message.partition(". ")
    cure = fix(tip[:1].lower() + tip[1:])
    return Finding(fault.check, "block", on, 1.0, 0.0, f"{subject} {said}", cure, consequence, field=fault.field)


@check(
    "F02",
    "The prediction cannot change what is done",
    "block",
    computed="The costs of each action, level by level: another costs no more at any, and takes no more of a budget.",
    threshold="One such action.",
    alarm="None: it follows from the costs as they are written.",
    source="Dominated actions, decision theory (Luce and Raiffa 1957)",
    exact=True,
)
def never_right(survey: Survey) -> Found:
    """Find actions that are never right, whatever comes: where only one is left, there is nothing to predict."""

    def subject(field: str) -> tuple[str, str]:
        action = field.removeprefix("decision.cost").removeprefix(".")
        return (action, f"The action '{action}'") if action else ("decision", "The costs")

    return _found(
        survey,
        "F02",
        subject,
        lambda _: "give each action a level at which it is the cheapest, or leave it out",
        "No forecast, however good, can change that",
    )


@check(
    "F07",
    "Two rows are the same thing",
    "block",
    computed="Rows that agree in all columns of `unit`, counted.",
    threshold="One such row.",
    alarm="None: `unit` is what says that they are the same. Where things are measured more than once, number the measurements.",
    source="Grain of a table (Kimball); index of D3M problem descriptions",
    exact=True,
)
def unit_not_unique(survey: Survey) -> Found:
    """Find rows that have the same name: the columns of `unit` do not tell them apart, so one thing counts twice."""
    return _found(
        survey,
        "F07",
        lambda _: ("unit", "The columns of `unit`"),
        lambda tip: tip,
        "One thing would count several times, and might be learnt from and tested on at once",
    )


@check(
    "L04",
    "Used though known only after",
    "block",
    computed="The columns and the lags of every rule, added column and level, against `known_at.after`, `decision.made_at` and "
    "`target.delay`.",
    threshold="One column of the row itself that is known only after, or one lag that is shorter than from the decision to its answer.",
    alarm="None: it follows from what the problem says is known when.",
    source="Kaufman et al., Leakage in data mining, 2012; Kapoor and Narayanan 2023, type L2; privileged data of D3M",
    exact=True,
)
def known_too_late(survey: Survey) -> Found:
    """Find what a rule or a model would look at though the problem says that it is not known yet when the decision is made."""
    return _found(
        survey,
        "L04",
        _user,
        lambda tip: "; ".join(filter(None, ("use what is known by then, such as a longer lag", tip))),
        "It would be judged with answers that nobody has yet when they are needed, and do worse in use",
    )


def _user(field: str) -> tuple[str, str]:
    """Name what looks at a column: a rule, a column that a framing adds, or levels."""
    first, _, rest = field.partition(".")
    if first == "baselines":
        return rest, f"The rule '{rest}'"
    if first == "framings":
        asks = field.rpartition(".add")[0]
        return asks.rpartition(".")[2], f"A column that `{asks}` adds"
    return field, f"`{field}`"
