"""Compares on ever more rows, each family alone and all of them at once, and prints time, memory, and how they grow."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.figures import keep
from benchmarks.measure import measured
from benchmarks.scaling.guard import Guard
from benchmarks.scaling.table import CATEGORIES, NUMBERS, write
from piste.families import NAMES

ROOT = Path(__file__).parents[2]
PACKAGES = ("piste", "scikit-learn", "lightgbm", "torch", "numpy", "pandas", "pyarrow", "mlflow")
ROWS = (1_000, 10_000, 100_000, 1_000_000)
LARGE = 100_000  # from which on the growth of time is told, where there are two such sizes
FAMILIES = tuple(name for name in NAMES if name not in ("baseline", "perceptron"))  # rules are always there; the other takes labels only
ALL = "all"
MINUTES = 30.0  # that a comparison may take; a family that needs more is left out of the larger sizes
GIB = 8.0  # that a comparison may take
WORKERS = 2
MOST_GIB = 16.0  # beyond which a comparison is stopped, for the sake of the machine


def run(name: str, families: Sequence[str], n_rows: int, given: argparse.Namespace) -> dict[str, Any]:
    """Measure one comparison in fresh processes and a fresh folder."""
    known = {"name": name, "rows": n_rows}
    with tempfile.TemporaryDirectory(prefix="piste-scaling-") as where:
        folder = Path(where)
        write(n_rows, [*families], folder)
        guard = Guard(60 * given.minutes, MOST_GIB * 2**30)
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scaling.one", str(folder), str(given.workers)]
        try:
            with guard:
                cost = measured(command, cwd=str(ROOT))
        except subprocess.CalledProcessError as error:
            return {**known, "peak_bytes": guard.peak, "stopped": guard.stopped or f"failed: {error}"}
        return {**known, "peak_bytes": guard.peak, **asdict(cost), **json.loads((folder / "outcome.json").read_text())}


def line(outcome: dict[str, Any]) -> str:
    """Lay one comparison out."""
    start = f"{outcome['name']:12}{outcome['rows']:>10,}"
    peak = f"{outcome['peak_bytes'] / 2**30:>7.2f} GiB"
    if reason := outcome.get("stopped"):
        return f"{start}{'-':>12}{'-':>12}{'-':>12}{peak}   {reason}"
    fits = sum(seconds for name, seconds in outcome["cells"].items() if not name.startswith("baseline:"))
    return f"{start}{outcome['cpu_seconds']:>10.1f} s{outcome['wall_seconds']:>10.1f} s{fits:>10.1f} s{peak}"


def exponent(outcomes: Sequence[dict[str, Any]], name: str) -> tuple[int, int, float] | None:
    """Return two sizes, and the power of the rows by which CPU time grew between them; None where there are no two.

    The largest size, and the smallest from LARGE on; the second largest where there is none.
    """
    sizes = {each["rows"]: each["cpu_seconds"] for each in outcomes if each["name"] == name and "stopped" not in each}
    *before, last = sorted(sizes) or [0]
    first = next((size for size in before if size >= LARGE), before[-1] if before else None)
    return None if first is None else (first, last, math.log(sizes[last] / sizes[first]) / math.log(last / first))


def told(outcomes: Sequence[dict[str, Any]], names: Sequence[str]) -> list[str]:
    """Say how time grows, which families stepped aside and why, and whether all at once kept to the memory that they may take."""
    said = []
    for name in names:
        if found := exponent(outcomes, name):
            first, last, power = found
            said.append(f"{name}: CPU time grows as rows to the power of {power:.2f} from {first:,} to {last:,}.")
    aside: dict[tuple[str, str], list[int]] = {}
    for each in outcomes:
        for family, reason in each.get("aside", {}).items():
            aside.setdefault((family, reason), []).append(each["rows"])
    for (family, reason), sizes in aside.items():
        said.append(f"{family} steps aside at {', '.join(f'{n:,}' for n in sorted({*sizes}))} rows: {reason}")
    whole = [each for each in outcomes if each["name"] == ALL]
    if whole:
        most = max(whole, key=lambda each: each["rows"])
        gib = most["peak_bytes"] / 2**30
        said.append(f"All families at {most['rows']:,} rows: {gib:.2f} GiB at the peak, {'under' if gib < GIB else 'NOT under'} {GIB:g}.")
    return said


def options(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[*ROWS], help="sizes of the table")
    names = [*FAMILIES, ALL]
    parser.add_argument("--families", nargs="+", choices=names, default=names, help="which alone; 'all' is all at once")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"that one comparison may take ({MINUTES:g})")
    parser.add_argument("--workers", type=int, default=WORKERS, help=f"cells at a time ({WORKERS})")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> None:
    """Measure, print as it goes, and write the figures."""
    given = options(words)
    outcomes: list[dict[str, Any]] = []
    print(f"{'families':12}{'rows':>10}{'CPU':>12}{'wall':>12}{'fits':>12}{'peak':>11}", flush=True)
    out: set[str] = set()  # families that a smaller table was too large for
    for n_rows in sorted(given.rows):
        for name in [*FAMILIES, ALL]:
            if name not in given.families or name in out:
                continue
            families = [each for each in FAMILIES if each not in out] if name == ALL else [name]
            outcomes.append(run(name, families, n_rows, given))
            print(line(outcomes[-1]), flush=True)
            if "stopped" in outcomes[-1]:
                out.add(name)
    print("", *told(outcomes, given.families), sep="\n")
    print(f"{NUMBERS} numbers and {CATEGORIES} categories, read from csv; each family's default, intervals, refits and MLflow included.")
    print("CPU: of the whole process tree. fits: on the clock of the workers, which run side by side.")
    print("peak: pages that are shared count once.")
    keep("scaling", PACKAGES, outcomes, whole=given == options([]))


if __name__ == "__main__":
    main(sys.argv[1:])
