"""What a comparison found, as frames and as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pandas as pd

from piste.core.comparison import Absent, Comparison, Curve, Judged
from piste.core.finding import Finding

COLUMNS = (
    *("framing", "family", "rule", "title", "params"),
    *("cost", "cost_lo", "cost_hi", "gain_vs_baseline", "gain_lo", "gain_hi", "tied_with_best", "value", "n_trials"),
    *("actions", "metrics", "train_metrics", "fit_seconds", "predict_seconds", "status", "reason"),
)
NUMBERS = (
    *("cost", "cost_lo", "cost_hi", "gain_vs_baseline", "gain_lo", "gain_hi", "value"),
    *("fit_seconds", "predict_seconds"),
)
BY_NAME = ("params", "actions", "metrics", "train_metrics")
PARTS = ("estimate", "claimed", "next_period", "versus", "terms")  # of a comparison, which may be absent
DIGITS = 6  # significant ones, wherever a number leaves for a table that people read


def rounded(value: float) -> float:
    """Round to six significant digits.

    >>> rounded(1234.56789), rounded(0.000123456789), rounded(0.0)
    (1234.57, 0.000123457, 0.0)
    """
    return float(f"{value:.{DIGITS}g}")


def leaderboard(comparison: Comparison) -> pd.DataFrame:
    """Return one line per leaderboard row: the judged ones, best first, then those without a result.

    `params`, `actions`, `metrics` and `train_metrics` hold a mapping by name in each line. What an absent row lacks is missing.
    """
    return _frame([*comparison.judged, *comparison.absent])


def references(comparison: Comparison) -> pd.DataFrame:
    """Return what nobody could ship, a line each, with the columns of the leaderboard."""
    return _frame(comparison.references)


def _frame(rows: Sequence[Judged | Absent]) -> pd.DataFrame:
    frame = pd.DataFrame([_line(row) for row in rows], columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(NUMBERS, "float64"), "tied_with_best": "boolean", "n_trials": "Int64"})


def _line(row: Judged | Absent) -> dict[str, Any]:
    line = {column: getattr(row, column) for column in COLUMNS if hasattr(row, column)}
    return {**line, **{column: dict(line.get(column, {})) for column in BY_NAME}}


def flat(comparison: Comparison) -> pd.DataFrame:
    """Return the leaderboard with plain cells only.

    There is a column for each metric (`rmse`, `train_rmse`) and for the share of each action (`action NAME`); parameters are text.
    """
    frame = leaderboard(comparison)
    texts = frame["params"].map(lambda params: ", ".join(f"{name}={value}" for name, value in params.items()))
    wide = {"actions": "action ", "metrics": "", "train_metrics": "train_"}
    spread = [pd.DataFrame(frame[column].tolist(), index=frame.index).add_prefix(prefix) for column, prefix in wide.items()]
    at = COLUMNS.index("actions")
    parts = [frame[list(COLUMNS[:at])].assign(params=texts), *spread, frame[list(COLUMNS[at + len(wide) :])]]
    return pd.concat(parts, axis="columns")


def findings(comparison: Comparison) -> pd.DataFrame:
    """Return one line per finding, the gravest first: check, severity, on, number, threshold, message, fix."""
    return pd.DataFrame([asdict(finding) for finding in comparison.findings], columns=[field.name for field in fields(Finding)])


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
    told = {
        "problem": comparison.problem,
        "question": comparison.question,
        "digest": comparison.digest,
        "verdict": asdict(comparison.verdict),
        "champion": comparison.champion,
        "best_baseline": comparison.best_baseline,
        "metric": comparison.metric,
        "cost_name": comparison.cost_name,
        "priced": comparison.priced,
        "per_year": comparison.per_year,
        "n_columns": comparison.n_columns,
        **{name: None if (part := getattr(comparison, name)) is None else asdict(part) for name in PARTS},
        "curve": None if comparison.curve is None else _curve(comparison.curve),
        "leaderboard": _records(leaderboard(comparison)),
        "references": _records(references(comparison)),
        "findings": _records(findings(comparison)),
        "notes": list(comparison.notes),
        "link": link,
    }
    return {name: plain(value) for name, value in told.items()}


def _curve(curve: Curve) -> dict[str, Any]:
    return {field.name: getattr(curve, field.name) for field in fields(curve)} | {
        "at_double": asdict(curve.at_double),
        "points": _records(curve.points),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in line.items()} for line in frame.astype(object).to_dict("records")]


def plain(value: Any) -> Any:
    """Return a value as JSON knows it.

    >>> plain({"rmse": np.float64(0.123456789), "depth": np.int64(3), "r2": float("nan"), "kind": "tree"})
    {'rmse': 0.123457, 'depth': 3, 'r2': None, 'kind': 'tree'}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return rounded(value) if math.isfinite(value) else None
    return value
