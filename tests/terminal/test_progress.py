"""The progress of a run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from piste.core.comparison import Comparison
from piste.core.fit import Failed, Predicted
from piste.core.plan import Cell, Plan
from piste.core.search import Candidate
from piste.terminal.progress import LINE_SECONDS, Screen
from piste.watch import Began, Better, Finished, FirstBoard, Logged, Planned, Refitted, Said, Started
from tests.terminal.boards import decided

DONE = [Predicted(None, {}, 1.0, 0.1)]


def cells(n: int = 4, stage: str = "default", entry: str = "tree", n_candidates: int = 1) -> tuple[Cell, ...]:
    """Return a cell for each of n folds."""
    candidates = tuple(Candidate("mean", entry, k, {}) for k in range(n_candidates))
    return tuple(Cell(stage, "mean", entry, fold, candidates) for fold in range(n))


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock that the screen reads."""
    found = Clock()
    monkeypatch.setattr("piste.terminal.progress.time.monotonic", found)
    return found


def written(width: int = 200) -> Console:
    """Return a console that is no terminal."""
    return Console(width=width, file=io.StringIO(), color_system=None, force_terminal=False)


def drawn(screen: Screen, width: int) -> list[str]:
    """Return the lines that a terminal shows."""
    console = Console(width=width, file=io.StringIO(), color_system=None, force_terminal=True, legacy_windows=False)
    screen._console = console
    console.print(screen._drawn())
    return console.file.getvalue().splitlines()


def compute(screen: Screen, *chosen: Cell, seconds: float = 2.0) -> None:
    """Let cells be computed one by one."""
    for cell in chosen:
        screen(Started(cell))
        screen(Finished(cell, seconds, DONE * len(cell.candidates)))


def test_where_the_output_is_no_terminal_lines_say_what_is_done_and_what_is_best(clock):
    console = written()
    planned = cells()
    with Screen(console) as screen:
        screen(Planned(Plan(planned, {}, {}, (), ())))
        screen(Began("default"))
        screen(Better("Decision tree (depth 3)", "rmse", 31.25))
        for cell in planned[:2]:
            screen(Started(cell))
            clock.now += LINE_SECONDS + 1
            screen(Finished(cell, 2.0, DONE))
    last = console.file.getvalue().splitlines()[-1]
    assert last == "[  12 s] every family's default; 2 of 4 fits; about 4 s left; best so far: rmse 31.25, Decision tree (depth 3)"


def test_lines_do_not_come_faster_than_they_can_be_read(clock):
    console = written()
    with Screen(console) as screen:
        screen(Planned(Plan(cells(50), {}, {}, (), ())))
        for cell in cells(50):
            screen(Started(cell))
            screen(Finished(cell, 0.0, [Failed("no luck")]))
    assert len(console.file.getvalue().splitlines()) == 1


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_no_line_of_progress_wraps(width, clock):
    long = cells(9, entry="a_family_with_quite_a_long_name")
    screen = Screen(written(width))
    screen(Planned(Plan(long, {}, {}, (), ())))
    screen(Began("default"))
    compute(screen, long[0])
    for cell in long[1:]:
        screen(Started(cell))
    screen(Better("Gradient boosting (LightGBM, learning rate 0.05, 31 leaves of at least 20 rows)", "EUR", 40.0))
    screen(Finished(long[1], 1.0, [Failed("ValueError: " + "x" * 300 + "\nand more")]))
    lines = drawn(screen, width)
    assert len(lines) == 4, "the bar, what runs, what failed, what is best"
    assert max(map(len, lines)) <= width
    clock.now += LINE_SECONDS
    console = written(width)
    screen._console = console
    screen(Started(long[2]))
    assert len(console.file.getvalue().splitlines()) == 1


def test_before_there_is_a_plan_nothing_is_drawn(clock):
    assert drawn(Screen(written()), 100) == []


def test_the_self_test_counts_among_what_there_is_to_do(clock):
    planned = (*cells(2), *cells(2, "self-test"))
    screen = Screen(written())
    screen(Planned(Plan(planned, {}, {}, (), ())))
    screen(Began("default"))
    compute(screen, *planned[:2])
    assert "2 of 4 fits" in drawn(screen, 100)[0]
    screen(Began("self-test"))
    compute(screen, *planned[2:])
    assert "self-test" in drawn(screen, 100)[0]
    assert "4 of 4 fits" in drawn(screen, 100)[0]


def test_the_champion_under_other_seeds_is_counted_as_it_is_done_for_no_plan_knows_it(clock):
    planned = cells(2)
    screen = Screen(written())
    screen(Planned(Plan(planned, {}, {}, (), ())))
    compute(screen, *planned)
    screen(Began("seeds"))
    compute(screen, *(replace(cell, stage="seeds", draw=draw) for cell in planned for draw in (1, 2)))
    assert "the champion under other seeds" in drawn(screen, 100)[0]
    assert "4 fits" in drawn(screen, 100)[0]


def test_a_cell_that_is_divided_because_one_of_it_failed_is_done_once_its_parts_are(clock):
    whole, other = cells(2, n_candidates=3)
    screen = Screen(written())
    screen(Planned(Plan((whole, other), {}, {}, (), ())))
    screen(Began("default"))
    screen(Started(whole))
    compute(screen, *whole.alone())
    assert "3 of 6 fits" in drawn(screen, 100)[0]
    assert not any("running" in line for line in drawn(screen, 100)), "the whole is not running any more"
    compute(screen, other)
    assert "6 of 6 fits" in drawn(screen, 100)[0]
    assert "left" not in drawn(screen, 100)[0]


def test_learning_curves_that_no_plan_foresaw_are_counted_by_themselves(clock):
    planned = cells(2)
    screen = Screen(written())
    screen(Planned(Plan(planned, {}, {}, (), ())))
    screen(Began("default"))
    compute(screen, *planned)
    screen(Began("curve"))
    assert "learning curves" in drawn(screen, 100)[0]
    assert " 0 fits" in drawn(screen, 100)[0]
    compute(screen, *(replace(cell, stage="curve", share=share) for cell in planned for share in (0.25, 0.5)))
    [first] = drawn(screen, 100)
    assert " 4 fits" in first
    assert " of " not in first
    assert "left" not in first


def test_the_time_left_is_that_of_each_rows_own_fits_over_all_that_run_at_once(clock):
    slow, fast = cells(3, entry="svm"), cells(3)
    screen = Screen(written())
    screen(Planned(Plan((*slow, *fast), {}, {}, (), ())))
    screen(Began("default"))
    screen(Started(slow[0]))
    screen(Started(fast[0]))
    screen(Finished(slow[0], 100.0, DONE))
    screen(Finished(fast[0], 1.0, DONE))
    assert "about 1 min 41 s left" in drawn(screen, 100)[0]  # (2 x 100 s + 2 x 1 s) on 2 workers


def test_stored_cells_say_nothing_of_the_time_that_fits_take(clock):
    planned = cells(3)
    screen = Screen(written())
    screen(Planned(Plan(planned, {}, {}, (), ())))
    screen(Finished(planned[0], 0.0, DONE))
    assert "1 of 3 fits" in drawn(screen, 100)[0]
    assert "left" not in drawn(screen, 100)[0]


@pytest.mark.parametrize(
    ("event", "said"), [(Refitted(3, 100), "fitting on all rows"), (Logged(3, 100), "logging to MLflow")], ids=["refitted", "logged"]
)
def test_what_follows_the_fits_has_a_bar_of_its_own(event, said, clock):
    screen = Screen(written())
    screen(Planned(Plan(cells(), {}, {}, (), ())))
    screen(event)
    [first] = drawn(screen, 100)
    assert said in first
    assert "3 of 100" in first


def test_words_for_the_user_are_printed_as_they_are(clock):
    console = written()
    Screen(console)(Said("[red]nothing[/red] has changed"))
    assert console.file.getvalue() == "[red]nothing[/red] has changed\n"


def test_the_first_leaderboard_is_printed_while_the_search_goes_on(clock):
    console = written()
    screen = Screen(console)
    clock.now += 75
    comparison: Comparison = decided()
    screen(FirstBoard(comparison))
    first, *rest = console.file.getvalue().splitlines()
    assert first == "First leaderboard, after 1 min 15 s; the search goes on."
    assert any("champion" in line for line in rest)
