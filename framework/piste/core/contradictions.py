"""What the parts of a problem must not say against each other; what only the data can tell is left to those who have it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import combinations

from piste.core.askable import framing_faults
from piste.core.errors import Fault
from piste.core.grammar import aggregates, lags, row_columns
from piste.core.horizon import lag_faults
from piste.core.parser import parse
from piste.core.pricing import Found, decision_faults, success_faults
from piste.core.problem import Problem

OPTIONS = {  # of `data`, and the sources that each goes with
    "delimiter": ("path",),
    "encoding": ("path",),
    "decimal": ("path",),
    "missing": ("path", "url", "python", "frame"),
    "sheet": ("path",),
    "query": ("path", "url"),
}


def contradictions(problem: Problem, unread: Collection[str] = ()) -> list[Fault]:
    """Return every contradiction, at one of the fields that make it.

    Args:
        problem: as its author wrote it.
        unread: fields that the author gave, but wrongly: nothing is said of their absence.
    """

    def lost(*fields: str) -> bool:
        return any(f"{field}.".startswith(f"{each}.") or each.startswith(f"{field}.") for field in fields for each in unread)

    timed = problem.time is not None or lost("time")
    grouped = problem.split.by is not None or lost("split.by")
    found = [
        *_data(problem, lost),
        *_target(problem),
        *_known_at(problem),
        *_split(problem, timed=timed, grouped=grouped),
        *_add(problem),
        *_baselines(problem, timed=timed),
        *([] if lost("target") else _kinds(problem)),
        *([] if lost("decision.cost", "decision.budget") else decision_faults(problem, judged=not lost("target"))),
        *success_faults(problem, lost),
        *_acknowledged(problem),
        *([] if lost("framings") else framing_faults(problem, timed=timed, named=not lost("unit"))),
    ]
    return [problem.fault(*each) for each in found]


def _data(problem: Problem, lost: Callable[..., bool]) -> Found:
    given = problem.data.model_fields_set
    for option, sources in OPTIONS.items():
        if option in given and not given & {*sources}:
            yield (
                f"data.{option}",
                f"must go with {' or '.join(sources)}, but the data come from {' and '.join(sorted(given - {*OPTIONS}))}",
            )
    if problem.truth is not None and problem.data.python is None and not lost("data"):
        yield "truth", "must go with `data: python:FILE.py:FUNCTION`: only of simulated data is the truth known"


def _target(problem: Problem) -> Found:
    targets = problem.target.columns or (problem.target.column,)
    split = problem.split
    others = {
        "weight": (problem.weight,),
        "time": (problem.time,),
        "unit": problem.unit,
        "split.by": (split.by,),
        "split.together": (split.together,),
        "known_at.always": problem.known_at.always,
        "known_at.decision": problem.known_at.decision,
        "slices": problem.slices.columns if problem.slices else (),
        "decision.budget.per": problem.decision.budget.per if problem.decision and problem.decision.budget else (),
    }
    for field, columns in others.items():
        for target in targets:
            if target in columns:
                yield field, f"must be another column than the target, but is '{target}'"
    if problem.weight is not None and problem.weight in (problem.time, split.by, split.together, *problem.unit):
        yield "weight", f"must be a column of its own, but '{problem.weight}' has another part to play"
    for target in targets:
        if target in problem.columns:
            yield f"columns.{target}", "must not say what the target is: write it under target.kind"


def _known_at(problem: Problem) -> Found:
    known = problem.known_at
    for (first, before), (second, columns) in combinations(
        {"always": known.always, "decision": known.decision, "after": known.after}.items(), 2
    ):
        for column in columns:
            if column in before:
                yield f"known_at.{second}", f"must not name '{column}', which is already under {first}"


def _split(problem: Problem, *, timed: bool, grouped: bool) -> Found:
    split = problem.split
    if split.scheme == "forward" and not timed:
        yield "split.scheme", "must not be 'forward' without a time: add the line `time: COLUMN`"
    if split.scheme == "predefined" and not grouped:
        yield "split.scheme", "must not be 'predefined' without `by`: the column that says which fold a row is in"
    if split.by is not None and split.scheme in ("kfold", "stratified"):
        yield "split.by", f"must go with scheme forward, leave_one_out or predefined, but the scheme is {split.scheme}"
    if split.folds is not None and split.scheme in ("leave_one_out", "predefined"):
        yield "split.folds", f"must be left out: with scheme {split.scheme} the data say how many there are"
    if split.repeats is not None and split.repeats > 1 and split.scheme not in (None, "kfold", "stratified"):
        yield "split.repeats", f"must be 1 with scheme {split.scheme}: its folds cannot be drawn again"
    if split.gap is not None and (not timed or split.scheme not in (None, "forward")):
        yield "split.gap", "must go with a time and scheme forward"
    if isinstance(split.holdout, tuple) and not grouped:
        yield "split.holdout", "must be a share of the rows between 0 and 1, or else name values of `split.by`, which is not given"


def _add(problem: Problem) -> Found:
    for name, text in problem.add.items():
        expression = parse(str(text))
        if aggregates(expression):
            yield f"add.{name}", "must not aggregate: aggregates are learnt on training rows, in `baselines` alone"
        if lags(expression):
            yield f"add.{name}", "must not look back in time (@): lags stand in `baselines`, and in the `add` of an entry of `framings`"


def _baselines(problem: Problem, *, timed: bool) -> Found:
    target = problem.target.column
    for name, text in problem.baselines.items():
        expression, field = parse(str(text)), f"baselines.{name}"
        if target in row_columns(expression):
            tip = f"an aggregate, as in mean({target}) by ..., or a lag, as in {target}@-7d"
            yield field, f"must not use '{target}' of the row itself, which is the answer: use {tip}", "L04"
        yield from ((field, message, check) for message, check in lag_faults(problem, expression, timed=timed))


def _acknowledged(problem: Problem) -> Found:
    """Find what is acknowledged twice, at the later place."""
    named = [(each.check, each.on) for each in problem.acknowledge]
    for number, (check, on) in enumerate(named):
        if (check, on) in named[:number]:
            yield f"acknowledge.{number}", f"must name a finding once, but {check} on '{on}' stands here a second time"


def _kinds(problem: Problem) -> Found:
    """Find what does not go with the kind of the target."""
    target = problem.target
    if target.positive is not None and target.kind not in (None, "binary"):
        yield "target.positive", f"must go with a binary target, but its kind is {target.kind}"
    if target.order and target.kind not in (None, "ordered"):
        yield "target.order", f"must go with an ordered target, but its kind is {target.kind}"
    if target.positive is not None and target.order:
        yield "target.positive", "must go with a binary target, but target.order says that it is ordered"
    if target.columns and problem.target.has_classes:
        yield "target.kind", "must be numeric or count where several columns are predicted: classes are predicted one by one"
    levels = target.levels
    if levels is None:
        return
    if target.columns:
        yield "target.levels", f"must go with one column, but there are {len(target.columns)}: cut each in a problem of its own"
    elif problem.target.has_classes:
        yield "target.levels", "must cut a number, but the target is of classes: price its classes as they are"
    if levels.names and len(levels.names) != len(levels.cuts) + 1:
        wanted = f"{len(levels.cuts) + 1} levels, which {len(levels.cuts)} cut{'s' * (len(levels.cuts) > 1)} make"
        yield "target.levels.names", f"must name {wanted}, but names {len(levels.names)}"
    if levels.of is None:
        return
    of = parse(str(levels.of))
    if aggregates(of):
        yield "target.levels.of", "must not aggregate: every row is cut by its own values"
    elif lags(of):
        yield "target.levels.of", "must not look back in time (@): every row is cut by its own values"
    elif target.column not in row_columns(of):
        yield "target.levels.of", f"must have the target '{target.column}' in it, as in {target.column} / capacity, but is '{of}'"
