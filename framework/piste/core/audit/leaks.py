"""Columns that hold the answer, or look as if they do: copies, recodings, parts, and what is stronger than it should be."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.audit import cures
from piste.core.audit.measures.copied import COPIED, Copy
from piste.core.audit.measures.skill import FEWEST_ROWS, luck
from piste.core.audit.numbered import names_rows
from piste.core.audit.survey import Survey
from piste.core.audit.unsaid import EITHER, IF_AFTER, TOO_GOOD, says, unvouched
from piste.core.check import Found, NotApplicable, check
from piste.core.errors import both
from piste.core.finding import Finding, percent

STRONG = 0.8
PART = 0.05  # of the target's sum, of a column that may be a part of it,
WHOLES = 3  # which is all of it at that many values
MOVING = 0.3  # and goes with it, by its rank correlation
SEVERAL = 2  # strong columns that are asked about one by one
LOST = "The answer is in the row: models will look perfect, and fail in use, where it is not there yet"


@check(
    "L01",
    "Target copied",
    "block",
    "warn",
    computed="each column against the target: an exact straight line, the rank correlation, one class for each value, ranges that do not "
    "overlap; then pairs and triples of columns: the plane of the target on them (from their correlations, so all are tried), and the "
    "same in logarithms for products and ratios, held against every row of the sample",
    threshold="rank correlation of 0.999, or a formula of whole numbers that holds in 95% of the rows to a thousandth of the target's "
    "spread: chance and honest measurement stay below; a formula with numbers of its own in every row only warns, since it may be a law",
    alarm="where the formula is known and right before the decision, no model is needed: write it as a baseline and acknowledge",
    source="Kapoor and Narayanan 2023 (L2, illegitimate features); H2O Driverless AI drops a column from a correlation of 0.999",
)
def target_copied(survey: Survey) -> Found | NotApplicable:
    """Columns that are the target: a copy in other units or with noise, a recoding, or a sum, difference, product or ratio of several."""
    if len(survey.sample) < FEWEST_ROWS:
        return NotApplicable(f"fewer than {FEWEST_ROWS} rows tell no copy from chance")
    return Found([_copy(survey, each) for each in survey.copies])


@check(
    "L02",
    "Suspiciously strong column",
    "warn",
    computed="what each column alone saves of the constant's loss, out of fold (R2; for classes twice the area under the ROC curve less "
    "one), from the means of its quantiles or levels; and whether a number is never above the target and at times all of it",
    threshold="0.8: honest columns that strong are rare enough to be asked for once; or a part that is all of the target at three values "
    "or more, makes up a twentieth of its sum, and moves with it (rank correlation 0.3). What known_at or unit names is not asked",
    alarm="one word of the column in known_at",
    source="deepchecks, single-feature predictive power (0.8); H2O Driverless AI, leakage by feature",
)
def strong_column(survey: Survey) -> Found | NotApplicable:
    """A column that predicts most of the target by itself, or looks like a part of it, and of which nobody has said when it is known."""
    if len(survey.sample) < FEWEST_ROWS:
        return NotApplicable(f"fewer than {FEWEST_ROWS} rows tell no skill from chance")
    told = {name for each in survey.copies for name in each.columns} | {each.column for each in survey.encodings} | survey.vouched
    told |= {name for name in unvouched(survey) if names_rows(survey, name)}
    ranked = sorted(
        ((each.score, name) for name, each in survey.skills.items() if each.score >= max(STRONG, luck(survey)) and name not in told),
        reverse=True,
    )
    parts = [] if survey.has_classes else [name for name in unvouched(survey) if name not in told and _is_part(survey, name)]
    found = [_part(survey, name) for name in parts]
    ranked = [(score, name) for score, name in ranked if name not in parts]
    if len(ranked) <= SEVERAL:
        return Found([*found, *(_strong(survey, name, score) for score, name in ranked)])
    score, first = ranked[0]
    names = [name for _, name in ranked]
    others = both(names[1:3]) if len(names) <= 3 else f"'{names[1]}', '{names[2]}' and {len(names) - 3} more"
    message = f"'{first}' alone {says(survey, score)}; {others} come near it"
    return Found(
        [
            *found,
            Finding(
                "L02", "warn", first, score, STRONG, message,
                fix="known before: list them under known_at: decision. Filled in only afterwards: under known_at: after",
                consequence="If one of them is known only afterwards, every score here is too good",
                paste=cures.known_at(survey.resolved.problem, "decision", names),
                field="known_at",
            )
        ]
    )  # fmt: skip


def _copy(survey: Survey, found: Copy) -> Finding:
    several = len(found.columns) > 1
    before = "list those that are filled in only afterwards under known_at: after" if several else IF_AFTER
    law = (
        "filled in only afterwards: list them under known_at: after. A law of nature or of your books: write the formula as a baseline "
        "instead"
    )
    return Finding(
        "L01",
        "warn" if found.law else "block",
        " + ".join(found.columns),
        found.number,
        1.0 if found.law else COPIED,
        found.message,
        fix=law if found.law else before,
        consequence="No model is needed where the formula is known" if found.law else LOST,
        paste=cures.known_at(survey.resolved.problem, "after", found.columns),
        field="known_at",
    )


def _strong(survey: Survey, name: str, score: float) -> Finding:
    return Finding(
        "L02",
        "warn",
        name,
        score,
        STRONG,
        f"'{name}' alone {says(survey, score)}, and nothing says when it is known",
        fix=EITHER,
        consequence=TOO_GOOD,
        paste=cures.known_at(survey.resolved.problem, "after", [name]),
        field="known_at",
    )


def _is_part(survey: Survey, name: str) -> bool:
    """Tell whether a column may be a part of a sum: never below 0, never above the target, at times all of it, and moving with it."""
    values = survey.frame[name].iloc[survey.sample]
    if not pd.api.types.is_numeric_dtype(values) or survey.resolved.problem.target.columns:
        return False
    x, y = values.to_numpy(dtype=float), survey.y[survey.sample]
    known = np.isfinite(x)
    x, y = x[known], y[known]
    if len(x) < FEWEST_ROWS or (x < 0).any() or (x > y).any():
        return False
    all_of_it = np.unique(x[(x == y) & (x > 0)])
    return len(all_of_it) >= WHOLES and x.sum() >= PART * y.sum() and survey.skills[name].spearman >= MOVING


def _part(survey: Survey, name: str) -> Finding:
    x, y = survey.frame[name].to_numpy(dtype=float)[survey.sample], survey.y[survey.sample]
    known = np.isfinite(x)
    label, share = survey.resolved.problem.target.column, float(x[known].sum() / y[known].sum())
    return Finding(
        "L02",
        "warn",
        name,
        share,
        PART,
        f"'{name}' is never above '{label}' and at times all of it, as a part of it would be ({percent(share)} on average), "
        "and nothing says when it is known",
        fix=EITHER,
        consequence=TOO_GOOD,
        paste=cures.known_at(survey.resolved.problem, "after", [name]),
        field="known_at",
    )
