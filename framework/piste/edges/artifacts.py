"""The files that are logged of a comparison and of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from piste.core.comparison import Comparison, Judged
from piste.core.report import figures
from piste.core.report.album import album
from piste.core.report.tables import as_json, flat, plain, rounded
from piste.edges.pages import Image, report_page
from piste.edges.pictures import inline, save_png, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS = 96  # of a page to an inch of a figure


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Put the whole comparison into a folder: the report, what it was computed from, and its figures and tables as files."""
    (folder / "resolved.yaml").write_text(comparison.resolved, "utf-8")
    (folder / "comparison.json").write_text(json.dumps(as_json(comparison, ""), indent=1, allow_nan=False), "utf-8")
    (folder / "audit.json").write_text(json.dumps(_audit(comparison), indent=1, allow_nan=False), "utf-8")
    frame = flat(comparison)
    _write_table(frame, folder / "leaderboard.json")
    frame.to_csv(folder / "leaderboard.csv", index=False)
    comparison.losses.to_parquet(folder / "losses.parquet", index=False)
    comparison.columns.astype({"params": "str"}).to_parquet(folder / "columns.parquet", index=False)
    comparison.predictions.to_parquet(folder / "predictions.parquet", index=False)
    save_png(figures.leaderboard_intervals(comparison), folder / "leaderboard.png")
    tables = {**comparison.tables, **({"learning_curve": comparison.curve.points} if comparison.curve else {})}
    (folder / "tables").mkdir()
    for name, table in tables.items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False)
    (folder / "figures").mkdir()
    images = []
    for picture in album(comparison):
        drawn = svg(picture.figure)
        (folder / "figures" / f"{picture.name}.svg").write_bytes(drawn)
        images.append(Image(picture.heading, picture.said, inline(drawn), round(PIXELS * picture.figure.get_figwidth())))
    (folder / "report.html").write_text(report_page(comparison, images), "utf-8")


def _audit(comparison: Comparison) -> dict[str, Any]:
    """Return what all checks said, before training and after it: plain values only."""
    return {
        "valid": comparison.valid,
        "findings": [plain(asdict(each)) for each in comparison.findings],
        "spared": dict(comparison.spared),
        "silent": list(comparison.silent),
    }


def write_row(comparison: Comparison, row: Judged, history: Mapping[str, np.ndarray], folder: Path, *, drawn: bool) -> None:
    """Put a row into a folder: its trials and its figures.

    Args:
        comparison: that the row is of.
        row: of the leaderboard.
        history: name -> (n_epochs,) values of a training that has epochs.
        folder: there already.
        drawn: whether to draw what came against what it said, and its cost fold by fold, which takes as long as all the rest.
    """
    if drawn:
        name = "predicted_against_actual.png" if row.id in comparison.predictions else "confusion_matrix.png"
        save_png(_hits(comparison, row), folder / name)
        save_png(figures.cost_by_fold(comparison, row), folder / "cost_by_fold.png")
    if history:
        save_png(figures.training_curve(history, row.title), folder / "training_curve.png")
    if row.id in comparison.trials:
        trials = comparison.trials[row.id]
        _write_table(trials, folder / "trials.json")
        trials.to_csv(folder / "trials.csv", index=False)


def _hits(comparison: Comparison, row: Judged) -> Figure:
    """Draw what a row predicted against what came."""
    frame, target = comparison.predictions, comparison.target
    ink = figures.colour(row.family)
    if row.id not in frame:
        names = np.asarray(target.classes, dtype=object)
        shares = frame[[f"{row.id}[{name}]" for name in names]].to_numpy()
        came = frame["y"].astype(str).to_numpy() if target.labels else names[target.codes[frame["row"]]]
        return figures.confusion_matrix(came, names[shares.argmax(axis=1)], target.classes, row.title, ink=ink)
    y, prediction = frame["y"].to_numpy(dtype=float), frame[row.id].to_numpy(dtype=float)
    return figures.predicted_against_actual(y, prediction, row.title, comparison.target.name, ink=ink)


def _write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame in the form that MLflow's table view reads."""
    short = frame.assign(**{name: frame[name].map(rounded, na_action="ignore") for name in frame.select_dtypes("float").columns})
    short.to_json(path, orient="split", index=False, date_format="iso", double_precision=15)
