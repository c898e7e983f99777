"""What each framing of a problem asks, sees, answers and throws away, before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core.errors import joined
from piste.core.fit import Study
from piste.core.framing import Asked, Framing
from piste.core.model import with_added
from piste.core.plan import BASELINE, Plan
from piste.core.report.deciding import deciding
from piste.core.report.unasked import Unasked, unasked
from piste.core.report.words import RULES
from piste.core.resolve import Resolved
from piste.core.shape import texts
from piste.core.split import Folds
from piste.core.wide import Pivot


@dataclass(frozen=True, slots=True)
class Way:
    """A framing of the problem, explained; sentences without a full stop."""

    name: str
    title: str
    asks: str
    sees: str
    answers: str
    loses: str
    decides: tuple[tuple[str, str], ...]  # each rule in words, and what it does
    takes: tuple[str, ...]  # families
    leaves: tuple[tuple[str, str], ...]  # families that cannot, and why


@dataclass(frozen=True, slots=True)
class Framed:
    """The ways to put a problem to a model, and those that are not taken."""

    problem: str
    question: str
    about: tuple[str, ...]  # sentences: the rows, the target, the decision, how it is tested, what must be beaten
    ways: tuple[Way, ...]
    unasked: tuple[Unasked, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        plain = asdict(self)
        for way in plain["ways"]:
            way["decides"] = [{"rule": rule, "does": does} for rule, does in way["decides"]]
            way["leaves"] = [{"family": family, "reason": reason} for family, reason in way["leaves"]]
        return plain


def explain(resolved: Resolved, folds: Folds, plan: Plan, study: Study, framings: Mapping[str, Framing]) -> Framed:
    """Explain the framings of a problem.

    Args:
        resolved: the problem.
        folds: the divisions of its rows.
        plan: of the comparison; says which families take what.
        study: the rows as models would see them.
        framings: all there are, by name.
    """
    ways = tuple(_way(each, resolved, folds, plan, study) for each in resolved.asked)
    about = (_rows(resolved, folds), *_decision(resolved), _bar(resolved, plan))
    return Framed(resolved.name, resolved.problem.question or "", about, ways, unasked(resolved, framings))


def _way(asked: Asked, resolved: Resolved, folds: Folds, plan: Plan, study: Study) -> Way:
    target, framing = resolved.table.target, asked.framing
    rules = framing.rules(resolved.yardstick)
    levels = joined(target.classes[1:], "and") if framing.cumulative else joined(target.classes, "or")
    absent = {each.family: (each.title, each.reason) for each in plan.absent if each.framing == asked.name}
    there = [(name, kin) for name, (_, kin) in plan.entries.items() if not name.startswith(f"{BASELINE}:") and name not in absent]
    takes = [kin.titles.get(framing.kind, kin.title) for _, kin in there]
    if asked.name in plan.blended and len(takes) > 1:
        takes.append("a blend of them")
    return Way(
        name=asked.name,
        title=f"{framing.title}{_shape(asked)}",
        asks=framing.asks.format(target=f"'{target.name}'", levels=levels),
        sees=_sees(asked, resolved, folds, study),
        answers=_answers(asked, resolved),
        loses=framing.loses,
        decides=tuple((RULES[rule], deciding(resolved, rule)) for rule in rules),
        takes=tuple(takes),
        leaves=tuple(absent.values()),
    )


def _shape(asked: Asked) -> str:
    """Say what is special about the rows, in a few words."""
    form = asked.form
    if form.wide:
        return f", of all values of {form.wide} at once"
    if form.apart:
        return f", of each {form.apart} by itself"
    return ", with what came earlier" if form.add else ""


def _sees(asked: Asked, resolved: Resolved, folds: Folds, study: Study) -> str:
    """Say what rows a model is given."""
    form, rows = asked.form, folds.whole.train
    features = with_added(study.expanded, dict(study.added[asked.name].items()) if form.add else {})
    added = f", beside them what came earlier, by {joined(form.add, 'and')}" if form.add else ""
    if form.wide:
        return _sees_wide(form.wide, features, rows, study.names)
    n_columns = len(resolved.table.features)
    shown = f"{n_columns} column{'s' * (n_columns > 1)}" + _taken_apart(resolved, features, len(form.add))
    unit = [name for name in resolved.problem.unit if name in study.names]
    each = f"{len(rows):,} rows, one for each {joined(unit, 'and')}" if unit else f"{len(rows):,} rows of the table, as they are"
    if not form.apart:
        return f"{each}, with {shown}{added}"
    sizes = pd.Series(texts(study.names[form.apart].iloc[rows])).value_counts()
    span = f"{sizes.min():,}" if sizes.min() == sizes.max() else f"{sizes.min():,} to {sizes.max():,}"
    return f"a model of its own for each of the {len(sizes)} values of {form.apart}, from {span} rows each, with {shown}{added}"


def _taken_apart(resolved: Resolved, features: pd.DataFrame, n_added: int) -> str:
    """Say how many features come of the columns, where dates make it more."""
    n_features = features.shape[1] - n_added
    return "" if n_features == len(resolved.table.features) else f" ({n_features} once dates are weekday, month and day of the year)"


def _sees_wide(column: str, features: pd.DataFrame, rows: np.ndarray, names: pd.DataFrame) -> str:
    """Say what the rows hold that are made of several."""
    pivot = Pivot.learn(features, names, column)
    codes, _ = pivot.rows(names)
    n_wide = len(np.unique(codes[rows]))
    once, each = len(pivot.once), len(pivot.each)
    parts = [f"{once} column{'s' * (once != 1)} that all of them share"]
    if each:
        parts.append(f"{each} for each of them by itself")
    if gone := features.shape[1] - once - each:
        parts.append(f"without {gone} that only {'tells' if gone == 1 else 'tell'} them apart")
    at_once = f"all {pivot.n_outputs} values of {column} side by side"
    return f"{n_wide:,} rows, one for each {joined(pivot.keys, 'and')}, with {at_once}: {', '.join(parts)}"


def _answers(asked: Asked, resolved: Resolved) -> str:
    """Say what a prediction looks like."""
    target, framing = resolved.table.target, asked.framing
    name = f"'{target.name}'"
    if framing.cumulative:
        questions = joined([f"{level}{'' if level == target.classes[-1] else ' or more'}" for level in target.classes[1:]], "and")
        return f"{len(target.classes) - 1} probabilities, of {questions}; they make one for each level"
    if framing.kind == "classes":
        return f"{len(target.classes)} probabilities that sum to 1, of {joined(target.classes, 'and')}"
    if framing.kind == "quantiles":
        first, second, last = (f"{100 * level:g} %" for level in (*framing.levels[:2], framing.levels[-1]))
        return f"{len(framing.levels)} numbers, below which {name} stays in {first} of such cases, in {second}, and so on up to {last}"
    if framing.kind == "distribution":
        return f"one number, the {name} to be expected, and with it how likely 0, 1, 2 and so on are"
    if asked.form.wide:
        return f"one number for each {asked.form.wide}, all at once: the {name} to be expected"
    return f"one number, the {name} to be expected"


def _rows(resolved: Resolved, folds: Folds) -> str:
    """Say what is predicted, and how it is tested."""
    target, n_rows = resolved.table.target, len(resolved.table.frame)
    what = {"count": "a count", "numeric": "a number"}.get(target.kind, f"one of {len(target.classes)} classes")
    held = f", {len(folds.holdout):,} of them held out" if len(folds.holdout) else ""
    judged = "all are" if len(folds.judged) == n_rows else f"{len(folds.judged):,} of them are"
    tested = (
        "later rows by what was learnt from earlier ones" if resolved.rule.scheme == "forward" else "each by what was learnt from others"
    )
    return f"'{target.name}' is {what}, known in {n_rows:,} rows{held}; {judged} predicted to judge by, {tested}."


def _decision(resolved: Resolved) -> tuple[str, ...]:
    """Say what makes all framings one currency."""
    yardstick = resolved.yardstick
    if not yardstick.priced:
        by_cost = "with `decision: {cost: ...}` it would be by what they lead to"
        return (f"No cost of a decision is given, so answers are judged by {yardstick.name}; {by_cost}.",)
    ends = "However it is asked, each answer ends in an action, and each action has a cost"
    return (f"{ends}: so all are compared in {yardstick.name} a decision.",)


def _bar(resolved: Resolved, plan: Plan) -> str:
    """Say what every model must beat."""
    said = [f"'{name.removeprefix(f'{BASELINE}:')}'" for name in plan.entries if name.startswith(f"{BASELINE}:")]
    return f"Every model must beat the rule{'s' * (len(said) > 1)} {joined(said, 'and')}."
