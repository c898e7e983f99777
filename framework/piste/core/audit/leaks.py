"""Columns that hold the answer, or look as if they do: copies, parts, recodings, row numbers, telling names."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from piste.core.audit import cures
from piste.core.audit.copied import COPIED, Copy, one_way
from piste.core.audit.relations import both
from piste.core.audit.skill import FEWEST_ROWS
from piste.core.audit.survey import Survey
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding
from piste.core.melt import OUTPUT, targets

STRONG = 0.8
PART = 0.05  # of the target's sum, of a column that may be a part of it,
WHOLES = 5  # which is all of it at that many values
MOVING = 0.3  # and goes with it, by its rank correlation
SEVERAL = 2  # strong columns that are asked about one by one
UNIQUE = 0.9  # share of the rows: more distinct whole numbers than that name rows
TOLD = 0.1  # skill from which a row number tells something
IN_ORDER = 0.99  # of neighbours whose targets rise, or all fall, with the number of the row in its group
FEW = 10  # values of a second column within which a group's rows may be numbered
SMELLS = {
    "after", "outcome", "result", "results", "final", "refund", "refunded", "actual", "next", "future", "wait", "waited", "waiting",
    "eventual", "realised", "realized", "resolution", "resolved", "closed", "cancelled", "canceled", "followup",
}  # fmt: skip
EARLIER = {"lag", "last", "prev", "previous", "yesterday", "ago", "usual", "forecast", "expected", "planned", "prior", "before", "past"}
PLAIN_NAMES = {"target", "class", "label", "value", "total", "type", "goal", "outcome", "result", "score", "count", "number", "price"}
LAST = {"id", "no", "nr", "number", "uid", "uuid", "pid"}  # the last word of a name that numbers rows
ONLY = {"index", "idx", "key", "row", "rownum", "rowid", "rownames", "serial", "order"}  # such a name that is one word
LOST = "The answer stands in the row: models will look perfect, and be lost in use, where it is not there yet"
IF_AFTER = "if it is filled in only afterwards, say so, and no model sees it"
EITHER = f"{IF_AFTER}; if it is known before, list it under `decision` instead"
TOO_GOOD = "If it is known only afterwards, every score here is too good"


@check(
    "L01",
    "Target copied",
    "block",
    "warn",
    computed="each column against the target: an exact straight line, the rank correlation, one class for each value, ranges that do not "
    "overlap; then pairs and triples of columns: the plane of the target on them (from their correlations, so all are tried), and the "
    "same in logarithms for products and ratios, held against every row of the sample",
    threshold="rank correlation of 0.999, or a formula of whole numbers that holds in 95 % of the rows to a thousandth of the target's "
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
    "one), from the means of 256 quantiles or of its levels",
    threshold="0.8: honest columns that strong are rare enough to be asked for once; what known_at or unit names is not asked",
    alarm="one word of the column in known_at",
    source="deepchecks, single-feature predictive power (0.8); H2O Driverless AI, leakage by feature",
)
def strong_column(survey: Survey) -> Found | NotApplicable:
    """A column that foretells most of the target by itself, or looks like a part of it, and of which nobody has said when it is known."""
    if len(survey.sample) < FEWEST_ROWS:
        return NotApplicable(f"fewer than {FEWEST_ROWS} rows tell no skill from chance")
    told = {name for each in survey.copies for name in each.columns} | survey.vouched
    ranked = sorted(((each.score, name) for name, each in survey.skills.items() if each.score >= STRONG and name not in told), reverse=True)
    parts = [] if survey.has_classes else [name for name in _unvouched(survey) if name not in told and _is_part(survey, name)]
    found = [_part(survey, name) for name in parts]
    ranked = [(score, name) for score, name in ranked if name not in parts]
    if len(ranked) <= SEVERAL:
        return Found([*found, *(_strong(survey, name, score) for score, name in ranked)])
    score, first = ranked[0]
    names = [name for _, name in ranked]
    others = both(names[1:3]) if len(names) <= 3 else f"'{names[1]}', '{names[2]}' and {len(names) - 3} more"
    message = f"{_alone(survey, first, score)}; {others} come near it"
    return Found(
        [
            *found,
            Finding(
                "L02", "warn", first, score, STRONG, message,
                fix="if all of them are known at the decision, say so; what comes afterwards goes under `after`",
                consequence="If one of them is known only afterwards, every score here is too good",
                paste=cures.known_at(survey.resolved.problem, "decision", names),
                field="known_at",
            )
        ]
    )  # fmt: skip


@check(
    "L05",
    "Row number tells the answer",
    "warn",
    computed="columns of whole numbers that differ in more than 90 % of the rows and rise or fall along the file, or are named as numbers "
    "of rows are, with their skill alone; and columns that count the rows of a group, against the order of the target within the group",
    threshold="a skill of 0.1, or 99 % of a group's neighbours in the order of the target: a number without meaning has none",
    alarm="one line that drops the column",
    source="deepchecks, identifier-label correlation; Kaufman et al. 2012 (the patient number that told the hospital)",
)
def row_number(survey: Survey) -> Found | NotApplicable:
    """A column that numbers the rows, or the rows of each group, in an order that comes from the answer."""
    rows = survey.sample
    numbers = [name for name in _unvouched(survey) if survey.resolved.table.kinds[name] == "number"]
    if len(rows) < FEWEST_ROWS:
        return NotApplicable(f"fewer than {FEWEST_ROWS} rows have no order to speak of")
    found = []
    for name in numbers:
        x = survey.frame[name].to_numpy(dtype=float)[rows]
        score = survey.skills[name].score
        seen = x[np.isfinite(x)]
        if len(seen) < FEWEST_ROWS or not np.array_equal(seen, np.round(seen)):
            continue
        if score > TOLD and len(np.unique(seen)) > UNIQUE * len(seen) and _names_rows(survey, name, x):
            found.append(_number(survey, name, score))
        elif within := _numbered_within(survey, name, x):
            found.append(within)
    return Found(found)


@check(
    "L15",
    "Name that smells of afterwards",
    "note",
    computed="the words of each column's name",
    threshold="a word of things that happen later (after, outcome, result, final, refund, actual, next, future, wait, ...), or the name of "
    "the target with more words",
    alarm="none: it is a note",
    source="Kapoor and Narayanan 2023 (L2); Kaggle's competitions lost to columns named after the event",
)
def telling_name(survey: Survey) -> Found | NotApplicable:
    """A column whose name speaks of what happens after the decision, or of the target itself."""
    found = []
    answers = {name: _split(name) for name in targets(survey.resolved.problem)}
    for name in _unvouched(survey):
        words = _split(name)
        smell = next((word for word in words if word in SMELLS and not EARLIER & set(words)), None)
        akin = next((answer for answer, its in answers.items() if _inside(its, words) and not EARLIER & set(words)), None)
        if smell or akin:
            what = f"'{name}' has '{smell}' in its name" if smell else f"'{name}' bears the name of the target, '{akin}'"
            found.append(
                Finding(
                    "L15", "note", name, 1.0, 1.0, f"{what}, and nothing says when it is known",
                    fix=EITHER,
                    consequence=TOO_GOOD,
                    paste=cures.known_at(survey.resolved.problem, "after", [name]),
                    field="known_at",
                )
            )  # fmt: skip
    return Found(found)


def _copy(survey: Survey, found: Copy) -> Finding:
    several = len(found.columns) > 1
    before = "say which of them are filled in only afterwards, and no model sees them" if several else IF_AFTER
    law = "if they are filled in afterwards, say so; if it is a law, write the formula as a baseline instead of learning it"
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


def _alone(survey: Survey, name: str, score: float) -> str:
    label = survey.resolved.problem.target.column
    if survey.has_classes:
        pairs = f"{100 * (score + 1) / 2:.1f}".removesuffix(".0")
        return f"'{name}' alone tells two rows of different '{label}' apart in {pairs} of 100 cases"
    what = "the targets vary" if survey.resolved.problem.target.columns else f"'{label}' varies"
    return f"'{name}' alone explains {score:.0%} of how {what}"


def _strong(survey: Survey, name: str, score: float) -> Finding:
    return Finding(
        "L02",
        "warn",
        name,
        score,
        STRONG,
        f"{_alone(survey, name, score)}, and nothing says when it is known",
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
        f"'{name}' is never above '{label}' and at times all of it, as a part of it would be ({share:.0%} on average), "
        "and nothing says when it is known",
        fix=EITHER,
        consequence=TOO_GOOD,
        paste=cures.known_at(survey.resolved.problem, "after", [name]),
        field="known_at",
    )


def _names_rows(survey: Survey, name: str, x: np.ndarray) -> bool:
    """Tell whether a column of distinct numbers is a number of the row: by its name, or by its order in the file, but not in time."""
    words = _split(name)
    if words[-1] in LAST or (len(words) == 1 and words[0] in ONLY):
        return True
    time = survey.resolved.problem.time
    if time and one_way(x[np.argsort(survey.frame[time].iloc[survey.sample], kind="stable")]):
        return False
    return one_way(x)


def _number(survey: Survey, name: str, score: float) -> Finding:
    label = survey.resolved.problem.target.column
    worth = f"it tells two rows of different '{label}' apart in {100 * (score + 1) / 2:.0f} of 100 cases" if survey.has_classes else ""
    worth = worth or f"it explains {score:.0%} of how '{label}' varies"
    return Finding(
        "L05",
        "warn",
        name,
        score,
        TOLD,
        f"'{name}' differs from row to row, as a number of the row does, and yet {worth}",
        fix="leave it out",
        consequence="New rows have numbers that no model has seen: what is learnt from it is lost in use",
        paste=cures.dropped(survey.resolved.problem, [name]),
        field=f"columns.{name}",
    )


def _numbered_within(survey: Survey, name: str, x: np.ndarray) -> Finding | None:
    """Find a column that counts the rows of each group in the order of the target: the first child is the tallest."""
    if survey.has_classes or survey.resolved.problem.target.columns or not np.isfinite(x).all() or x.min() not in (0, 1):
        return None
    counts = np.bincount((x - x.min()).astype(int)) if x.max() <= len(x) else np.zeros(1)
    if len(counts) < 2 or (np.diff(counts) > 0).any() or not counts.all():
        return None
    frame, y = survey.frame.iloc[survey.sample], survey.y[survey.sample]
    groups = [(str(key), pd.factorize(frame[key])[0]) for key in frame if key != name and frame[key].nunique() == counts[0]]
    groups = [(key, codes) for key, codes in groups if _counts(codes, x, int(counts[0]))]
    few = [str(key) for key in frame if key != name and 2 <= frame[key].nunique() <= FEW]
    for key, codes in groups:
        for second in [None, *few]:
            inner = codes if second is None else codes * FEW + pd.factorize(frame[second])[0]
            share, falls, pairs = _ordered(inner, x, y)
            if pairs >= FEWEST_ROWS and share >= IN_ORDER:
                return _counter(survey, name, key, second, share, falls=falls)
    return None


def _counts(codes: np.ndarray, x: np.ndarray, n_groups: int) -> bool:
    """Tell whether a number counts the rows of each group from its least value, leaving out none."""
    order = np.lexsort((x, codes))
    same = np.diff(codes[order]) == 0
    steps = np.diff(x[order])
    return bool(codes.min() >= 0 and (steps[same] == 1).all() and (~same).sum() + 1 == n_groups)


def _ordered(codes: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, bool, int]:
    """Return the share of neighbours within groups whose targets go the one way, whether it is down, and how many there are."""
    order = np.lexsort((x, codes))
    steps = np.diff(y[order])[np.diff(codes[order]) == 0]
    up, down = int((steps > 0).sum()), int((steps < 0).sum())
    return max(up, down) / max(1, up + down), down > up, up + down


def _counter(survey: Survey, name: str, key: str, second: str | None, share: float, *, falls: bool) -> Finding:
    label = survey.resolved.problem.target.column
    group = f"every '{key}'" + (f" and '{second}'" if second else "")
    way = "falls" if falls else "rises"
    always = "always" if share == 1 else f"in {share:.1%} of the steps"
    return Finding(
        "L05",
        "warn",
        name,
        share,
        IN_ORDER,
        f"'{name}' counts the rows of {group}, and '{label}' {always} {way} along it: they were put in that order",
        fix=f"{IF_AFTER}; if the order was there before the answer, list it under `decision` instead",
        consequence="If rows are numbered by the answer, the number gives it away, and there is none in use",
        paste=cures.known_at(survey.resolved.problem, "after", [name]),
        field="known_at",
    )


def _unvouched(survey: Survey) -> list[str]:
    return [column.name for column in survey.features if column.name not in survey.vouched and column.name != OUTPUT]


def _split(name: str) -> list[str]:
    """Return the words of a name: "wait_minutes", "waitMinutes" and "Wait Minutes" are alike."""
    return [word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)] or [name.casefold()]


def _inside(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Tell whether the words of a target stand in a longer name, where they are no word that names anything."""
    if set(part) <= PLAIN_NAMES or len("".join(part)) < 4 or len(part) >= len(whole):
        return False
    return any(list(whole[i : i + len(part)]) == list(part) for i in range(len(whole) - len(part) + 1))
