"""What a run gives back in Python."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pandas as pd
import pytest

from piste.core.comparison import Comparison, Interval
from piste.result import Result
from tests.comparisons import regression
from tests.terminal.boards import decided


def result(comparison: Comparison) -> Result:
    """Return a result whose champion is never asked."""

    def unfitted(_: str) -> tuple[object, object]:
        raise AssertionError

    return Result(comparison, "", unfitted)  # type: ignore[arg-type]


def test_what_the_command_line_says_can_be_read_as_frames_and_values():
    comparison = replace(decided(), estimate=Interval(41.6, 38.0, 45.3))
    found = result(comparison)
    assert found.estimate == Interval(41.6, 38.0, 45.3)
    assert found.findings["severity"].tolist() == ["warn"] * 4 + ["note"] * 3
    assert found.references["title"].tolist() == [row.title for row in comparison.references]
    assert found.curve.sentences == ("The network overtakes the forest at about 3,000 rows",)
    assert str(found) == comparison.verdict.sentence


def test_slices_are_the_table_of_the_checks_and_empty_where_none_are_named():
    table = pd.DataFrame({"column": ["grade"], "value": ["black"], "cost": [53.8]})
    assert result(replace(decided(), tables={"slices": table})).slices is table
    assert result(regression()).slices.empty


def test_a_comparison_without_a_curve_has_none():
    assert result(regression()).curve is None


@pytest.mark.parametrize("made", [regression, decided], ids=lambda made: made.__name__)
def test_in_a_notebook_it_shows_the_report_in_a_frame_of_its_own(made):
    shown = result(made())._repr_html_()
    page = html.unescape(re.fullmatch(r'<iframe srcdoc="([^"]*)" style="[^"]*"></iframe>', shown)[1])
    assert page.startswith("<!doctype html>")
    assert html.escape(made().judged[0].title) in page
