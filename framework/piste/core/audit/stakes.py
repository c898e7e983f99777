"""What hangs on each column: how much dearer decisions get without it, and whether somebody said that it is known in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from piste.core.audit.alike import alike
from piste.core.audit.cures import known_at
from piste.core.audit.moment import when
from piste.core.audit.quick import Quick, quick
from piste.core.audit.survey import Survey
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, short
from piste.core.references import used

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
class Stakes:
    """What columns are worth.

    Args:
        rule: title of the best rule.
        rule_cost: what it costs, as people read it.
        cost: what the quick model costs that sees all columns.
        groups: what was left out, the most at stake first.
        table: a line for each of them: column, stake (what is lost without it), share (of what the model saves over the rule),
            error (of the mean loss that the stake stands on, in standard errors above zero), declared, twins.
    """

    rule: str
    rule_cost: float
    cost: float
    groups: tuple[Group, ...]
    table: pd.DataFrame


def stakes(survey: Survey) -> Stakes | NotApplicable:
    """Weigh the columns of most single-column skill, those first of which nobody says when they are known.

    A column goes together with those that say the same and with what is computed from it. What gives the answer away exactly is
    out of the question, and of every model here.
    """
    if not survey.features:
        return NotApplicable("no column is shown to a model")
    tried = quick(survey)
    best = tried.rule() if tried else None
    if tried is None or best is None:
        return NotApplicable("too few rows to try a model on")
    given = [name for name, known in survey.skills.items() if known.exact and name not in survey.vouched]
    groups = asked(survey, given)
    full, *others = tried.losses([given, *({*given, *group.without} for group in groups)])
    rule, plain = best
    if tried.surely(plain - full) < SURE:
        return NotApplicable("a quick model does no better than the best rule, so nothing hangs on a column")
    cost, rule_cost = tried.cost(full), tried.cost(plain)
    lines = []
    for group, losses in zip(groups, others, strict=True):
        stake = tried.cost(losses) - cost
        sure = tried.surely(losses - full)
        lines.append((group.columns[0], stake, stake / (rule_cost - cost), sure, group.declared, ", ".join(group.columns[1:])))
    order = sorted(range(len(lines)), key=lambda place: (-lines[place][1], lines[place][0]))
    table = pd.DataFrame([lines[place] for place in order], columns=["column", "stake", "share", "errors", "declared", "twins"])
    return Stakes(rule, rule_cost, cost, tuple(groups[place] for place in order), table)


def asked(survey: Survey, given: Sequence[str]) -> list[Group]:
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
    "Much hangs on a column, and nobody says when it is known",
    "warn",
    computed="A quick boosting, on at most 20,000 rows and the latest folds of the declared split, with and without each of the ten "
    "columns that know most of the target by themselves and are not in `known_at`. Columns that say the same (rank correlation above "
    "0.98, categories that tell each other, sums) and what is computed from them go together. The stake is the cost without less the "
    "cost with, in the problem's own unit.",
    threshold="A stake of 5 % of what the quick model saves over the best rule, and 1.645 standard errors (between blocks) above nothing",
    alarm="A minute for each column; at most ten are asked, the dearest first",
    source="Kaufman et al., Leakage in Data Mining, 2012 (legitimacy: no column from after the decision); Kapoor and Narayanan 2023 (L2)",
)
def undeclared(survey: Survey) -> Found | NotApplicable:
    """A column that a model would lean on, while the problem does not say whether it is known in time."""
    found = stakes(survey)
    if isinstance(found, NotApplicable):
        return found
    pairs = zip(found.groups, found.table.itertuples(index=False), strict=True)
    findings = [
        _question(survey, found, group, float(line.stake), float(line.share))
        for group, line in pairs
        if not group.declared and line.share >= ENOUGH and line.errors >= SURE
    ]
    return Found(findings, {"stakes": found.table})


def _question(survey: Survey, found: Stakes, group: Group, stake: float, share: float) -> Finding:
    resolved = survey.resolved
    name, problem = resolved.yardstick.name, resolved.problem
    first, *same = group.columns
    are = f"Are '{first}' and what says the same ({_listed(same)})" if same else f"Is '{first}'"
    saved = f"{min(share, 1):.0%} of what a quick model saves over the best rule" if share < 1 else "all that a quick model saves over the best rule"
    with_it, without = short(found.cost), short(found.cost + stake)
    if resolved.yardstick.priced:
        unit = currency(name)
        per_year = problem.decision.per_year if problem.decision else None
        yearly = f", {short(stake * per_year)}{unit} a year" if per_year else ""
        hangs = f"{short(stake)}{unit} a row{yearly} hang on it: {saved}"
        consequence = f"if not, a row costs {without}{unit} in use where the comparison says {with_it}{unit}"
    else:
        hangs = f"without it the {name} of a quick model is {without} instead of {with_it}: {saved}"
        consequence = f"if not, the {name} in use is about {without} where the comparison says {with_it}"
    return Finding(
        "L03",
        "warn",
        first,
        share,
        ENOUGH,
        f"{are} known {when(problem)}? {hangs}" if resolved.yardstick.priced else f"{are} known {when(problem)}? W{hangs[1:]}",
        "if it is, paste this; if it comes later, name it under `after` of `known_at` instead, and no model sees it",
        consequence,
        known_at(problem, "decision", sorted(group.columns)),
        "known_at",
    )


def _listed(names: Sequence[str], most: int = 4) -> str:
    quoted = [f"'{name}'" for name in names[:most]]
    return ", ".join(quoted) + (f" and {len(names) - most} more" if len(names) > most else "")
