"""The same comparison by piste, through its public API."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

import piste
from benchmarks.sets import FOLD_SEED, SETS, Set

FAMILIES = ("linear", "tree", "forest", "boosting", "svm", "neural")


def compare(found: Set, mlruns: Path, rows: pd.DataFrame, families: list[str]) -> piste.Result:
    """Run one comparison: each family's default and nine more, five folds."""
    problem = piste.Problem(
        problem=found.name,
        data=rows,
        target=found.target,
        columns=dict.fromkeys(found.categories, "category"),
        families=families,
        framings=["mean" if found.task == "regression" else "classes"],
        metric=found.metric,
        split={"scheme": "kfold" if found.task == "regression" else "stratified", "folds": 5, "repeats": 1},
        search={"trials": 9},
        seed=FOLD_SEED,
    )
    return piste.run(problem, mlruns=mlruns)


def whole(found: Set, folder: Path) -> dict[str, Any]:
    """Compare all families, and predict the held-out rows with the champion."""
    rows, held = found.divided()
    result = compare(found, folder / "mlruns", rows, [*FAMILIES])
    return {"best": result.comparison.row(result.champion).family, "score": score(found, result, held)}


def apart(found: Set, folder: Path) -> dict[str, Any]:
    """Score each family alone; its cells are stored already, so that nothing is fitted again."""
    rows, held = found.divided()
    outcome: dict[str, Any] = {}
    for name in FAMILIES:
        result = compare(found, folder / "mlruns", rows, [name])
        board = result.leaderboard
        if (board.loc[board["family"] == name, "status"] != "ok").any():
            outcome[name] = {"reason": board.loc[board["family"] == name, "reason"].iloc[0]}
            continue
        trials = next(frame for row, frame in result.trials.items() if row.split("/")[1] == name)
        fits = float(trials["fit_seconds"].sum()) * len(result.comparison.fold_names)
        outcome[name] = {"seconds": fits, "score": score(found, result, held), "cv": result.comparison.judged[0].cost}
    return outcome


def score(found: Set, result: piste.Result, held: pd.DataFrame) -> float:
    """Return the champion's error on the held-out rows."""
    answer = result.predict(held.drop(columns=found.target))["prediction"]
    return found.score(held[found.target].to_numpy(), answer.to_numpy())


if __name__ == "__main__":
    task, chosen, destination = sys.argv[1], SETS[sys.argv[2]], Path(sys.argv[3])
    (destination / f"{task}.json").write_text(json.dumps({"whole": whole, "apart": apart}[task](chosen, destination)))
