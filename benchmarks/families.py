"""CPU time of every exact shortcut beside the loop that it replaces: `python -m benchmarks.families [WORD ...]`."""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.figures import keep
from benchmarks.shortcuts import Shortcut, Size, all_shortcuts

PACKAGES = ("piste", "scikit-learn", "numpy", "scipy", "torch")
RUNS = 3
SHORTEST = 0.05  # CPU seconds of one measurement: what is shorter is repeated


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the median CPU time of one run, after a first that fills caches and imports."""
    start = time.process_time()
    work()
    repeats = max(1, round(SHORTEST / max(time.process_time() - start, 1e-6)))
    taken = []
    for _ in range(RUNS):
        start = time.process_time()
        for _ in range(repeats):
            work()
        taken.append((time.process_time() - start) / repeats)
    return statistics.median(taken)


def measured(shortcut: Shortcut, size: Size) -> dict[str, Any]:
    """Measure both sides at one size, and how far apart what they predict is."""
    pair = shortcut.pair(size)
    found, expected = pair.shortcut(), pair.exact()
    assert found.shape == expected.shape, f"{shortcut.name}: {found.shape=}, {expected.shape=}"
    apart = np.abs(found - expected) / (1 + np.abs(expected))
    loop, ours = cpu_seconds(pair.loop), cpu_seconds(pair.shortcut)
    return {
        "shortcut": shortcut.name,
        "loop": shortcut.loop,
        "rows": size[0],
        "columns": size[1],
        "loop_seconds": loop,
        "shortcut_seconds": ours,
        "ratio": loop / ours,
        "target": shortcut.target[size],
        "apart": float(apart.max()),
        "equal": bool(apart.max() <= shortcut.tolerance),
    }


def line(outcome: dict[str, Any]) -> str:
    """Lay one measurement out."""
    size = f"{outcome['rows']:,} x {outcome['columns']}"
    times = f"{1e3 * outcome['loop_seconds']:>10,.1f} ms{1e3 * outcome['shortcut_seconds']:>10,.2f} ms"
    ratio, target = outcome["ratio"], outcome["target"]
    reached = f"{ratio:>8.1f}x" + (f"{target:>7g}x  {'yes' if ratio >= target else 'no':8}" if target else " " * 18)
    return f"{outcome['shortcut']:34}{size:>12}{times}{reached}{outcome['apart']:>9.0e}{'' if outcome['equal'] else '  NOT EQUAL'}"


def main(words: list[str]) -> None:
    """Measure the shortcuts whose name holds one of the words, print a table, and write the figures."""
    chosen = [each for each in all_shortcuts() if not words or any(word in each.name for word in words)]
    if not chosen:
        known = ", ".join(each.name for each in all_shortcuts())
        sys.exit(f"no shortcut's name holds {' or '.join(map(repr, words))}: choose from {known}")
    print(f"{'':34}{'':>12}{'loop':>13}{'shortcut':>13}{'less':>9}{'target':>8}  {'reached':8}{'apart':>9}")
    outcomes = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the loop's loose tolerance was not reached is the loop's affair
        for shortcut in chosen:
            for size in shortcut.target:
                outcomes.append(measured(shortcut, size))
                print(line(outcomes[-1]), flush=True)
    print("CPU time of one thread, median of 3. apart: the largest difference from the plain loop, converged, as a share of 1 + its size.")
    for name in dict.fromkeys(outcome["shortcut"] for outcome in outcomes):
        print(f"{name}: against {next(each['loop'] for each in outcomes if each['shortcut'] == name)}")
    keep("families", PACKAGES, outcomes, whole=not words)
    if any(not outcome["equal"] for outcome in outcomes):
        sys.exit("a shortcut does not give the numbers of its loop")


if __name__ == "__main__":
    main(sys.argv[1:])
