"""M06: whether some part of the rows is served much worse than the whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from piste.core.case import Case, currency
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, percent, short
from piste.core.problem import amount
from piste.core.review.evidence import Evidence
from piste.core.statistics import sample

FEW_BLOCKS = 30  # a slice of fewer says nothing
MOST_VALUES = 20  # distinct numbers beyond which a column is cut at its quartiles
FALSE_DISCOVERIES = 0.1  # share of the slices found that may be found by chance (Benjamini and Hochberg 1995)


@check(
    "M06",
    "A slice that does worse",
    "warn",
    "note",
    computed="In each slice of `slices` that has 30 blocks of rows or more: the champion's cost over its cost on all rows, and the chance "
    "that blocks drawn anew would not find it to cost more there.",
    threshold="Costs more by more than `worse_than_overall` (25% where not given), sure enough that of all slices found a tenth at most is "
    "found by chance. Noted only, where the rule surely does worse there and the author set no limit of his own.",
    alarm="Some rows are harder for everyone: what the rule costs there stands beside it.",
    source="Benjamini and Hochberg, Controlling the false discovery rate, 1995; the threshold is near that of deepchecks (20%).",
)
def even(evidence: Evidence) -> Found | NotApplicable:
    """Some part of the rows is served much worse than the whole."""
    case = evidence.case
    slices = case.resolved.problem.slices
    if slices is None:
        return NotApplicable("the problem names no slices")
    lines = [line for column in slices.columns for line in _column(case, column)]
    table = pd.DataFrame(lines)
    if table.empty:
        return NotApplicable("no row is judged")
    allowed, asked = amount(slices.worse_than_overall, 1.0), "worse_than_overall" in slices.model_fields_set
    suspect = table[(table["excess"] > allowed) & (table["blocks"] >= FEW_BLOCKS)]
    ranked = table.loc[table["blocks"] >= FEW_BLOCKS, "p"].sort_values()
    passed = ranked[ranked <= FALSE_DISCOVERIES * np.arange(1, len(ranked) + 1) / max(1, len(ranked))]
    limit = passed.max() if len(passed) else -1.0
    findings = [
        Finding(
            "M06",
            "note" if not asked and row["gain_lo"] > 0 else "warn",
            f"{row['column']} {row['value']}",
            float(row["excess"]),
            allowed,
            _sentence(case, row),
            "give the model what makes these rows different, or keep the rule there",
            f"{percent(row['rows'] / len(case.court.lines.judged))} of the rows are such, and get worse predictions than the average says",
            field="slices",
        )
        for _, row in suspect.iterrows()
        if row["p"] <= limit
    ]
    return Found(findings, {"slices": table})


def _sentence(case: Case, row: pd.Series) -> str:
    yardstick = case.court.yardstick
    cost = (
        f"a decision costs {short(row['cost'])}{currency(yardstick.name)}"
        if yardstick.priced
        else f"the {yardstick.name} is {short(row['cost'])}"
    )
    found = f"Where {row['column']} is {row['value']}, {cost}, {percent(row['excess'])} above the average"
    if case.champion == case.base:
        return found
    there = "does better" if row["baseline"] <= row["cost"] else f"comes to {short(row['baseline'])}"
    return f"{found}, and the rule {there} there"


def slice_names(column: pd.Series) -> np.ndarray:
    """Return the name of each row's slice, (n_rows,): the value, or the quarter that a number lies in."""
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_VALUES:
        edges = np.unique(np.nanquantile(column, [0.25, 0.5, 0.75]))
        codes = np.searchsorted(edges, column.to_numpy(), side="right")
        names = [
            f"below {edges[0]:g}",
            *(f"{low:g} to {high:g}" for low, high in pairwise(edges)),
            f"from {edges[-1]:g}",
        ]
        return np.where(column.isna(), "missing", np.array(names, dtype=object)[codes])
    shown = column.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    return np.asarray(shown.where(column.notna(), "missing"), dtype=object)


def _column(case: Case, column: str) -> list[dict[str, object]]:
    """Return one line for each slice of a column."""
    judged = case.court.lines.judged
    names = slice_names(case.resolved.table.frame[column].iloc[judged])
    weight, blocks = case.court.weight[judged], case.folds.blocks[judged]
    mine, rule = case.losses[:, case.champion], case.losses[:, case.base]
    overall, shown = float(case.sample.mean[case.champion]), case.court.yardstick.shown
    found: list[dict[str, object]] = []
    for name in sorted(set(names)):
        rows = names == name
        part = np.stack([mine[rows], rule[rows]], axis=1)
        drawn = sample(part, weight[rows], blocks[rows], ordered=case.folds.ordered, seed=case.resolved.problem.seed)
        cost, baseline = (float(shown(max(0.0, drawn.mean[i]))) for i in (0, 1))
        whole = float(shown(overall))
        p = 1.0 if drawn.draws is None else float(np.mean(drawn.draws[:, 0] <= overall))
        low, high = (float(shown(max(0.0, end))) if np.isfinite(end) else float("nan") for end in drawn.interval(0))
        saved = (float(drawn.mean[1] - drawn.mean[0]), *drawn.difference(1, 0)[1:])
        with np.errstate(invalid="ignore", divide="ignore"):  # a rule without a single error there
            gain, least, most = (1 - float(np.divide(shown(np.maximum(drawn.mean[1] - each, 0.0)), baseline)) for each in saved)
        found.append(
            {"column": column, "value": name, "rows": int(rows.sum()), "blocks": len(np.unique(blocks[rows])), "cost": cost, "cost_lo": low,
             "cost_hi": high, "baseline": baseline, "gain": gain, "gain_lo": least, "gain_hi": most,
             "excess": cost / whole - 1 if whole else 0.0, "p": p}
        )  # fmt: skip
    return found
