"""Every check speaks on its example, and is silent on the one beside it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import piste
from piste.core import audit, review
from piste.core.check import Found, NotApplicable
from piste.edges.strict_yaml import read
from tests.checks import Example, examples

HERE = Path(__file__).parent
CHECKS = {**audit.checks(), **review.checks()}
BEFORE, AFTER = examples(HERE / "audit" / "examples"), examples(HERE / "review" / "examples")


def test_every_check_has_an_example():
    assert {each.check for each in BEFORE} == set(audit.checks())
    assert {each.check for each in AFTER} == set(review.checks())


@pytest.mark.parametrize("example", BEFORE + AFTER, ids=lambda each: f"{each.check} {each.on}")
def test_a_check_speaks_where_it_should(example: Example):
    said = CHECKS[example.check].run(example.fires.subject())
    assert isinstance(said, Found), said
    found = {finding.on: finding for finding in said.findings}
    assert example.on in found, f"{list(found)}"
    finding = found[example.on]
    assert finding.severity == example.severity
    assert finding.severity in CHECKS[example.check].severity
    assert finding.check == example.check
    assert finding.message
    assert finding.consequence
    assert finding.fix or finding.paste
    assert not finding.message.endswith("."), "a full stop is added where it is printed"


@pytest.mark.parametrize("example", AFTER, ids=lambda each: f"{each.check} {each.on}")
def test_what_is_offered_for_pasting_is_a_problem_with_the_rest(example: Example):
    said = CHECKS[example.check].run(example.fires.subject())
    assert isinstance(said, Found)
    keys = read(example.fires.problem, "problem.yaml").value
    for finding in said.findings:
        pasted = read(finding.paste, "paste").value if finding.paste else {}
        piste.Problem(data=pd.DataFrame({"x": [0.0]}), **{**keys, **pasted})


@pytest.mark.parametrize("example", BEFORE + AFTER, ids=lambda each: f"{each.check} {each.on}")
def test_a_check_is_silent_where_nothing_is_wrong(example: Example):
    said = CHECKS[example.check].run(example.silent.subject())
    assert isinstance(said, NotApplicable) or not said.findings


@pytest.mark.parametrize("id", sorted(CHECKS))
def test_a_check_says_all_that_the_page_prints(id: str):
    check = CHECKS[id]
    assert all((check.title, check.severity, check.detects, check.computed, check.threshold, check.alarm, check.source))
