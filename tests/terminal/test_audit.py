"""The screen of a look before training: gravest first, lines to paste at the edge, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import piste
from piste.checking import Checked
from piste.core.check import Examined, ordered
from piste.core.errors import Fault, Place
from piste.core.finding import Finding
from piste.core.problem import located
from piste.edges.strict_yaml import read
from piste.prepare import prepare
from piste.terminal.audit import as_text, looked_at
from piste.watch import silent

TODAY = date(2026, 11, 24)
LONG = "a word after another " * 9


def made(
    *findings: Finding,
    faults: tuple[Fault, ...] = (),
    places: dict[str, Place] | None = None,
    ends: dict[str, int] | None = None,
    **keys: Any,
) -> Checked:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=60), "tickets": rng.normal(size=60), "wait": rng.normal(size=60)})
    frame["skiers"] = rng.poisson(30, 60)
    problem = piste.Problem(data=frame, target="skiers", question="How many skiers?", **keys)
    at = prepare(problem, (), silent, quick=True, code=True)
    examined = Examined(ordered(findings), {}, {"L14": "no holdout is declared", "D08": "the problem names no time"}, ("D03", "D04"))
    found = located(problem, "problem.yaml", places or {}, ends)
    return Checked("resort", found, at, faults, ("split.fold",) if faults else (), examined, TODAY)


def finding(check: str = "D07", severity: Any = "warn", on: str = "tickets", **changed: Any) -> Finding:
    told = {"number": 0.9, "threshold": 0.8, "message": f"'{on}' breaks", "fix": "leave it out", "consequence": "models learn that"}
    return Finding(check, severity, on, **{**told, "paste": f"columns: {{{on}: drop}}", "field": f"columns.{on}", **changed})


def question(on: str, share: float, severity: Any = "warn", check: str = "L03", when: str = "decision") -> Finding:
    words = {"message": f"Is '{on}' known? Much hangs on it", "field": "known_at", "paste": f"known_at: {{{when}: [{on}]}}"}
    return finding(check, severity, on, number=share, **words)


def screen(checked: Checked, width: int = 140, *, every: bool = False) -> str:
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as caught:
        console.print(looked_at(checked, "projects/resort", every=every), crop=False)
    return "\n".join(line.rstrip() for line in caught.get().splitlines())


def edge(text: str) -> list[str]:
    """Return the lines that are to be pasted: those at the edge behind an inset one, with what is indented by two below them."""
    return [line for line in text.splitlines() if line.startswith(("columns:", "known_at:", "acknowledge:", "split:"))]


def test_the_gravest_comes_first_then_warnings_questions_notes_and_what_is_next():
    found = made(
        finding("L01", "block", "casual"),
        finding("D07", "warn", "date"),
        question("tickets", 0.4),
        finding("D03", "note", "resort"),
        finding("L02", "warn", "passes", acknowledged="by ana until 2027-11-01: frozen"),
        faults=(Fault("is not a key of 'split'", "split.fold", Place("problem.yaml", 8, 24)),),
    )
    said = screen(found)
    order = [
        "resort: How many skiers?",
        "60 rows of the frame, 3 columns to learn from; the answer is 'skiers' (count)",
        "1 fault, 1 to fix first, 1 to look at, 1 question",
        "1 fault: fix this before anything can run",
        "problem.yaml:8:24: split.fold: is not a key of 'split'",
        "Ignored for now, so that the rest could be checked: split.fold.",
        "Fix first",
        "L01 casual",
        "Watch",
        "D07 date",
        "1 question: what is known in time?",
        "Is 'tickets' known?",
        "Good to know",
        "D03  'resort' breaks.",
        "acknowledged: L02 passes, by ana until 2027-11-01: frozen",
        "2 checks found nothing; 2 had nothing to look at: --all lists them",
        "Next: 1 fault, 1 to fix first, 1 to look at, 1 question. Fix the fault, then check again:\n    piste check projects/resort",
    ]
    places = [said.index(each) for each in order]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_paper_but_lines_to_paste_which_are_never_broken(width):
    long = finding(message=LONG, consequence=LONG, fix=LONG, paste=f"columns: {{{'tickets_of_every_kind, ' * 9}}}")
    said = screen(made(long, finding("D03", "note", message=LONG)), width)
    wide = [line for line in said.splitlines() if len(line) > width]
    assert [line for line in wide if not line.startswith(("columns:", "  - {"))] == []
    assert long.paste in said.splitlines()


def test_what_is_pasted_stands_at_the_edge_and_nothing_else_does_between_the_headings():
    said = screen(made(finding("L01", "block", "casual"), finding("D07", "warn", "date", fix="split it", paste="split: {together: date}")))
    assert edge(said) == ["columns: {casual: drop}", "split: {together: date}"]


@pytest.mark.parametrize(("ends", "lines"), [({"columns": 7}, "line 7"), ({"columns": 19}, "lines 7 to 19"), ({}, "line 7")])
def test_a_key_that_stands_already_is_to_be_replaced_and_all_its_lines_are_named(ends, lines):
    found = made(finding(), places={"columns": Place("problem.yaml", 7, 1)}, ends=ends)
    assert f"Replace {lines} with:\ncolumns: {{tickets: drop}}" in screen(found)
    assert "Replace line" not in screen(made(finding()))


def test_the_same_line_is_given_once():
    forward = "split: {scheme: forward}"
    said = screen(made(finding("L08", on="day", paste=forward), finding("L11", on="day", paste=forward)))
    assert said.count(forward) == 1
    assert said.index("Settled by the line above, of L08 day.") > said.index("L11 day")


@pytest.mark.parametrize(
    ("pasted", "merged"),
    [
        (("split: {folds: 5, together: day}", "split: {scheme: forward}"), ["split: {scheme: forward}"]),
        (("split: {folds: 5, together: lift}", "split: {scheme: forward}"), ["split: {scheme: forward, together: lift}"]),
        (("split: {together: lift}", "time: day\nsplit: {scheme: forward}"), ["time: day", "split: {scheme: forward, together: lift}"]),
        (("split: {together: lift}", "split: {together: pass}"), ["split: {together: lift}", "split: {together: pass}"]),
        (("columns: {a: drop}", "columns: {b: text}"), ["columns: {a: drop, b: text}"]),
        (("data: {path: a.csv, missing: [9]}", "data: {path: a.csv, missing: [8]}"), ["data: {path: a.csv, missing: [9, 8]}"]),
        (("data: {path: a.csv}", "data: {path: b.csv}"), ["data: {path: a.csv}", "data: {path: b.csv}"]),
    ],
    ids=["time holds them together", "groups beside time", "time is named", "two groups", "columns", "missing", "two sources"],
)
def test_different_values_of_one_key_are_one_line_where_one_serves_for_both(pasted, merged):
    found = made(*(finding(check, on="day", paste=line) for check, line in zip(("L07", "L11"), pasted, strict=True)), time="day")
    lines = [line for line in screen(found).splitlines() if line.startswith(("time:", "split:", "columns:", "data:"))]
    assert lines == merged
    assert screen(found).count("Settled by the line ") == (len(merged) == 1 or merged[0] == "time: day")


def test_what_does_most_harm_is_said_first():
    said = screen(made(finding("D07"), finding("L07", harm=0.05), finding("L11", harm=0.3), finding("D01", "block", harm=0.0)))
    assert [said.index(f"  {check} tickets") for check in ("D01", "L11", "L07", "D07")] == sorted(
        said.index(f"  {check} tickets") for check in ("D01", "L11", "L07", "D07")
    )


def test_questions_are_asked_the_dearest_first_with_one_line_for_the_answer():
    found = made(question("wait", 0.1), question("tickets", 0.4), known_at={"always": "day"})
    said = screen(found)
    assert said.index("Is 'tickets' known") < said.index("Is 'wait' known")
    [line] = edge(said)
    pasted = said[said.index(f"\n{line}") + 1 :].partition("\n\n")[0]
    assert read(pasted, "").value == {"known_at": {"always": ["day"], "decision": ["tickets", "wait"]}}


def test_what_one_finding_takes_for_known_only_after_is_so_in_the_one_answer_for_all():
    found = made(
        question("wait", 0.4), question("wait", 1.0, "block", "L01", "after"), question("tickets", 0.2), known_at={"always": "day"}
    )
    said = screen(found)
    [line] = edge(said)[:1]
    pasted = said[said.index(f"\n{line}") + 1 :].partition("\n\n")[0]
    assert read(pasted, "").value == {"known_at": {"always": ["day"], "decision": ["tickets"], "after": ["wait"]}}


def test_one_finding_that_asks_for_known_at_has_its_own_line():
    said = screen(made(question("wait", 1.0, "block", "L01", "after")))
    assert edge(said)[0] == "known_at: {after: [wait]}"
    assert "One answer" not in said
    both = screen(made(question("wait", 1.0, "block", "L01", "after"), question("tickets", 0.9, "warn", "L02", "after")))
    assert "One answer for what is said above" in both
    assert [line for line in edge(both) if line.startswith("known_at")] == ["known_at: {after: [wait, tickets]}"]


def test_notes_are_a_line_each_and_whole_on_demand():
    notes = [finding("D03", "note", f"c{i}", message=LONG) for i in range(8)]
    short = screen(made(*notes), 80)
    assert short.count("D03  A word") == 5
    assert "… and 3 more: --all shows them" in short
    assert "models learn that" not in short.lower()
    whole = screen(made(*notes), 80, every=True)
    assert whole.lower().count("models learn that") == 8
    assert "L14" in whole
    assert "no holdout is declared" in whole


def test_a_note_on_a_column_that_is_asked_about_already_says_nothing_new():
    said = screen(made(question("wait", 0.4), question("wait", 1.0, "note", "L15")))
    assert "L15" not in said


def test_what_may_be_taken_as_it_is_has_its_line_questions_and_exact_blocks_have_none():
    found = made(finding("L01", "block", "casual"), finding("F07", "block", "unit"), question("wait", 0.4), finding("D03", "note", "x"))
    assert "acknowledge:" not in screen(found), "what blocks is fixed first"
    said = screen(found, every=True)
    [item] = [line for line in said.splitlines() if line.startswith("  - {")]
    assert item == f"  - {found.entry(found.findings[1])}"
    assert "check: L01, on: casual" in item


def test_below_a_list_that_stands_already_only_the_items_are_pasted():
    given = {"check": "D05", "on": "x", "seen": "1@3f2a", "until": "2027-01-01", "by": "ana", "why": "known"}
    found = made(finding(), acknowledge=[given], places={"acknowledge": Place("problem.yaml", 9, 1)})
    said = screen(found)
    assert "Paste its line below line 9, with your name and the reason (leave `seen` as it is):" in said
    assert "acknowledge:" not in edge(said)
    assert "\n  - {check: D07, on: tickets," in said


def test_a_check_that_failed_is_not_passed_over():
    found = made()
    failed = replace(found.examined, spared={"L12": "it could not be computed (ValueError: x)"})
    said = screen(replace(found, examined=failed))
    assert "L12 was not heard: it could not be computed (ValueError: x)" in said
    assert "had nothing to look at" not in said


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (made(), "Next: nothing stands in the way:\n    piste run projects/resort"),
        (made(finding()), "Next: 1 to look at. Nothing blocks:\n    piste run projects/resort"),
        (
            made(finding(severity="block")),
            'Next: 1 to fix first. Resolve what stands under "Fix first", then check again:\n    piste check projects/resort',
        ),
        (
            replace(made(faults=(Fault("must be there", "data"),)), prepared=None),
            "Next: nothing else can be checked before this is fixed; then:\n    piste check projects/resort",
        ),
    ],
    ids=["clean", "warnings", "blocks", "nothing to look at"],
)
def test_the_last_line_says_what_to_do(checked, expected):
    assert screen(checked).splitlines()[-2:] == expected.splitlines()


def test_several_questions_are_one_sentence_and_a_table():
    found = made(question("tickets", 0.4), question("wait", 0.1))
    lines = [("tickets", "'tickets'", 56.4, 60.7, True), ("wait", "'wait' and 'snow'", 56.4, 59.6, False)]
    asked = pd.DataFrame(lines, columns=["on", "columns", "with_it", "without", "one"])
    said = screen(replace(found, examined=replace(found.examined, tables={"questions": asked})))
    assert "2 questions: what is known in time? (L03)" in said
    assert said.count("known when the prediction is made?") == 1
    assert "      56.4      60.7  'tickets'\n" in said
    assert "      56.4      59.6  'wait' and 'snow' (dropping just one changes little: the others make up for it)" in said
    assert "Filled in as a guess: known in time." in said


def test_no_line_ends_in_blanks_and_no_command_is_broken():
    console = Console(width=40, highlight=False, color_system=None)
    with console.capture() as caught:
        console.print(looked_at(made(finding(message=LONG, fix=LONG), finding("D03", "note", message=LONG)), "a/b" * 20), crop=False)
    assert [line for line in caught.get().splitlines() if line != line.rstrip()] == []
    assert f"\n    piste run {'a/b' * 20}\n" in caught.get()


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"scheme": "kfold", "folds": 3, "repeats": 2}, "Tested on 3 parts, drawn at random, 2 times over"),
        ({"scheme": "leave_one_out", "by": "day"}, "Tested on each value of 'day', learnt from the others"),
        ({"together": "day", "holdout": 0.5}, "rows of one 'day' stay together; 30 rows held out"),
    ],
    ids=["at random", "one out", "together"],
)
def test_how_rows_are_set_apart_is_said_in_plain_words(split, said):
    assert said in screen(made(split=split))
    assert "Tested forward in time, in 4 steps" in screen(made(time="day", split={"folds": 4}))


def test_markup_in_words_of_the_users_own_is_printed_as_it_is():
    assert "'[red]x[/red]' breaks" in screen(made(finding(on="[red]x[/red]", message="'[red]x[/red]' breaks")))


def test_in_python_what_comes_back_is_the_screen():
    frame = pd.DataFrame({"x": [i * i % 7 for i in range(60)], "y": [i * 7 % 11 + 0.5 for i in range(60)]})
    found = piste.check(piste.Problem(data=frame, target="y"), today=TODAY)
    assert repr(found) == as_text(found, width=120)
    assert repr(found).startswith("problem\n60 rows of the frame, 1 column to learn from; the answer is 'y' (numeric)")
    assert "piste.run(problem)" in repr(found)
