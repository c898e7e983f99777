"""The leaderboard: a line for each row, on paper of any width."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from piste.core.comparison import Claimed, Comparison, Interval, Terms
from piste.terminal import Leaderboard
from piste.terminal.amounts import alike
from piste.terminal.selection import wanted
from piste.terminal.titles import title
from tests.comparisons import classification, regression
from tests.terminal.boards import NAN, decided, printed

MADE = pytest.mark.parametrize("made", [regression, classification, decided], ids=lambda made: made.__name__)


def lines(comparison: Comparison, width: int = 140, *, every: bool = False) -> list[str]:
    """Return the lines of rows that have a place."""
    return [line for line in printed(Leaderboard(comparison, every), width).splitlines() if re.match(r" *\d+ ", line)]


@MADE
@pytest.mark.parametrize("width", [62, 80, 100, 140, 200])
def test_every_row_has_one_line_that_fits_the_paper_with_its_cost_whole(made, width):
    comparison = made()
    shown = wanted(comparison)
    found = lines(comparison, width)
    assert [int(line.split()[0]) for line in found] == [place for place, _ in shown]
    assert max(len(line) for line in printed(Leaderboard(comparison), width).splitlines()) <= width
    for line, (_, row) in zip(found, shown, strict=True):
        [cost] = alike([row.cost], comparison.judged[0].cost)
        assert re.search(rf"\s{re.escape(cost)}(\s|$)", line)


def test_a_hundred_rows_fit_on_one_screen():
    assert len(printed(Leaderboard(decided())).splitlines()) <= 40


@MADE
def test_with_room_titles_are_whole(made):
    comparison = made()
    for line, (_, row) in zip(lines(comparison, 240), wanted(comparison), strict=True):
        assert f" {title(row)}  " in line


@MADE
@pytest.mark.parametrize("width", [62, 80, 100, 140])
def test_the_champion_alone_is_marked_however_narrow(made, width):
    comparison = made()
    [line] = [each for each in lines(comparison, width) if "champion" in each]
    assert comparison.judged[int(line.split()[0]) - 1].id == comparison.champion


def test_with_all_every_row_is_shown():
    comparison = decided()
    assert len(lines(comparison, every=True)) == len(comparison.judged) > len(lines(comparison))
    assert "more rows" not in printed(Leaderboard(comparison, every=True))


def test_what_is_not_shown_is_counted_with_how_many_of_it_are_tied():
    comparison = decided()
    shown = {row.id for _, row in wanted(comparison)}
    hidden = [row for row in comparison.judged if row.id not in shown]
    tied = sum(row.tied_with_best for row in hidden)
    assert tied
    assert f"… and {len(hidden)} more rows in the report, {tied} of them tied with the best" in printed(Leaderboard(comparison))


def test_a_decision_is_priced_in_its_own_unit_and_a_metric_named():
    assert "EUR" in printed(Leaderboard(decided())).splitlines()[0]
    assert "a decision" in printed(Leaderboard(decided())).splitlines()[1]
    assert "RMSE" in printed(Leaderboard(regression())).splitlines()[0]


def test_how_a_row_decides_is_said_where_there_are_several_ways():
    header, *_ = (line for line in printed(Leaderboard(decided()), 160).splitlines() if "model" in line)
    assert "decides" in header
    for line, (_, row) in zip(lines(decided(), 160), wanted(decided()), strict=True):
        assert ("prediction alone" if row.rule == "plug_in" else "with its uncertainty") in line
    assert "decides" not in printed(Leaderboard(regression()))


def test_several_framings_are_told_apart_and_one_needs_no_word():
    one = regression()
    two = replace(one, judged=(*one.judged, replace(one.judged[0], framing="distribution")))
    assert " asked " not in printed(Leaderboard(one))
    assert " asked " in printed(Leaderboard(two))
    assert sum("distribution" in line for line in lines(two)) == 1


def test_what_nobody_could_ship_stands_apart_without_a_place_or_an_interval():
    text = printed(Leaderboard(decided()), 200)
    below = text[text.index("last value by run") :]
    for known, cost in (("Perfect foresight", "0.00"), ("The world's own distribution (known only because it is simulated)", "33.80")):
        [line] = [line for line in below.splitlines() if known in line]
        assert re.search(rf"\s{cost}\s+←", line), "cheaper than all that is drawn"
        assert line.startswith("     ")
        assert "─" not in line


@pytest.mark.parametrize("width", [80, 140])
def test_where_nothing_is_known_of_a_cost_the_interval_says_so(width):
    comparison = regression()
    rows = tuple(replace(row, cost_lo=NAN, cost_hi=NAN, gain_lo=NAN, gain_hi=NAN) for row in comparison.judged)
    text = printed(Leaderboard(replace(comparison, judged=rows)), width)
    assert text.count("unknown") == len(rows)
    assert "nan" not in text.lower()


def test_an_interval_without_an_end_is_drawn_to_the_edge():
    comparison = regression()
    endless = replace(comparison.judged[0], cost_lo=float("-inf"), cost_hi=float("inf"))
    first, *_ = lines(replace(comparison, judged=(endless, *comparison.judged[1:])))
    assert re.search(r"─●─{19}|●─{20}", first)


def test_a_gain_over_a_rule_without_an_error_is_no_nan():
    comparison = regression()
    rows = tuple(replace(row, gain_vs_baseline=NAN, gain_lo=NAN) for row in comparison.judged)
    assert "nan" not in printed(Leaderboard(replace(comparison, judged=rows))).lower()


def test_a_comparison_of_baselines_alone_is_drawn():
    comparison = regression(families=("none",))
    assert [title(row) in line for row, line in zip(comparison.judged, lines(comparison), strict=True)] == [True] * 3


def test_costs_that_are_all_the_same_are_drawn():
    comparison = regression()
    rows = tuple(replace(row, cost=1.0, cost_lo=1.0, cost_hi=1.0) for row in comparison.judged)
    assert printed(Leaderboard(replace(comparison, judged=rows))).count("●") == len(rows)


def test_better_rows_are_drawn_further_left():
    at = [line.index("●") for line in lines(regression()) if "●" in line]
    assert len(at) >= 8
    assert at == sorted(at)


def test_gains_stand_against_the_rule_to_beat_which_has_none_and_with_what_they_surely_are():
    comparison = decided()
    for line, (_, row) in zip(lines(comparison, 200), wanted(comparison), strict=True):
        assert bool(re.search(rf"\s{row.gain_vs_baseline:.1%}\s+{row.gain_lo:.0%}\s", line)) == (row.id != comparison.best_baseline)


@pytest.mark.parametrize("width", [80, 200])
def test_what_a_gain_is_at_least_is_said_with_its_confidence_and_for_how_many_candidates_it_holds(width):
    comparison = replace(decided(), terms=Terms(0, ordered=True, confidence=0.9, rope=0.4, degrees=None))
    said = " ".join(printed(Leaderboard(comparison), width).split())
    assert "gain: over Rule 'ticket_rule', the one to beat" in said
    assert "its lower bound at 90%, for all 1,200 candidates at once" in said
    assert ("at least" in said) == (width == 200)


def test_training_costs_stand_beside_a_metric_so_that_overfitting_is_seen_and_not_beside_a_price():
    comparison = replace(classification(), cost_name="log_loss")
    best = comparison.judged[0]
    [line] = [each for each in lines(comparison) if best.title in each]
    assert alike([best.train_metrics["log_loss"]], best.cost)[0] in line.partition("%")[2]
    assert "training" not in printed(Leaderboard(decided()), 240)


@pytest.mark.parametrize(
    ("trials", "blocks", "said"),
    [
        (11, 400, "Each cost is corrected for choosing its setting among up to 11."),
        (11, 6, "costs are those of each row's best setting, uncorrected."),
        (1, 400, "Each row has one setting: its cost is as measured."),
    ],
)
def test_what_costs_are_corrected_for_is_said_as_it_was_done(trials, blocks, said):
    nothing = Interval(0.0, 0.0, 0.0)
    comparison = regression()
    rows = tuple(replace(row, n_trials=trials) for row in comparison.judged)
    claimed = Claimed(nothing, nothing, 0.0, 0.0, 0.0, blocks, 0.0, "")
    assert said in " ".join(printed(Leaderboard(replace(comparison, judged=rows, claimed=claimed))).split())
