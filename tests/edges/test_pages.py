"""What was found as a page, and as a note."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from piste.core.comparison import Verdict
from piste.core.finding import Finding
from piste.core.report.album import album
from piste.edges.pages import Image, note, report_page, row_note
from piste.edges.pictures import inline, svg
from tests.comparisons import classification, decided, regression

EVIL = "<script>alert('x')</script><img src=x onerror=y>\" & $x$ {{ 7*7 }} | **b**"
POLICY = ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")


class Page(HTMLParser):
    """Collects the tags, attributes and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def images():
    return [Image(picture.heading, picture.said, inline(svg(picture.figure)), 800) for picture in album(decided())]


@pytest.mark.parametrize("comparison", [regression(), decided()], ids=["metric", "decision"])
def test_the_page_shows_every_row_and_the_reason_of_every_missing_one(comparison):
    texts = Page(report_page(comparison)).texts
    assert comparison.verdict.sentence in texts
    for row in comparison.judged:
        assert row.title in texts
    for absent in comparison.absent:
        assert absent.title in texts
        assert absent.reason in texts


def test_a_manager_reads_what_the_verdict_rests_on_before_any_table():
    text = report_page(decided())
    before = " ".join(Page(text[: text.index("<table")]).texts)
    for number in ("41.6 (38 to 45.3) EUR", "18.4 (11.4 to 24.8) EUR", "18,300 (11,300 to 24,600) EUR", "-4.2 to 41", "100 candidates"):
        assert number in before
    assert "Where grade is black, a decision costs 32% more. What helps: keep the rule there." in before


def test_the_first_table_holds_the_best_model_of_each_framing_the_champion_and_the_rule_and_the_rest_is_folded():
    comparison = decided()
    text = report_page(comparison)
    first = text[text.index("<tbody>") : text.index('<tbody class="known">')]
    shown = [text for text in Page(first).texts if text in {row.title for row in comparison.judged}]
    cheapest = {comparison.row(id).title for id in ("mean/boosting/dressed", "classes/forest/min_expected_cost", "all_runs/linear/dressed")}
    assert set(shown) == cheapest | {comparison.row(id).title for id in (comparison.champion, comparison.best_baseline)}
    folded = text[text.index("<details>", text.index("</table>")) :]
    assert len(re.findall('<tr class="', folded)) == len(comparison.judged)


def test_what_nobody_could_ship_stands_apart_and_says_why():
    text = report_page(decided())
    known = text[text.index('<tbody class="known">') :]
    texts = Page(known[: known.index("</tbody>")]).texts
    assert "perfect foresight: nobody can do better" in texts
    assert "known only because the world is simulated" in texts
    assert "33.8" in texts


def test_no_word_of_statistics_stands_where_managers_read():
    words = " ".join(Page(report_page(decided()).partition("</style>")[2]).texts).lower()
    assert not [jargon for jargon in ("bbc", "max-t", "rope", " block", " tier ", "plug_in", "dressed", "min_expected") if jargon in words]


@pytest.mark.parametrize("comparison", [regression(), classification(), decided()], ids=["regression", "classes", "decision"])
def test_the_page_needs_nothing_from_elsewhere(comparison, images):
    page = Page(report_page(comparison, images))
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    addresses = [value for name, value in page.attributes if name in ("src", "href") or name.startswith("on")]
    assert len(addresses) == len(images)
    assert all(address.startswith("data:image/svg+xml;base64,") for address in addresses)
    assert POLICY in page.attributes


def test_the_same_figure_is_the_same_bytes():
    first, second = ([svg(picture.figure) for picture in album(decided())] for _ in range(2))
    assert first == second
    assert all(
        b"http://" not in re.sub(rb'xmlns(:\w+)?="[^"]*"|<!DOCTYPE[^>]*>|<metadata>.*?</metadata>', b"", each, flags=re.DOTALL)
        for each in first
    )


def test_a_finding_says_what_follows_and_one_that_somebody_takes_as_it_is_stands_apart_with_who_and_why():
    grave = Finding("L01", "block", "casual", 1.0, 0.999, "'casual' gives the answer away", "leave it out", "models will look perfect")
    taken = Finding("L02", "warn", "tickets", 0.83, 0.8, "'tickets' is strong", acknowledged="by ana until 2027-11-01: frozen at 18:00")
    text = " ".join(Page(report_page(replace(decided(), findings=(grave, taken)))).texts)
    assert "'casual' gives the answer away. Models will look perfect. What helps: leave it out." in " ".join(text.split())
    watch, _, apart = text.partition("Taken as it is")
    assert "'tickets' is strong" not in watch
    assert "Acknowledged by ana until 2027-11-01: frozen at 18:00." in apart


def test_what_is_good_to_know_stands_behind_what_is_to_be_watched_and_a_line_to_paste_as_it_is_pasted():
    note = Finding("M08", "note", "hour", 0.1, 0.02, "The errors still follow 'hour'", paste="search: {trials: 20}")
    grave = Finding("M14", "warn", "latency_ms", 9.0, 5.0, "It is slow")
    text = " ".join(" ".join(Page(report_page(replace(decided(), findings=(grave, note)))).texts).split())
    watch, _, good = text.partition("1 thing that is good to know")
    assert "M14 It is slow." in watch
    assert "M08 The errors still follow 'hour'. search: {trials: 20}" in good
    assert "hour" not in watch


def test_what_was_checked_is_listed_with_why_some_had_nothing_to_look_at():
    comparison = replace(decided(), spared={"M12": "no range of costs is given"}, silent=("M04", "D01"))
    text = " ".join(" ".join(Page(report_page(comparison)).texts).split())
    assert "2 checks found nothing, 1 had nothing to look at" in text
    assert "M04 Unstable over folds found nothing" in text
    assert "M12 Another model, if costs were a little different no range of costs is given" in text


def test_what_was_noted_of_a_model_and_how_it_came_about_stand_in_the_page_and_in_its_own_note():
    comparison = regression()
    row = replace(comparison.judged[0], notes=("not converged",), details=("chose 300 trees in 3 of 4 folds",))
    texts = Page(report_page(replace(comparison, judged=(row, replace(row, rule="plug_in"), *comparison.judged[1:])))).texts
    for told in ("not converged", "chose 300 trees in 3 of 4 folds"):
        assert texts.count(f"{row.title} ({row.framing}): {told}") == 1
        assert told in row_note(comparison, row).split("\n\n")


def test_words_of_the_user_stay_words():
    comparison = decided()
    first = replace(comparison.judged[0], title=EVIL, notes=(EVIL,), details=(EVIL,))
    absent = (replace(comparison.absent[0], title=EVIL, reason=EVIL),)
    verdict = Verdict("ship", EVIL)
    findings = (Finding("M06", "warn", EVIL, 0.3, 0.2, EVIL, EVIL), *comparison.findings[1:])
    words = {"problem": EVIL, "question": EVIL, "resolved": EVIL, "source": EVIL, "cost_name": EVIL, "notes": (EVIL,)}
    evil = replace(comparison, **words, judged=(first, *comparison.judged[1:]), absent=absent, verdict=verdict, findings=findings)
    same = replace(comparison, judged=(replace(first, title="x", notes=("x",), details=("x",)), *comparison.judged[1:]), notes=("x",))
    plain, page = Page(report_page(same)), Page(report_page(evil))
    assert set(page.tags) == set(plain.tags)
    assert {name for name, _ in page.attributes} == {name for name, _ in plain.attributes}
    assert sum(EVIL in text for text in page.texts) >= 10


def test_intervals_stand_within_the_picture_and_far_rows_outside_have_no_dot():
    comparison = regression()
    wild = replace(comparison.judged[3], family="wild", title="Wild", cost=1e6, cost_lo=9e5, cost_hi=2e6)
    text = report_page(replace(comparison, judged=(*comparison.judged, wild)))
    places = [float(place) for place in re.findall(r"(?:left|width): ([\d.]+)%", text)]
    assert min(places) >= 0
    assert max(places) <= 100
    assert text.count("<b style=") == len(comparison.judged)


def test_the_note_holds_the_verdict_and_the_leaderboard_as_a_table():
    comparison = regression()
    lines = note(comparison, 8000).splitlines()
    assert lines[0] == f"**{comparison.verdict.sentence}**"
    assert len([line for line in lines if line.startswith("|")]) == 2 + len(comparison.judged) + len(comparison.absent)
    assert all(re.sub(r"\\\|", "", line).count("|") == 5 for line in lines if line.startswith("|"))


def test_the_note_tells_rows_of_one_model_apart_by_how_they_are_asked_and_decide():
    lines = note(decided(), 8000).splitlines()
    assert any(line.startswith("| Forest (random forest, 300 trees), mean, prediction alone |") for line in lines)
    assert any(line.startswith("| **Forest (random forest, 300 trees), mean, with its uncertainty** (tied) |") for line in lines)


def test_the_note_keeps_within_what_mlflow_takes_and_counts_what_it_leaves_out():
    comparison = regression()
    many = replace(comparison, judged=comparison.judged * 20)
    text = note(many, 2000)
    assert len(text) <= 2000
    shown = len([line for line in text.splitlines() if line.startswith("|")]) - 2
    assert text.endswith(f"and {len(many.judged) + len(many.absent) - shown} more in report.html")


def test_a_bar_or_a_tag_in_a_title_breaks_no_table():
    comparison = regression()
    evil = replace(comparison.judged[0], title="a | b <i>")
    lines = note(replace(comparison, judged=(evil, *comparison.judged[1:])), 8000).splitlines()
    assert any(line.startswith(r"| **a \| b &lt;i&gt;**") for line in lines)


def test_a_row_says_what_it_costs_against_the_best_baseline_and_from_how_many_settings():
    comparison = regression()
    text = row_note(comparison, comparison.row("mean/tree/mean"))
    assert text.startswith("RMSE 45.2 (42.07 to 48.34), 14.9 % lower than the best baseline")
    assert text.endswith("the best of 11 settings.")
    assert "the best baseline" in row_note(comparison, comparison.row(comparison.best_baseline))
