"""piste's side: one run of its public API, answered by the champion and, apart, by whatever costs least."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.method import Answer, Method
from benchmarks.quality.tables import Division


def compare(division: Division, settings: Mapping[str, Any], seed: int) -> list[Answer]:
    """Compare all families, all else by default, and predict with two rows of the leaderboard."""
    import piste

    target = np.array(division.labels)[division.y] if division.labels else division.y
    kinds = dict.fromkeys(division.numbers, "number") | dict.fromkeys(division.categories, "category")
    name = "the target"
    with tempfile.TemporaryDirectory(prefix="piste-quality-") as folder:
        problem = piste.Problem(
            problem=division.name,
            data=division.X.assign(**{name: target}),
            target=name,
            columns=kinds,
            metric="log_loss" if division.labels else "rmse",
            seed=seed,
            **settings,
        )
        result = piste.run(problem, mlruns=folder, workers=1)
        best = min(result.comparison.judged, key=lambda row: row.cost).id
        answers = {row: (id, result.predict(division.X_held, id)) for row, id in (("piste", result.champion), ("piste_best", best))}
    return [Answer(row, _values(answer, division), id) for row, (id, answer) in answers.items()]


def _values(answer: pd.DataFrame, division: Division) -> np.ndarray:
    """Return numbers, or probabilities in the order of the labels."""
    wanted = [f"P({label})" for label in division.labels]
    return answer[wanted].to_numpy(float) if wanted else answer["prediction"].to_numpy(float)


PISTE = Method(
    "piste",
    {"piste": "piste", "piste_best": "least cost"},
    ("piste", "scikit-learn", "lightgbm", "torch", "numpy"),
    {"search": {"trials": 10}},
    compare,
)
