"""Computes the cells that are missing, each in a process of its own, and prints what all of them say."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measure import Cost, measured
from benchmarks.quality.cell import Cell
from benchmarks.quality.kept import Kept
from benchmarks.quality.methods import METHODS, TITLES
from benchmarks.quality.summary import BEST, CHAMPION, sentences, table
from benchmarks.quality.tables import MOST_HELD, SPLITS, TABLES, here

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "quality.json"
ROWS = 2000  # to learn from: from here on piste does not repeat its folds, and with more, TabM alone would take hours


def work(cell: Cell) -> tuple[dict[str, Any], Cost]:
    """Compute a cell in a process of its own, and count the CPU time of all that it started.

    Raises:
        subprocess.CalledProcessError: it failed; why, stands on standard error.
    """
    with tempfile.TemporaryDirectory(prefix="piste-quality-") as folder:
        outcome = Path(folder) / "outcome.json"
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.quality.cell"]
        cost = measured([*command, cell.table, str(cell.split), str(cell.rows), cell.method, str(outcome)], cwd=str(ROOT))
        return json.loads(outcome.read_text()), cost


def compute(cells: Sequence[Cell], kept: Kept, jobs: int) -> int:
    """Compute cells, so many at a time, and keep each at once; return how many failed."""
    failed, start = 0, time.perf_counter()
    with ProcessPoolExecutor(jobs) as pool:
        running = {pool.submit(work, cell): cell for cell in cells}
        for n, future in enumerate(as_completed(running), 1):
            cell = running[future]
            try:
                answers, cost = future.result()
            except subprocess.CalledProcessError as error:
                failed += 1
                print(f"{cell.key}: failed, {error}", file=sys.stderr, flush=True)
                continue
            kept.put(cell, answers, cost.cpu_seconds, cost.wall_seconds)
            errors = ", ".join(f"{TITLES[row]} {answer['error']:.4f}" for row, answer in answers.items())
            minutes = (time.perf_counter() - start) / 60
            print(f"{n:>4} of {len(cells)} {minutes:>6.1f} min  {cell.key}: {errors}, {cost.cpu_seconds:.1f} CPU seconds", flush=True)
    return failed


def told(cells: Sequence[Cell], kept: Kept) -> str:
    """Say what the cells that are there say together."""
    lines = [
        {"table": cell.table, "method": cell.method, "row": row, "seconds": found["cpu_seconds"], **answer}
        for cell in cells
        if (found := kept.get(cell))
        for row, answer in found["answers"].items()
    ]
    if not lines:
        return "There is nothing to tell yet."
    frame = pd.DataFrame(lines)
    order = [row for row in TITLES if (frame["row"] == row).any()]
    sets = [name for name in TABLES if (frame["table"] == name).any()]

    def spread(value: str) -> pd.DataFrame:
        """Return the mean over the divisions, (n_sets, n_rows); missing where one of them is missing."""
        groups = frame.groupby(["table", "row"])[value]
        mean = groups.mean().where(groups.count() == SPLITS)
        return mean.unstack("row").reindex(index=sets, columns=order)

    errors = spread("error")
    wrong = spread("error_rate").dropna(how="all") if "error_rate" in frame else errors.iloc[:0]
    whole = errors.dropna()
    seconds = frame[frame["table"].isin(whole.index)].groupby("row")["seconds"].sum().reindex(order)
    said = [table(errors, wrong, seconds, TITLES)]
    if {CHAMPION, BEST} < {*order} and len(order) >= 4 and len(whole):
        said += ["", *sentences(whole, seconds, TITLES)]
    return "\n".join(said)


def options(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"some of {', '.join(TABLES)}; all where none is named")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS], help="some of the methods")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"at most so many rows to learn from, for every method ({ROWS:,})")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="cells at a time; one per core where not given")
    parser.add_argument("--again", action="store_true", help="compute the cells named by the other words even if they are kept")
    given = parser.parse_args(words)
    if unknown := [name for name in given.sets if name not in TABLES]:
        parser.error(f"there is no set '{unknown[0]}': choose from {', '.join(TABLES)}")
    return given


def main(words: Sequence[str]) -> int:
    """Compute what is missing, and print the table; return how many cells failed."""
    given, kept = options(words), Kept(RESULTS)
    methods = [METHODS[name] for name in METHODS if name in given.methods]
    for method in methods:
        if method.absent:
            titles = ", ".join(method.rows.values())
            print(f"{titles}: left out, needs {', '.join(method.absent)} (pip install -c constraints.txt -e '.[bench]')")
    for name in given.sets or TABLES:
        if not here(name):
            print(f"{name}: left out, needs ../shared/data/{name}/{TABLES[name].file}")
    cells = [
        Cell(name, split, given.rows, method.name)
        for name in TABLES
        if name in (given.sets or TABLES) and here(name)
        for split in range(SPLITS)
        for method in methods
        if not method.absent
    ]
    failed = compute([cell for cell in cells if given.again or not kept.get(cell)], kept, given.jobs)
    print(
        f"\nAt most {given.rows:,} rows to learn from, for every method; {SPLITS} divisions, judged on a fifth, at most {MOST_HELD:,} rows."
    )
    print("Error: RMSE in standard deviations of the held-out target, or log loss; mean of the divisions. Lower is better.\n")
    print(told(cells, kept))
    return failed


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
