"""The view of MLflow's own pages that a comparison opens on, and the link to it."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from piste.core.comparison import Comparison

TAG = "mlflow.sharedViewState."
NAME = "piste "
MOST_VIEWS = 50
MOST_RUNS = 50  # bars of a chart; MLflow's own default of ten would hide the baselines


def view_id(key: str) -> str:
    """Return the id of the view of the comparison with this key."""
    return hashlib.sha256(f"piste view of {key}".encode()).hexdigest()[:32]


def link(base_url: str, experiment_id: str, key: str) -> str:
    """Return the address of the view of a comparison, under the address of an MLflow server.

    Other parameters than these would make MLflow ignore the view.
    """
    query = f"workflowType=machine_learning&viewStateShareKey={view_id(key)}&compareRunsMode=CHART"
    return f"{base_url.rstrip('/')}/#/experiments/{experiment_id}/runs?{query}"


def view(comparison: Comparison, created_ms: int) -> str:
    """Return the tag of the experiment that holds the view: the rows of this comparison, cheapest first, as bars.

    MLflow stores a shared view in this form and reads it back from the link; it is no public interface, so a test in a
    browser guards it.
    """
    state = json.dumps(_state(comparison), separators=(",", ":"))
    packed = "deflate;" + base64.b64encode(zlib.compress(state.encode(), 9)).decode()
    return json.dumps(
        {"name": f"{NAME}{datetime.fromtimestamp(created_ms / 1000):%Y-%m-%d %H:%M}", "createdAt": created_ms, "state": packed}
    )


def outdated(tags: Mapping[str, str]) -> list[str]:
    """Name the tags of an experiment that hold views of ours beyond the newest, which MLflow would offer and send every time."""
    views = [(name, json.loads(value)) for name, value in tags.items() if name.startswith(TAG)]
    ours = sorted(((held["createdAt"], name) for name, held in views if held["name"].startswith(NAME)), reverse=True)
    return [name for _, name in ours[MOST_VIEWS:]]


def _state(comparison: Comparison) -> dict[str, Any]:
    usual = _usual_metric(comparison)
    first, beside, more = "piste-cost", "piste-beside", "piste-more"
    charts = [
        _card("BAR", first, metricKey="cost"),
        *(_card("BAR", beside, metricKey=name) for name in ("gain_vs_baseline", usual)),
        _card(
            "LINE",
            more,
            metricKey="fold_cost",
            selectedMetricKeys=["fold_cost"],
            xAxisKey="step",
            xAxisScaleType="linear",
            scaleType="linear",
            lineSmoothness=0,
        ),
        _card("SCATTER", more, xaxis={"key": "fit_seconds", "type": "METRIC"}, yaxis={"key": "cost", "type": "METRIC"}),
    ]
    sections = [
        (first, f"Cost: {comparison.cost_name}, lower is better", 1, 400),
        (beside, f"Gain over the best baseline, {usual}", 2, 360),
        (more, "Cost on each fold, and against the time of a fit", 2, 360),
    ]
    metrics = ["cost", "cost_lo", "cost_hi", "gain_vs_baseline", "tied_with_best", usual, "fit_seconds"]
    return {
        "searchFilter": f"tags.`piste.comparison` = '{comparison.key}' and tags.`piste.role` = 'candidate'",
        "orderByKey": "metrics.`cost`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "selectedColumns": [
            *(f"metrics.`{name}`" for name in metrics),
            *(f"tags.`piste.{name}`" for name in ("framing", "rule", "status")),
            "tags.`piste.reason`",
            "attributes.`Models`",
        ],
        "runsHiddenMode": "SHOW_ALL",
        "runsVisibilityMap": {},
        "compareRunCharts": charts,
        "compareRunSections": [
            {
                "uuid": uuid,
                "name": name,
                "columns": columns,
                "cardHeight": height,
                "display": True,
                "isReordered": True,
                "deleted": False,
                "isGenerated": False,
            }
            for uuid, name, columns, height in sections
        ],
        "isAccordionReordered": True,
        "viewMaximized": False,
        "runListHidden": False,
        "autoRefreshEnabled": True,
        "hideEmptyCharts": True,
        "groupBy": None,
    }


def _card(kind: str, section: str, **settings: Any) -> dict[str, Any]:
    name = json.dumps([kind, section, settings], sort_keys=True)
    common = {"runsCountToCompare": MOST_RUNS, "metricSectionId": section, "deleted": False, "isGenerated": False}
    return {"uuid": f"piste-{hashlib.sha256(name.encode()).hexdigest()[:12]}", "type": kind, **common, **settings}


def _usual_metric(comparison: Comparison) -> str:
    """Name the metric shown beside the cost: one that people know, other than the one that the cost already is."""
    names = list(comparison.judged[0].metrics)
    return next((name for name in names if name != comparison.metric), comparison.metric)
