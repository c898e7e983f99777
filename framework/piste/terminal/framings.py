"""The framings of a problem, drawn: what each asks, sees, answers and throws away, and who takes it."""

from __future__ import annotations

from rich.console import Group
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from piste.core.report.framed import Framed, Way
from piste.core.report.unasked import Unasked


def framed(found: Framed) -> Group:
    """Draw the framings of a problem, and below them those that are not asked."""
    head = f"{found.problem}: {found.question}" if found.question else found.problem
    parts: list[object] = [Text(head, style="bold"), *map(Text, found.about), ""]
    parts += [Text("From an answer to an action", style="bold"), Padding(_decisions(found), (0, 0, 1, 2))]
    many = f"{len(found.ways)} ways to ask" if len(found.ways) > 1 else "One way to ask"
    parts.append(Text(many, style="bold"))
    for way in found.ways:
        parts += [_heading(way), Padding(_way(way), (0, 0, 1, 2))]
    if found.unasked:
        parts.append(Text("Not asked", style="bold"))
        parts += [part for each in found.unasked for part in _unasked(each)]
    return Group(*parts)  # type: ignore[arg-type]


def _decisions(found: Framed) -> Table:
    """Draw each way to decide once."""
    table = _grid()
    for does, rule in {does: rule for way in found.ways for rule, does in way.decides}.items():
        table.add_row(rule, Text(does))
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    return table


def _heading(way: Way) -> Text:
    heading = Text(way.name, style="bold cyan")
    return heading if way.title.casefold() == way.name else heading.append(f"  {way.title}", style="default")


def _way(way: Way) -> Table:
    table = _grid()
    rows = {"asks": way.asks, "sees": way.sees, "answers": way.answers, "throws away": way.loses}
    for name, said in {**rows, "decides": " or ".join(rule for rule, _ in way.decides)}.items():
        table.add_row(name, Text(said))
    table.add_row("families", Text(", ".join(way.takes) or "none"))
    reasons: dict[str, list[str]] = {}
    for family, reason in way.leaves:
        reasons.setdefault(reason, []).append(family)
    for number, (reason, families) in enumerate(reasons.items()):
        table.add_row("not" if number == 0 else "", Text(f"{', '.join(families)}: {reason}", style="dim"))
    return table


def _unasked(each: Unasked) -> list[object]:
    parts: list[object] = [Text(f"  {each.title}", style="cyan").append(f": {each.reason}", style="default")]
    if each.lines:
        parts.append(Padding(Syntax("\n".join(each.lines), "yaml", background_color="default", word_wrap=True), (0, 0, 0, 4)))
    return parts
