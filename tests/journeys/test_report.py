"""The report as a person sees it, alone and inside MLflow, by day and by night."""

from __future__ import annotations

import types
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from piste.edges import ui
from piste.edges.tracking import open_store
from tests.comparisons import decided
from tests.journeys.test_browser import FLAGS

N_FIGURES = 8


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """Return a comparison in MLflow: its store, its parent run, and the file of its report."""
    from mlflow import MlflowClient

    store = open_store(None, tmp_path_factory.mktemp("report") / "mlruns")
    store.log(decided(), {})
    client = MlflowClient(store.uri)
    experiment = client.get_experiment_by_name("ski-runs")
    [parent] = client.search_runs([experiment.experiment_id], "tags.`piste.role` = 'comparison'")
    return types.SimpleNamespace(store=store, run=parent, page=Path(urlsplit(parent.info.artifact_uri).path) / "report.html")


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


def seen(page):
    """Wait until every figure of a page is there, and return their widths in pixels."""
    page.locator("figure img").nth(N_FIGURES - 1).wait_for(timeout=30_000)
    return page.locator("figure img").evaluate_all(
        "images => Promise.all(images.map(image => image.decode().then(() => image.clientWidth)))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390], ids=["desk", "telephone"])
def test_the_page_stands_alone_without_a_word_of_complaint_and_within_the_window(logged, browser, tmp_path, scheme, width):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(logged.page.as_uri())
    assert min(seen(page)) > 100
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not said
    page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
    page.close()


def test_by_night_paper_and_figures_are_dark(logged, browser):
    page = browser.new_page(color_scheme="dark")
    page.goto(logged.page.as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(24, 24, 24)"
    assert "invert" in page.locator("figure img").first.evaluate("image => getComputedStyle(image).filter")
    page.close()


def test_all_rows_unfold_without_a_script(logged, browser):
    page = browser.new_page()
    page.goto(logged.page.as_uri())
    row = page.locator("details details tbody tr").first
    assert not row.is_visible()
    page.get_by_text(f"all {len(decided().judged)} rows, way by way").click()
    page.get_by_text("mean: ").first.click()
    assert row.is_visible()
    page.close()


def test_mlflow_shows_the_report_with_its_figures(logged, browser, tmp_path):
    with ui.running(logged.store.mlruns, ui.free_port(5400)) as server:
        page = browser.new_page(viewport={"width": 1600, "height": 1100})
        page.goto(f"{server.url}/#/experiments/{logged.run.info.experiment_id}/runs/{logged.run.info.run_id}/artifacts/report.html")
        inside = page.frame_locator("iframe")
        inside.get_by_text(decided().verdict.sentence).wait_for(timeout=90_000)
        assert min(seen(inside)) > 100
        page.screenshot(path=tmp_path / "mlflow.png")
        page.close()


def test_mlflow_shows_a_figure_by_itself(logged, browser):
    with ui.running(logged.store.mlruns, ui.free_port(5400)) as server:
        page = browser.new_page(viewport={"width": 1600, "height": 1100})
        page.goto(
            f"{server.url}/#/experiments/{logged.run.info.experiment_id}/runs/{logged.run.info.run_id}/artifacts/figures/framings.svg"
        )
        page.locator("img[src^='blob:'], .image-container img, .ant-image img").first.wait_for(timeout=90_000)
        page.close()
