"""Names that speak of afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.names import telling_name, words
from piste.core.check import Found
from tests.checks import surveyed


def found(target: str, names: list[str], more: str = "") -> set[str]:
    """Return the names that the check notes."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({name: rng.normal(0, 1, 40) for name in [*names, target]})
    said = telling_name.run(surveyed(f"target: {{column: {target}, kind: numeric}}\n{more}", rows))
    assert isinstance(said, Found)
    assert all(finding.severity == "note" for finding in said.findings)
    return {finding.on for finding in said.findings}


@pytest.mark.parametrize("name", ["wait_minutes", "waitMinutes", "Final amount", "refund", "ACTUAL_END", "next-order", "outcome"])
def test_a_word_of_afterwards_is_noted(name):
    assert found("visits", [name, "staff"]) == {name}


@pytest.mark.parametrize("name", ["waiter", "afternoon", "finalist", "text", "last_result", "wait_yesterday", "expected_outcome"])
def test_words_that_only_begin_alike_or_speak_of_before_are_not(name):
    assert found("visits", [name, "staff"]) == set()


@pytest.mark.parametrize(
    ("target", "name", "noted"),
    [
        ("churn", "churn_reason", True),
        ("TOTAL_VISITS", "TOTAL_VISITS_ADULTS", True),
        ("churn", "churned", False),
        ("visits", "visits_yesterday", False),
        ("class", "passenger_class", False),
        ("age", "age_of_car", False),
    ],
)
def test_the_name_of_the_target_with_more_words_is_noted(target, name, noted):
    assert found(target, [name, "staff"]) == ({name} if noted else set())


def test_what_somebody_vouches_for_is_not_noted():
    assert found("visits", ["wait_minutes", "staff"], "known_at: {decision: [wait_minutes]}") == set()


def test_a_name_is_split_into_its_words():
    assert words("waitMinutes2nd") == ["wait", "minutes", "2", "nd"]
    assert words("NIGHT_VISITS") == ["night", "visits"]
    assert words("---") == ["---"]
