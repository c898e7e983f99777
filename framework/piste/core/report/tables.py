"""The leaderboard and the scores of a comparison, as frames and as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from piste.core.comparison import Absent, Comparison, Judged

COLUMNS = (
    "framing",
    "family",
    "rule",
    "title",
    "params",
    "cost",
    "cost_lo",
    "cost_hi",
    "gain_vs_baseline",
    "tied_with_best",
    "metrics",
    "train_metrics",
    "fit_seconds",
    "predict_seconds",
    "status",
    "reason",
)
NUMBERS = ("cost", "cost_lo", "cost_hi", "gain_vs_baseline", "fit_seconds", "predict_seconds")
BY_NAME = ("params", "metrics", "train_metrics")
DIGITS = 6  # significant ones, wherever a number leaves for a table that people read


def rounded(value: float) -> float:
    """Round to six significant digits.

    >>> rounded(1234.56789), rounded(0.000123456789), rounded(0.0)
    (1234.57, 0.000123457, 0.0)
    """
    return float(f"{value:.{DIGITS}g}")


def leaderboard(comparison: Comparison) -> pd.DataFrame:
    """Return one line per leaderboard row: the judged ones, best first, then those without a result.

    `params`, `metrics` and `train_metrics` hold a mapping by name in each line. What an absent row lacks is missing.
    """
    rows: list[Judged | Absent] = [*comparison.judged, *comparison.absent]
    frame = pd.DataFrame([_line(row) for row in rows], columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(NUMBERS, "float64"), "tied_with_best": "boolean"})


def _line(row: Judged | Absent) -> dict[str, Any]:
    line = {column: getattr(row, column) for column in COLUMNS if hasattr(row, column)}
    return {**line, **{column: dict(line.get(column, {})) for column in BY_NAME}}


def flat(comparison: Comparison) -> pd.DataFrame:
    """Return the leaderboard with a column for each metric (`rmse`, `train_rmse`), and the parameters as text."""
    frame = leaderboard(comparison)
    metrics = pd.DataFrame(frame["metrics"].tolist(), index=frame.index)
    train = pd.DataFrame(frame["train_metrics"].tolist(), index=frame.index).add_prefix("train_")
    at = COLUMNS.index("metrics")
    texts = frame["params"].map(lambda params: ", ".join(f"{name}={value}" for name, value in params.items()))
    parts = [frame[list(COLUMNS[:at])].assign(params=texts), metrics, train, frame[list(COLUMNS[at + 2 :])]]
    return pd.concat(parts, axis="columns")


def scores(comparison: Comparison) -> pd.DataFrame:
    """Return one line per judged row and fold: framing, family, rule, title, fold and its cost."""
    lines = [
        (row.framing, row.family, row.rule, row.title, fold, cost)
        for row in comparison.judged
        for fold, cost in zip(comparison.fold_names, row.fold_costs, strict=True)
    ]
    return pd.DataFrame(lines, columns=["framing", "family", "rule", "title", "fold", "cost"])


def as_json(comparison: Comparison, link: str) -> dict[str, Any]:
    """Return what `--json` prints: plain values only, numbers of six significant digits, None for what is missing.

    Args:
        comparison: what was found.
        link: where it is shown; empty where nowhere.
    """
    lines = leaderboard(comparison).astype(object).to_dict("records")
    return {
        "problem": comparison.problem,
        "digest": comparison.digest,
        "verdict": {"name": comparison.verdict.name, "sentence": comparison.verdict.sentence},
        "champion": comparison.champion,
        "cost_name": comparison.cost_name,
        "leaderboard": [{str(name): plain(value) for name, value in line.items()} for line in lines],
        "findings": [{"message": note} for note in comparison.notes],
        "link": link,
    }


def plain(value: Any) -> Any:
    """Return a value as JSON knows it.

    >>> plain({"rmse": np.float64(0.123456789), "depth": np.int64(3), "r2": float("nan"), "kind": "tree"})
    {'rmse': 0.123457, 'depth': 3, 'r2': None, 'kind': 'tree'}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if value is None or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return rounded(value) if math.isfinite(value) else None
    return value
