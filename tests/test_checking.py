"""From a problem to what the audit says of it: faults and findings side by side, places, exit codes, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

import piste
from piste import api, checking
from piste.checking import Checked, audited, heard, in_short, noted, standing
from piste.core.acknowledge import IDLE
from piste.core.audit import checks
from piste.core.check import Examined
from piste.core.comparison import Comparison
from piste.core.errors import Fault, Place
from piste.core.finding import Finding
from piste.edges.store import Store
from piste.prepare import prepare
from piste.watch import silent
from tests.comparisons import regression

TODAY = date(2026, 11, 24)
TEXT = """\
data: rows.csv
target: visitors
known_at: {decision: [warmth]}
columns: {till: number}
"""


def rows(n: int = 300) -> pd.DataFrame:
    """Return rows in which the till tells the visitors."""
    rng = np.random.default_rng(0)
    visitors = rng.poisson(30, n)
    return pd.DataFrame({"warmth": rng.normal(size=n).round(3), "till": visitors * 4.5, "visitors": visitors})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "problem.yaml").write_text(TEXT)
    rows().to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path


def finding(severity: Any = "warn", **changed: Any) -> Finding:
    return Finding(**{"check": "L02", "severity": severity, "on": "till", "number": 0.9, "threshold": 0.8, "message": "strong", **changed})


def made(*findings: Finding, faults: tuple[Fault, ...] = ()) -> Checked:
    at = prepare(piste.Problem(data=rows(), target="visitors"), (), silent, quick=True, code=True)
    return Checked("x", at.resolved.problem, at, faults, (), Examined(findings), TODAY)


@pytest.mark.parametrize(
    ("findings", "faults", "codes"),
    [
        ((), (), (0, 0)),
        ((finding("note"),), (), (0, 0)),
        ((finding("warn"),), (), (0, 1)),
        ((finding("warn", acknowledged="by ana"),), (), (0, 0)),
        ((finding("block"), finding("warn")), (), (2, 2)),
        ((finding("block", acknowledged="by ana"),), (), (0, 0)),
        ((), (Fault("must not"),), (2, 2)),
    ],
    ids=["clean", "note", "warning", "warning taken", "block", "block taken", "fault"],
)
def test_the_exit_code_counts_what_is_open(findings, faults, codes):
    found = made(*findings, faults=faults)
    assert (found.exit_code(strict=False), found.exit_code(strict=True)) == codes


def test_a_copy_of_the_answer_is_found_at_the_line_of_what_is_said_of_it(folder):
    found = api.check(folder, today=TODAY)
    [block] = found.of("block")
    assert (block.check, block.on) == ("L01", "till")
    assert found.place(block).line == 3
    assert found.replaced(block.paste) == ((3, 3),)


def test_a_finding_of_what_the_file_does_not_say_is_placed_at_its_beginning():
    problem = made(finding(field="split.scheme"))
    assert problem.place(problem.findings[0]) == Place()


def test_a_fault_that_a_check_tells_of_is_told_once_and_at_its_place(tmp_path):
    (tmp_path / "problem.yaml").write_text("data: rows.csv\ntarget: grade\ndecision: {cost: {go: [0, 1], wait: [1, 2]}}\n")
    pd.DataFrame({"x": [i * i % 7 for i in range(40)], "grade": ["a", "b"] * 20}).to_csv(tmp_path / "rows.csv", index=False)
    found = api.check(tmp_path, today=TODAY)
    assert [fault.check for fault in found.faults] == ["F02"]
    assert found.plain_faults == ()
    [block] = [each for each in found.of("block") if each.check == "F02"]
    assert found.place(block).line == 3
    assert found.entry(block) == "", "what is exact cannot be taken as it is"
    assert found.exit_code(strict=False) == 2


def test_the_line_that_was_pasted_with_a_name_and_a_reason_closes_the_finding_until_its_day(folder):
    first = api.check(folder, today=TODAY)
    [block] = first.of("block")
    line = first.entry(block).replace("by: ,", "by: ana,").replace("why: }", "why: the till is empty at noon}")
    (folder / "problem.yaml").write_text(f"{TEXT}acknowledge:\n  - {line}\n")
    second = api.check(folder, today=TODAY)
    assert second.of("block") == ()
    assert [each.acknowledged for each in second.findings if each.check == "L01"] == ["by ana until 2027-11-24: the till is empty at noon"]
    third = api.check(folder, today=date(2027, 11, 25))
    assert "which has passed" in third.of("block")[0].message


def test_an_acknowledgement_of_nothing_is_a_note_at_its_line(folder):
    line = "{check: D03, on: warmth, seen: 0.99@3f2a, until: 2027-11-24, by: ana, why: known}"
    (folder / "problem.yaml").write_text(f"{TEXT}acknowledge:\n  - {line}\n")
    found = api.check(folder, today=TODAY)
    [note] = [each for each in found.findings if each.check == IDLE]
    assert found.place(note).line == 6


def test_a_check_that_failed_leaves_its_acknowledgements_alone():
    assert heard(["L01", "L02"], {"L01": "it could not be computed (ValueError: x)", "L02": "no column"}) == ("L02",)


def test_every_check_is_heard_silent_or_spared_and_none_fails(folder):
    found = api.check(folder, today=TODAY)
    told = {each.check for each in found.findings}
    assert told | {*found.examined.silent} | {*found.examined.spared} == {*checks()}
    assert not [reason for reason in found.examined.spared.values() if reason.startswith(checking.FAILED)]


def test_json_holds_faults_findings_and_places_as_plain_values(folder):
    (folder / "problem.yaml").write_text(TEXT + "sed: 1\n")
    told = api.check(folder, today=TODAY).as_json()
    assert {*told} == {"problem", "digest", "faults", "aside", "findings", "spared", "silent", "resolved"}
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [(fault["field"], fault["line"], fault["column"]) for fault in told["faults"]] == [("sed", 5, 1)]
    [block] = [each for each in told["findings"] if each["severity"] == "block"]
    assert (block["check"], block["on"], block["line"]) == ("L01", "till", 3)
    assert block["acknowledge"].startswith("{check: L01, on: till, seen: ")
    assert told["resolved"].startswith("schema: piste/1")


def test_remarks_come_gravest_first_without_what_is_taken_as_it_is():
    found = made(
        finding("block"), finding("warn", acknowledged="by ana"), finding("note", fix="look", paste="seed: 1"), faults=(Fault("must", "a"),)
    )
    assert [(each.level, each.title) for each in found.remarks()] == [("error", "a"), ("error", "L02 till"), ("notice", "L02 till")]
    assert found.remarks()[-1].message == "Strong. Look.\nseed: 1"


def test_what_an_audit_found_is_kept_until_something_that_determines_it_changes(folder, tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(checking, "audit", lambda survey: ran.append(survey) or Examined(silent=("D03",)))

    def look(text: str, before: np.ndarray | None = None) -> Examined:
        (folder / "problem.yaml").write_text(text)
        with Store(tmp_path / "results.sqlite") as store:
            return audited(prepare(folder, (), silent, quick=True, code=True), store, before)

    taken = "acknowledge:\n  - {check: L01, on: till, seen: 1@3f2a, until: 2027-11-24, by: ana, why: known}\n"
    for text, before, times in (
        (TEXT, None, 1),
        (TEXT, None, 1),
        (TEXT + taken, None, 1),
        (TEXT + "seed: 3\n", None, 2),
        (TEXT.replace("[warmth]", "[warmth, till]"), None, 3),
        (TEXT, np.array([1, 0]), 4),
    ):
        assert look(text, before).silent == ("D03",)
        assert len(ran) == times


def test_a_comparison_of_other_findings_is_another_comparison():
    at = prepare(piste.Problem(data=rows(), target="visitors"), (), silent, quick=True, code=True)
    keys = {
        noted(comparison, at).key
        for comparison in (
            regression(),
            _with(finding()),
            _with(finding(number=0.95)),
            _with(finding(acknowledged="by ana until 2027-11-01: known")),
        )
    }
    assert len(keys) == 4
    assert noted(_with(finding()), at).key == noted(_with(finding()), at).key


def _with(*findings: Finding) -> Comparison:
    return replace(regression(), findings=findings)


def test_findings_after_training_are_taken_as_they_are_too():
    given = {"check": "M06", "on": "grade 0", "seen": "0.3@0000", "until": "2027-01-01", "by": "ana", "why": "steep"}
    at = prepare(piste.Problem(data=rows(), target="visitors", acknowledge=[given]), (), silent, quick=True, code=True)
    [said] = standing([finding(check="M06", on="grade 0", number=0.3)], at, TODAY)
    meaning = said.message.partition("now it is ")[2].rstrip(")")
    again = prepare(
        piste.Problem(data=rows(), target="visitors", acknowledge=[{**given, "seen": meaning}]), (), silent, quick=True, code=True
    )
    [closed] = standing([finding(check="M06", on="grade 0", number=0.3)], again, TODAY)
    assert closed.acknowledged == "by ana until 2027-01-01: steep"


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ((), ""),
        ((finding("note"), finding("warn", acknowledged="by ana")), ""),
        ((finding("warn"),), "Before training: 1 to watch (L02 'till'). piste check 'a b' shows them."),
        (
            (finding("block", check="L01"), *(finding(on=f"c{i}") for i in range(6))),
            "Before training: 1 to fix first (L01 'till'), 6 to watch (L02 'c0', L02 'c1', L02 'c2', L02 'c3' and 2 more). "
            "piste check 'a b' shows them.",
        ),
    ],
    ids=["nothing", "nothing open", "a warning", "many"],
)
def test_a_run_names_what_is_open_in_a_line(findings, said):
    assert in_short(findings, "a b") == said
