"""Whether columns hold what models can learn from, in a form that they can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.audit.apiece import apiece
from piste.core.audit.cures import dropped, known_at
from piste.core.audit.measures.skill import dealt_out
from piste.core.audit.measures.texts import Among, Levels, dates_among, numbers_among, other_date, spellings, unit_of
from piste.core.audit.sentinels import exactly, missing_line, rows_of
from piste.core.audit.survey import Survey
from piste.core.check import Found, NotApplicable, check
from piste.core.data import Column
from piste.core.finding import Finding, Severity, percent, short
from piste.core.notation import shown
from piste.core.pasted import scalar
from piste.core.problem import ColumnKind, Problem

ONE_VALUE = 0.995  # of the rows
ABSENT = 0.5  # of the rows
TELLING = 4.0  # standard errors between the answers of some rows and of the others: no accident
EACH = 3  # findings of one kind; more are told in one
AUC, R2 = 0.60, 0.05  # by a missing cell alone
MOST_NAMED = 5  # columns in one finding
FEW_MISSING = 20  # rows on either side; fewer tell nothing
LEVELS = 50
THIN = 5  # rows of a level; of fewer nothing can be learnt
THIN_ROWS = 0.2  # of the rows, in levels as thin as that
MISSPELT = 0.01  # of the rows
TIME_NAMES = re.compile(r"(?:^|[_\W])(?:time|timestamp|date|datetime|ts|epoch|unixtime|at|when)(?:$|[_\W])", re.IGNORECASE)
EPOCH = (6.3e8, 2.2e9)  # seconds since 1970: from 1989 to 2039
FEW_DATES = 5


@check(
    "D03",
    "Dead column",
    "note",
    computed="In every column that models see: the share of the commonest value, and of missing cells",
    threshold=(
        "One value in more than 99.5% of the rows, or more than half of the cells missing; unless the answers of the other rows differ "
        "from those of these by more than 4 standard errors: then the column is sparse, not dead"
    ),
    alarm="None: a column that was left out for nothing costs a line to bring back",
    source="deepchecks, single value in column and percent of nulls",
)
def dead(survey: Survey) -> Found:
    """Columns that hold the same value nearly everywhere, or hardly any value at all."""
    rows = survey.sample
    answers = Answers.of(survey, rows)
    same: list[tuple[str, float, str]] = []
    empty: list[tuple[str, float, str]] = []
    for column in survey.features:
        values = survey.frame[column.name].iloc[rows]
        absent = values.isna().to_numpy()
        if absent.mean() > ABSENT:
            if not answers.differ(absent):
                empty.append((column.name, float(absent.mean()), ""))
            continue
        codes, levels = pd.factorize(values)
        counts = np.bincount(codes[codes >= 0])
        top = int(counts.argmax())
        if counts[top] > ONE_VALUE * len(rows) and not answers.differ(codes != top):
            same.append((column.name, float(counts[top] / len(rows)), shown(levels[top])))
    return Found(
        [
            *_told(
                survey.resolved.problem,
                same,
                ONE_VALUE,
                lambda name, share, value: f"'{name}' is {value} in {percent(share)} of the rows",
                "hold one value in more than 99.5% of the rows each",
                "No model can learn from so few other rows, and what is not learnt from still has to be collected and kept right",
            ),
            *_told(
                survey.resolved.problem,
                empty,
                ABSENT,
                lambda name, share, _: f"'{name}' is missing in {percent(share)} of the rows",
                "are missing in more than half of the rows each",
                "Most rows are predicted without it, and the answers do not differ between rows that have it and rows that do not",
            ),
        ]
    )


def _told(
    problem: Problem,
    found: Sequence[tuple[str, float, str]],
    threshold: float,
    one: Callable[[str, float, str], str],
    many: str,
    consequence: str,
) -> list[Finding]:
    """Tell of each column by itself, or of all together where there are many."""
    if len(found) <= EACH:
        return [
            Finding(
                "D03", "note", name, share, threshold, one(name, share, value), "leave it out", consequence,
                dropped(problem, [name]), f"columns.{name}",
            )
            for name, share, value in found
        ]  # fmt: skip
    names = [name for name, _, _ in found]
    listed = ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    paste = dropped(problem, names)
    message = f"{len(names)} columns {many}: {listed}"
    return [Finding("D03", "note", f"{len(names)} columns", len(names), EACH, message, "leave them out", consequence, paste, "columns")]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a mark on rows is held against."""

    y: np.ndarray  # (n_rows, n_answers): a number, or 0/1 for each class; of two classes, for the positive one
    fold: np.ndarray  # (n_rows,) whole blocks
    labels: tuple[str, ...]  # (n_answers,) of the classes; none for a number

    @staticmethod
    def of(survey: Survey, rows: np.ndarray) -> Answers:
        """Take the answers of some rows."""
        target = survey.resolved.table.target
        fold = dealt_out(survey.folds.blocks[rows], ordered=survey.folds.ordered, seed=survey.study.seed)
        if not survey.has_classes:
            return Answers(target.values[rows][:, None].astype(float), fold, ())
        asked = range(len(target.labels)) if len(target.labels) > 2 else (1,)
        hot = np.stack([target.values[rows] == code for code in asked], axis=1).astype(float)
        return Answers(hot, fold, tuple(target.labels[code] for code in asked))

    def differ(self, mark: np.ndarray) -> bool:
        """Tell whether the answers of marked rows surely differ from those of the others."""
        n = int(mark.sum())
        if not 2 <= n <= len(mark) - 2:
            return False
        gap = self.y[mark].mean(axis=0) - self.y[~mark].mean(axis=0)
        return bool((np.abs(gap) > TELLING * self.y.std(axis=0) * np.sqrt(1 / n + 1 / (len(mark) - n))).any())

    def told(self, mark: np.ndarray) -> tuple[float, int]:
        """Return how well a mark predicts the answer out of fold, and which of the answers it tells best.

        R2 of a number; the area under the ROC curve of a class.
        """
        folds = int(self.fold.max()) + 1
        cell = self.fold * 2 + mark
        size = np.bincount(cell, minlength=2 * folds).reshape(folds, 2)
        scores = []
        for y in self.y.T:
            mass = np.bincount(cell, y - y.mean(), 2 * folds).reshape(folds, 2)
            guess = (mass.sum(axis=0) - mass) / np.maximum(size.sum(axis=0) - size, 1)  # of the other folds
            scores.append(self._area(mark, y, guess) if self.labels else 1 - _misses(y, guess[self.fold, mark.astype(int)]))
        best = int(np.argmax(scores))
        return scores[best], best

    def _area(self, mark: np.ndarray, y: np.ndarray, guess: np.ndarray) -> float:
        won = pairs = 0.0
        for fold, (without, with_) in enumerate(guess):
            yes, no = (mark[(self.fold == fold) & (y == answer)] for answer in (1, 0))
            if len(yes) and len(no):
                pairs += len(yes) * len(no)
                won += len(yes) * len(no) * (0.5 + 0.5 * float(np.sign(with_ - without)) * float(yes.mean() - no.mean()))
        return won / pairs if pairs else 0.5


def _misses(y: np.ndarray, guess: np.ndarray) -> float:
    """Return the share of the squared differences that a guess, centred like y, leaves."""
    centred = y - y.mean()
    spread = float(centred @ centred)
    return float(np.sum((centred - guess) ** 2)) / spread if spread > 0 else 1.0


@check(
    "D04",
    "Missing cells tell the answer",
    "warn",
    computed=(
        "How well the answer is predicted by whether a cell is missing, out of fold over whole days or groups: the share of the squared "
        "differences for numbers (R2), the area under the ROC curve for classes, of the class that it tells best"
    ),
    threshold=(
        "R2 above 0.05, or an area above 0.60, with 20 rows on either side whose answers differ by more than 4 standard errors. One "
        "finding names all such columns, the most telling first. That a column is known before does not mean that its gaps are"
    ),
    alarm="A real signal would be lost if the column were left out: keep it, and ask; acknowledged once for the table",
    source="deepchecks, missing values and label correlation; Kaufman, Rosset and Perlich, Leakage in Data Mining, 2012",
    version=2,
)
def missing(survey: Survey) -> Found | NotApplicable:
    """Columns whose missing cells tell the answer: often a cell was filled in, or not, once the answer was known."""
    rows = survey.sample
    columns: dict[bytes, list[str]] = {}
    for column in survey.features:
        absent = survey.frame[column.name].iloc[rows].isna().to_numpy()
        if FEW_MISSING <= absent.sum() <= len(rows) - FEW_MISSING:
            columns.setdefault(absent.tobytes(), []).append(column.name)
    if not columns:
        return NotApplicable("no column has cells that are missing, but for a few")
    answers, threshold = Answers.of(survey, rows), AUC if survey.has_classes else R2
    found = []
    for key, names in columns.items():
        absent = np.frombuffer(key, dtype=bool)
        score, answer = answers.told(absent)
        if score > threshold and answers.differ(absent):
            found.append(_Gap(tuple(names), absent, score, answer))
    return Found([_gaps(survey, sorted(found, key=lambda each: -each.score), answers, threshold)] if found else [])


@dataclass(frozen=True, slots=True)
class _Gap:
    """Columns that miss the same cells, and what that tells."""

    names: tuple[str, ...]
    absent: np.ndarray  # (n_rows,)
    score: float
    answer: int  # number of the answer that it tells best


def _gaps(survey: Survey, gaps: Sequence[_Gap], answers: Answers, threshold: float) -> Finding:
    """Tell of all gaps in one finding, of the most telling one at length."""
    best, target = gaps[0], survey.resolved.table.target.name
    absent, y = best.absent, answers.y[:, best.answer]
    here, there = float(y[absent].mean()), float(y[~absent].mean())
    if answers.labels:
        label, labels = answers.labels[best.answer], survey.resolved.table.target.labels
        other = f"'{next(each for each in labels if each != label)}'" if len(labels) == 2 else "other"
        differ = f"'{target}' is '{answers.labels[best.answer]}' in {percent(here)} of them, and in {percent(there)} of the others"
        alone = f"shown one '{label}' and one {other} row, it picks out the '{label}' {percent(best.score)} of the time (guessing: 50%)"
    else:
        differ = f"'{target}' is {short(here)} there on average, and {short(there)} elsewhere"
        alone = f"it explains {percent(best.score)} of the differences in '{target}'"
    first, *others = names = [name for each in gaps for name in each.names]
    message = f"'{first}' is missing in {rows_of(int(absent.sum()), float(absent.mean()))}: {differ}"
    if others:
        listed = ", ".join(f"'{name}'" for name in others[: MOST_NAMED - 1])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        message += f"; the gaps of {listed}{more} tell it, too"
    consequence = (
        f"That a cell is missing is a clue by itself: {alone}. If cells are filled in once the answer is known, models learn what they "
        "will not see in use"
    )
    it = "it is" if len(names) == 1 else "they are"
    fix = f"find out when and why {it} filled in; if only afterwards: list it under known_at: after. If as early as in use: acknowledge it"
    paste = known_at(survey.resolved.problem, "after", names)
    return Finding("D04", "warn", " + ".join(names[:MOST_NAMED]), best.score, threshold, message, fix, consequence, paste, "known_at")


@check(
    "D06",
    "A column read as what it is not",
    "warn",
    "note",
    computed=(
        "The levels of every column of text: how many of its cells are numbers or dates but for some words, carry a unit behind a number, "
        "tell a time in a way that is not read as one, or are another level but for case, blanks, hyphens and dots, or "
        "its first letter; how many rows hold a level that comes fewer than 5 times. Columns of numbers: whether all are dates such as "
        "20201231, or seconds since 1970"
    ),
    threshold=(
        "40% of the cells (more than 90% are refused when the table is read), 10 different ones; units, other dates: 90% of the cells; "
        "1% of the rows spelt in another way, else a note; more than 50 levels: a note, and a warning where over 20% of the rows hold a "
        "level with fewer than 5 rows"
    ),
    alarm="They are names after all: declare the column a category",
    source="deepchecks, mixed data types and string mismatch",
)
def misread(survey: Survey) -> Found:
    """Numbers and dates that are read as text, texts that are one name spelt in several ways, and dates that are read as amounts."""
    problem = survey.resolved.problem
    found: list[Finding] = []
    for column in survey.resolved.table.columns:
        seen, declared = column.role == "feature", column.name in problem.columns
        if declared or column.name in problem.add or not (seen or column.role == "identifier"):
            continue
        values = survey.frame[column.name].iloc[survey.sample]
        if column.kind == "number" and seen:
            found += _of_numbers(problem, column.name, values.to_numpy(dtype=float))
        elif isinstance(values.dtype, pd.StringDtype):
            found += _of_texts(survey, column, Levels.of(values))
    return Found(apiece(found))


def _of_texts(survey: Survey, column: Column, levels: Levels) -> Iterator[Finding]:
    """Yield what is wrong with a column of text: that it is none, or else how it is written."""
    taken = f"read as text ({len(levels.texts):,} different words)" if column.role == "feature" else "taken for names of rows, and left out"
    if not len(levels.texts):
        return
    among = numbers_among(levels) or dates_among(levels)
    if among:
        yield _mixed(survey, column.name, levels, among, taken)
    elif unit := unit_of(levels):
        message = f"'{column.name}' holds numbers with '{unit}', such as {shown(levels.first)}, {taken}"
        yield _misread(column.name, levels, message, f"write the numbers alone, and '{unit}' into the column's name")
    elif words := other_date(levels):
        message = f"'{column.name}' holds {words}, such as {shown(levels.first)}, {taken}"
        yield _misread(column.name, levels, message, "write it as year-month-day, such as 2020-12-01 for December 2020")
    elif column.role == "feature":
        yield from _spelt(column.name, levels)
        if len(levels.texts) > LEVELS:
            yield _many_levels(survey.resolved.problem, column.name, levels)


def _mixed(survey: Survey, name: str, levels: Levels, among: Among, taken: str) -> Finding:
    others = among.others
    kind: ColumnKind = "number" if among.what == "numbers" else "datetime"
    listed = ", ".join(shown(text) for text in others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
    n = int(levels.counts[~among.mask].sum())
    message = f"'{name}' is {among.what} in {percent(among.share)} of cells, but says {listed} in {n:,} of them, so it is {taken}"
    consequence = f"Models cannot tell {'more from less' if kind == 'number' else 'earlier from later'}, or use a new value"
    fix = f"correct these cells, or mark them missing and declare the column a {'number' if kind == 'number' else 'date'}"
    line = missing_line(survey.resolved.problem, others) if len(others) <= EACH * 2 else ""
    paste = f"{line}\n{_declared(survey.resolved.problem, name, kind)}" if line else ""
    return Finding("D06", "warn", name, among.share, 1.0, message, fix, consequence, paste, f"columns.{name}")


def _declared(problem: Problem, name: str, kind: ColumnKind) -> str:
    return f"columns: {scalar({**problem.columns, name: kind})}"


def _misread(name: str, levels: Levels, message: str, fix: str) -> Finding:
    consequence = "Models cannot tell more from less, or use a new value"
    return Finding("D06", "warn", name, len(levels.texts), 1, message, fix, consequence, "", f"columns.{name}")


def _spelt(name: str, levels: Levels) -> Iterator[Finding]:
    groups = spellings(levels)
    if not groups:
        return
    rarer = int(levels.counts[levels.texts.isin([text for group in groups for text in group[1:]]).to_numpy()].sum())
    first = " and ".join(shown(text) for text in groups[0][:3])
    more = f", and {len(groups) - 1} more names likewise" if len(groups) > 1 else ""
    share = rarer / levels.total
    message = f"'{name}' spells one name in several ways: {first}{more}; {rows_of(rarer, share)} hold the rarer spelling"
    consequence = "Models take them for different things, and learn each from its own rows only"
    fix = "spell every name in one way; if they are different things, acknowledge it"
    severity: Severity = "warn" if share >= MISSPELT else "note"
    yield Finding("D06", severity, name, share, MISSPELT, message, fix, consequence, "", f"columns.{name}")


def _many_levels(problem: Problem, name: str, levels: Levels) -> Finding:
    thin = levels.counts < THIN
    share, n = levels.share(thin), len(levels.texts)
    message = f"'{name}' is text with {n:,} different values"
    if thin.any():
        message += f"; {int(thin.sum()):,} of them come fewer than {THIN} times each, together in {percent(share)} of the rows"
    consequence = "Nothing can be learnt of a level that hardly ever came, and new rows will bring levels that never did"
    fix = "keep what they have in common (a region, a kind, the first letters), or leave it out"
    paste = dropped(problem, [name])
    severity: Severity = "warn" if share > THIN_ROWS else "note"
    return Finding("D06", severity, name, n, LEVELS, message, fix, consequence, paste, f"columns.{name}")


def _of_numbers(problem: Problem, name: str, values: np.ndarray) -> Iterator[Finding]:
    """Yield that a column of numbers holds dates."""
    seen = np.unique(values[~np.isnan(values)])
    if len(seen) < FEW_DATES or (seen != np.round(seen)).any():
        return
    if seen[0] >= 19000101 and seen[-1] <= 20991231:
        month, day = (seen // 100) % 100, seen % 100
        if ((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all():
            message = f"'{name}' holds dates written as numbers, such as {exactly(seen[0])}, and is taken for an amount"
            consequence = "To a model, the last day of a month is 70 days from the next, and the year 8,900"
            fix, paste = "declare it a date", _declared(problem, name, "datetime")
            yield Finding("D06", "warn", name, len(seen), FEW_DATES, message, fix, consequence, paste, f"columns.{name}")
    for unit, scale in {"seconds": 1.0, "milliseconds": 1e3}.items():
        if TIME_NAMES.search(name) and EPOCH[0] * scale <= seen[0] and seen[-1] <= EPOCH[1] * scale:
            when = pd.Timestamp(seen[0] / scale, unit="s")
            message = f"'{name}' seems to count {unit} since 1970, from {when:%Y-%m-%d} on, and is taken for an amount"
            consequence = "No model can read the hour, the weekday or the season off it"
            fix = "write it as year-month-day hours:minutes"
            yield Finding("D06", "warn", name, len(seen), FEW_DATES, message, fix, consequence, "", f"columns.{name}")
