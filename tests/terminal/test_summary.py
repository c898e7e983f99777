"""All that is said of a finished comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from piste.core.comparison import Absent, Verdict
from piste.core.finding import Finding
from piste.terminal import summary
from tests.comparisons import classification, regression
from tests.terminal.boards import CHAMPION, TO_BEAT, decided, printed


def words(comparison, width: int = 140, *, every: bool = False) -> str:
    """Return what is printed as one line of words."""
    return " ".join(printed(summary(comparison, every=every), width).split())


@pytest.mark.parametrize("width", [80, 100, 140, 200])
@pytest.mark.parametrize("made", [regression, classification, decided], ids=lambda made: made.__name__)
def test_no_line_is_wider_than_the_paper(made, width):
    assert max(len(line) for line in printed(summary(made()), width).splitlines()) <= width


def test_the_question_comes_first_and_the_verdict_before_what_is_to_be_watched():
    said = words(decided())
    order = [
        "ski-runs: How many skiers will there be on each run tomorrow?",
        "model",
        "Perfect foresight",
        "gain: over Rule 'ticket_rule'",
        decided().verdict.sentence,
        "watch: Grade 0 costs more. To do: keep the rule there.",
        "The network overtakes the forest at about 3,000 rows.",
        "How often it decides what",
    ]
    assert [said.index(each) for each in order] == sorted(said.index(each) for each in order)


def test_findings_come_gravest_first_with_their_cure_at_most_five():
    said = words(decided())
    assert said.count("watch: ") == 4
    assert said.count("note: Column") == 1
    assert "note: Column 0 is new." in said
    assert "… and 2 more in the report." in said


def test_what_somebody_takes_as_it_is_is_named_with_who_and_no_warning_any_more():
    comparison = decided()
    first, *others = comparison.findings
    taken = replace(first, on="grade 0", acknowledged="by ana until 2027-11-01: it is steep")
    said = words(replace(comparison, findings=(*others, taken)))
    assert f"watch: {first.message}" not in said
    assert f"taken as it is: {first.check} grade 0 by ana until 2027-11-01" in said


def test_the_champions_share_of_what_could_be_saved_is_said_for_each_reference():
    comparison = decided()
    champion, base = comparison.row(CHAMPION).cost, comparison.row(TO_BEAT).cost
    saved = base - champion
    assert (
        f"Of what could be saved over 'ticket_rule', the champion saves {saved / base:.0%} of what perfect foresight would "
        f"and {saved / (base - 33.8):.0%} of what the world's own distribution (known only because it is simulated) would."
    ) in words(comparison)


def test_what_the_champion_does_is_said_beside_what_the_rule_does():
    comparison = decided()
    rule = replace(comparison.row(TO_BEAT), actions={"unstaffed": 0.5, "one_marshal": 0.5, "two_marshals": 0.0})
    rows = tuple(rule if row.id == TO_BEAT else row for row in comparison.judged)
    assert "'unstaffed' on 31% (50%), 'one_marshal' on 40% (50%), 'two_marshals' on 29% (0%)." in words(replace(comparison, judged=rows))


def test_a_single_further_period_may_turn_out_otherwise():
    assert "expect a gain of 18.4 EUR a decision (-4.23 to 41)." in words(decided())


def test_where_a_rule_is_champion_nothing_is_said_of_what_a_model_saves():
    said = words(replace(decided(), champion=TO_BEAT))
    assert "Of what could be saved" not in said
    assert "How often it decides" not in said


def test_what_is_left_out_is_said_with_its_reason():
    comparison = regression()
    said = words(comparison)
    for absent in comparison.absent:
        assert f"{absent.status}: {absent.family}: {absent.reason}" in said
    assert "note: 12 rows without a target left out" in said


def test_a_family_that_fails_alike_in_several_framings_is_told_once_and_one_that_was_skipped_in_some_not_at_all():
    comparison = decided()
    failed = tuple(Absent(framing, "mine", "Mine", "failed", "no luck") for framing in ("mean", "classes"))
    skipped = Absent("classes", "tree", "Decision tree", "skipped", "takes numbers only")
    said = words(replace(comparison, absent=(*failed, skipped)))
    assert "failed: mine (mean, classes): no luck" in said
    assert "takes numbers only" not in said


def test_notes_of_a_row_name_it_and_the_same_note_stands_once():
    comparison = decided()
    noted = tuple(replace(row, notes=("not converged",)) if row.family == "svm" else row for row in comparison.judged)
    said = words(replace(comparison, judged=noted))
    assert said.count("not converged") == 1
    assert "note: svm (mean, distribution, quantiles, classes, ordered, all_runs, with_lags): not converged" in said


def test_more_notes_than_a_screen_bears_are_counted_and_whole_on_demand():
    many = replace(regression(), notes=tuple(f"remark {k}" for k in range(9)))
    said, whole = words(many), words(many, every=True)
    assert said.count("note: remark") == 5
    assert "… and 4 more notes in the report." in said
    assert whole.count("note: remark") == 9
    assert "more notes" not in whole


def test_how_models_came_about_is_told_on_demand_and_takes_no_place_from_what_is_to_be_looked_after():
    comparison = decided()
    changes = {"forest": {"details": ("chose 300 trees in 3 of 4 folds",)}, "svm": {"notes": ("not converged",)}}
    noted = tuple(replace(row, **changes.get(row.family, {})) for row in comparison.judged)
    said, whole = (words(replace(comparison, judged=noted), every=every) for every in (False, True))
    assert "chose" not in said
    assert "more notes" not in said
    assert "note: svm" in said
    assert "note: svm" in whole
    assert "note: forest (mean, distribution, quantiles, classes, ordered, all_runs, with_lags): chose 300 trees in 3 of 4 folds" in whole


def test_markup_in_words_of_the_users_own_is_printed_as_it_is():
    comparison = replace(regression(), question="How many [red]skiers[/red]?", notes=("[bold]",))
    said = words(comparison)
    assert "[red]skiers[/red]" in said
    assert "note: [bold]" in said


def test_no_word_of_the_statisticians_is_used():
    said = words(decided()).lower()
    for word in ("bbc", "max-t", "rope", "block", "tier", "bootstrap"):
        assert f" {word}" not in said


def test_what_was_known_before_training_is_counted_and_what_the_verdict_says_is_not_said_again():
    comparison = decided()
    warned = Finding("D01", "warn", "skiers", 0.2, 0.1, "'skiers' is 9999 in 55 rows")
    block = Finding("L09", "block", "usual", 1.0, 1.0, "'usual' is the mean of the answers")
    verdict = Verdict("fix first", f"No score counts until this is resolved: {block.message}.")
    said = words(replace(comparison, findings=(block, warned, *comparison.findings), verdict=verdict))
    assert warned.message not in said
    assert "watch: 1 warning about the question and its rows; `piste check` says what to do." in said
    assert said.count(block.message) == 1
