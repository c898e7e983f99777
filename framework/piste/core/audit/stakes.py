"""What depends on each column: how much more decisions cost without it, and whether somebody said that it is known in time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from piste.core.audit.cures import moved
from piste.core.audit.measures.alike import alike
from piste.core.audit.measures.quick import quick
from piste.core.audit.moment import when
from piste.core.audit.names import smell
from piste.core.audit.survey import Survey
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.errors import both, joined
from piste.core.finding import Finding, percent, short
from piste.core.references import used

QUESTIONS = "questions"  # table of what L03 asks: columns, and what a quick model costs with and without them
NUMBERS = {2: "both", 3: "all three"}
MOST_ASKED = 10
ENOUGH = 0.05  # of what the quick model saves over the best rule
SURE = 1.645  # standard errors that a stake must lie above nothing: one false question in twenty


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that say the same, the one that knows most of the target first."""

    columns: tuple[str, ...]
    without: frozenset[str]  # what goes when they go: they, and what is computed from them
    declared: bool
    skill: float


@dataclass(frozen=True, slots=True)
class Stake:
    """What depends on a group of columns.

    Args:
        group: that was left out.
        lost: by how much the quick model costs more without it, as people read costs.
        sure: by how many standard errors between blocks that is above nothing.
    """

    group: Group
    lost: float
    sure: float


@dataclass(frozen=True, slots=True)
class Stakes:
    """What columns are worth.

    Args:
        saved: what the quick model saves over the best rule, as people read costs.
        cost: of the quick model that sees all columns.
        each: the most at stake first.
        standing_in: groups that nobody vouches for and that are not missed one by one, but together, since they stand in for each
            other; the one that knows most of the target first.
        jointly: what is lost without all of these.
    """

    saved: float
    cost: float
    each: tuple[Stake, ...]
    standing_in: tuple[Group, ...] = ()
    jointly: float = 0.0

    @property
    def missed(self) -> tuple[Stake, ...]:
        """Return what is missed by itself and that nobody vouches for."""
        return tuple(each for each in self.each if not each.group.declared and _matters(each.lost, each.sure, self.saved))

    def table(self) -> pd.DataFrame:
        """Return a line for each group: its first column, what is lost without it, which share of the saving that is, and more."""
        together = {group.columns for group in self.standing_in}
        lines = [
            {
                "column": each.group.columns[0],
                "stake": each.lost,
                "share": each.lost / self.saved,
                "sure": each.sure,
                "declared": each.group.declared,
                "stands_in": each.group.columns in together,
                "twins": ", ".join(each.group.columns[1:]),
            }
            for each in self.each
        ]
        return pd.DataFrame(lines)


def _matters(lost: float, sure: float, saved: float) -> bool:
    return lost >= ENOUGH * saved and sure >= SURE


def stakes(survey: Survey) -> Stakes | NotApplicable:
    """Weigh the columns of most single-column skill, those first of which nobody says when they are known.

    A column goes together with those that say the same and with what is computed from them. Where columns say partly the same, none
    of them is missed while the others stand in for it: so all that are not missed are left out together as well. What gives the answer
    away is out of the question, and of every model here: L01 and L09 speak of it.
    """
    tried = quick(survey)
    best = tried.rule() if tried else None
    if tried is None or best is None:
        return NotApplicable("too few rows to try a model on")
    given = {name for copy in survey.copies if not copy.law for name in copy.columns} | {each.column for each in survey.encodings}
    given -= survey.vouched
    groups = asked(survey, given)
    full, *others = tried.losses([given, *(given | group.without for group in groups)])
    if tried.surely(best - full) < SURE:
        return NotApplicable("a quick model does no better than the best rule, so nothing depends on a column")
    cost, saved = tried.cost(full), tried.cost(best) - tried.cost(full)
    found = [Stake(group, tried.cost(losses) - cost, tried.surely(losses - full)) for group, losses in zip(groups, others, strict=True)]
    rest = [each.group for each in found if not each.group.declared and not _matters(each.lost, each.sure, saved)]
    ranked = tuple(sorted(found, key=lambda each: (-each.lost, each.group.columns)))
    if len(rest) > 1:
        [bare] = tried.losses([given.union(*(group.without for group in rest))])
        jointly = tried.cost(bare) - cost
        if _matters(jointly, tried.surely(bare - full), saved):
            return Stakes(saved, cost, ranked, tuple(rest), jointly)
    return Stakes(saved, cost, ranked)


def asked(survey: Survey, given: Collection[str]) -> list[Group]:
    """Return the groups of columns to leave out: the most skilled, those of which nobody says when they are known before the rest."""
    features = [column.name for column in survey.features if column.name not in given]
    sources = {name: _sources(survey, name) & set(features) for name in features}
    plain = [name for name in features if not sources[name]]
    found = []
    for declared in (False, True):
        mine = [name for name in plain if (name in survey.vouched) is declared]
        for group in alike({name: survey.frame[name].iloc[survey.sample] for name in mine}):
            gone = {*group, *(name for name in features if sources[name] & set(group) and name not in survey.vouched)}
            ordered = sorted(group, key=lambda name: (-survey.skills[name].score, name))
            found.append(Group(tuple(ordered), frozenset(gone), declared, max(survey.skills[name].score for name in gone)))
    return sorted(found, key=lambda group: (group.declared, -group.skill, group.columns))[:MOST_ASKED]


def _sources(survey: Survey, name: str) -> set[str]:
    """Return the columns that an added column is computed from, directly or by way of others; none of any other column."""
    added = survey.resolved.problem.add
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for source in used(str(added.get(waiting.pop(), 0))) - found:
            found.add(source)
            waiting.append(source)
    return found


@check(
    "L03",
    "Much depends on a column, and nobody says when it is known",
    "warn",
    computed="A quick boosting, on at most 20,000 rows and the latest folds of the declared split, with and without each of the ten "
    "columns that know most of the target by themselves and are not in `known_at`. Columns that say the same (rank correlation above "
    "0.98, categories that tell each other, sums) and what is computed from them go together. The stake is the cost without less the "
    "cost with, in the problem's own unit. Those that are not missed are left out together as well: if that is missed, they stand in for "
    "each other, and are asked about in one question.",
    threshold="A stake of 5% of what the quick model saves over the best rule, and 1.645 standard errors (between blocks) above nothing",
    alarm="A minute for each column; at most ten are asked, the dearest first",
    source="Kaufman et al., Leakage in Data Mining, 2012 (legitimacy: no column from after the decision); Kapoor and Narayanan 2023 (L2)",
)
def undeclared(survey: Survey) -> Found | NotApplicable:
    """A column that a model would lean on, while the problem does not say whether it is known in time."""
    found = stakes(survey)
    if isinstance(found, NotApplicable):
        return found
    asked = [Asked(each.group.columns, each.lost) for each in found.missed]
    if found.standing_in:
        asked.append(Asked(tuple(name for group in found.standing_in for name in group.columns), found.jointly, one=False))
    asked.sort(key=lambda each: -each.lost)
    lines = [
        (each.columns[0], _listed(each.columns, most=len(each.columns)), found.cost, found.cost + each.lost, each.one) for each in asked
    ]
    questions = pd.DataFrame(lines, columns=["on", "columns", "with_it", "without", "one"])
    return Found([_question(survey, found, each) for each in asked], {"stakes": found.table(), QUESTIONS: questions})


@dataclass(frozen=True, slots=True)
class Asked:
    """Columns that are asked about in one question.

    Args:
        columns: the one that knows most of the target first.
        lost: without them.
        one: whether they say the same; else any of them stands in for another.
    """

    columns: tuple[str, ...]
    lost: float
    one: bool = True


def _question(survey: Survey, found: Stakes, asked: Asked) -> Finding:
    """Ask when columns are known."""
    problem, yardstick, columns = survey.resolved.problem, survey.resolved.yardstick, asked.columns
    share = asked.lost / found.saved
    saved = f"{percent(share)} of what it saves over the best rule" if share < 1 else "all that it saves over the best rule"
    if len(columns) == 1:
        who, them = f"Is '{columns[0]}'", "it"
    elif asked.one:
        who, them = f"Are '{columns[0]}' and what says the same ({_listed(columns[1:])})", "them"
    else:
        who, them = f"Are {_listed(columns)}", "all of them" if len(columns) > 3 else NUMBERS[len(columns)]
    hint = "" if asked.one else ". Dropping just one changes little: the others make up for it"
    unit = currency(yardstick.name) if yardstick.priced else ""
    with_it, without = short(found.cost), short(found.cost + asked.lost)
    if yardstick.priced:
        per_year = problem.decision.per_year if problem.decision else None
        yearly = f" ({short(asked.lost * per_year)}{unit} a year)" if per_year else ""
        depends = f"Without {them}, a quick model's decisions cost {short(asked.lost)}{unit} more each{yearly}, {saved}{hint}"
        consequence = f"If not, expect {without}{unit} a decision in use, not the {with_it}{unit} that the score would show"
    else:
        depends = f"Without {them}, the {yardstick.name} of a quick model is {without} instead of {with_it}, {saved}{hint}"
        consequence = f"If not, expect {yardstick.name} {without} in use, not the {with_it} that the score would show"
    return Finding(
        "L03",
        "warn",
        columns[0],
        share,
        ENOUGH,
        f"{who} known {when(problem)}? {depends}",
        "if known in time, keep it under known_at: decision; if not, move it to known_at: after, and models then ignore it",
        consequence,
        moved(problem, {name: "after" if smell(survey, name) else "decision" for name in columns}),
        "known_at",
        harm=share,
    )


def _listed(names: Sequence[str], most: int = 6) -> str:
    """Write names one after the other, the first few of many: "'a', 'b' and 3 more"."""
    if len(names) <= most:
        return both(names)
    return joined([*(f"'{name}'" for name in names[:most]), f"{len(names) - most} more"], "and")
