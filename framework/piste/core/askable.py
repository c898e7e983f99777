"""Whether the framings that an author lists can be asked of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from piste.core.ask import LEVEL, Ask, whole
from piste.core.errors import either, near
from piste.core.grammar import aggregates, row_columns
from piste.core.horizon import lag_faults
from piste.core.parser import parse
from piste.core.problem import OUTPUT, Problem

Found = Iterator[tuple[str, str] | tuple[str, str, str]]  # fields and messages; of what a check looks for, its id
OF_LEVELS = ("classes", "ordered")  # framings that ask of a number which of its levels it reaches


def framing_faults(problem: Problem, *, timed: bool, named: bool) -> Found:
    """Find what the framings that an author lists say against each other and the rest.

    Args:
        problem: as its author wrote it.
        timed: whether it has a time, or one that was given wrongly.
        named: whether the columns of `unit` were given as they must be, or not at all.
    """
    asks = {ask.name: ask for ask in problem.framings or ()}
    for name, ask in asks.items():
        field, chain = problem.at(ask), _likes(name, asks)
        for number, text in enumerate(ask.add):
            yield from ((f"{field}.add.{number}", message, check) for message, check in _feature(problem, str(text), timed=timed))
        if chain[-1] not in asks and len(chain) == 2:
            tip = near(chain[-1], asks) or f" To ask as the framing '{chain[-1]}' does, write `as: {chain[-1]}`."
            yield f"{field}.like", f"must name another entry of `framings`, but there is no '{chain[-1]}'.{tip}"
        if chain[-1] == name and len(chain) > 1:
            yield f"{field}.like", f"must not come back to itself, but {' is like '.join(repr(each) for each in chain)}"
        if chain[-1] in asks and chain[-1] not in chain[:-1]:
            yield from ((f"{field}.{key}", message) for key, message in _rows(problem, ask, whole(ask, asks), named=named))


def _likes(name: str, asks: Mapping[str, Ask]) -> list[str]:
    """Return an ask, the one that it is like, and so on, up to the first that is like none, is none, or came before."""
    chain = [name]
    while chain[-1] in asks and chain[-1] not in chain[:-1] and (like := asks[chain[-1]].like) is not None:
        chain.append(like)
    return chain


def _feature(problem: Problem, text: str, *, timed: bool) -> Iterator[tuple[str, str]]:
    """Say what is wrong with a further feature column; beside it the check that looks for it, where one does."""
    target, expression = problem.target.column, parse(text)
    if aggregates(expression):
        yield "must not aggregate: aggregates are learnt on training rows, in `baselines` alone", ""
    if target in row_columns(expression):
        yield f"must not use '{target}' of the row itself, which is the answer: use a lag, as in {target}@-7d", "L04"
    yield from (
        (f"must not use '{column}' of the row itself: it is known only after", "L04")
        for column in problem.known_at.after
        if column in row_columns(expression) and column != target
    )
    yield from lag_faults(problem, expression, timed=timed)


def _rows(problem: Problem, ask: Ask, full: Ask, *, named: bool) -> Iterator[tuple[str, str]]:
    """Find what is wrong with how rows are shaped, at the keys of an ask: its own word, with what it takes over."""
    for key in ("wide", "apart"):
        column = getattr(ask, key)
        if column is None or not named or (problem.target.columns and column == OUTPUT):
            continue
        if column not in problem.unit:
            units = f" ({', '.join(problem.unit)})" if problem.unit else ", which is not given"
            yield key, f"must be a column of `unit`{units}, but is '{column}'.{near(column, problem.unit)}"
        elif column == problem.time:
            yield key, f"must be another column of `unit` than the time, but is '{column}'"
        elif key == "wide" and len(problem.unit) == 1:
            yield key, f"must leave another column of `unit` to tell rows apart by, but '{column}' is the only one"
    if full.wide and full.apart and (ask.wide or ask.apart):
        yield "apart" if ask.apart else "wide", "must be one of wide and apart: all at once by one model, or each by its own"
    if full.wide and full.as_ != "mean" and (ask.wide or ask.as_):
        yield (
            "wide" if ask.wide else "as",
            f"must go with the framing mean, which several numbers at once can be asked by, but not {full.as_}",
        )
    if ask.predict is not None:
        yield from (("predict", message) for message in _predicted(problem, ask.predict, str(full.as_)))


def _predicted(problem: Problem, predict: str, framing: str) -> Iterator[str]:
    """Say what is wrong with what an ask predicts."""
    target = problem.target
    known = [target.column, *([LEVEL] * (target.levels is not None))]
    if predict not in known:
        tip = f" For '{LEVEL}', cut the target by target.levels." if predict == LEVEL else near(predict, known)
        yield f"must be {either(known)}, but is '{predict}'.{tip}"
    elif target.levels is not None and (predict == LEVEL) != (framing in OF_LEVELS):
        other = LEVEL if framing in OF_LEVELS else target.column
        yield f"must be '{other}' for the framing {framing}, but is '{predict}'"
