"""What a look before training has found, on one screen: what is wrong, what follows, and the lines to paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from piste.checking import FAILED, Checked
from piste.core import audit
from piste.core.audit.cures import known_at
from piste.core.errors import Place
from piste.core.finding import Finding, sentence
from piste.core.melt import ROW
from piste.core.problem import Problem
from piste.core.split import Folds, Rule
from piste.edges.strict_yaml import read

ASKED = "L03"  # the check whose findings are questions, answered together by one line
MOST_NOTES = 5  # unless all are asked for
INDENT = 4


def looked_at(checked: Checked, project: str, *, every: bool = False) -> Group:
    """Draw what was found for a person. Only lines to paste begin at the edge, so that they are copied as they stand.

    Args:
        checked: what was found.
        project: as it was named on the command line; empty in Python.
        every: all notes whole, and what each check said that found nothing.
    """
    parts = [*_headline(checked), *_faults(checked), *_grave(checked), *_questions(checked), *_notes(checked, every=every)]
    parts += [*_to_acknowledge(checked), *_acknowledged(checked), *_silent(checked, every=every)]
    return Group(*parts, Text(), _next(checked, project))


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
    """Say what is asked, of which rows, and how they are set apart."""
    at = checked.prepared
    question = checked.problem.question if checked.problem else None
    yield Text(f"{checked.name}: {question}" if question else checked.name, style="bold")
    if at is None:
        return
    table, rows = at.resolved.table, len(at.resolved.table.frame)
    columns = f"{_counted(len(table.features), 'column')} to learn from"
    yield Text(f"{rows:,} rows of {at.source}, {columns}; the answer is '{table.target.name}' ({table.target.kind})", style="dim")
    yield Text(f"{_apart(at.resolved.rule, at.folds)}", style="dim")


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


def _inset(text: Text | str, style: str = "") -> Padding:
    return Padding(Text(text, style=style) if isinstance(text, str) else text, (0, 0, 0, INDENT), expand=False)


def _faults(checked: Checked) -> Iterator[RenderableType]:
    """Say what keeps the file from being run."""
    if not checked.plain_faults:
        return
    many = len(checked.plain_faults)
    yield from _title(f"{_counted(many, 'fault')}: nothing runs before {'they are' if many > 1 else 'it is'} mended", "red")
    yield from (_inset(str(fault)) for fault in checked.plain_faults)
    if checked.aside and checked.prepared:
        yield _inset(f"Left out, so that the rest could be looked at: {', '.join(checked.aside)}.", "dim")


def _grave(checked: Checked) -> Iterator[RenderableType]:
    """Say what must be resolved first, and what may well mislead, each whole."""
    joint, given = _joint(checked), dict[str, Finding]()
    for severity, words, style in (("block", "Fix first: no score counts until this is resolved", "red"), ("warn", "Watch", "yellow")):
        found = [each for each in checked.of(severity) if each.check != ASKED]
        if found:
            yield from _title(words, style)
        for number, each in enumerate(found):
            if number:
                yield Text()
            first = given.setdefault(each.paste, each)
            yield from _whole(checked, each, style, pasted=each is first and each not in joint)
            if each is not first and each.paste and each not in joint:
                yield _inset(f"The line above, of {first.check}, does that too.", "dim")


def _whole(checked: Checked, finding: Finding, style: str, *, pasted: bool = True) -> Iterator[RenderableType]:
    """Say all of a finding: what, what follows, what to do, and the lines that do it, unless these stand further down."""
    where = _where(checked, finding)
    head = Text.assemble((f"{finding.check} ", style), (finding.on, "bold"), (f"  {where}" if where else "", "dim"))
    yield Padding(head, (0, 0, 0, 2), expand=False)
    yield _inset(" ".join(sentence(each) for each in (finding.message, finding.consequence) if each))
    if finding.fix:
        yield _inset(sentence(finding.fix), "italic")
    if finding.paste and pasted:
        yield from _paste(checked, finding, finding.paste)


def _paste(checked: Checked, finding: Finding, lines: str) -> Iterator[RenderableType]:
    """Give lines to paste, at the edge and in one piece however long they are; where their key stands already, say so."""
    stand = sorted({place.line for place in checked.replaced(finding) if place.line})
    if stand:
        yield _inset(f"In place of what stands in line{'s' * (len(stand) > 1)} {' and '.join(map(str, stand))}:", "dim")
    yield Text(lines, style="cyan", no_wrap=True, overflow="ignore")


def _where(checked: Checked, finding: Finding) -> str:
    """Name the line that a finding is about; empty where the file does not speak of it."""
    place = checked.place(finding)
    whole = checked.problem.stands("") if checked.problem else None
    return str(Place(place.path, place.line)) if place.line and place != whole else ""


def _questions(checked: Checked) -> Iterator[RenderableType]:
    """Ask when columns are known, those first on which most hangs; one answer serves all findings that ask for it."""
    asked = sorted((each for each in checked.open if each.check == ASKED), key=lambda each: -each.number)
    if asked:
        yield from _title(f"{_counted(len(asked), 'question')}: what is known in time? ({ASKED}; the most at stake first)", "yellow")
        for each in asked:
            yield _inset(f"{sentence(each.message)} {sentence(each.consequence)}")
    joint = _joint(checked)
    if not joint or checked.prepared is None:
        return
    if not asked:
        yield from _title("One answer for what is said above of when columns are known", "yellow")
    yield _inset("What is known at the decision stays under `decision`; move what comes later to `after`, and no model sees it.", "italic")
    yield from _paste(checked, joint[0], _answer(checked.prepared.resolved.problem, joint))


def _joint(checked: Checked) -> tuple[Finding, ...]:
    """Return the findings that are answered together, the dearest question first: all that say when columns are known, if several."""
    grave = [each for each in checked.open if each.severity != "note" and each.paste.startswith("known_at:")]
    asked = sorted((each for each in grave if each.check == ASKED), key=lambda each: -each.number)
    return (*asked, *(each for each in grave if each.check != ASKED)) if asked or len(grave) > 1 else ()


def _answer(problem: Problem, findings: Sequence[Finding]) -> str:
    """Write `known_at` as all of some findings would have it; what one of them takes for known only after is so."""
    moved: dict[str, str] = {}
    for finding in findings:
        for when, columns in read(finding.paste, "").value["known_at"].items():
            for name in sorted(columns, key=lambda name: name != finding.on):
                if name not in getattr(problem.known_at, when) and moved.get(name) != "after":
                    moved[name] = when
    early = tuple(name for name, when in moved.items() if when == "decision")
    late = tuple(name for name, when in moved.items() if when == "after")
    if not late:
        return known_at(problem, "decision", early)
    known = problem.known_at.model_copy(update={"decision": (*problem.known_at.decision, *early)})
    return known_at(problem.model_copy(update={"known_at": known}), "after", late)


def _notes(checked: Checked, *, every: bool) -> Iterator[RenderableType]:
    """Say what is good to know, a line each."""
    told = {each.on for each in checked.open if each.severity != "note" and each.field == "known_at"}
    notes = [each for each in checked.of("note") if every or each.field != "known_at" or each.on not in told]
    if notes:
        yield from _title("Good to know", "default")
    if every:
        for number, each in enumerate(notes):
            if number:
                yield Text()
            yield from _whole(checked, each, "default")
        return
    for each in notes[:MOST_NOTES]:
        said = f"{each.check if each.check in audit.checks() else _where(checked, each)}  {sentence(each.message)}"
        yield Padding(Text(said, no_wrap=True, overflow="ellipsis"), (0, 0, 0, 2), expand=False)
    if len(notes) > MOST_NOTES:
        yield _inset(f"… and {len(notes) - MOST_NOTES} more: --all shows them", "dim")


def _to_acknowledge(checked: Checked) -> Iterator[RenderableType]:
    """Give the lines by which somebody takes findings as they are; before that, faults are mended and questions answered."""
    entries = [line for each in checked.open if each.check != ASKED and (line := checked.entry(each))]
    if not entries or checked.plain_faults:
        return
    stands = checked.problem.stands("acknowledge") if checked.problem else None
    where = f", below line {stands.line}, where `acknowledge` stands" if stands and stands.line else ""
    yield Text()
    yield _inset(f"Right in general, but not here? Take it as it is, with a name and a reason{where}:", "dim")
    lines = "\n".join(f"  - {each}" for each in entries)
    yield Text(lines if stands else f"acknowledge:\n{lines}", style="dim cyan", no_wrap=True, overflow="ignore")


def _acknowledged(checked: Checked) -> Iterator[RenderableType]:
    taken = [each for each in checked.findings if each.acknowledged]
    if taken:
        yield Text()
    for each in taken:
        yield Text(f"  taken as it is: {each.check} {each.on}, {each.acknowledged}", style="dim", no_wrap=True, overflow="ellipsis")


def _silent(checked: Checked, *, every: bool) -> Iterator[RenderableType]:
    """Say how many checks found nothing, or had nothing to look at; and which failed."""
    if checked.prepared is None:
        return
    spared = checked.examined.spared
    failed = {id: reason for id, reason in spared.items() if reason.startswith(FAILED)}
    idle = {id: reason for id, reason in spared.items() if id not in failed}
    yield Text()
    for id, reason in failed.items():
        yield Padding(Text(f"{id} was not heard: {reason}", style="yellow"), (0, 0, 0, 2), expand=False)
    none = f"{_counted(len(checked.examined.silent), 'check')} found nothing"
    had = f"; {len(idle)} had nothing to look at" if idle else ""
    if not every:
        yield Text(f"{none}{had}: --all lists them", style="dim")
        return
    titles = {id: check.title for id, check in audit.checks().items()}
    yield Text(f"{none}:", style="dim")
    yield from (Text(f"  {id}  {titles.get(id, '')}", style="dim") for id in checked.examined.silent)
    if idle:
        yield Text(f"{len(idle)} had nothing to look at:", style="dim")
        yield from (_hanging(f"{id}  {titles.get(id, '')}: {reason}") for id, reason in idle.items())


def _hanging(words: str) -> Padding:
    return Padding(Text(words, style="dim"), (0, 0, 0, 2), expand=False)


def _next(checked: Checked, project: str) -> Text:
    """Say what to do now."""
    check = f"piste check {project}" if project else "piste.check(problem)"
    run = f"piste run {project}" if project else "piste.run(problem)"
    if checked.prepared is None:
        return Text(f"Nothing else can be looked at before that. Then: {check}", style="bold")
    if checked.plain_faults:
        return Text(f"Next: mend what stands at the top, then again: {check}", style="bold")
    if checked.of("block"):
        return Text(f'Next: resolve what stands under "Fix first", then again: {check}', style="bold")
    if many := len(checked.of("warn")):
        them = f"the {many} warnings, or take them as they are" if many > 1 else "the warning, or take it as it is"
        return Text(f"Next: look at {them}; nothing blocks: {run}", style="bold")
    return Text(f"Next: nothing stands in the way: {run}", style="bold")
