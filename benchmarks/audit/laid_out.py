"""Figures of the audit's benchmark, laid out: as plain values that are stored, on a terminal, and for docs/checks.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.audit.outcome import Clean, Recall, Trial, by_kind, counted, notes, recall
from benchmarks.audit.rule import Said
from benchmarks.audit.scale import N_ROWS, Scale

RESULTS = Path(__file__).parents[1] / "results" / "audit.json"


def stored(cleans: Sequence[Clean], trials: Sequence[Trial], scale: Scale | None) -> dict[str, Any]:
    """Return all that may be known: of the part held back only its totals."""
    opened = counted(trials, held_back=False)
    return {
        "recall": {part: asdict(recall(counted(trials, held_back=part == "held back"))) for part in ("open", "held back")},
        "kinds": {kind: asdict(recall(some)) for kind, some in by_kind(opened).items()},
        "clean": [
            {
                "table": each.table,
                "n_rows": each.n_rows,
                "n_columns": each.n_columns,
                "seconds": round(each.heard.seconds, 2),
                **{severity: each.count(severity) for severity in ("block", "warn", "note")},
                "alarms": [_said(one) for one in each.alarms],
                "failed": list(each.heard.failed),
            }
            for each in cleans
        ],
        "open": [_trial(each) for each in opened],
        "notes": [_trial(each) for each in notes(trials) if not each.fault.held_back],
        "scale": asdict(scale) if scale else None,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.fault.name,
        "kind": trial.fault.kind,
        "table": trial.fault.table,
        "deserves": trial.fault.deserves,
        "hidden": trial.fault.hidden,
        "caught": trial.caught,
        "as_deserved": trial.as_deserved,
        "kept_out": trial.kept_out,
        "by": [_said(each) for each in trial.catching],
        "extra": [_said(each) for each in trial.extra],
        "failed": list(trial.heard.failed),
        "seconds": round(trial.heard.seconds, 2),
    }


def _said(said: Said) -> dict[str, str]:
    return {"check": said.check or "refused", "severity": said.severity, "on": said.on, "message": said.message}


def printed(cleans: Sequence[Clean], trials: Sequence[Trial], *, held_back: bool) -> str:
    """Lay the figures out for a terminal; of the part held back its totals, or all where that is asked for."""
    lines = [f"{'clean table':24}{'rows':>8}{'block':>7}{'warn':>6}{'note':>6}{'seconds':>9}   alarms"]
    for each in cleans:
        alarms = ", ".join(f"{one.check} {one.on}" for one in each.alarms)
        counts = f"{each.count('block'):>7}{each.count('warn'):>6}{each.count('note'):>6}"
        lines.append(f"{each.table:24}{each.n_rows:>8,}{counts}{each.heard.seconds:>9.1f}   {alarms}")
    shown = [each for each in trials if held_back or not each.fault.held_back]
    faults = [each for each in shown if each.fault.deserves != "note"]
    lines += ["", f"{'kind of fault':36}{'caught':>8}   missed"]
    for kind, some in by_kind(faults).items():
        found = recall(some)
        missed = "; ".join(
            each.fault.name + _excuse(hidden=bool(each.fault.hidden), kept_out=each.kept_out) for each in some if not each.caught
        )
        lines.append(f"{kind:36}{f'{found.n_caught}/{found.n_faults}':>8}   {missed}")
    lines += [f"{each.fault.kind:36}{'yes' if each.caught else 'no':>8}" for each in notes(shown)]
    lines += ["", _total("open", recall(counted(trials, held_back=False)))]
    lines += [_total("held back", recall(counted(trials, held_back=True)))]
    failed = {each for heard in (*(one.heard for one in cleans), *(one.heard for one in shown)) for each in heard.failed}
    return "\n".join([*lines, *(["", "Checks that failed:", *sorted(failed)] if failed else [])])


def _excuse(*, hidden: bool, kept_out: bool) -> str:
    return " (no statistic can find it)" if hidden else " (models never see the column)" if kept_out else ""


def _total(part: str, found: Recall) -> str:
    if not found.n_faults:
        return f"{part}: no faults"
    hidden = f", of which no statistic can find {found.n_hidden}" if found.n_hidden else ""
    return (
        f"{part}: {found.n_caught} of {found.n_faults} faults caught ({found.share:.0%}){hidden}; "
        f"{found.n_as_deserved} as gravely as they deserve; {found.n_kept_out} missed in columns that models never see; "
        f"{found.n_extra / max(1, found.n_faults):.2f} further alarms a fault"
    )


def told(scale: Scale) -> str:
    """Say what the large table took."""
    heavy = f"imports {' and '.join(scale.heavy)}" if scale.heavy else "neither torch nor mlflow is imported"
    took = f"{scale.seconds:.1f} s ({scale.cpu_seconds:.1f} s of CPU) and {scale.peak_mb:,.0f} MB"
    return f"{N_ROWS:,} rows of 50 columns: {took}, with the start of the program; {heavy}"


def page() -> str:
    """Return the figures of the last run for docs/checks.md, as markdown without a heading.

    Raises:
        FileNotFoundError: there was no run.
    """
    return as_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def as_markdown(found: Mapping[str, Any]) -> str:
    """Lay stored figures out for a page."""
    clean, scale = found["clean"], found["scale"]
    parts = {name: Recall(**figures) for name, figures in found["recall"].items()}
    n_faults = sum(part.n_faults for part in parts.values())
    blocks, warns = (sum(each[severity] for each in clean) for severity in ("block", "warn"))
    lines = [
        f"{n_faults} faults were planted, one at a time, into {len({each['table'] for each in clean})} real tables with a problem file "
        "that says when each column is known, as a careless colleague would plant them. The list, and what counts as having caught a "
        "fault, was frozen before any threshold was set; a third of it, chosen by a hash, was held back to the end. "
        "`make bench-audit` does it again.",
        "",
        "| part | faults | caught | as gravely as deserved | no statistic can find | further alarms a fault |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, part in parts.items():
        extra = part.n_extra / max(1, part.n_faults)
        lines.append(
            f"| {name} | {part.n_faults} | {part.n_caught} ({part.share:.0%}) | {part.n_as_deserved} | {part.n_hidden} | {extra:.1f} |"
        )
    lines += [
        "",
        f"On the clean tables there {_are(blocks, 'block')} and {warns / len(clean):.1f} warnings a table "
        f"({max(each['warn'] for each in clean)} at most).",
    ]
    if scale:
        lines[-1] += f" {told(Scale(**{**scale, 'heavy': tuple(scale['heavy'])}))}."
    lines += ["", "| kind of fault (open part) | caught | missed |", "| --- | --- | --- |"]
    missed: dict[str, list[str]] = {}
    for each in found["open"]:
        if not each["caught"]:
            excuse = _excuse(hidden=bool(each["hidden"]), kept_out=each["kept_out"])
            missed.setdefault(each["kind"], []).append(each["name"] + excuse)
    for kind, figures in found["kinds"].items():
        lines.append(f"| {kind} | {figures['n_caught']} of {figures['n_faults']} | {'; '.join(missed.get(kind, []))} |")
    hidden = [each for each in found["open"] if each["hidden"]]
    if hidden:
        lines += ["", "What no statistic of the table can find is counted as missed:", ""]
        lines += [f"- {each['name']}: {each['hidden']}." for each in hidden]
    lines += ["", "| clean table | rows | columns | block | warn | note | seconds |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for each in clean:
        cells = (each["table"], f"{each['n_rows']:,}", each["n_columns"], each["block"], each["warn"], each["note"], each["seconds"])
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _are(count: int, noun: str) -> str:
    return f"is no {noun}" if count == 0 else f"is 1 {noun}" if count == 1 else f"are {count} {noun}s"
