"""CPU time and held-out score of piste beside the honest notebook: `python -m benchmarks.naive [SET ...]`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from benchmarks.figures import keep
from benchmarks.measure import measured
from benchmarks.ours import FAMILIES
from benchmarks.sets import FOLD_SEED, HOLDOUT_SEED, SETS, Set

ROOT = Path(__file__).parents[1]
PACKAGES = ("piste", "scikit-learn", "lightgbm", "torch", "numpy", "mlflow")


def run(found: Set, split: int = 0, most: int | None = None) -> dict[str, Any]:
    """Measure both sides on one set, each in a fresh process and a fresh folder.

    Args:
        found: the set.
        split: which fifth is held out.
        most: rows to learn from, for both sides; the set's own where not given.
    """
    sides = {}
    with tempfile.TemporaryDirectory(prefix="piste-bench-") as name:
        for side, module in (("notebook", "benchmarks.notebook"), ("piste", "benchmarks.ours")):
            folder = Path(name) / side
            folder.mkdir()
            command = [sys.executable, "-W", "ignore", "-m", module, found.name, str(folder), str(split), str(most or 0)]
            cost = measured(command, cwd=str(ROOT))
            sides[side] = {**asdict(cost), **json.loads((folder / "outcome.json").read_text())}
    error = "RMSE" if found.task == "regression" else "error rate"
    return {"set": found.name, "rows": len(found.divided(split, most)[0]), "capped": most or found.most, "error": error, **sides}


def table(outcome: Mapping[str, Any]) -> str:
    """Lay the figures of one set out side by side."""
    theirs, ours = outcome["notebook"], outcome["piste"]
    capped = ", to which both sides are capped" if outcome["capped"] == outcome["rows"] else ""
    title = f"{outcome['set']}: {outcome['rows']:,} rows to learn from{capped}; seconds, and {outcome['error']} on the held-out fifth"
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
    if len(outcomes) > 1:
        ratios = [each["notebook"]["cpu_seconds"] / each["piste"]["cpu_seconds"] for each in outcomes]
        print(f"All sets: {geometric_mean(ratios):.1f} times less CPU time in the geometric mean, {min(ratios):.1f} at least.")
    print("Last lines: CPU of whole process trees, imports and MLflow included, on a machine of any load.")
    print("A family: of the notebook the CPU of its search, refit and logging;")
    print("of piste its fits by its workers' clocks, true on a quiet machine.")
    print("error: of piste against the notebook; below 0 is better.")
    print(f"Held-out fifth: seed {HOLDOUT_SEED}. Folds: seed {FOLD_SEED}.")
    keep("naive", PACKAGES, outcomes, whole=len(outcomes) == len(SETS))


if __name__ == "__main__":
    main(sys.argv[1:])
