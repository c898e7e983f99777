"""How far back a value must lie to be known when the decision is made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from piste.core.cost import CLOCK
from piste.core.grammar import Expression, Lag, lags
from piste.core.part import length
from piste.core.problem import Problem

DAY = timedelta(days=1)


def distance(made_at: str, clock: timedelta = timedelta()) -> timedelta:
    """Return how long before a row's time the decision is made; negative where it is made after.

    Args:
        made_at: as written: a clock time days before, or a length of time.
        clock: time of day of the row.

    >>> str(distance("-1d 18:00")), str(distance("-1d 18:00", timedelta(hours=9))), str(distance("-90min"))
    ('6:00:00', '15:00:00', '1:30:00')
    """
    if match := re.fullmatch(CLOCK, made_at):
        days, hours, minutes = map(int, match.groups())
        return timedelta(days=days, hours=-hours, minutes=-minutes) + clock
    return length(made_at.removeprefix("-"))


def delay(problem: Problem) -> timedelta:
    """Return how long after its time a row's target is known.

    Where the problem does not say, what is decided days ahead is about whole days, and known when they are over; else it
    is known just after.
    """
    if problem.target.delay is not None:
        return length(problem.target.delay)
    made_at = problem.decision.made_at if problem.decision else None
    return DAY if made_at is not None and re.search(r"[0-9]\s*[dw]", made_at) else timedelta.resolution


def horizon(problem: Problem) -> timedelta | None:
    """Return the shortest lag at which a target is certainly known when a row stamped at 00:00 is decided on.

    None where the problem does not say when it decides. A row stamped later in its day may need more: `distance` of its
    clock time, and `delay`.
    """
    if problem.decision is None or problem.decision.made_at is None:
        return None
    return max(distance(problem.decision.made_at) + delay(problem), timedelta.resolution)


def too_short(problem: Problem, lag: Lag) -> str | None:
    """Say what must hold of a lag at which no row's target can be known when it is decided on; None of any other.

    A lag of hours or minutes tells that times have a clock: then only the distance itself is certain without the data. A
    lag without a unit counts numbers, and is left to the data.
    """
    made_at = problem.decision.made_at if problem.decision else None
    shortest = horizon(problem)
    if made_at is None or shortest is None or not lag.unit:
        return None
    if lag.unit in ("min", "h") and problem.target.delay is None:
        shortest = max(distance(made_at), timedelta()) + timedelta.resolution
    if lag.delta >= shortest:
        return None
    least = f"at least {-(-shortest // DAY)}d" if lag.unit in ("d", "w") else _least(shortest)
    when = f"made_at {made_at}" + (f", target.delay {problem.target.delay}" if problem.target.delay else "")
    tip = "" if problem.target.delay else ". If it is known sooner after its time, say when by target.delay"
    return f"must look back {least}, but looks back {str(lag)[2:]}: what came then is not known yet at the decision ({when}){tip}"


def _least(shortest: timedelta) -> str:
    minutes, rest = divmod(shortest, timedelta(minutes=1))
    said = f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}min"
    return f"more than {said}" if rest else f"at least {said}"


def lag_faults(problem: Problem, expression: Expression, *, timed: bool) -> Iterator[tuple[str, str]]:
    """Say what is wrong with looking back in time, and with how far; beside it the check that looks for it, where one does."""
    looks_back, scheme = lags(expression), problem.split.scheme
    if looks_back and not timed:
        yield "must not look back in time (@) without a time: add the line `time: COLUMN`", ""
    elif looks_back and scheme not in (None, "forward"):
        yield f"must not look back in time (@) with scheme {scheme}: it may see what it is tested on. Use `scheme: forward`", ""
    late = {problem.target.column, *problem.known_at.after}
    messages = (too_short(problem, lag) for column, lag in looks_back if column in late)
    yield from ((message, "L04") for message in messages if message)
