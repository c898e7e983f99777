"""Held-out error of piste beside the honest notebook, family by family, over several splits: `python -m benchmarks.errors [SET ...]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from statistics import geometric_mean
from typing import Any

from benchmarks.figures import keep
from benchmarks.naive import PACKAGES, run
from benchmarks.ours import FAMILIES
from benchmarks.sets import SETS

SPLITS = 5
MOST_ROWS = 1_500  # to learn from, for both sides: the notebook takes hours for all rows of five sets, five times over
SIDES = ("notebook", "piste")


def compared(name: str) -> dict[str, Any]:
    """Return the errors of both sides on each split of a set."""
    outcomes = [run(SETS[name], split, MOST_ROWS) for split in range(SPLITS)]
    rows = {family: [[each[side]["families"][family].get("score") for each in outcomes] for side in SIDES] for family in FAMILIES}
    rows["chosen"] = [[each[side]["score"] for each in outcomes] for side in SIDES]
    rows["lowest"] = [rows["chosen"][0], [each["piste"]["lowest"]["score"] for each in outcomes]]
    seconds = {side: sum(each[side]["cpu_seconds"] for each in outcomes) for side in SIDES}
    return {"set": name, "rows": outcomes[0]["rows"], "error": outcomes[0]["error"], "errors": rows, "cpu_seconds": seconds}


def ratio(both: Sequence[Sequence[float | None]]) -> float:
    """Return piste's error over the notebook's, the geometric mean over the splits; NaN where a side has none."""
    pairs = [(theirs, ours) for theirs, ours in zip(*both, strict=True) if theirs is not None and ours is not None]
    return geometric_mean([ours / theirs for theirs, ours in pairs]) if pairs else float("nan")


def line(outcome: Mapping[str, Any]) -> str:
    """Lay one set out: how much worse each family is, in per cent."""
    cells = "".join(f"{100 * (ratio(both) - 1):>+10.1f}" for both in outcome["errors"].values())
    return f"{outcome['set']:20}{cells}"


def main(names: list[str]) -> None:
    """Run the sets that are here, and print how much worse piste's errors are than the notebook's."""
    if unknown := [name for name in names if name not in SETS]:
        sys.exit(f"there is no set '{unknown[0]}': choose from {', '.join(SETS)}")
    print(f"{'error, %':20}" + "".join(f"{name:>10}" for name in (*FAMILIES, "chosen", "lowest")), flush=True)
    outcomes = []
    for name in names or SETS:
        if not SETS[name].path.exists():
            print(f"{name}: left out, needs ../shared/data/{name}/{SETS[name].file}")
            continue
        outcomes.append(compared(name))
        print(line(outcomes[-1]), flush=True)
    print(f"By how much piste's error on a held-out fifth is above the notebook's (below 0: better), mean of {SPLITS} splits,")
    print(f"learning from {MOST_ROWS:,} rows at most on both sides. chosen: piste's champion, the simplest that is not surely worse;")
    print("lowest: its best row, blends included.")
    keep("errors", PACKAGES, outcomes, whole=len(outcomes) == len(SETS))


if __name__ == "__main__":
    main(sys.argv[1:])
