"""piste beside the honest notebook, on the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.performance.layout import change, circumstances, seconds, table, times

ABOUT = (
    "The honest notebook runs scikit-learn's GridSearchCV with refit for six kinds of model, ten configurations each on five shuffled "
    "folds, and logs to MLflow what a careful person would; piste compares the same six kinds, with as many configurations, on the same "
    "rows and folds. Neither sees the held-out fifth of the rows, on which both are judged. Times are CPU seconds of the whole process "
    "tree, one thread a fit, imports, refits and MLflow included; on piste's side also what the notebook does not do: the audit, the rules "
    "to beat, intervals, a learning curve, and the report. Rows are *capped*, for both sides, where the notebook would take over ten "
    "minutes for one kind of model. Not compared: the time that a person takes to write either."
)
MEAN, LEAST = 5.0, 3.0  # times less CPU time: in the geometric mean, and on any set
WITHIN = 0.02  # by which a family's error may exceed that of the notebook's


def laid_out(found: Mapping[str, Any]) -> str:
    """Return a table of both sides on each set, what it comes to, and the families one by one."""
    outcomes = found["outcomes"]
    head = ("set", "rows", "held-out error", "notebook", "piste", "less", "notebook's error", "piste's error", "difference")
    return "\n\n".join(
        [
            table(head, map(_whole, outcomes), words=1),
            _told(outcomes),
            f"Each family's held-out error against that of the notebook's same family (asked: at most {change(WITHIN)}; less is better):",
            table(("family", *(outcome["set"] for outcome in outcomes)), _families(outcomes)),
            circumstances(found),
        ]
    )


def _whole(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    theirs, ours = outcome["notebook"], outcome["piste"]
    took = (seconds(theirs["cpu_seconds"]), seconds(ours["cpu_seconds"]), times(_ratio(outcome)))
    errors = (f"{theirs['score']:.4g} ({theirs['best']})", f"{ours['score']:.4g} ({ours['best']})")
    rows = f"{outcome['rows']:,}{' (capped)' * (outcome['capped'] == outcome['rows'])}"
    return (outcome["set"], rows, outcome["error"], *took, *errors, change(ours["score"] / theirs["score"] - 1))


def _told(outcomes: Sequence[Mapping[str, Any]]) -> str:
    ratios = {outcome["set"]: _ratio(outcome) for outcome in outcomes}
    mean, worst = _geometric(ratios.values()), min(ratios, key=lambda name: ratios[name])
    better = _geometric(outcome["piste"]["score"] / outcome["notebook"]["score"] for outcome in outcomes) - 1
    return (
        f"CPU time, geometric mean: **{times(mean)}** less (at least {MEAN:g} x asked: {_reached(mean >= MEAN)}); "
        f"least on {worst}: {times(ratios[worst])} (at least {LEAST:g} x asked: {_reached(ratios[worst] >= LEAST)}). "
        f"Error of the champion against the notebook's best, geometric mean: {change(better)} (below 0 asked: {_reached(better < 0)})."
    )


def _families(outcomes: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    names = dict.fromkeys(name for outcome in outcomes for name in outcome["notebook"]["families"])
    return [(name, *(_family(outcome, name) for outcome in outcomes)) for name in names]


def _family(outcome: Mapping[str, Any], name: str) -> str:
    theirs, ours = (outcome[side]["families"][name] for side in ("notebook", "piste"))
    if "reason" in ours:
        return str(ours["reason"])
    apart = ours["score"] / theirs["score"] - 1
    return change(apart) if apart <= WITHIN else f"**{change(apart)}**"


def _ratio(outcome: Mapping[str, Any]) -> float:
    return float(outcome["notebook"]["cpu_seconds"] / outcome["piste"]["cpu_seconds"])


def _geometric(values: Iterable[float]) -> float:
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def _reached(reached: bool) -> str:  # noqa: FBT001 - a truth value is what it words
    return "reached" if reached else "**not reached**"
