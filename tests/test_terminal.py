"""What a person sees in the terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from rich.console import Console

from piste.core.comparison import Comparison
from piste.core.fit import Failed, Predicted
from piste.core.plan import Cell, Plan
from piste.core.search import Candidate
from piste.terminal import LINE_SECONDS, Screen, leaderboard, short, span, summary
from piste.watch import Began, Better, Finished, Planned, Started
from tests.comparisons import classification, regression

NAN = float("nan")


def printed(drawn: object, width: int = 140) -> str:
    """Print on paper of this width."""
    console = Console(width=width, file=io.StringIO(), color_system=None, force_terminal=False)
    console.print(drawn)
    return console.file.getvalue()


def titles(comparison: Comparison, width: int) -> list[str]:
    """Return the titles that a leaderboard shows, each from all its lines."""
    lines = printed(leaderboard(comparison), width).splitlines()
    start = lines[0].index("model")
    end = re.search(rf"\S*{re.escape(comparison.cost_name)}", lines[0][start + 5 :])
    assert end, "the cost has a column"
    starts = [i for i, line in enumerate(lines) if re.match(r" *\d+ ", line)] + [len(lines)]
    texts = [" ".join(re.split(r"  +(?!champion)", line[start:])[0].strip() for line in lines[a:b]) for a, b in pairwise(starts)]
    return [" ".join(text.split()) for text in texts]


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("made", [regression, classification], ids=lambda made: made.__name__)
def test_the_leaderboard_shows_the_title_of_each_row_whole_and_in_order(made, width):
    comparison = made()
    shown = titles(comparison, width)
    assert [title.removesuffix(" champion") for title in shown] == [row.title for row in comparison.judged]
    assert [title.endswith(" champion") for title in shown] == [row.id == comparison.champion for row in comparison.judged]


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("made", [regression, classification], ids=lambda made: made.__name__)
def test_no_line_is_wider_than_the_paper_and_no_cost_is_cut(made, width):
    comparison = made()
    text = printed(summary(comparison), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for row in comparison.judged:
        assert re.search(rf"(^|\s){re.escape(short(row.cost))}(\s|$)", text, re.MULTILINE), row.title


def without_intervals(comparison: Comparison) -> Comparison:
    """Return the comparison as few blocks leave it."""
    rows = tuple(replace(row, cost_lo=NAN, cost_hi=NAN, gain_lo=NAN, gain_hi=NAN) for row in comparison.judged)
    return replace(comparison, judged=rows)


@pytest.mark.parametrize("width", [80, 140])
def test_where_nothing_is_known_of_a_cost_the_interval_says_so(width):
    text = printed(leaderboard(without_intervals(regression())), width)
    assert text.count("unknown") == len(regression().judged)
    assert "nan" not in text.lower()


def test_one_row_without_an_interval_leaves_the_others_theirs():
    comparison = regression()
    mixed = replace(comparison, judged=(without_intervals(comparison).judged[0], *comparison.judged[1:]))
    text = printed(leaderboard(mixed))
    assert text.count("unknown") == 1
    assert text.count("●") + text.count("→") == len(comparison.judged) - 1


def test_a_gain_over_a_rule_without_an_error_is_no_nan():
    comparison = regression()
    rows = tuple(replace(row, gain_vs_baseline=NAN) for row in comparison.judged)
    assert "nan" not in printed(leaderboard(replace(comparison, judged=rows))).lower()


def test_a_comparison_of_baselines_alone_is_drawn():
    comparison = regression(families=("none",))
    assert all(row.family.startswith("baseline:") for row in comparison.judged)
    assert titles(comparison, 140)[0].startswith(comparison.judged[0].title)


def test_costs_that_are_all_the_same_are_drawn():
    comparison = regression()
    rows = tuple(replace(row, cost=1.0, cost_lo=1.0, cost_hi=1.0) for row in comparison.judged)
    assert printed(leaderboard(replace(comparison, judged=rows))).count("●") == len(rows)


def test_better_rows_are_drawn_further_left():
    comparison = regression()
    lines = printed(leaderboard(comparison)).splitlines()
    at = [line.index("●") for line in lines if "●" in line]
    assert len(at) >= 8
    assert at == sorted(at)


def test_gains_stand_against_the_best_baseline_which_has_none():
    comparison = regression()
    lines = printed(leaderboard(comparison)).splitlines()
    for row in comparison.judged:
        [line] = [each for each in lines if row.title in each]
        assert (f"{row.gain_vs_baseline:.1%}" in line) == (row.id != comparison.best_baseline)


def test_a_row_that_is_many_times_worse_says_how_many():
    comparison = regression()
    worse = replace(comparison.judged[-1], gain_vs_baseline=-1249.0)
    assert "1,250 x" in printed(leaderboard(replace(comparison, judged=(*comparison.judged[:-1], worse))))


def test_training_costs_stand_beside_so_that_overfitting_is_seen():
    comparison = replace(classification(), cost_name="log_loss")
    best = comparison.judged[0]
    [line] = [each for each in printed(leaderboard(comparison)).splitlines() if best.title in each]
    assert short(best.train_metrics["log_loss"]) in line.partition("%")[2]


def test_several_framings_are_told_apart_and_one_needs_no_word():
    one = regression()
    two = replace(one, judged=(*one.judged, replace(one.judged[0], framing="distribution")))
    assert " asked " not in printed(leaderboard(one))
    header, *lines = printed(leaderboard(two)).splitlines()
    assert " asked " in header
    assert sum("distribution" in line for line in lines) == 1


def test_the_summary_says_what_is_left_out_and_why_and_ends_with_the_verdict():
    comparison = regression()
    text = printed(summary(comparison))
    for absent in comparison.absent:
        assert f"{absent.status}: {absent.family}: {absent.reason}" in text
    assert "note: 12 rows without a target left out" in text
    assert " ".join(text.split()).endswith(" ".join(comparison.verdict.sentence.split()))
    assert comparison.question in text.splitlines()[0]


def test_notes_of_a_row_name_it():
    comparison = regression()
    noted = replace(comparison.judged[0], notes=("not converged in 1 of 4 folds",))
    text = printed(summary(replace(comparison, judged=(noted, *comparison.judged[1:]))))
    assert f"note: {noted.family} (mean): not converged in 1 of 4 folds" in text


def test_markup_in_words_of_the_users_own_is_printed_as_it_is():
    comparison = replace(regression(), question="How many [red]skiers[/red]?", notes=("[bold]",))
    text = printed(summary(comparison))
    assert "[red]skiers[/red]" in text
    assert "note: [bold]" in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (90_000, "25 h 0 min")],
)
def test_times_read_as_people_say_them(seconds, said):
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("cost", "said"), [(0.0, "0"), (999.96, "1000"), (1000.0, "1,000"), (1e-7, "1e-07"), (NAN, "-"), (-2500.0, "-2,500")]
)
def test_costs_are_short(cost, said):
    assert short(cost) == said


def cells(n: int = 4) -> tuple[Cell, ...]:
    """Return cells of one candidate each."""
    return tuple(Cell("default", "mean", "tree", fold, (Candidate("mean", "tree", 0, {}),)) for fold in range(n))


def test_where_the_output_is_no_terminal_lines_say_what_is_done_and_what_is_best(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("piste.terminal.time.monotonic", lambda: now[0])
    console = Console(width=200, file=io.StringIO(), color_system=None, force_terminal=False)
    with Screen(console) as screen:
        done = cells()
        screen(Planned(Plan(done, {}, (), ())))
        screen(Began("default"))
        screen(Better("Decision tree (depth 3)", "rmse", 31.25))
        for cell in done[:2]:
            screen(Started(cell))
            now[0] += LINE_SECONDS + 1
            screen(Finished(cell, 2.0, [Predicted(None, {}, 1.0, 0.1)]))
    lines = console.file.getvalue().splitlines()
    assert lines[-1].startswith("[  12 s] 2 of 4 cells; about 4 s left")
    assert "best so far: Decision tree (depth 3), rmse 31.25" in lines[-1]


def test_lines_do_not_come_faster_than_they_can_be_read(monkeypatch):
    monkeypatch.setattr("piste.terminal.time.monotonic", lambda: 1000.0)
    console = Console(width=200, file=io.StringIO(), color_system=None, force_terminal=False)
    with Screen(console) as screen:
        screen(Planned(Plan(cells(50), {}, (), ())))
        for cell in cells(50):
            screen(Started(cell))
            screen(Finished(cell, 0.0, [Failed("no luck")]))
    assert len(console.file.getvalue().splitlines()) <= 1
