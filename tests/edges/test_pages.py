"""The leaderboard as a page, and as a note."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from piste.core.comparison import Verdict
from piste.edges.pages import leaderboard_page, note, row_note
from tests.comparisons import classification, regression

EVIL = "<script>alert('x')</script><img src=x onerror=y>\" & $x$ {{ 7*7 }} | **b**"


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
        self.texts.append(data.strip())


def test_the_page_shows_every_row_and_the_reason_of_every_missing_one():
    comparison = regression()
    texts = Page(leaderboard_page(comparison)).texts
    assert comparison.verdict.sentence in texts
    for row in comparison.judged:
        assert row.title in texts
    for absent in comparison.absent:
        assert absent.title in texts
        assert absent.reason in texts


@pytest.mark.parametrize("comparison", [regression(), classification()], ids=["regression", "classes"])
def test_the_page_needs_nothing_from_elsewhere(comparison):
    page = Page(leaderboard_page(comparison))
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in ("src", "href") or name.startswith("on")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_words_of_the_user_stay_words():
    comparison = regression()
    first = replace(comparison.judged[0], title=EVIL, notes=(EVIL,))
    absent = (replace(comparison.absent[0], title=EVIL, reason=EVIL),)
    verdict = Verdict("ship", EVIL)
    words = {"problem": EVIL, "question": EVIL, "resolved": EVIL, "source": EVIL, "cost_name": EVIL, "notes": (EVIL,)}
    evil = replace(comparison, **words, judged=(first, *comparison.judged[1:]), absent=absent, verdict=verdict)
    plain, page = Page(leaderboard_page(comparison)), Page(leaderboard_page(evil))
    assert set(page.tags) == set(plain.tags)
    assert {name for name, _ in page.attributes} == {name for name, _ in plain.attributes}
    assert sum(EVIL in text for text in page.texts) >= 8


def test_intervals_stand_within_the_picture_and_far_rows_outside_have_no_dot():
    comparison = regression()
    wild = replace(comparison.judged[3], family="wild", title="Wild", cost=1e6, cost_lo=9e5, cost_hi=2e6)
    text = leaderboard_page(replace(comparison, judged=(*comparison.judged, wild)))
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


def test_the_note_keeps_within_what_mlflow_takes_and_counts_what_it_leaves_out():
    comparison = regression()
    many = replace(comparison, judged=comparison.judged * 20)
    text = note(many, 2000)
    assert len(text) <= 2000
    shown = len([line for line in text.splitlines() if line.startswith("|")]) - 2
    assert text.endswith(f"and {len(many.judged) + len(many.absent) - shown} more in leaderboard.html")


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
