"""F01, F05, F08, F09: whether the problem says all that an answer is held against."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from piste.core.audit.cures import given
from piste.core.audit.survey import Survey
from piste.core.audit.worth import Past, past_of, shares, sure_of, weighted_quantile, worth
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.decision import Actions, Quantity
from piste.core.finding import Finding, percent, short
from piste.core.metrics import Metric, zero_one
from piste.core.pasted import blank, scalar
from piste.core.problem import SEVERAL

MOST_PRICED = 6  # classes that a line of costs is written out for
WEAK = {"number": 0.05, "classes": 0.2}  # skill of one column's groups that a constant leaves on the table
LEAK = 0.9  # skill beyond which a column is no rule but the answer
MOST_LEVELS = 50  # of a column whose groups make a rule that a person could keep in mind
STAND_INS = re.compile(
    r"click(s|ed)?|ctr|score[ds]?|label(l?ed|s)?|rat(ing|ings|ed)|stars|complain(t|ts|ed)|liked?s?|upvotes?|(page)?view(s|ed)|impressions?"
    r"|satisfaction|nps|survey(ed)?|arrest(s|ed)?"
)


@check(
    "F01",
    "No cost of a wrong decision",
    "warn",
    computed="`decision.cost` is not there.",
    threshold="Any problem without one.",
    alarm="One line of YAML; a guess will do, since `cost_range` shows how much depends on it.",
    source="Machine Learning Canvas (Dorard 2015), Rules of ML 2 (Zinkevich)",
)
def no_cost(survey: Survey) -> Found | NotApplicable:
    """Tell that the problem does not say what a wrong decision costs, so that nobody can say what a model is worth."""
    if survey.resolved.yardstick.priced:
        return Found()
    if survey.lacks("decision"):
        return NotApplicable("what is said of the decision had to be set aside")
    metric, problem = survey.resolved.metric.name, survey.resolved.problem
    said = "names no decision" if problem.decision is None else "names a decision, but not what a wrong one costs"
    cost = _example_cost(survey)
    decision = {**given(problem.decision), "cost": cost}
    decision.setdefault("currency", "EUR")
    return Found(
        [
            Finding(
                "F01",
                "warn",
                "decision",
                0.0,
                1.0,
                f"The problem {said}",
                _to_price(survey),
                f"Models are ranked by {metric} alone, and nobody can say whether the best of them is worth having",
                f"decision: {blank(scalar(decision))}" if cost else "",
                "decision.cost",
            )
        ]
    )


def _to_price(survey: Survey) -> str:
    """Say what the blanks of a cost stand for."""
    target = survey.resolved.table.target
    if not target.classes:
        blanks = "over: what one unit too much costs, under: one too little"
    elif len(target.classes) == 2:
        blanks = "false_alarm: what acting costs where nothing comes, miss: not acting where it comes"
    else:
        levels = ", ".join(f"'{name}'" for name in target.classes[:MOST_PRICED])
        blanks = f"for each action, a list of what it costs at {levels}"
    return f"fill in what a mistake costs, if only roughly ({blanks}), and your currency"


def _example_cost(survey: Survey) -> Mapping[str, Any]:
    """Return a cost of the shape that fits the target, its numbers left blank; none where it would be a page of them."""
    target = survey.resolved.table.target
    if not target.classes:
        return {"over": None, "under": None}
    if len(target.classes) == 2:
        return {"false_alarm": None, "miss": None}
    if len(target.classes) > MOST_PRICED:
        return {}
    verb = "plan for" if target.levels or target.kind == "ordered" else "treat as"
    return {f"{verb} {name}": None for name in target.classes}


@check(
    "F05",
    "The metric does not fit the decision",
    "warn",
    computed="The summary of the future that `metric` rewards (mean, median, probabilities, likeliest class) against the one that the "
    "cost asks for: an amount, the quantile at under / (over + under); an action, the probability of each level.",
    threshold="They differ. Log loss and Brier fit every cost of actions; accuracy fits where all mistakes cost the same; absolute error "
    "fits where over and under do; squared error fits no amount.",
    alarm="None: models are ranked by the cost all the same, and the usual metrics are shown beside it.",
    source="Gneiting, Making and evaluating point forecasts, 2011; Elkan, The foundations of cost-sensitive learning, 2001; Metrics "
    "Reloaded, 2024",
)
def metric_against_decision(survey: Survey) -> Found | NotApplicable:
    """Tell that the metric asked for rewards another answer than the one that the decision needs."""
    past = past_of(survey)
    if past is None:
        return NotApplicable("no cost of a wrong decision is given")
    problem, metric = survey.resolved.problem, survey.resolved.metric
    if problem.metric is None:
        return NotApplicable("no metric is asked for: models are ranked by the cost")
    needed = _needed(past, metric)
    if needed is None:
        return Found()
    value = _rewarded_value(past, metric)
    best, naive = worth(past).fixed, past.believing(sure_of(past, value))
    unit = currency(past.yardstick.name)
    extra = max(0.0, naive - best)
    costs = f": {short(naive)}{unit} a decision instead of {short(best)}" if extra > 0.005 * best else ""
    return Found(
        [
            Finding(
                "F05",
                "warn",
                metric.name,
                extra,
                0.0,
                f"'{metric.name}' rewards {_rewarded(metric)}, but the cost asks for {needed}",
                "remove the line metric: models are then ranked by the cost, and the usual metrics are shown beside it",
                f"Choosing by {metric.name} picks the wrong model{costs}",
                field="metric",
            )
        ]
    )


def _rewarded(metric: Metric) -> str:
    """Say which summary of the future a metric rewards."""
    return "the likeliest class" if metric.loss is zero_one else {"mean": "the average", "median": "the middle value"}[metric.functional]


def _rewarded_value(past: Past, metric: Metric) -> float:
    """Return the one answer to all rows at once that a metric rewards: their mean, their median, or their commonest class."""
    if metric.loss is zero_one:
        return float(shares(past).argmax())
    if metric.functional == "median":
        return weighted_quantile(past.came.y, past.weight, 0.5)
    return float(np.average(past.came.y, weights=past.weight))


def _needed(past: Past, metric: Metric) -> str | None:
    """Say what a cost asks for, where a metric rewards something else."""
    yardstick = past.yardstick
    if isinstance(yardstick, Quantity):
        if metric.functional == "median" and math.isclose(yardstick.level, 0.5):
            return None
        return f"the amount that is enough in {percent(yardstick.level)} of all cases"
    if metric.functional == "probabilities":
        return None if metric.loss is not zero_one or _all_mistakes_alike(yardstick) else _tipping_point(yardstick)
    return "how likely each level is"


def _tipping_point(actions: Actions) -> str:
    """Say when to act, of two actions and two classes (Elkan 2001); else what is to be known."""
    regret = actions.costs - actions.costs.min(axis=0)
    if regret.shape != (2, 2):
        return "how likely each class is, since mistakes cost differently"
    act = int(regret[:, 1].argmin())
    alarm, miss = regret[act, 0], regret[1 - act, 1]
    return f"'{actions.actions[act]}' from a probability of {percent(alarm / (alarm + miss))} on, not from 50%"


def _all_mistakes_alike(actions: Actions) -> bool:
    """Tell whether each class has one right action of its own, and every other costs the same beyond it."""
    regret = actions.costs - actions.costs.min(axis=0)
    right = regret == 0
    wrong = regret[~right]
    return bool(
        actions.budget is None
        and (right.sum(axis=0) == 1).all()
        and (right.sum(axis=1) == 1).all()
        and wrong.size
        and np.allclose(wrong, wrong[0])
    )


@check(
    "F08",
    "A stand-in for what is meant",
    "note",
    computed="A word of the target's name is one by which something measurable stands for something that matters: click, score, label, "
    "rating, stars, complaint, likes, views, satisfaction, survey, arrest.",
    threshold="`target.proxy_for` is empty.",
    alarm="One line is read.",
    source='Google, Problem framing ("proxy labels"); Obermeyer et al., Dissecting racial bias, 2019',
)
def proxy_target(survey: Survey) -> Found | NotApplicable:
    """Tell that the target's name sounds like a stand-in for something else, which the problem does not name."""
    target = survey.resolved.problem.target
    if target.proxy_for is not None:
        return NotApplicable("the problem says what the target stands for")
    names = [name for name in target.columns or (target.column,) if any(STAND_INS.fullmatch(word) for word in _words(name))]
    keys = {**given(target), "proxy_for": "what really matters"}
    keys.pop("column" if target.columns and target.column == SEVERAL else "", None)
    return Found(
        [
            Finding(
                "F08",
                "note",
                name,
                1.0,
                0.0,
                f"The target '{name}' sounds like a stand-in for what you really care about",
                "say what that is, so that the report does too; or leave it if this is what counts",
                "A model learns the stand-in, with all that sets it apart from what is meant",
                f"target: {scalar(keys)}",
                "target",
            )
            for name in names
        ]
    )


def _words(name: str) -> frozenset[str]:
    """Return the words of a name: of `clickRate_7d` they are click, rate, 7 and d."""
    return frozenset(word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", name))


@check(
    "F09",
    "Nothing to beat but a constant",
    "note",
    computed="The constant is the only rule to beat, though the groups of some column (2 to 50 values) predict the target by themselves: "
    "skill out of fold, on at most 50,000 rows. Or a column holds dates and no `time` is named.",
    threshold="A group's mean saves 5% of the constant's squared error; of two classes, 60% of pairs are put in the right order.",
    alarm="One line is read.",
    source="Machine Learning Canvas (heuristic benchmark); Rules of ML 1 and 4 (Zinkevich)",
)
def weak_rules(survey: Survey) -> Found | NotApplicable:
    """Tell that models have only a constant to beat, where a rule that anybody could follow would be a real one."""
    resolved = survey.resolved
    if {rule.name for rule in resolved.baselines} != {"constant"}:
        return NotApplicable("there are other rules to beat than the constant")
    if survey.lacks("baselines", "time", "unit"):
        return NotApplicable("rules, or what they need, had to be set aside")
    findings = []
    dates = [each.name for each in survey.features if each.kind == "datetime" and not survey.frame[each.name].isna().any()]
    if resolved.problem.time is None and len(dates) == 1 and survey.frame[dates[0]].nunique() > 1:
        message = f"The only rule to beat is a constant, though '{dates[0]}' holds dates: the problem names no time"
        consequence = "What is usual for the weekday and the month, and the last value, are not held against the models"
        fix = "if that is when a row happened, say so"
        n_dates = float(survey.frame[dates[0]].nunique())
        findings.append(Finding("F09", "note", dates[0], n_dates, 1.0, message, fix, consequence, f"time: {scalar(dates[0])}", "time"))
    if (target := resolved.table.target).labels and len(target.labels) > 2:
        return Found(findings) if findings else NotApplicable("a rule of your own is one number, which cannot answer with three classes")
    return Found([*findings, *_best_group(survey)])


def _best_group(survey: Survey) -> Iterator[Finding]:
    """Find the column whose groups make the best rule, where that is clearly better than a constant."""
    target = survey.resolved.problem.target
    least = WEAK["classes" if survey.has_classes else "number"]
    groups = [each.name for each in survey.features if each.kind in ("category", "boolean")]
    skills = {name: survey.skills[name].score for name in groups if survey.frame[name].nunique() <= MOST_LEVELS}
    best = max((name for name, score in skills.items() if least <= score < LEAK), key=lambda name: skills[name], default=None)
    if best is None:
        return
    score = skills[best]
    if survey.has_classes:
        share = "share"
        how = f"tells the classes apart {percent((1 + score) / 2)} of the time (guessing: 50%)"
    else:
        share = "mean"
        how = f"saves {percent(score)} of its squared error"
    rule = f"mean({_quoted(target.column)}) by {_quoted(best)}"
    yield Finding(
        "F09",
        "note",
        best,
        score,
        least,
        f"The only rule to beat is a constant, though the {share} in each group of '{best}' alone {how}",
        "add that as a rule to beat",
        "A model may look good just by knowing what anybody could look up",
        f"baselines: {scalar({f'by_{_plain(best)}': rule})}",
        "baselines",
    )


def _quoted(name: str) -> str:
    """Write a column in an expression: in backticks, unless it is a plain word."""
    reserved = ("if", "then", "else", "by", "and", "or", "not")
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name not in reserved else f"`{name}`"


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or "group"
