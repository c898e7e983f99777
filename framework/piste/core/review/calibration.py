"""M07: whether probabilities and intervals keep their word."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.belief import Belief, belief
from piste.core.case import Case
from piste.core.entrants import Entrant
from piste.core.finding import Finding
from piste.core.reliability import coverage, reliability

INTERVALS = {0.8: (0.1, 0.9), 0.9: (0.05, 0.95)}
SURE = 3.0  # standard errors
SLACK = 0.01  # by which a share may always be off
SLOPES = (0.8, 1.2)


def check(case: Case, _: tuple[Entrant, ...]) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Compare the champion's intervals with what came, and its probabilities with how often it came."""
    entrant = case.entrants[case.champion]
    shares = sorted(share for ends in INTERVALS.values() for share in ends)
    held = belief(case.court, case.plan.asked[entrant.column.framing], entrant.column, shares)
    intervals, covered = _intervals(case, held)
    levels, believed = _levels(case, held)
    used = entrant.column.rule != "plug_in" and (case.court.yardstick.priced or held.levels is not None)
    findings = [*covered, *believed] if used else []
    return findings, {name: table for name, table in (("coverage", intervals), ("reliability", levels)) if len(table)}


def _intervals(case: Case, held: Belief) -> tuple[pd.DataFrame, list[Finding]]:
    lines = case.court.lines
    counts, rows = lines.counts, lines.row
    found, findings = [], []
    for level, (low, high) in INTERVALS.items() if held.quantiles else ():
        ends = (held.quantiles[low][counts], held.quantiles[high][counts])
        y, weight, blocks = case.court.came.y[counts], case.court.weight[rows][counts], case.folds.blocks[rows][counts]
        share, error = coverage(*ends, y, weight, blocks)
        inner, inner_error = coverage(np.nextafter(ends[0], np.inf), np.nextafter(ends[1], -np.inf), y, weight, blocks)
        found.append({"level": level, "share": share, "error": error, "width": float(np.average(ends[1] - ends[0], weights=weight))})
        narrow = level - share > max(SLACK, SURE * error)
        wide = inner - level > max(SLACK, SURE * inner_error)  # what lies on the ends does not count: whole numbers must lie somewhere
        if narrow or wide:
            word = "narrow" if narrow else "wide"
            message = f"The champion's {level:.0%} intervals hold {share:.1%} of what came: they are too {word}"
            findings.append(Finding("M07", "warn", f"{level:.0%} intervals", share, level, message, "rely on another framing's spread"))
    return pd.DataFrame(found), findings


def _levels(case: Case, held: Belief) -> tuple[pd.DataFrame, list[Finding]]:
    came = case.court.came
    if held.levels is None or came.level is None:
        return pd.DataFrame(), []
    lines = case.court.lines
    counts, rows = lines.counts, lines.row
    weight, blocks = case.court.weight[rows][counts], case.folds.blocks[rows][counts]
    tables, findings = [], []
    for code, name in enumerate(case.court.target.classes):
        told = reliability(held.levels[counts, code], (came.level[counts] == code).astype(float), weight, blocks)
        tables.append(told.bins.assign(level=name, slope=told.slope, slope_error=told.slope_error))
        away = max(SLOPES[0] - told.slope, told.slope - SLOPES[1])
        if np.isfinite(told.slope) and away > 0 and abs(told.slope - 1) > SURE * told.slope_error:
            word = "too sure" if told.slope < 1 else "not sure enough"
            message = f"The champion is {word} of '{name}': where it says twice as likely, it is {2**told.slope:.1f} times"
            findings.append(Finding("M07", "warn", name, told.slope, 1.0, message, "rely on another framing's probabilities"))
    return pd.concat(tables, ignore_index=True), findings
