"""The two networks for tables that lead current comparisons, by their authors' interfaces and defaults, on one CPU thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.method import Answer, Method
from benchmarks.quality.tables import Division


def realmlp(division: Division, settings: Mapping[str, Any], seed: int) -> list[Answer]:
    """Fit RealMLP with its tuned defaults; of classes, with what its authors say to set for log loss."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if division.labels else RealMLP_TD_Regressor
    return [Answer("realmlp", _fitted(kind, division, settings, seed))]


def tabm(division: Division, settings: Mapping[str, Any], seed: int) -> list[Answer]:
    """Fit TabM with its defaults; of classes, stopped by log loss."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    kind = TabM_D_Classifier if division.labels else TabM_D_Regressor
    return [Answer("tabm", _fitted(kind, division, settings, seed))]


def _fitted(kind: Any, division: Division, settings: Mapping[str, Any], seed: int) -> np.ndarray:
    """Fit, with the epoch chosen on a fifth of the rows to learn from, and predict; the target is standardised inside."""
    chosen = settings["classes"] if division.labels else settings["numbers"]
    X, X_held = filled(division)
    model = kind(device="cpu", n_threads=1, random_state=seed, **chosen)
    model.fit(X, division.y, cat_col_names=[*division.categories])
    if not division.labels:
        return np.asarray(model.predict(X_held), dtype=float).ravel()
    assert [*model.classes_] == [*range(len(division.labels))], f"probabilities must stand in the order of codes, but {model.classes_=}"
    return np.asarray(model.predict_proba(X_held), dtype=float)


def filled(division: Division) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both parts without missing numbers, which these networks refuse: the median instead, and a column that says so."""
    learnt = division.X[[*division.numbers]]
    marked = [name for name in learnt if learnt[name].isna().any()]
    medians = learnt.median()

    def whole(part: pd.DataFrame) -> pd.DataFrame:
        return part.fillna(medians).assign(**{f"{name} is missing": part[name].isna().astype(float) for name in marked})

    return whole(division.X), whole(division.X_held)


REALMLP = Method(
    "realmlp",
    {"realmlp": "RealMLP"},
    ("pytabkit", "torch"),
    {"numbers": {}, "classes": {"val_metric_name": "cross_entropy", "use_ls": False}},
    realmlp,
)
TABM = Method(
    "tabm",
    {"tabm": "TabM"},
    ("pytabkit", "torch"),
    {"numbers": {}, "classes": {"val_metric_name": "cross_entropy"}},
    tabm,
)
