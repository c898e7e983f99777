"""M15: whether fitting, or the search for settings, stopped before its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from piste.core.check import Found, NotApplicable, check
from piste.core.family import Dimension, Value
from piste.core.finding import Finding, short
from piste.core.pasted import scalar, written
from piste.core.problem import Entry
from piste.core.review.evidence import RULES, Evidence
from piste.core.search import Candidate

STUCK = "not converged"  # what the note of a fit says
EDGE = 0.1  # of a range: the outermost part at either end
AWAY = 0.25  # the part next to an end that counts as near it
TREND = 0.5  # rank correlation of the cost with the distance from the end
FEW = 5  # settings, of which no trend can be read
STEP = 3.0  # times the setting, and times that again: what is tried next


@check(
    "M15",
    "Stopped before its end",
    "note",
    computed="Whether a fit of the champion's warned that it had not converged; and whether its best setting lies in the outermost tenth "
    "of a hyperparameter's range, or at an end of a grid of the author's own, while settings away from that end cost more.",
    threshold="One warning; costs that fall towards the end (rank correlation of 0.5 or more, on five settings or more), and none away "
    "from it that is as good. A share that ends at 0 or 1 cannot go on.",
    alarm="A few more trials.",
    source="Bischl et al., Hyperparameter optimization: foundations, algorithms, best practices, and open challenges, 2023.",
)
def finished(evidence: Evidence) -> Found | NotApplicable:
    """The champion's fit had not converged, or its best setting lies on the edge of what was tried: more of the same may be better."""
    if evidence.keeps_rule:
        return RULES
    return Found([*_stuck(evidence), *_edges(evidence)])


def _stuck(evidence: Evidence) -> Iterator[Finding]:
    parts = evidence.champion.parts
    stuck = sum(STUCK in part.notes for part in parts)
    if stuck:
        title = evidence.row.title
        message = f"{title} had not converged in {stuck} of {len(parts)} fits"
        follows = "Its numbers are those of a fit cut short: a longer one may do better, or worse"
        fix = "give it more room: fewer or better scaled columns, a milder setting, or another kind of model"
        yield Finding("M15", "note", evidence.champion.column.entry, stuck, 0, message, fix, follows, field="families")


def _edges(evidence: Evidence) -> Iterator[Finding]:
    case = evidence.case
    for candidate in {
        each.key[:2]: each for _, each in reversed(evidence.champion.members)
    }.values():  # of an entry, the one that counts most
        entry, kin = case.plan.entries[candidate.entry]
        space = kin.space(case.resolved.task(case.plan.asked[candidate.framing], max(len(fold.train) for fold in case.folds.folds)))
        for name, value in candidate.params.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or name not in space:
                continue
            tried, grid, end = _tried(evidence, candidate, name), entry.params.get(name), None
            if name not in entry.params:
                end = _range_end(space[name], value, tried, case.choice.rope)
            elif isinstance(grid, tuple):
                end = _grid_end(grid, value, tried, case.choice.rope)
            if end is not None:
                yield _edge(evidence, candidate, name, value, end)


def _tried(evidence: Evidence, candidate: Candidate, name: str) -> list[tuple[float, float]]:
    """Return each number tried of a hyperparameter, with the mean loss of the setting; settings that lack it take no part."""
    found = []
    for column, loss in zip((each.column for each in evidence.case.entrants), evidence.case.sample.mean, strict=True):
        value = column.params.get(name)
        same = (column.framing, column.entry, column.rule) == (*candidate.key[:2], evidence.champion.column.rule)
        if same and isinstance(value, int | float):
            found.append((float(value), float(loss)))
    return found


def _range_end(dimension: Dimension, value: float, tried: Sequence[tuple[float, float]], rope: float) -> str | None:
    """Tell at which end of the range the best setting lies; None where it does not, or where nothing but chance put it there."""
    if dimension.choices or len(tried) < FEW:
        return None
    from scipy import stats

    places, losses = (np.array(part) for part in zip(*((_place(dimension, at), loss) for at, loss in tried), strict=True))
    place = _place(dimension, value)
    least = dimension.low == (1 if dimension.integer else 0)  # no less is possible
    most = dimension.high == 1 and not dimension.log  # a share
    for end, mine, away, natural in (("low", place, places, least), ("high", 1 - place, 1 - places, most)):
        if mine > EDGE or natural or not (away > AWAY).any() or len(np.unique(away)) < FEW:
            continue
        if losses[away > AWAY].min() - losses.min() > rope and float(stats.spearmanr(away, losses).statistic) >= TREND:
            return end
    return None


def _grid_end(grid: tuple[Value, ...], value: float, tried: Sequence[tuple[float, float]], rope: float) -> str | None:
    """Tell at which end of a grid of the author's own the best setting lies, where the value next to it costs more."""
    values = sorted({float(each) for each in grid if isinstance(each, int | float) and not isinstance(each, bool)})
    if len(values) < 3 or value not in (values[0], values[-1]):
        return None
    best = {each: min((loss for at, loss in tried if at == each), default=np.inf) for each in values}
    beside = values[1] if value == values[0] else values[-2]
    if not best[beside] - best[value] > rope:
        return None
    return "low" if value == values[0] else "high"


def _place(dimension: Dimension, value: float) -> float:
    """Return where a number lies in a range, 0 to 1."""
    low, high = dimension.low, dimension.high
    if dimension.log:
        low, high, value = np.log(low), np.log(high), np.log(max(value, np.finfo(float).tiny))
    return float((value - low) / (high - low)) if high > low else 0.5


def _edge(evidence: Evidence, candidate: Candidate, name: str, value: Value, end: str) -> Finding:
    title = evidence.case.plan.entries[candidate.entry][1].title
    message = f"{title} is best with {name} {short(float(value or 0))}, at the {'lower' if end == 'low' else 'upper'} end of what was tried"
    follows = "A better setting may lie beyond that end: what is shown is not the best that this kind of model can do"
    fix = f"try {'smaller' if end == 'low' else 'larger'} values of {name}"
    entries = evidence.case.resolved.entries
    wider = [
        {entry.name: {**_given(entry), name: _beyond(value, end)}} if entry.name == candidate.entry else written(entry) for entry in entries
    ]
    paste = f"families: {scalar(wider)}"
    number = float(value) if isinstance(value, int | float) else float("nan")
    return Finding("M15", "note", f"{candidate.entry} {name}", number, number, message, fix, follows, paste, "families")


def _given(entry: Entry) -> dict[str, Any]:
    """Return what the author says of an entry."""
    said = written(entry)
    return {} if isinstance(said, str) else {"factory": said[entry.name]} if isinstance(said[entry.name], str) else dict(said[entry.name])


def _beyond(value: Value, end: str) -> list[Value]:
    """Return the setting, and two beyond it."""
    assert isinstance(value, int | float), "only numbers have ends"
    steps = [value * STEP**power for power in ((0, -1, -2) if end == "low" else (0, 1, 2))]
    return list(dict.fromkeys(max(1, round(each)) if isinstance(value, int) else float(f"{each:.2g}") for each in steps))
