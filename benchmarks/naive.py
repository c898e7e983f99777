"""CPU time and held-out score of piste beside the honest notebook: `python -m benchmarks.naive [SET ...]`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.figures import keep
from benchmarks.measure import ONE_THREAD, measured
from benchmarks.ours import FAMILIES
from benchmarks.sets import FOLD_SEED, HOLDOUT_SEED, SETS, Set

ROOT = Path(__file__).parents[1]
PACKAGES = ("piste", "scikit-learn", "lightgbm", "torch", "numpy", "mlflow")


def run(found: Set) -> dict[str, Any]:
    """Measure both sides on one set, each in fresh processes and a fresh folder."""
    with tempfile.TemporaryDirectory(prefix="piste-bench-") as name:
        notebook, ours = Path(name) / "notebook", Path(name) / "piste"
        notebook.mkdir()
        ours.mkdir()
        python = [sys.executable, "-W", "ignore", "-m"]
        theirs_cost = measured([*python, "benchmarks.notebook", found.name, str(notebook)], cwd=str(ROOT))
        ours_cost = measured([*python, "benchmarks.ours", "whole", found.name, str(ours)], cwd=str(ROOT))
        command = [*python, "benchmarks.ours", "apart", found.name, str(ours)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **ONE_THREAD}, check=True)
        theirs = json.loads((notebook / "outcome.json").read_text())
        whole, apart = (json.loads((ours / f"{part}.json").read_text()) for part in ("whole", "apart"))
    return {
        "set": found.name,
        "error": "RMSE" if found.task == "regression" else "error rate",
        "notebook": {**asdict(theirs_cost), **theirs},
        "piste": {**asdict(ours_cost), **whole, "families": apart},
    }


def table(outcome: Mapping[str, Any]) -> str:
    """Lay the figures of one set out side by side."""
    theirs, ours = outcome["notebook"], outcome["piste"]
    title = f"{outcome['set']}: seconds, and {outcome['error']} on the held-out fifth"
    lines = [title, f"{'':12}{'notebook':>20}{'piste':>20}{'times less':>12}{'error':>9}"]
    for name in FAMILIES:
        lines.append(_line(name, theirs["families"][name], ours["families"][name]))
    lines.append("-" * 73)
    lines.append(_line("all, CPU", *({"seconds": side["cpu_seconds"], "score": side["score"]} for side in (theirs, ours))))
    lines.append(f"{'on the clock':12}{theirs['wall_seconds']:>11.1f} s{'':7}{ours['wall_seconds']:>11.1f} s")
    lines.append(f"{'chosen':12}{theirs['best']:>20}{ours['best']:>20}")
    return "\n".join(lines)


def _line(name: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    left = f"{theirs['seconds']:>9.1f} s{theirs['score']:>9.4g}"
    if "reason" in ours:
        return f"{name:12}{left}   {ours['reason']}"
    right = f"{ours['seconds']:>9.1f} s{ours['score']:>9.4g}"
    return f"{name:12}{left}{right}{theirs['seconds'] / ours['seconds']:>11.1f}x{ours['score'] / theirs['score'] - 1:>+9.1%}"


def main(names: list[str]) -> None:
    """Run the sets that are here, print a table for each, and write the figures."""
    if unknown := [name for name in names if name not in SETS]:
        sys.exit(f"there is no set '{unknown[0]}': choose from {', '.join(SETS)}")
    outcomes = []
    for found in (SETS[name] for name in names or SETS):
        if not found.path.exists():
            print(f"{found.name}: left out, needs ../shared/data/{found.name}/{found.file}\n")
            continue
        outcomes.append(run(found))
        print(table(outcomes[-1]), end="\n\n", flush=True)
    print("Last lines: CPU of whole process trees, imports and MLflow included, on a machine of any load.")
    print("A family: of the notebook the CPU of its search, refit and logging;")
    print("of piste its fits by its workers' clocks, true on a quiet machine.")
    print("error: of piste against the notebook; below 0 is better.")
    print(f"Held-out fifth: seed {HOLDOUT_SEED}. Folds: seed {FOLD_SEED}.")
    keep("naive", PACKAGES, outcomes, whole=len(outcomes) == len(SETS))


if __name__ == "__main__":
    main(sys.argv[1:])
