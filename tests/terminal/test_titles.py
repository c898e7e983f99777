"""What a row is called where there is one line for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from piste.terminal.titles import fitted, title
from tests.comparisons import regression


@pytest.mark.parametrize(
    ("family", "given_title", "said"),
    [
        (
            "baseline:usual",
            "Baseline (climatology: class shares by run and date.weekday)",
            "Rule 'usual': class shares by run and date.weekday",
        ),
        ("baseline:constant", "Baseline (constant: mean)", "Rule 'constant': mean"),
        ("baseline:last_value", "Baseline (last value by run)", "Rule 'last_value': last value by run"),
        ("baseline:paper", "Baseline (a * (sum(b) / sum(a) by run))", "Rule 'paper': a * (sum(b) / sum(a) by run)"),
        ("forest", "Forest (random forest, 300 trees)", "Forest (random forest, 300 trees)"),
    ],
)
def test_a_rule_is_called_by_the_name_that_the_verdict_uses_and_by_what_it_does(family, given_title, said):
    assert title(replace(regression().judged[0], family=family, title=given_title)) == said


def test_an_expression_typed_on_several_lines_stands_on_one():
    assert title(replace(regression().judged[0], family="baseline:paper", title="Baseline (a\n  + b\n)")) == "Rule 'paper': a + b"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, "Tree (depth 12, at least 10 rows a leaf)"),
        (39, "Tree (depth 12, …)"),
        (18, "Tree (depth 12, …)"),
        (17, "Tree (depth 12, …"),
        (3, "Tr…"),
    ],
)
def test_whole_parts_in_brackets_are_left_out_before_a_word_is_cut(width, shown):
    assert fitted("Tree (depth 12, at least 10 rows a leaf)", width) == shown


@given(st.text(max_size=60), st.integers(1, 70))
def test_no_words_are_wider_than_their_column(words, width):
    assert cell_len(fitted(words, width)) <= width
