"""Whether columns keep their unit and their level in time, and whether the clock itself is sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.audit.apiece import apiece
from piste.core.audit.measures.breaks import (
    MOST_CHUNKS,
    SHARP,
    SURELY,
    Jump,
    Step,
    Stuck,
    chunked,
    degrees,
    known_step,
    level_break,
    stuck,
)
from piste.core.audit.measures.ratios import TwoRatios, two_ratios
from piste.core.audit.measures.timeline import Spacing, Timeline, spacing, timeline, turned
from piste.core.audit.measures.units import Converted, TwoScales, Way, converted, factor_words, other_part, two_scales
from piste.core.audit.sentinels import exactly, rows_of
from piste.core.audit.survey import Survey
from piste.core.check import Found, NotApplicable, check
from piste.core.errors import both, joined
from piste.core.finding import Finding, Severity, percent, short
from piste.core.melt import OUTPUT

EXPLAINED = 0.99  # of the rows: a level of another column, or a stretch of time, is where the other unit is used
PART_ROWS = 5_000  # that show whether one part is in another unit
PART_LEVELS = 60  # of a column
MOST_LEVELS = 100  # of a column that may say where
RATIO_ROWS = 3_000
LEVEL_ROWS = 20_000  # that show the level of a column in time
PER_SERIES = 200  # rows, for a series to be looked at by itself
MOST_SERIES = 50
STUCK_ROWS = 0.01  # of the rows
STEPS = 0.01  # missing or repeated
FEW_SWAPPED = 5  # days that are months, and the reverse
MANY_STEPS = 0.2
REGULAR = 0.5  # of the rows that come one step after the last
WRONG = "The same number means two amounts, so models learn wrong from both"
PANEL = 0.5  # of the rows at a time that another row has, too: several things are measured, not one thing twice


@check(
    "D07",
    "Unit or sensor break",
    "warn",
    "note",
    computed=(
        "In the target and every column of numbers. Of values that are off the steps in which most are written (tenths, "
        "halves): whether one conversion of units brings 95% of them back, as near as they were rounded and as chance hardly does; "
        "whether from a day on, or at one level of another column, all values are what a conversion of whole steps gives when rounded; "
        "whether the ratio to another column comes in two narrow kinds, one factor apart; whether positive values fall into two clusters, "
        "spread alike, one factor between two units apart. In time: the median of up to 60 stretches, the run of stretches that "
        "differs most from the others, and how abruptly it begins and ends; the one step that explains the series better, beside two "
        "waves a year, than lines and curved trends do, by the factor of two units and 6 standard errors, the spread with it; and the "
        "length of runs of one value, of 0 and the ends of the range only where a column hardly ever rests there"
    ),
    threshold=(
        "10 converted values. A level more than 3 times as high or as low and 3 times what the stretches vary about the two levels; or "
        "1.55 times where two units are so far apart, and 6 times; or 3 interquartile ranges away. 80% of it from one side of a single "
        "place to the other, and twice any other change. Beside a season, 1.45 times by the factor of two units, or 3 times by any. A run "
        "of more than 12 values, 5 times as long as 99 of 100 runs and 3 times as long as luck allows; a note where less than 1% of a "
        "feature's rows are stuck"
    ),
    alarm="The world changed, not the gauge: acknowledge it, with what happened",
    source="TensorFlow Data Validation and Evidently, statistics compared from period to period; the limits are set on real tables",
)
def broken(survey: Survey) -> Found:
    """Columns that change their unit or their level from one day to the next, and gauges that are stuck at one value."""
    columns = list(_numbers(survey))
    whole = timeline(survey, survey.rows)
    found = _units(survey, dict(columns), whole)
    moved = {each.on for each in found}
    if whole is None or len(np.unique(whole.time)) < 2:
        return Found(apiece(found))
    chunks = _Chunks.of(whole.thinned(LEVEL_ROWS), survey.frame)
    for name, x in columns:
        if name not in moved:
            found += _of_level(survey, name, x, chunks)
        if still := stuck(x[whole.rows], whole.series):
            found.append(_of_stuck(survey, name, whole, still))
    return Found(apiece(found))


def _numbers(survey: Survey) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the columns of numbers, (n_rows,) each, the target first; of several targets in their own units."""
    table = survey.resolved.table
    if not survey.has_classes:
        y, melt = survey.y, table.layout.melt
        if melt is not None:
            number = pd.Index(melt.names).get_indexer(survey.frame[OUTPUT])
            y = y * np.array(melt.scales)[number] + np.array(melt.centres)[number]
        yield table.target.name, y
    for column in survey.features:
        if column.kind == "number":
            yield column.name, survey.frame[column.name].to_numpy(dtype=float)


def _units(survey: Survey, columns: Mapping[str, np.ndarray], line: Timeline | None) -> list[Finding]:
    """Find columns of which some rows are in another unit, as the values themselves and those beside them show."""
    rows = survey.rows
    found: dict[str, Finding] = {}
    alike: dict[tuple[str, str], dict[str, Converted]] = {}
    some = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), PART_ROWS)).astype(int))]
    codes = [*_levels(survey, some)]
    inside = line.rows[np.isin(line.rows, some)] if line else np.empty(0, dtype=int)
    ordered = np.searchsorted(some, inside)
    for name, x in columns.items():
        if unit := converted(x[rows]):
            alike.setdefault((unit.unit, unit.usual), {})[name] = unit
        elif scales := two_scales(x[rows]):
            found[name] = _of_scales(survey, name, scales)
        elif part := other_part(x[some], codes, ordered):
            found[name] = _of_part(survey, name, some, *part)
    for some_alike in alike.values():
        found |= dict.fromkeys(some_alike, _of_unit(survey, some_alike))
    thin = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), RATIO_ROWS)).astype(int))]
    for each in two_ratios({name: x[thin] for name, x in columns.items()}):
        if each.column not in found and each.beside not in found:
            found[each.column] = _of_ratios(survey, each, thin)
    return list(dict.fromkeys(found.values()))


def _levels(survey: Survey, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield which level each row is of, in columns of a few: suppliers, stations, towns."""
    for column in survey.resolved.table.columns:
        if column.kind in ("category", "boolean", "identifier") and column.role not in ("target", "after"):
            codes, levels = pd.factorize(survey.frame[column.name].iloc[rows], use_na_sentinel=False)
            if 1 < len(levels) <= PART_LEVELS:
                yield codes


def _of_part(survey: Survey, name: str, rows: np.ndarray, part: np.ndarray, way: Way) -> Finding:
    n, share = int(part.sum()), float(part.mean())
    mine = np.isin(survey.rows, rows[part])
    message = f"'{name}' seems to be in {way.unit} in about {percent(share)} of the rows{_where(survey, mine, rows)}, and in {way.usual} "
    message += f"elsewhere: all values there are whole steps of {way.usual}, converted and rounded, and elsewhere many are not"
    consequence = WRONG
    return Finding("D07", "warn", name, n, 10, message, f"bring all rows to {way.usual}", consequence, "", _field(survey, name))


def _of_ratios(survey: Survey, each: TwoRatios, rows: np.ndarray) -> Finding:
    times, size = max(each.factor, 1 / each.factor), "larger" if each.factor > 1 else "smaller"
    mine = np.isin(survey.rows, rows[each.rows])
    message = (
        f"'{each.column}' is about {short(times)} times {size} beside '{each.beside}' in {percent(float(each.rows.mean()))} of the rows"
    )
    message += (
        f"{_where(survey, mine, rows)} than in all others, {factor_words(each.factor)}: there are two kinds of rows, and none between"
    )
    if not each.certain:
        message += f"; it may be '{each.beside}' that is off"
    consequence = WRONG
    fix = "if they are in two units, bring all rows to one; if they are two kinds of things, acknowledge it"
    return Finding("D07", "warn", each.column, times, 1.0, message, fix, consequence, "", _field(survey, each.column))


def _field(survey: Survey, name: str) -> str:
    return "target" if name == survey.resolved.table.target.name else f"columns.{name}"


def _of_unit(survey: Survey, columns: Mapping[str, Converted]) -> Finding:
    """Tell of columns with values that were converted from the same unit."""
    each = next(iter(columns.values()))
    counts = [int(one.rows.sum()) for one in columns.values()]
    rows = joined([rows_of(n, n / len(each.rows)) for n in counts], "and")
    seem = "seem" if len(columns) > 1 else "seems"
    where = _where(survey, np.any([one.rows for one in columns.values()], axis=0))
    message = f"{both(columns)} {seem} to be in {each.unit} in {rows}{where}, and in {each.usual} elsewhere: "
    steps = " and ".join(dict.fromkeys(exactly(one.step) for one in columns.values()))
    converted_back = "converted" if each.unit.startswith("degrees") else f"times {short(each.factor)}"
    message += f"{converted_back}, they fall on steps of {steps} like all others"
    name = next(iter(columns)) if len(columns) == 1 else ""
    field = _field(survey, name) if name else "data"
    return Finding("D07", "warn", " + ".join(columns), max(counts), 10, message, f"bring all rows to {each.usual}", WRONG, "", field)


def _of_scales(survey: Survey, name: str, each: TwoScales) -> Finding:
    n = int(each.rows.sum())
    times, size = max(each.factor, 1 / each.factor), "larger" if each.factor > 1 else "smaller"
    message = (
        f"'{name}' is about {short(times)} times {size} in {rows_of(n, n / len(each.rows))}{_where(survey, each.rows)} than in all others"
    )
    message += f", {factor_words(each.factor)}: there are two kinds of values, spread alike, and nothing in between"
    consequence = WRONG
    fix = "if they are in two units, bring all rows to one; if they are two kinds of things, acknowledge it"
    return Finding("D07", "warn", name, times, 1.0, message, fix, consequence, "", _field(survey, name))


def _where(survey: Survey, rows: np.ndarray, looked: np.ndarray | None = None) -> str:
    """Say where marked rows are: a stretch of time, or a level of another column; nothing where neither holds them all.

    Args:
        survey: the problem.
        rows: (n_rows of the survey,) marked ones.
        looked: row numbers that were looked at; all where it is not given.
    """
    line = timeline(survey, survey.rows if looked is None else looked)
    if line is not None:
        marked = rows[np.searchsorted(survey.rows, line.rows)]
        first, last = float(line.time[marked].min()), float(line.time[marked].max())
        if ((line.time < first) | (line.time > last)).mean() > 1 - EXPLAINED:
            return f", all from {line.at(first)} to {line.at(last)}"
    frame = survey.frame.iloc[survey.rows]
    for column in survey.resolved.table.columns:
        if column.kind in ("category", "boolean", "identifier") and column.role != "target":
            by_level = pd.Series(rows).groupby(frame[column.name].to_numpy()).sum()
            if not 1 < len(by_level) <= MOST_LEVELS or by_level.max() < EXPLAINED * rows.sum():
                continue
            if by_level.max() >= 0.5 * (frame[column.name] == by_level.idxmax()).sum():
                return f", where '{column.name}' is {by_level.idxmax()}"
    return ""


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Stretches of time with about as many rows each; of the whole table, and of each long series."""

    line: Timeline
    chunk: np.ndarray  # (n_rows,) of the line
    starts: np.ndarray  # (n_chunks,) when each begins
    series: tuple[tuple[str, np.ndarray], ...]  # column and (n_rows,) marks, of the parts that are large enough to be looked at alone

    @staticmethod
    def of(line: Timeline, frame: pd.DataFrame) -> _Chunks:
        """Cut time into chunks; rows of one time are never torn apart."""
        times, codes, counts = np.unique(line.time, return_inverse=True, return_counts=True)
        before = np.cumsum(counts) - counts
        chunk = np.unique((before * MOST_CHUNKS) // counts.sum(), return_inverse=True)[1]
        starts = times[np.searchsorted(chunk, np.arange(chunk.max() + 1))]
        series = []
        for name in line.names:
            level = pd.factorize(frame[name].iloc[line.rows])[0]
            sizes = np.bincount(level + 1)[1:]
            if 1 < len(sizes) <= MOST_SERIES:
                series += [(name, level == one) for one in np.flatnonzero(sizes >= PER_SERIES).tolist()]
        return _Chunks(line, chunk[codes], starts, tuple(series))


def _of_level(survey: Survey, name: str, x: np.ndarray, chunks: _Chunks) -> Iterator[Finding]:
    """Yield where a column leaves its level: in all series together, or else in single ones."""
    values, n = x[chunks.line.rows], len(chunks.starts)
    levels = chunked(values, chunks.chunk, n)
    if found := level_break(levels):
        jump, factor = found
        yield _jumped(survey, name, values, chunks, jump, factor, series="")
        return
    if stepped := known_step(levels, chunks.starts):
        yield _stepped(survey, name, chunks, *stepped)
        return
    if turned := degrees(levels, chunks.starts):
        yield _turned(survey, name, chunks, *turned)
        return
    broken = []
    for column, mine in chunks.series:
        if alone := level_break(chunked(values[mine], chunks.chunk[mine], n), clear=SHARP):
            broken.append((column, alone, mine))
    if broken:
        column, (jump, factor), mine = broken[0]
        label = f"'{column}' is {survey.frame[column].iloc[int(chunks.line.rows[np.argmax(mine)])]}"
        more = f" (and {len(broken) - 1} more likewise)" if len(broken) > 1 else ""
        yield _jumped(survey, name, values[mine], chunks, jump, factor, series=f" where {label}{more}")


def _jumped(survey: Survey, name: str, values: np.ndarray, chunks: _Chunks, jump: Jump, factor: float, *, series: str) -> Finding:
    by_factor = not np.isnan(factor)
    inside, outside = (float(np.exp(level)) if by_factor else level for level in (jump.inside, jump.outside))
    number = max(factor, 1 / factor) if by_factor else abs(inside - outside)
    size = f"{short(number)} times {'larger' if factor > 1 else 'smaller'}" if by_factor else short(number)
    if not by_factor:
        size += " higher" if inside > outside else " lower"
    words = factor_words(factor) if by_factor else ""
    message = f"'{name}'{series} is about {size} {_when(chunks, jump)}{f', {words}' if words else ''}"
    message += f": its median there is {short(inside)}, elsewhere {short(outside)}"
    consequence = "What models learn of it on one side is wrong on the other"
    if name == survey.resolved.table.target.name:
        consequence = "Answers from one side mislead on the other, and scores there say nothing about the other"
    fix = "if the unit or the gauge changed, bring all rows to one unit; if the world did, acknowledge it"
    return Finding("D07", "warn", name, number, 3.0, message, fix, consequence, "", _field(survey, name))


def _stepped(survey: Survey, name: str, chunks: _Chunks, found: Step, factor: float) -> Finding:
    number = max(factor, 1 / factor)
    first = chunks.line.at(float(chunks.starts[found.start]))
    message = f"'{name}' is about {short(number)} times {'larger' if factor > 1 else 'smaller'} from about {first} on than it would be by "
    words = factor_words(factor, found.error)
    message += f"trend and season, {words}{', ' if words else ''}and its spread likewise"
    consequence = "What models learn of it on one side is wrong on the other"
    fix = "if the unit or the gauge changed, bring all rows to one unit; if the world did, acknowledge it"
    return Finding("D07", "warn", name, number, 1.45, message, fix, consequence, "", _field(survey, name))


def _turned(survey: Survey, name: str, chunks: _Chunks, found: Step, way: Way) -> Finding:
    first = chunks.line.at(float(chunks.starts[found.start]))
    message = f"'{name}' seems to be in {way.unit} from about {first} on, and in {way.usual} before: level and spread change together as "
    message += "from one to the other, and not by trend and season"
    consequence = "What models learn of it on one side is wrong on the other"
    fix = f"bring all rows to {way.usual}; if the world changed, acknowledge it"
    return Finding("D07", "warn", name, abs(found.height), SURELY * found.error, message, fix, consequence, "", _field(survey, name))


def _when(chunks: _Chunks, jump: Jump) -> str:
    first = chunks.line.at(float(chunks.starts[jump.start]))
    if jump.stop == len(chunks.starts):
        return f"from about {first} on"
    last = chunks.line.at(float(chunks.starts[jump.stop]))
    return f"until about {last}" if jump.start == 0 else f"from about {first} to {last}"


def _of_stuck(survey: Survey, name: str, line: Timeline, each: Stuck) -> Finding:
    target = name == survey.resolved.table.target.name
    share = each.rows / len(line.rows)
    first = line.at(float(line.time[each.first]))
    message = f"'{name}' stands at {exactly(each.value)} for {each.longest} rows on end from {first}, but changes elsewhere"
    if each.runs > 1:
        message += f"; there are {each.runs} such runs, {rows_of(each.rows, share)} in all"
    consequence = "A gauge that is stuck reports no amounts, and models are told that these are some"
    if target:
        consequence = "A gauge that is stuck reports no answers: models learn from them, and are scored by them"
    fix = "find out whether the gauge was stuck; if so, mark these cells missing in the file"
    severity: Severity = "warn" if target or share >= STUCK_ROWS else "note"
    return Finding("D07", severity, name, each.longest, 12, message, fix, consequence, "", _field(survey, name))


@check(
    "D08",
    "Clock trouble",
    "warn",
    "note",
    computed=(
        "Within each series (what names a row beside the time, or the column that tells rows of one time apart): the commonest time "
        "from row to row, in all and in either half; rows at a time that their series has had already; steps without a row, seasons "
        "(two breaks of over 60 days or more) and hours or weekdays without any row aside; Sundays in spring and autumn on which one "
        "hour of the night is all that is missing; and in files in order of time, dates that only fit between those before and after "
        "them once day and month change places"
    ),
    threshold=(
        "Warns of 1% repeated times, of 1% such dates, 5 or more, of 1% missing steps where something looks back in time (@) and of "
        "20% where nothing does, and of two kinds of steps; notes 1% missing steps, and a clock that is put forward. Silent where most "
        "rows share their time, or come at irregular times"
    ),
    alarm="Rows come when they come: acknowledge it",
    source="DataRobot, irregular time steps",
)
def clock(survey: Survey) -> Found | NotApplicable:
    """Times that come twice or not at all, steps that change, and clocks that are put forward and back."""
    line = timeline(survey, survey.rows)
    if line is None:
        return NotApplicable("the problem names no time")
    swapped = _swapped(survey, line)
    between = spacing(line)
    if between is None:
        return NotApplicable("no two rows follow each other in time")
    n = len(line.rows)
    if between.repeated > PANEL * n:
        return Found(swapped) if swapped else NotApplicable("several rows share each time, and no column tells them apart")
    found = [*swapped]
    if between.repeated > STEPS * n:
        found.append(_repeated(survey, line, between))
    if _mixed(between):
        found.append(_two_steps(survey, line, between))
    elif between.share >= REGULAR:
        found += _holes(survey, line, between)
        if len(between.skipped) > 1:
            found.append(_forward(survey, line, between))
    return Found(apiece(found))


def _swapped(survey: Survey, line: Timeline) -> list[Finding]:
    """Find days and months that have changed places."""
    name = _name(survey)
    order = np.argsort(line.rows)
    rows = line.rows[order]
    marks = turned(survey.frame[name].iloc[rows], line.series[order])
    n, share = int(marks.sum()), float(marks.mean())
    if n < FEW_SWAPPED or share < STEPS:
        return []
    first = survey.frame[name].iloc[int(rows[np.argmax(marks)])]
    message = (
        f"{rows_of(n, share)} have a '{name}' with day and month in each other's place, such as {first:%Y-%m-%d}: rows stand in order "
    )
    message += "of time, and these only do if they are changed back"
    consequence = "These rows are taken for days months away: seasons, lags, and what is past and future are wrong in them"
    fix = "read the dates again from their source, with the day and the month in the right order"
    return [Finding("D08", "warn", name, share, STEPS, message, fix, consequence, "", "time")]


def _mixed(between: Spacing) -> bool:
    """Tell whether rows come in one regular step in the first half of the time, and in another in the second."""
    (first, early), (second, late) = between.halves
    return max(first, second) >= 2 * min(first, second) and min(early, late) >= REGULAR


def _name(survey: Survey) -> str:
    assert survey.resolved.problem.time, "a timeline has a time"
    return survey.resolved.problem.time


def _of_series(line: Timeline) -> str:
    return f" of one {' and '.join(line.names)}" if line.names else ""


def _repeated(survey: Survey, line: Timeline, between: Spacing) -> Finding:
    name, n = _name(survey), len(line.rows)
    share = between.repeated / n
    place = int(np.argmax(line.gaps == 0))
    first = line.at(float(line.time[place]))
    message = f"{rows_of(between.repeated, share)} have a '{name}'{_of_series(line)} that an earlier row has already, such as {first}"
    consequence = "It is not said what one row is: these may be written twice, or be parts of one answer that is counted in each"
    fix = "leave repeated rows out or add them up; if something tells them apart, name it"
    return Finding("D08", "warn", name, share, STEPS, message, fix, consequence, "", "time")


def _two_steps(survey: Survey, line: Timeline, between: Spacing) -> Finding:
    name = _name(survey)
    first, second = (step for step, _ in between.halves)
    message = f"rows of '{name}' come every {line.span(first)} in the first half of the time, and every {line.span(second)} in the second"
    consequence = (
        "A row stands for more time in one half than in the other, so amounts per row cannot be compared, and lags reach differently far"
    )
    fix = "bring all rows to one step, by adding up or averaging the shorter ones"
    ratio = max(first, second) / min(first, second)
    return Finding("D08", "warn", name, ratio, 2, message, fix, consequence, "", "time")


def _looks_back(survey: Survey) -> bool:
    """Tell whether a rule or a column of the problem looks back in time."""
    problem = survey.resolved.problem
    texts = [*problem.baselines.values(), *problem.add.values(), *(text for each in problem.framings or () for text in each.add)]
    return any(expression.lags(expression.parse(str(text))) for text in texts)


def _holes(survey: Survey, line: Timeline, between: Spacing) -> Iterator[Finding]:
    name = _name(survey)
    share = between.missing / (between.missing + between.present)
    if share <= STEPS:
        return
    longest = f"; the longest gap begins after {line.at(between.before)} and lasts {line.span(between.longest)}"
    message = f"'{name}' goes in steps of {line.span(between.step)}, but {between.missing:,} steps ({percent(share)}) have no row{longest}"
    back = _looks_back(survey)
    consequence = "Nobody can tell whether nothing happened then, or nothing was written down, and no model learns of such times"
    if back:
        consequence = "What looks back in time (@) finds nothing there, and a row that is missing for a reason looks like one that was lost"
    fix = "find out why; if nothing happened then, add rows with 0; if it was closed, leave it"
    severity: Severity = "warn" if back or share > MANY_STEPS else "note"
    yield Finding("D08", severity, name, share, STEPS, message, fix, consequence, "", "time")


def _forward(survey: Survey, line: Timeline, between: Spacing) -> Finding:
    name = _name(survey)
    days = ", ".join(line.at(day // 86_400 * 86_400) for day in between.skipped[:3])
    message = f"'{name}' runs on a clock that is put forward and back: one hour of the night is missing on {days}"
    consequence = "Once a year a day has 23 hours and once 25, so lags of whole days are an hour off around these days"
    fix = "keep it if people live by that clock; lags of a day or more are then right but for these nights"
    return Finding("D08", "note", name, len(between.skipped), 1, message, fix, consequence, "", "time")
