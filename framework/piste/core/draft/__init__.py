"""A first problem.yaml, as far as a table or a question tells what stands in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from piste.core.data import Raw, Table
from piste.core.draft import knowing, naming, weighing
from piste.core.draft.lines import Draft, Line
from piste.core.draft.readable import read
from piste.core.split import periods, text

__all__ = ["Draft", "Line", "draft"]

INTRODUCTION = (
    '`data` and `target` are all that piste needs. The lines behind a "# " are guesses from {rows:,} rows, each with its reason:\n'
    'take the "# " away from those that are right, and mend the others. `piste check` asks what is still open.'
)
NAMELESS = "No columns together name one row: rows come twice, or what tells them apart is missing."
ABOVE = {
    "decision": "What is done with the prediction, and what does a mistake cost? Without a cost models are ranked by a metric alone.",
    "known_at": "When is each column known? No statistic can tell. What is filled in only afterwards belongs under `after`.",
    "split": "The test must look like the use.",
    "success": "What must a model achieve to be worth its keep?",
    "slices": "Where must a model not be much worse than overall?",
}


def draft(raw: Raw, data: Mapping[str, Any], target: str, *, of_text: bool = True, question: str = "", heading: str = "") -> Draft:
    """Draft a problem from its table: what must be said, and guesses at the rest.

    Args:
        raw: the table as it was read.
        data: where it is from the problem's folder, and what has been said so that it could be read: `path`, `encoding` ...
        target: the column to predict.
        of_text: whether it comes from a text file, of which a decimal mark may be said.
        question: in plain words; empty where nobody said it.
        heading: the first line, for editors.

    Raises:
        PisteError: the table or the target is of no use.
    """
    readable = read(raw, data, target, of_text=of_text)
    table, said = readable.table, readable.lines
    plain = [line for line in said if line.top == "data"]
    if [line.key for line in plain] == ["data.path"]:
        said = (Line("data", plain[0].value, said=True), *(line for line in said if line.top != "data"))
    asked = [Line("question", question, said=True)] if question else []
    guesses = _guesses(table, [line.key.partition(".")[2] for line in said if line.top == "columns"])
    introduction = INTRODUCTION.format(rows=len(table.frame))
    above = {"question" if question else "data": introduction} | {
        key: text for key, text in ABOVE.items() if any(line.top == key for line in guesses)
    }
    if not any(line.top == "unit" for line in guesses) and any(line.top == "time" for line in guesses):
        above["unit"] = NAMELESS
    return Draft((*asked, *said, Line("target.column", target, said=True), *guesses), above, heading)


def _guesses(table: Table, forced: Collection[str]) -> list[Line]:
    """Guess at all that a problem may say; columns that had to be forced name neither rows nor groups of them."""
    sound = replace(table, columns=tuple(column for column in table.columns if column.name not in forced))
    time = naming.clock(sound)
    unit = naming.name(sound, time)
    sides, together = naming.sides(sound), None if time else naming.groups(sound, unit)
    numbers = naming.numbers(sound)
    apart = [name for name in (sides, together, *numbers, *(() if time else naming.counters(table))) if name]
    when = knowing.known(table, time, unit, apart)
    usable = [*when.always, *when.decision]
    lines = [*_target(table), *weighing.decision(table.target, table.frame[time] if time else None)]
    if time:
        times = table.frame[time]
        span = f"from {text(times.min())} to {text(times.max())}"
        lines.append(Line("time", time, f"{times.nunique():,} times {span}: then the future is predicted from the past"))
    if unit:
        lines.append(Line("unit", [*unit], f"{'no two rows agree in ' + ('all of these' if len(unit) > 1 else 'it')}"))
    lines += [Line(f"known_at.{key}", [*names], why) for key, names, why in (
        ("always", when.always, when.why_always),
        ("decision", when.decision, "what is left: is each of these known by then?"),
        ("after", when.after, when.why_after),
    ) if names]  # fmt: skip
    lines += [Line(f"columns.{name}", "identifier", why) for name, why in numbers.items()]
    lines.append(_split(table, time, sides, together))
    lines += weighing.rules(table, time, unit, usable)
    lines += [
        Line("success.beat", "best_baseline", "or the name of the rule that is followed today"),
        Line("success.by", "5%", "the smallest gain over it that is worth the trouble"),
    ]
    if few := weighing.slices(table, usable):
        lines.append(Line("slices", [*few], "few kinds, of enough rows each to be judged alone"))
    return lines


def _target(table: Table) -> list[Line]:
    target = table.target
    lines = [Line("target.kind", target.kind, _why(table))]
    if target.kind == "binary":
        label, why = weighing.positive(target)
        lines.append(Line("target.positive", label, why))
    return lines


def _why(table: Table) -> str:
    [why] = [column.why for column in table.columns if column.role == "target"]
    return why.removeprefix(f"{table.target.kind}: ").partition("; '")[0]


def _split(table: Table, time: str | None, sides: str | None, together: str | None) -> Line:
    """Say how the rows are set apart: as the file does, in time, by groups, or at random."""
    if sides:
        return Line("split", {"scheme": "predefined", "by": sides}, f"'{sides}' says which rows are for the test")
    if time:
        times = table.frame[time]
        by, why = {}, "rows are judged by what came before them"
        if (seasons := len(periods(times, "season")[1])) > 2:
            by, why = {"by": "season"}, f"{seasons} seasons, with no row for over 60 days between them: each is judged by those before it"
        shared = {"together": time} if times.duplicated().any() else {}
        return Line("split", {"scheme": "forward", **by, **shared}, why)
    scheme = "stratified" if table.target.labels else "kfold"
    if together:
        values = table.frame[together]
        sharing = int(values.duplicated(keep=False).sum())
        return Line("split", {"scheme": scheme, "together": together}, f"{sharing:,} rows share their '{together}' with another")
    return Line("split", {"scheme": scheme}, "nothing says when a row happened or what it belongs to: rows are taken as exchangeable")
