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


def compare(found: Set, mlruns: Path, rows: pd.DataFrame) -> piste.Result:
    """Run one comparison: each family's default and nine more, five folds."""
    problem = piste.Problem(
        problem=found.name,
        data=rows,
        target=found.target,
        columns=dict.fromkeys(found.categories, "category"),
        families=[*FAMILIES],
        framings=["mean" if found.task == "regression" else "classes"],
        metric=found.metric,
        split={"scheme": "kfold" if found.task == "regression" else "stratified", "folds": 5, "repeats": 1},
        search={"trials": 9},
        seed=FOLD_SEED,
    )
    return piste.run(problem, mlruns=mlruns)


def outcome(found: Set, folder: Path, split: int, most: int | None) -> dict[str, Any]:
    """Compare all families, and predict the held-out rows with the champion and with the best row of each family."""
    rows, held = found.divided(split, most)
    result = compare(found, folder / "mlruns", rows)
    best = {row.family: row for row in reversed(result.comparison.judged)}  # best first, so the best stays
    families: dict[str, Any] = {}
    for name in FAMILIES:
        if name not in best:
            families[name] = {"reason": next(row.reason for row in result.comparison.absent if row.family == name)}
            continue
        row = best[name]
        fits = float(result.trials[row.id]["fit_seconds"].sum()) * len(result.comparison.fold_names)
        families[name] = {"seconds": fits, "score": score(found, result, held, row.id), "cv": row.cost}
    lowest = result.comparison.judged[0]
    return {
        "families": families,
        "best": result.comparison.row(result.champion).family,
        "score": score(found, result, held, result.champion),
        "lowest": {"row": lowest.family, "score": score(found, result, held, lowest.id)},
    }


def score(found: Set, result: piste.Result, held: pd.DataFrame, row: str) -> float:
    """Return the error of a row on the held-out rows."""
    answer = result.predict(held.drop(columns=found.target), row)["prediction"]
    return found.score(held[found.target].to_numpy(), answer.to_numpy())


if __name__ == "__main__":
    chosen, destination, held_out, rows_learnt = SETS[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    (destination / "outcome.json").write_text(json.dumps(outcome(chosen, destination, held_out, rows_learnt or None)))
