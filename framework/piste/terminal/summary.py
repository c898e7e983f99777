"""All that is said of a finished comparison: the leaderboard, the verdict, what to watch, and what more rows would bring."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from piste.core.comparison import Comparison, Judged
from piste.core.finding import sentence, short
from piste.terminal.board import Leaderboard
from piste.terminal.titles import rule

REVIEW = "M"  # what the ids of checks after training begin with
MOST = 5  # findings, and notes; the report has the others
LOOKS = {"block": ("fix first", "bold red"), "warn": ("watch", "yellow"), "note": ("note", "dim")}  # severity -> word and style


def summary(comparison: Comparison, *, every: bool = False) -> Group:
    """Draw a comparison for a person.

    Args:
        comparison: what was found.
        every: show every row of the leaderboard, every note, and how each model came about.
    """
    parts: list[RenderableType] = [Text(_headline(comparison), style="bold"), "", Leaderboard(comparison, every)]
    parts += [*_absent(comparison), *_notes(comparison, every=every), "", Text(comparison.verdict.sentence, style="bold")]
    after: list[RenderableType] = [*_findings(comparison), *(Text(line) for line in _more(comparison))]
    return Group(*parts, *([Text(), *after] if after else []))


def _headline(comparison: Comparison) -> str:
    asked = f": {comparison.question}" if comparison.question else ""
    judged = f"{comparison.n_judged:,} of {comparison.n_rows:,} rows judged in {len(comparison.fold_names)} folds"
    return f"{comparison.problem}{asked} ({judged})"


def _absent(comparison: Comparison) -> Iterator[Text]:
    """Say which rows have no result, and why; a family that was skipped is named where it has no row at all."""
    have = {row.family for row in comparison.judged}
    missing: dict[tuple[str, str, str], list[str]] = {}
    for row in comparison.absent:
        if row.status == "failed" or row.family not in have:
            missing.setdefault((row.status, row.family, row.reason), []).append(row.framing)
    for (status, family, reason), framings in missing.items():
        asked = f" ({', '.join(framings)})" if status == "failed" and len({row.framing for row in comparison.judged}) > 1 else ""
        yield Text(f"{status}: {family}{asked}: {reason}", style="yellow" if status == "failed" else "dim")


def _notes(comparison: Comparison, *, every: bool) -> Iterator[Text]:
    """Say what was noted of the rows and of the models, the same once for all framings; how models came about only on demand."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in comparison.judged:
        for note in (*row.notes, *(row.details if every else ())):
            told.setdefault((row.family, note), []).append(row.framing)
    lines = [*comparison.notes, *(f"{family} ({', '.join(dict.fromkeys(asked))}): {note}" for (family, note), asked in told.items())]
    shown = lines if every else lines[:MOST]
    yield from (Text(f"note: {line}", style="dim") for line in shown)
    if len(lines) > len(shown):
        yield Text(f"… and {len(lines) - MOST} more notes in the report.", style="dim")


def _findings(comparison: Comparison) -> Iterator[Text]:
    """Say what was found wrong or worth knowing, the gravest first, each with its cure.

    What the verdict says is not said again. Of what was known before training and blocks nothing, only how much there is: the same command
    as before tells it, with the lines to paste.
    """
    still = [each for each in comparison.findings if not each.acknowledged and each.message not in comparison.verdict.sentence]
    before = [each for each in still if not each.check.startswith(REVIEW) and each.severity != "block"]
    found = [each for each in still if each not in before]
    for finding in found[:MOST]:
        word, style = LOOKS[finding.severity]
        cure = f" To do: {finding.fix.removesuffix('.')}." if finding.fix else ""
        yield Text(f"{word}: {sentence(finding.message)}{cure}", style=style)
    if len(found) > MOST:
        yield Text(f"… and {len(found) - MOST} more in the report.", style="dim")
    if warned := sum(each.severity == "warn" for each in before):
        many = f"{warned} warning{'s' * (warned > 1)}"
        yield Text(f"watch: {many} about the question and its rows; `piste check` says what to do.", style="yellow")
    if taken := [f"{each.check} {each.on} {each.acknowledged.partition(':')[0]}" for each in comparison.findings if each.acknowledged]:
        yield Text(f"taken as it is: {'; '.join(taken)}", style="dim")


def _more(comparison: Comparison) -> Iterator[str]:
    """Say what more rows would bring, how far the champion is from what could be known, and what it does."""
    if comparison.curve is not None:
        yield from map(sentence, comparison.curve.sentences)
    champion, base = comparison.row(comparison.champion), comparison.row(comparison.best_baseline)
    if champion.id == base.id or not comparison.priced:
        return
    if shares := _of_attainable(comparison, champion, base):
        yield f"Of what could be saved over '{_name(base)}', the champion saves {' and '.join(shares)}."
    if (ahead := comparison.next_period) is not None:
        gain = f"{short(ahead.mean)} {comparison.cost_name} a decision ({short(ahead.low)} to {short(ahead.high)})"
        yield f"Periods differ: in a single further one, going by the {len(comparison.fold_names)} judged, expect a gain of {gain}."
    if champion.actions:
        each = [f"'{action}' on {share:.0%} ({base.actions[action]:.0%})" for action, share in champion.actions.items()]
        yield f"How often it decides what, the rule in brackets: {', '.join(each)}."


def _of_attainable(comparison: Comparison, champion: Judged, base: Judged) -> list[str]:
    """Return the champion's share of what each reference row saves."""
    saves = {row.title: base.cost - row.cost for row in comparison.references}
    return [
        f"{(base.cost - champion.cost) / saved:.0%} of what {title[:1].lower()}{title[1:]} would"
        for title, saved in saves.items()
        if saved > 0 and champion.cost < base.cost
    ]


def _name(row: Judged) -> str:
    return rule(row).removeprefix("Rule '").removesuffix("'")
