"""Which rows of a long leaderboard are shown first."""

from __future__ import annotations

from dataclasses import replace

from piste.core.verdict import is_baseline
from piste.terminal.selection import ENOUGH, wanted
from tests.comparisons import regression
from tests.terminal.boards import decided


def test_a_short_leaderboard_is_shown_whole():
    comparison = regression()
    assert [row for _, row in wanted(comparison)] == list(comparison.judged)


def test_of_a_long_one_the_champion_and_the_best_of_each_question_rule_family_and_baseline_are_shown_and_no_other():
    comparison = decided()
    assert len(comparison.judged) > ENOUGH
    expected = {comparison.champion, comparison.best_baseline}
    seen_kinds, seen_baselines = set(), set()
    for row in comparison.judged:  # best first
        if is_baseline(row) and row.family not in seen_baselines:
            seen_baselines.add(row.family)
            expected.add(row.id)
        if not is_baseline(row) and (row.framing, row.rule) not in seen_kinds:
            seen_kinds.add((row.framing, row.rule))
            expected.add(row.id)
    families = {comparison.row(id).family for id in expected}
    for row in comparison.judged:
        if row.family not in families:
            families.add(row.family)
            expected.add(row.id)
    assert {row.id for _, row in wanted(comparison)} == expected


def test_a_champion_that_is_no_best_of_anything_is_shown():
    comparison = decided()
    other = comparison.judged[60].id
    assert other not in {row.id for _, row in wanted(comparison)}
    assert other in {row.id for _, row in wanted(replace(comparison, champion=other))}


def test_rows_keep_their_place_on_the_whole_leaderboard():
    comparison = decided()
    shown = wanted(comparison)
    assert all(comparison.judged[place - 1] is row for place, row in shown)
    assert [place for place, _ in shown] == sorted(place for place, _ in shown)


def test_predictions_that_were_made_elsewhere_are_shown_however_poor():
    comparison = decided()
    last = replace(comparison.judged[-1], family="outside:sheet", title="Predictions from elsewhere (sheet)")
    assert last.is_outside
    shown = {row.id for _, row in wanted(replace(comparison, judged=(*comparison.judged[:-1], last)))}
    assert last.id in shown
