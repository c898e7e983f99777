"""Tuning inside the training rows beside the full grid, on the page."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.performance.layout import against, change, circumstances, seconds, table, times

ABOUT = (
    "A family that tunes chooses one of ten settings by the training rows of each fold alone, and fits that; the full grid fits all ten on "
    "every fold and chooses by the judged rows. Both see the same rows, at most 2,500. *Less*: CPU seconds of the grid over those of the "
    "choice, median over three divisions of each set; *with the default*: with the column of the default added, which piste fits too. "
    "*Regret*: by how much the error (RMSE, or log loss) of what was chosen inside exceeds that of what the grid chose, on rows that "
    "neither side sees, mean over the divisions; *of the default*: the same for the default untuned, as a measure of what there is to gain."
)
MOST_REGRET = 0.01


def laid_out(found: Mapping[str, Any]) -> str:
    """Return a table with a line for each family and set, and one for the family over all sets."""
    head = ("family", "set", "rows", "grid", "inside", "less", "target", "reached", "with the default", "regret", "of the default")
    lines = []
    for family in dict.fromkeys(outcome["family"] for outcome in found["outcomes"]):
        mine = [outcome for outcome in found["outcomes"] if outcome["family"] == family]
        by_set = [[each for each in mine if each["set"] == name] for name in dict.fromkeys(each["set"] for each in mine)]
        lines += [_of_set(each) for each in by_set]
        lines.append(_of_all(mine, by_set))
    return f"{table(head, lines, words=2)}\n\n{circumstances(found)}"


def _of_set(splits: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    first = splits[0]
    grid, inside, ratio, with_default = (
        statistics.median(each[name] for each in splits) for name in ("grid_seconds", "inside_seconds", "ratio", "ratio_with_default")
    )
    took = (seconds(grid), seconds(inside), times(ratio), "", "", times(with_default))
    return (first["family"], first["set"], f"{first['rows']:,}", *took, change(_regret(splits)), change(_of_default(splits)))


def _of_all(outcomes: Sequence[Mapping[str, Any]], by_set: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[str, ...]:
    ratio, with_default = (statistics.median(each[name] for each in outcomes) for name in ("ratio", "ratio_with_default"))
    regret = statistics.mean(map(_regret, by_set))
    judged = f"{change(regret)}, under {100 * MOST_REGRET:g} %: {'yes' if regret < MOST_REGRET else '**no**'}"
    took = (*against(ratio, outcomes[0]["target"]), times(with_default))
    return (f"**{outcomes[0]['family']}**", "all", "", "", "", *took, judged, change(statistics.mean(map(_of_default, by_set))))


def _regret(splits: Sequence[Mapping[str, Any]]) -> float:
    return float(statistics.mean(each["regret"] for each in splits))


def _of_default(splits: Sequence[Mapping[str, Any]]) -> float:
    return float(statistics.mean(each["default"] / each["grid"] - 1 for each in splits))
