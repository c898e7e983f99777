"""Whether the answers, and the values of columns of numbers, are what they seem."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from piste.core.audit.apiece import apiece
from piste.core.audit.cures import dropped, given
from piste.core.audit.measures.odd import REPEATED, Odd, odd_values
from piste.core.audit.survey import Survey
from piste.core.check import Found, check
from piste.core.errors import joined
from piste.core.finding import Finding, Severity, percent, short
from piste.core.melt import OUTPUT
from piste.core.pasted import scalar
from piste.core.problem import Problem
from piste.core.references import says_of

HARMFUL = 0.5  # of a column's spread: more than all its other rows together
SOME = 0.0025  # of the rows
MANY = 0.01
FROM_ZERO = 2.75  # standard deviations from 0 to the mean of all else: amounts of something that may be absent come nearer
ZERO_ANSWER = 1.25
RARELY = 0.05  # of the rows: more answers of 0 are answers
NEGLIGIBLE = 0.01  # of a column's spread
UNANSWERED = 0.05  # of the rows: so many without an answer may well differ from the others
NAMED_NOTHING = frozenset(
    ["unknown", "unk", "n/a", "na", "nan", "none", "null", "nil", "missing", "undefined", "unspecified", "not available", "not known",
     "tbd", "-", "--", "?", ".", "-1", "-9", "-99", "-999", "99", "999"]
)  # fmt: skip
NUMBERED_NOTHING = frozenset({"-1", "-9", "-99", "-999", "99", "999"})


@check(
    "D01",
    "Values that stand for something else",
    "warn",
    "note",
    computed=(
        "In the target and in every column of numbers: codes such as -999 or 9999 that lie beyond all other values by half of their "
        "range, are the only negative ones, or come 5 times as often as the values near them and no others do; 0 where nothing else "
        "comes near it; few values more than 3 times as far from the median as the next, where the tail below them leads to expect no such "
        "step. In the target also: heaps of rows at an end of the range, zeros that come 10 times as often as the values next to them, "
        "classes named as if there were none, and rows without an answer"
    ),
    threshold=(
        "Warns of codes and caps in the target, and of zeros there in 0.25 to 5% of the rows that its other values keep away from; of "
        "codes in 1% of a column's rows, or 0.25% where they stand apart, and of zeros there where all else lies 2.75 standard "
        "deviations away; of any odd values that make up over half of a column's spread, where they count for more than all other rows "
        "together, and of 5% of the rows without an answer; notes the rest"
    ),
    alarm="The values are real: acknowledge it, once for each column",
    source=(
        "Pearson, The problem of disguised missing data, SIGKDD Explorations 2006; DataRobot's data quality assessment (disguised "
        "missing values, excess zeros); Hill, A simple general approach to inference about the tail of a distribution, 1975"
    ),
)
def stand_ins(survey: Survey) -> Found:
    """Codes, zeros, slips of the pen and caps that are taken for amounts, and answers that are missing.

    A model takes -999 for a very low value, and a squared error counts it a thousandfold.
    """
    found = _unanswered(survey)
    for name, values in _answers(survey):
        found += [_of_target(survey, name, values, each) for each in odd_values(values, ends=True)]
    if survey.has_classes:
        found += _placeholders(survey)
    coded: dict[tuple[float, ...], dict[str, tuple[Odd, Finding]]] = {}
    for column in survey.features:
        if column.kind != "number":
            continue
        values = survey.frame[column.name].to_numpy(dtype=float)[survey.rows]
        for each in odd_values(values, ends=False):
            finding = _of_column(survey, column.name, values, each)
            if each.kind == "code":
                coded.setdefault(each.values, {})[column.name] = (each, finding)
            else:
                found.append(finding)
    for columns in coded.values():
        found += _of_columns(survey, columns)
    return Found(apiece(found))


def _answers(survey: Survey) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the targets that are numbers, each in its own unit."""
    if survey.has_classes:
        return
    melt, y = survey.resolved.table.layout.melt, survey.y[survey.rows]
    if melt is None:
        yield survey.resolved.table.target.name, y
        return
    output = survey.frame[OUTPUT].to_numpy()[survey.rows]
    for name, centre, scale in zip(melt.names, melt.centres, melt.scales, strict=True):
        own = y[output == name] * scale + centre
        largest = float(np.abs(own).max(initial=1e-300))
        yield name, np.round(own, 12 - int(np.ceil(np.log10(largest))))  # so that -999 is -999 again


def _unanswered(survey: Survey) -> list[Finding]:
    table = survey.resolved.table
    melt = table.layout.melt
    left = len(table.frame) // (len(melt.names) if melt else 1)
    share = table.unanswered / (table.unanswered + left)
    if not table.unanswered or share < MANY:
        return []
    name = table.target.name if melt is None else " or ".join(melt.names)
    return [
        Finding(
            "D01",
            "warn" if share >= UNANSWERED else "note",
            table.target.name,
            share,
            UNANSWERED,
            f"'{name}' is missing in {rows_of(table.unanswered, share)}, which are left out",
            "find out why: if they are of a kind (days closed, customers who left), a model will not know that kind",
            "All scores hold for rows whose answer came to be known, and for others only if these are like them",
            "",
            "target",
        )
    ]


def exactly(value: float) -> str:
    """Write a value as it stands in the table, since it is to be found there.

    >>> exactly(9999.0), exactly(-0.5), exactly(500001.0)
    ('9999', '-0.5', '500001')
    """
    return f"{value:.10g}"


def rows_of(n: int, share: float) -> str:
    """Say how many rows: "1 row", "412 rows (2.1%)".

    >>> rows_of(1, 0.0001), rows_of(412, 0.021)
    ('1 row', '412 rows (2.1%)')
    """
    return f"{n:,} row{'s' * (n != 1)}" + (f" ({percent(share)})" if share >= 0.001 else "")


def _listed(each: Odd) -> str:
    shown = [exactly(value) for value in each.values[:3]]
    more = "..." * (len(each.values) > 3)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}{more}"


def _said(name: str, each: Odd) -> str:
    rows, listed = rows_of(each.rows, each.share), _listed(each)
    if each.kind == "code":
        often = "the nearest other value is" if each.apart else "far more often than any value near it, such as"
        return f"'{name}' is {listed} in {rows}, probably a code for \"not known\": {often} {exactly(each.next)}"
    if each.kind == "zero":
        return f"'{name}' is 0 in {rows}, and {exactly(each.next)} or more in all others"
    if each.kind == "far":
        return f"'{name}' is {listed} in {rows}, and the next value is {exactly(each.next)}"
    if each.kind == "cap":
        return f"'{name}' seems cut off at {listed}: {rows} hold just that, and hardly any what is next to it"
    return f"'{name}' is 0 in {rows}, far more often than any value next to it"


def _of_column(survey: Survey, name: str, values: np.ndarray, each: Odd) -> Finding:
    some = each.rows >= REPEATED and each.share >= (MANY if each.kind == "code" and not each.apart else SOME)
    strange = each.kind == "code" or (each.kind == "zero" and abs(each.mean) >= FROM_ZERO * each.spread)
    severity: Severity = "warn" if each.carried > HARMFUL or (some and strange) else "note"
    it, makes = ("it", "it causes") if len(each.values) == 1 else ("them", "they cause")
    consequence = (
        f"Taken as a number, {makes} {percent(each.carried)} of the column's variation, whose spread is "
        f"{short(float(np.nanstd(values)))} with {it} and {short(each.spread)} without"
    )
    if each.carried < NEGLIGIBLE:
        consequence = (
            f"{'This row is' if each.rows == 1 else 'These rows are'} predicted from a value that was never there; all others hardly suffer"
        )
    fix, paste = _cure(survey, name, each)
    return Finding("D01", severity, name, each.carried, HARMFUL, _said(name, each), fix, consequence, paste, f"columns.{name}")


def _of_columns(survey: Survey, columns: Mapping[str, tuple[Odd, Finding]]) -> list[Finding]:
    """Tell in one finding of the same code in several columns, unless it is an honest value of another column."""
    alone = [finding for _, finding in columns.values()]
    values = next(iter(columns.values()))[0].values
    if len(columns) == 1 or any(_elsewhere(survey, columns, value) for value in values):
        return alone
    worst = max(alone, key=lambda finding: (finding.severity == "warn", finding.number))
    rows = [f"'{name}' in {rows_of(each.rows, each.share)}" for name, (each, _) in columns.items()]
    message = f'{joined(rows, "and")} are {_listed(next(iter(columns.values()))[0])}, probably a code for "not known"'
    consequence = f"In '{worst.on}': {worst.consequence[:1].lower()}{worst.consequence[1:]}"
    fix, paste = _missing(survey.resolved.problem, next(iter(columns.values()))[0])
    return [replace(worst, on=" + ".join(columns), message=message, consequence=consequence, fix=fix, paste=paste, field="data")]


def _of_target(survey: Survey, name: str, values: np.ndarray, each: Odd) -> Finding:
    others = values[~np.isin(values, each.values)]
    with_, without = short(float(values.mean())), short(float(others.mean()))
    number, threshold = each.share, MANY
    unlike = abs(each.mean) >= ZERO_ANSWER * each.spread or abs(each.next) >= 0.1 * abs(each.mean)
    severity: Severity = "note" if each.kind == "zeros" and not (unlike and SOME <= each.share <= RARELY) else "warn"
    if each.kind == "cap":
        consequence = "What lies beyond is not known, so models learn the limit, and look better on these rows than they are"
    elif each.kind == "zeros":
        consequence = (
            f"There are two questions in one, whether it is 0 and how much otherwise: the mean is {with_}, and {without} without the zeros"
        )
    else:
        number, threshold = each.carried, HARMFUL
        if each.kind != "code" and each.carried <= HARMFUL and (each.kind == "far" or each.share < MANY):
            severity = "note"
        lifts = "lifts" if values.mean() > others.mean() else "lowers"
        consequence = f"Models would learn to predict {_listed(each)}: it causes {percent(each.carried)} of the variation, and {lifts} the "
        consequence += f"mean from {without} to {with_}"
    fix, paste = _cure(survey, name, each)
    return Finding("D01", severity, name, number, threshold, _said(name, each), fix, consequence, paste, "target")


def _cure(survey: Survey, name: str, each: Odd) -> tuple[str, str]:
    """Return what to do, in words and as lines to paste."""
    if each.kind == "cap":
        return "find out who cut it off; get the true values, or ask for classes of which the last begins at the limit", ""
    if each.kind == "code":
        value = each.values[0]
        if len(each.values) == 1 and _elsewhere(survey, [name], value):
            return 'if it means "not known", mark it missing', _known(survey, name, f"== {exactly(value)}")
        return _missing(survey.resolved.problem, each)
    if each.kind == "zero":
        return 'if 0 means "not measured", mark it missing; if it means none, leave it', _known(survey, name, "== 0")
    if each.kind == "zeros":
        return "if 0 means closed or not measured, leave these rows out; if it is an amount, leave it", _known(survey, name, "== 0")
    these, them = ("this row", "it") if each.rows == 1 else ("these rows", "them")
    beyond = f"> {exactly(each.next)}" if each.values[-1] > each.next else f"< {exactly(each.next)}"
    return f"look at {these}, and correct {them} or mark {them} missing", _known(survey, name, beyond)


def _missing(problem: Problem, code: Odd) -> tuple[str, str]:
    """Return what to do about a code for "not known" that no other column holds, in words and as a line to paste."""
    paste, values = missing_line(problem, code.values), _listed(code)
    means = "means" if len(code.values) == 1 else "mean"
    do = f"paste this (it treats {values} as missing in EVERY column)" if paste else "mark it missing in your table"
    return f"if {values} {means} not known, {do}", paste


def _elsewhere(survey: Survey, names: Collection[str], value: float) -> bool:
    """Tell whether a column of numbers other than some holds a value."""
    others = (column.name for column in survey.features if column.kind == "number" and column.name not in names)
    return any(bool((survey.frame[other].to_numpy()[survey.rows] == value).any()) for other in others)


def missing_line(problem: Problem, values: tuple[float | str, ...]) -> str:
    """Return the line of problem.yaml that marks values as missing in every column; empty where no line can say where the data are."""
    data = problem.data
    if data.frame is not None or data.sklearn is not None:
        return ""
    given = {name: value for name in type(data).model_fields if (value := getattr(data, name)) not in (None, ())}
    texts = [*data.missing]
    for value in values:
        text = value if isinstance(value, str) else exactly(value)
        also = not isinstance(value, str) and data.path is not None and value.is_integer()
        texts += [text, f"{text}.0"] if also else [text]  # as programs write the same number
    return f"data: {scalar({**given, 'missing': list(dict.fromkeys(texts))})}"


def _known(survey: Survey, name: str, wrong: str) -> str:
    """Return the lines that put another column in the place of one, missing where that is wrong; empty where more would have to change."""
    problem = survey.resolved.problem
    target = name == problem.target.column
    if name in problem.add or name in problem.target.columns or "`" in name or (target and says_of(problem, name)):
        return ""
    column = name if name.isidentifier() and name.isascii() else f"`{name}`"
    new = f"{name}_known"
    added = {**problem.add, new: f"if {column} {wrong} then 0 / 0 else {column}"}  # a division by zero is missing
    place = f"target: {scalar({**given(problem.target), 'column': new})}" if target else dropped(problem, [name])
    return f"add: {scalar(added)}\n{place}"


def _placeholders(survey: Survey) -> list[Finding]:
    """Find classes that say that the class is not known."""
    target = survey.resolved.table.target
    counts = np.bincount(target.values[survey.rows], minlength=len(target.labels))
    numbered = all(label.lstrip("+-").replace(".", "", 1).isdecimal() for label in target.labels)
    nothing = NUMBERED_NOTHING if numbered else NAMED_NOTHING
    if set(target.labels) <= {"-1", "0", "1"}:
        return []  # where -1 is an answer
    found = []
    for label, n in zip(target.labels, counts.tolist(), strict=True):
        if label.strip().casefold() not in nothing or not n:
            continue
        share = n / len(survey.rows)
        found.append(
            Finding(
                "D01",
                "warn",
                target.name,
                share,
                0.0,
                f"'{label}' is a class of '{target.name}', with {rows_of(n, share)}, and reads as if the answer was not known",
                f"leave these rows out, or acknowledge that '{label}' is an answer",
                "Models learn to predict that nothing is known, and are scored for it",
                missing_line(survey.resolved.problem, (label,)),
                "target",
            )
        )
    return found
