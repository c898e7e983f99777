"""What a look before training has found, on one screen: what is wrong, what follows, and the lines to paste."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from piste.checking import FAILED, Checked
from piste.core import audit
from piste.core.audit.cures import agreed, moved
from piste.core.audit.moment import when
from piste.core.audit.stakes import QUESTIONS
from piste.core.case import currency
from piste.core.decision import Yardstick
from piste.core.errors import Place, both
from piste.core.finding import Finding, sentence, short
from piste.core.melt import ROW
from piste.core.pasted import scalar
from piste.core.problem import Problem
from piste.core.split import Folds, Rule
from piste.edges.strict_yaml import read

ASKED = "L03"  # the check whose findings are questions, answered together by one line
MOST_NOTES = 5  # unless all are asked for
INDENT = 4
MEANT = {"rmse": "the typical error", "mae": "the average error"}
COLUMN = 10  # characters of a number in a table


def looked_at(checked: Checked, project: str, *, every: bool = False) -> Group:
    """Draw what was found for a person. Only lines to paste begin at the edge, so that they are copied as they stand.

    Args:
        checked: what was found.
        project: as it was named on the command line; empty in Python.
        every: all notes whole, the lines that acknowledge findings, and what each check said that found nothing.
    """
    parts = [*_headline(checked), *_faults(checked), *_grave(checked), *_questions(checked), *_notes(checked, every=every)]
    parts += [*_acknowledged(checked), *_silent(checked, every=every), *_to_acknowledge(checked, every=every)]
    return Group(*parts, Text(), *_next(checked, project))


def as_text(checked: Checked, project: str = "", *, width: int | None = None) -> str:
    """Return the screen as plain text.

    Args:
        checked: what was found.
        project: as it was named on the command line; empty in Python.
        width: in characters; that of the terminal where not given.
    """
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as caught:
        console.print(looked_at(checked, project), crop=False)
    return caught.get().rstrip("\n")


def _headline(checked: Checked) -> Iterator[RenderableType]:
    """Say what is asked, of which rows, how they are set apart, and how much was found."""
    at = checked.prepared
    question = checked.problem.question if checked.problem else None
    yield Inset(Text(f"{checked.name}: {question}" if question else checked.name, style="bold"), 0)
    if at is not None:
        table, rows = at.resolved.table, len(at.resolved.table.frame)
        columns = f"{_counted(len(table.features), 'column')} to learn from"
        rows_of = f"{rows:,} rows of {at.source}, {columns}; the answer is '{table.target.name}' ({table.target.kind})"
        yield Inset(Text(rows_of, style="dim"), 0)
        yield Inset(Text(f"{_apart(at.resolved.rule, at.folds)}; {_ranked(at.resolved.yardstick)}", style="dim"), 0)
    if found := _summary(checked):
        yield Text()
        yield Inset(Text(f"{found[0].upper()}{found[1:]}", style="bold"), 0)


def _summary(checked: Checked) -> str:
    """Count what is on the screen: "1 to fix first, 7 to look at, 1 question"; empty where it is nothing."""
    blocks, watched = (sum(each.check != ASKED for each in checked.of(severity)) for severity in ("block", "warn"))
    asked = sum(each.check == ASKED for each in checked.open)
    return ", ".join(
        words
        for many, words in (
            (len(checked.plain_faults), _counted(len(checked.plain_faults), "fault")),
            (blocks, f"{blocks} to fix first"),
            (watched, f"{watched} to look at"),
            (asked, _counted(asked, "question")),
        )
        if many
    )


def _ranked(yardstick: Yardstick) -> str:
    """Say what models are ranked by, and what that is where its name does not tell."""
    if yardstick.priced:
        return f"models are ranked by what a decision costs{', in' * bool(currency(yardstick.name))}{currency(yardstick.name)}"
    return f"models are ranked by {yardstick.name}" + (f" ({MEANT[yardstick.name]})" if yardstick.name in MEANT else "")


def _apart(rule: Rule, folds: Folds) -> str:
    """Say how rows are set apart, as a sentence without its full stop."""
    parts = len(folds.shown) // rule.repeats
    again = f", {rule.repeats} times over" if rule.repeats > 1 else ""
    said = {
        "kfold": f"Tested on {parts} parts, drawn at random{again}",
        "stratified": f"Tested on {parts} parts, drawn at random with the same share of each class{again}",
        "forward": f"Tested forward in time, in {_counted(parts, 'step')}{f' by {rule.by}' if rule.by else ''}",
        "leave_one_out": f"Tested on each {f'value of {rule.by!r}' if rule.by not in (None, ROW) else 'row'}, learnt from the others",
        "predefined": f"Tested as '{rule.by}' says",
    }[rule.scheme]
    together = f"; rows of one '{rule.together}' stay together" if rule.together not in (None, ROW) else ""
    return f"{said}{together}{f'; {len(folds.holdout):,} rows held out' if len(folds.holdout) else ''}"


def _counted(many: int, noun: str) -> str:
    return f"{many:,} {noun}{'s' * (many != 1)}"


def _title(words: str, style: str) -> tuple[RenderableType, ...]:
    return Text(), Text(words, style=f"bold {style}")


def _inset(text: Text | str, style: str = "", indent: int = INDENT) -> Inset:
    return Inset(Text(text, style=style) if isinstance(text, str) else text, indent)


def _faults(checked: Checked) -> Iterator[RenderableType]:
    """Say what keeps the file from being run."""
    if not checked.plain_faults:
        return
    many = len(checked.plain_faults)
    yield from _title(f"{_counted(many, 'fault')}: fix {'these' if many > 1 else 'this'} before anything can run", "red")
    yield from (_inset(str(fault)) for fault in checked.plain_faults)
    if checked.aside and checked.prepared:
        yield _inset(f"Ignored for now, so that the rest could be checked: {', '.join(checked.aside)}.", "dim")


def _grave(checked: Checked) -> Iterator[RenderableType]:
    """Say what must be resolved first, and what may well mislead, each whole; the most harmful first."""
    joint = {(each.check, each.on) for each in _joint(checked)}
    shown, lines = _shown(checked), _lines(checked)
    seen: list[Finding] = []
    for severity, words, style in (("block", "Fix first: no score counts until this is resolved", "red"), ("warn", "Watch", "yellow")):
        found = [each for each in shown if each.severity == severity]
        if found:
            yield from _title(words, style)
        for number, each in enumerate(found):
            if number:
                yield Text()
            giver, pasted = lines.get(each, (each, ""))
            yield from _whole(checked, each, style, "" if giver is not each else pasted)
            if (each.check, each.on) in joint:
                yield _inset("The line for it stands below: one answer says when each column is known.", "dim")
            elif giver is not each:
                yield _inset(f"Settled by the line {'above' if giver in seen else 'below'}, of {giver.check} {giver.on}.", "dim")
            seen.append(each)


def _shown(checked: Checked) -> list[Finding]:
    """Return the grave findings that are no questions, as they stand on the screen: of each severity the most harmful first."""
    grave = [each for severity in ("block", "warn") for each in checked.of(severity) if each.check != ASKED]
    return sorted(grave, key=lambda each: (each.severity != "block", -each.harm, each.check))


def _lines(checked: Checked) -> dict[Finding, tuple[Finding, str]]:
    """Map each grave finding to the one at which the lines for it are given, and these lines.

    What several findings offer for one key is given once, where one value serves for all of them.
    """
    joint = {(each.check, each.on) for each in _joint(checked)}
    pasting = [each for each in _shown(checked) if each.paste and (each.check, each.on) not in joint]
    found = {each: (each, each.paste) for each in pasting}
    time = (checked.problem.time if checked.problem else None) or ""
    for key in dict.fromkeys(key for each in pasting for key in _keys(each.paste)):
        offers = [each for each in pasting if key in _keys(each.paste)]
        if len(offers) == 1:
            continue
        whole = [read(each.paste, "").value for each in offers]
        values = [each[key] for each in whole]
        moment = next((str(each["time"]) for each in whole if "time" in each), time)
        value = values[0] if all(each == values[0] for each in values) else agreed(key, values, moment)
        if value is None:
            continue
        giver = max(offers, key=lambda each: (len(_keys(each.paste)), -pasting.index(each)))  # a time is named, or it is the first
        others = "".join(f"{line}\n" for line in giver.paste.split("\n") if not line.startswith(f"{key}:"))
        found |= {each: (giver, f"{others}{key}: {scalar(value)}") for each in offers if set(_keys(each.paste)) <= set(_keys(giver.paste))}
    return found


def _keys(pasted: str) -> list[str]:
    """Return the keys at the edge of lines to paste."""
    return re.findall(r"^(\w+):", pasted, re.MULTILINE)


def _whole(checked: Checked, finding: Finding, style: str, pasted: str) -> Iterator[RenderableType]:
    """Say all of a finding: what, what follows, what to do, and the lines that do it, unless these stand elsewhere."""
    where = _where(checked, finding)
    yield _inset(Text.assemble((f"{finding.check} ", style), (finding.on, "bold"), (f"  {where}" if where else "", "dim")), indent=2)
    yield _inset(" ".join(sentence(each) for each in (finding.message, finding.consequence) if each))
    if finding.fix:
        yield _inset(sentence(finding.fix), "italic")
    if pasted:
        yield from _paste(checked, pasted)


def _paste(checked: Checked, lines: str) -> Iterator[RenderableType]:
    """Give lines to paste, at the edge and in one piece however long they are; name the lines of the file that they replace."""
    if stand := checked.replaced(lines):
        spans = [f"{first} to {last}" if last > first else f"{first}" for first, last in stand]
        many = len(stand) > 1 or stand[0][1] > stand[0][0]
        yield _inset(f"Replace line{'s' * many} {' and '.join(spans)} with:", "dim")
    yield Text(lines, style="cyan", no_wrap=True, overflow="ignore")


def _where(checked: Checked, finding: Finding) -> str:
    """Name the line that a finding is about; empty where the file does not speak of it."""
    place = checked.place(finding)
    whole = checked.problem.stands("") if checked.problem else None
    return str(Place(place.path, place.line)) if place.line and place != whole else ""


def _questions(checked: Checked) -> Iterator[RenderableType]:
    """Ask when columns are known, those first on which most depends; one answer serves all findings that ask for it."""
    asked = sorted((each for each in checked.open if each.check == ASKED), key=lambda each: -each.number)
    table = checked.examined.tables.get(QUESTIONS)
    if asked:
        yield from _title(f"{_counted(len(asked), 'question')}: what is known in time? ({ASKED})", "yellow")
    if len(asked) > 1 and table is not None:
        yield from _compact(checked, table[table["on"].isin([each.on for each in asked])])
    else:
        yield from (_inset(f"{sentence(each.message)} {sentence(each.consequence)}") for each in asked)
    joint = _joint(checked)
    if not joint or checked.prepared is None:
        return
    if not asked:
        yield from _title("One answer for what is said above of when columns are known", "yellow")
    yield _inset("Known in time: keep it under known_at: decision. Not: move it to known_at: after; models then ignore it.", "italic")
    problem, told = checked.prepared.resolved.problem, _told(checked.prepared.resolved.problem, joint)
    late = [name for name, moment in told.items() if moment == "after"]
    guess = f"{both(late)} as known only afterwards, all others in time" if len(late) < len(told) else "known only afterwards"
    yield _inset(f"Filled in as a guess: {guess if late else 'known in time'}.", "dim")
    yield from _paste(checked, moved(problem, told))


def _compact(checked: Checked, table: pd.DataFrame) -> Iterator[RenderableType]:
    """Ask about several columns at once: one sentence, and a line for each question."""
    assert checked.prepared is not None, "questions are asked of rows"
    yardstick, problem = checked.prepared.resolved.yardstick, checked.prepared.resolved.problem
    what = (
        f"What a decision costs{', in' * bool(currency(yardstick.name))}{currency(yardstick.name)}" if yardstick.priced else yardstick.name
    )
    yield _inset(
        f"Are these known {when(problem)}? {what[:1].upper()}{what[1:]} of a quick model with them, as the score would show, and without "
        "them, as in use if they are not known in time:"
    )
    yield Text(f"{'with':>{COLUMN}}{'without':>{COLUMN}}", style="dim")
    for line in table.itertuples():
        numbers = "".join(f"{short(float(cost)):>{COLUMN}}" for cost in (line.with_it, line.without))
        more = "" if line.one else " (dropping just one changes little: the others make up for it)"
        yield Inset(Text(f"{line.columns}{more}"), len(numbers) + 2, numbers)


def _joint(checked: Checked) -> tuple[Finding, ...]:
    """Return the findings that are answered together, the dearest question first: all that say when columns are known, if several."""
    grave = [each for each in checked.open if each.severity != "note" and each.paste.startswith("known_at:")]
    asked = sorted((each for each in grave if each.check == ASKED), key=lambda each: -each.number)
    return (*asked, *(each for each in grave if each.check != ASKED)) if asked or len(grave) > 1 else ()


def _told(problem: Problem, findings: Sequence[Finding]) -> dict[str, str]:
    """Map columns to when they are known, as all of some findings would have it; what one takes for known only after is so."""
    told: dict[str, str] = {}
    for finding in findings:
        for moment, columns in read(finding.paste, "").value["known_at"].items():
            for name in sorted(columns, key=lambda name: name != finding.on):
                if name not in getattr(problem.known_at, moment) and told.get(name) != "after":
                    told[name] = moment
    return told


def _notes(checked: Checked, *, every: bool) -> Iterator[RenderableType]:
    """Say what is good to know: the first sentence of each."""
    told = {each.on for each in checked.open if each.severity != "note" and each.field == "known_at"}
    notes = [each for each in checked.of("note") if every or each.field != "known_at" or each.on not in told]
    if notes:
        yield from _title("Good to know", "default")
    if every:
        for number, each in enumerate(notes):
            if number:
                yield Text()
            yield from _whole(checked, each, "default", each.paste)
        return
    for each in notes[:MOST_NOTES]:
        label = each.check if each.check in audit.checks() else _where(checked, each)
        yield _hanging(f"  {label}  ", sentence(each.message.partition(". ")[0]), style="")
    if len(notes) > MOST_NOTES:
        yield _inset(f"… and {len(notes) - MOST_NOTES} more: --all shows them", "dim")


def _to_acknowledge(checked: Checked, *, every: bool) -> Iterator[RenderableType]:
    """Give the lines by which somebody takes findings as they are; before that, what blocks is fixed and questions are answered."""
    entries = [line for each in _shown(checked) if (line := checked.entry(each))]
    if not entries or checked.plain_faults or (checked.of("block") and not every):
        return
    stands = checked.problem.stands("acknowledge") if checked.problem else None
    where = f" below line {stands.line}" if stands and stands.line else ""
    yield Text()
    yield _inset(
        f"A finding does not apply here? Paste its line{where}, with your name and the reason (leave `seen` as it is):", "dim", indent=0
    )
    lines = "\n".join(f"  - {each}" for each in entries)
    yield Text(lines if stands else f"acknowledge:\n{lines}", style="dim cyan", no_wrap=True, overflow="ignore")


def _acknowledged(checked: Checked) -> Iterator[RenderableType]:
    taken = [each for each in checked.findings if each.acknowledged]
    if taken:
        yield Text()
    for each in taken:
        yield _hanging("  ", f"acknowledged: {each.check} {each.on}, {each.acknowledged}")


def _silent(checked: Checked, *, every: bool) -> Iterator[RenderableType]:
    """Say how many checks found nothing, or had nothing to look at; and which failed."""
    if checked.prepared is None:
        return
    spared = checked.examined.spared
    failed = {id: reason for id, reason in spared.items() if reason.startswith(FAILED)}
    idle = {id: reason for id, reason in spared.items() if id not in failed}
    yield Text()
    for id, reason in failed.items():
        yield _inset(f"{id} was not heard: {reason}", "yellow", indent=2)
    none = f"{_counted(len(checked.examined.silent), 'check')} found nothing"
    had = f"; {len(idle)} had nothing to look at" if idle else ""
    if not every:
        yield _inset(f"{none}{had}: --all lists them", "dim", indent=0)
        return
    titles = {id: check.title for id, check in audit.checks().items()}
    yield _inset(f"{none}:", "dim", indent=0)
    yield from (_hanging(f"  {id}  ", titles.get(id, "")) for id in checked.examined.silent)
    if idle:
        yield _inset(f"{len(idle)} had nothing to look at:", "dim", indent=0)
        yield from (_hanging(f"  {id}  ", f"{titles.get(id, '')}: {reason}") for id, reason in idle.items())


def _hanging(label: str, words: str, style: str = "dim") -> Inset:
    return Inset(Text(words, style=style), len(label), label)


def _next(checked: Checked, project: str) -> Iterator[RenderableType]:
    """Say what to do now; the command stands on a line of its own, in one piece."""
    check = f"piste check {project}" if project else "piste.check(problem)"
    run = f"piste run {project}" if project else "piste.run(problem)"
    found = _summary(checked)
    if checked.prepared is None:
        words, command = "nothing else can be checked before this is fixed; then", check
    elif checked.plain_faults:
        words, command = f"{found}. Fix the fault{'s' * (len(checked.plain_faults) > 1)}, then check again", check
    elif checked.of("block"):
        words, command = f'{found}. Resolve what stands under "Fix first", then check again', check
    elif found:
        words, command = f"{found}. Nothing blocks", run
    else:
        words, command = "nothing stands in the way", run
    yield _inset(f"Next: {words}:", "bold", indent=0)
    yield Text(f"    {command}", style="bold", no_wrap=True, overflow="ignore")


@dataclass(frozen=True)
class Inset:
    """Words wrapped to the width of the paper behind an indent, without blanks at the ends of lines.

    Args:
        words: of any length.
        indent: in characters.
        label: that stands in the indent of the first line.
    """

    words: Text
    indent: int = INDENT
    label: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        for number, line in enumerate(self.words.wrap(console, max(1, options.max_width - self.indent))):
            line.rstrip()
            head = "" if number else self.label
            yield Text.assemble(f"{head:<{self.indent}}", line, no_wrap=True, overflow="ignore")
