"""What a person sees who opens the printed link in a browser."""

from __future__ import annotations

import re

import pytest

from piste.edges import ui
from piste.edges.tracking import open_store
from tests.comparisons import regression

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
CARD = '[data-testid="experiment-view-compare-runs-card"]'
EMPTY = re.compile(r"no runs|no charts|no data|no matching|nothing to|select runs|something went wrong", re.IGNORECASE)


@pytest.fixture(scope="module")
def comparison():
    return regression()


@pytest.fixture(scope="module")
def opened(tmp_path_factory, chromium, comparison):
    """Return the page behind the link, as on a first visit, once it has drawn its bars; a picture of it is kept."""
    from playwright.sync_api import sync_playwright

    folder = tmp_path_factory.mktemp("browser")
    store = open_store(None, folder / "mlruns")
    store.log(regression(seed=1, families=("tree",)), {})
    store.log(comparison, {})
    with ui.running(store.mlruns, ui.free_port(5400)) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1100})
        page.goto(store.newest(server.url))
        page.locator(f"{CARD} .bars .point path").nth(len(comparison.judged) - 1).wait_for(timeout=90_000)
        page.screenshot(path=folder / "comparison.png")
        yield page
        browser.close()


def card(page, title):
    return page.locator(CARD).filter(has=page.get_by_text(title, exact=True))


def lengths(page, title, n_bars):
    """Return how long the bars of a chart are on the screen."""
    chart = card(page, title)
    chart.scroll_into_view_if_needed()
    bars = chart.locator(".bars .point path")
    bars.nth(n_bars - 1).wait_for(state="attached", timeout=30_000)
    return [bar.bounding_box()["width"] for bar in bars.all()]


def test_every_row_is_in_the_list_the_ones_without_a_result_too(opened, comparison):
    for row in (*comparison.judged, *comparison.absent):
        opened.get_by_role("link", name=row.title, exact=True).wait_for(timeout=10_000)
    assert "14 matching runs" in re.sub(r"\s+", " ", opened.inner_text("body"))


def test_the_cost_of_every_judged_row_is_a_bar_as_long_as_its_cost(opened, comparison):
    drawn = sorted(lengths(opened, "cost", len(comparison.judged)))
    assert len({row.family for row in comparison.judged if not row.family.startswith("baseline:")}) + 1 == 10
    costs = sorted(row.cost for row in comparison.judged)
    assert [length / drawn[0] for length in drawn] == pytest.approx([cost / costs[0] for cost in costs], rel=0.02)


@pytest.mark.parametrize("title", ["gain_vs_baseline", "mae"])
def test_the_gain_and_the_usual_metric_have_bars_for_all_rows_too(opened, comparison, title):
    assert len(lengths(opened, title, len(comparison.judged))) == len(comparison.judged)


def test_the_cost_of_every_row_on_each_fold_is_a_line(opened, comparison):
    opened.get_by_text("Cost on each fold, and against the time of a fit").scroll_into_view_if_needed()
    points = card(opened, "fold_cost").locator(".scatterlayer .trace .point")
    expected = len(comparison.judged) * len(comparison.fold_names)
    points.nth(expected - 1).wait_for(state="attached", timeout=30_000)
    assert points.count() == expected


def test_nothing_is_said_to_be_empty_or_wrong(opened):
    assert not EMPTY.search(opened.inner_text("body"))


def test_nothing_stands_before_the_bars(opened):
    opened.locator('[data-testid="experiment-view-compare-runs-chart-area"]').evaluate("area => area.scrollTo(0, 0)")
    bars = card(opened, "cost").locator(".bars").first
    bars.scroll_into_view_if_needed()
    box = bars.bounding_box()
    assert box["x"] + box["width"] < opened.viewport_size["width"]
    for share in (0.02, 0.5, 0.98):
        place = {"x": box["x"] + share * box["width"], "y": box["y"] + box["height"] / 2}
        assert opened.evaluate(f"place => !!document.elementFromPoint(place.x, place.y).closest('{CARD}')", place)
