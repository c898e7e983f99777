"""What the parts of a problem must not say against each other; what only the data can tell is left to those who have it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

from piste.core.errors import Fault
from piste.core.grammar import aggregates, lags, row_columns
from piste.core.parser import parse
from piste.core.problem import Problem

Found = Iterator[tuple[str, str]]  # fields and messages
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
    timed = problem.time is not None or "time" in unread
    grouped = problem.split.by is not None or not {"split", "split.by"}.isdisjoint(unread)
    found = [
        *_data(problem),
        *_target(problem),
        *_known_at(problem),
        *_split(problem, timed=timed, grouped=grouped),
        *_add(problem),
        *_baselines(problem, timed=timed),
    ]
    return [problem.fault(field, message) for field, message in found]


def _data(problem: Problem) -> Found:
    given = problem.data.model_fields_set
    for option, sources in OPTIONS.items():
        if option in given and not given & {*sources}:
            yield (
                f"data.{option}",
                f"must go with {' or '.join(sources)}, but the data come from {' and '.join(sorted(given - {*OPTIONS}))}",
            )


def _target(problem: Problem) -> Found:
    target, split = problem.target.column, problem.split
    others = {
        "weight": (problem.weight,),
        "time": (problem.time,),
        "unit": problem.unit,
        "split.by": (split.by,),
        "split.together": (split.together,),
        "known_at.always": problem.known_at.always,
        "known_at.decision": problem.known_at.decision,
    }
    for field, columns in others.items():
        if target in columns:
            yield field, f"must be another column than the target, but is '{target}'"
    if problem.weight is not None and problem.weight in (problem.time, split.by, split.together, *problem.unit):
        yield "weight", f"must be a column of its own, but '{problem.weight}' has another part to play"
    if target in problem.columns:
        yield f"columns.{target}", "must not say what the target is: write it under target.kind"
    if problem.target.positive is not None and problem.target.kind not in (None, "binary"):
        yield "target.positive", f"must go with a binary target, but its kind is {problem.target.kind}"


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
            yield f"add.{name}", "must not look back in time (@): lags stand in `baselines` alone"


def _baselines(problem: Problem, *, timed: bool) -> Found:
    target = problem.target.column
    for name, text in problem.baselines.items():
        expression = parse(str(text))
        if target in row_columns(expression):
            tip = f"an aggregate, as in mean({target}) by ..., or a lag, as in {target}@-7d"
            yield f"baselines.{name}", f"must not use '{target}' of the row itself, which is the answer: use {tip}"
        if lags(expression) and not timed:
            yield f"baselines.{name}", "must not look back in time (@) without a time: add the line `time: COLUMN`"
        elif lags(expression) and problem.split.scheme not in (None, "forward"):
            yield f"baselines.{name}", f"must not look back in time (@) with scheme {problem.split.scheme}: it may see what it is tested on"
