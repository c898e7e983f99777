"""L05: whether a number of the row, or of its place in a group, tells the answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from piste.core.audit import cures
from piste.core.audit.measures.copied import one_way
from piste.core.audit.measures.skill import FEWEST_ROWS, known_of, luck
from piste.core.audit.names import words
from piste.core.audit.survey import Survey
from piste.core.audit.unsaid import IF_AFTER, says, unvouched
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding

UNIQUE = 0.9  # share of the rows: more distinct whole numbers than that name rows
TOLD = 0.1  # skill from which a row number tells something
IN_ORDER = 0.99  # of neighbours whose targets rise, or all fall, with the number of the row in its group
FEW = 10  # values of a second column within which a group's rows may be numbered
LAST = {"id", "no", "nr", "number", "uid", "uuid", "pid"}  # the last word of a name that numbers rows
ONLY = {"index", "idx", "key", "row", "rownum", "rowid", "rownames", "serial", "order"}  # such a name that is one word


@check(
    "L05",
    "Row number tells the answer",
    "warn",
    computed="columns of whole numbers that differ in more than 90% of the rows and rise or fall along the file, or are named as numbers "
    "of rows are, with their skill alone, also where they only count and no model is shown them; and columns that count the rows of a "
    "group, against the order of the target within the group",
    threshold="a skill of 0.1, or four standard errors of chance where that is more; 99% of a group's neighbours in the order of "
    "the target: a number without meaning has neither",
    alarm="one line that drops the column",
    source="deepchecks, identifier-label correlation; Kaufman et al. 2012 (the patient number that told the hospital)",
)
def row_number(survey: Survey) -> Found | NotApplicable:
    """A column that numbers the rows, or the rows of each group, in an order that comes from the answer."""
    rows = survey.sample
    if len(rows) < FEWEST_ROWS:
        return NotApplicable(f"fewer than {FEWEST_ROWS} rows have no order to speak of")
    found = []
    for name in unvouched(survey):
        score = survey.skills[name].score
        if names_rows(survey, name):
            found += [_number(survey, name, score)] if score > max(TOLD, luck(survey)) else []
        elif within := _numbered_within(survey, name, survey.frame[name].iloc[rows]):
            found.append(within)
    return Found([*found, *_left_out(survey)])


def _left_out(survey: Survey) -> Iterator[Finding]:
    """Find numbers of the rows that no model sees, since they only count, and that tell the answer: the file is in its order."""
    problem = survey.resolved.problem
    for column in survey.resolved.table.columns:
        values = survey.frame[column.name].iloc[survey.sample]
        counts = column.role == "identifier" and column.name not in {*problem.columns, *survey.vouched} and _whole_numbers(values)
        if not counts or _follows_time(survey, values):
            continue
        score = known_of(survey).skill(values).score
        if score > max(TOLD, luck(survey)):
            yield Finding(
                "L05",
                "warn",
                column.name,
                score,
                TOLD,
                f"'{column.name}' only counts the rows, and yet it {says(survey, score)}: the file is sorted by the answer, or by time",
                fix="find out what the order of the file says, and leave this column out in so many words",
                consequence="Models do not see it; but what else follows the order of the file gives the answer away too",
                paste=cures.dropped(problem, [column.name]),
                field=f"columns.{column.name}",
            )


def _whole_numbers(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values)) and _whole(values)


def names_rows(survey: Survey, name: str) -> bool:
    """Tell whether a column of distinct whole numbers is a number of the row: by its name, or by its order in the file, but not in time."""
    x = survey.frame[name].iloc[survey.sample]
    if survey.resolved.table.kinds[name] != "number" or not _whole(x) or x.nunique() <= UNIQUE * x.notna().sum():
        return False
    its = words(name)
    if its[-1] in LAST or (len(its) == 1 and its[0] in ONLY):
        return True
    return one_way(x.to_numpy()) and not _follows_time(survey, x)


def _follows_time(survey: Survey, x: pd.Series) -> bool:
    """Tell whether a column of the sample only goes one way along the time."""
    time = survey.resolved.problem.time
    return time is not None and one_way(x.to_numpy()[np.argsort(survey.frame[time].iloc[survey.sample], kind="stable")])


def _whole(x: pd.Series) -> bool:
    seen = x.dropna().to_numpy(dtype=float)
    return len(seen) >= FEWEST_ROWS and np.array_equal(seen, np.round(seen))


def _number(survey: Survey, name: str, score: float) -> Finding:
    return Finding(
        "L05",
        "warn",
        name,
        score,
        TOLD,
        f"'{name}' differs from row to row, as a number of the row does, and yet it {says(survey, score)}",
        fix="leave it out",
        consequence="New rows have numbers that no model has seen: what is learnt from it is lost in use",
        paste=cures.dropped(survey.resolved.problem, [name]),
        field=f"columns.{name}",
    )


def _numbered_within(survey: Survey, name: str, values: pd.Series) -> Finding | None:
    """Find a column that counts the rows of each group in the order of the target: the first child is the tallest."""
    if survey.has_classes or survey.resolved.problem.target.columns or survey.resolved.table.kinds[name] != "number":
        return None
    x = values.to_numpy(dtype=float)
    if not _whole(values) or np.isnan(x).any() or x.min() not in (0, 1):
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
