"""piste's side: one run of its public API, answered by the champion and, apart, by whatever costs least."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.method import Answer, Method
from benchmarks.quality.tables import Division


def compare(division: Division, settings: Mapping[str, Any], seed: int) -> list[Answer]:
    """Compare all families, all else by default, and predict with two rows of the leaderboard."""
    import piste
    from piste.core.layout import answered
    from piste.edges import shelf
    from piste.edges.models import read_model
    from piste.edges.store import Store

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
        found = result.comparison
        best = min(found.judged, key=lambda row: row.cost).id
        with Store(Path(folder) / "results.sqlite") as store:
            shelved = shelf.by_key(store, found.key)
            assert shelved, "the comparison has just been kept"
            record = store.get(shelved.models[best])
        assert record, f"the model of {best} must be stored, as that of the first row of every framing is"
        model, layout = read_model(record.blob)
        answers = {
            "piste": (result.champion, result.predict(division.X_held)),
            "piste_best": (best, answered(layout, model.predict, division.X_held)),
        }
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
