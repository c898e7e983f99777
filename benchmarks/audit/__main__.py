"""Plant every fault, check every table, and print how often the audit is right: `python -m benchmarks.audit [TABLE ...]`."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import json
import platform

import pandas as pd

from benchmarks.audit.faults import FAULTS
from benchmarks.audit.freeze import digest_of_list, digest_of_rows, frozen
from benchmarks.audit.laid_out import RESULTS, printed, stored, told
from benchmarks.audit.outcome import Clean, Trial
from benchmarks.audit.scale import measured
from benchmarks.audit.tables import TABLES
from benchmarks.audit.trial import clean, tried

PACKAGES = ("piste", "scikit-learn", "lightgbm", "numpy", "pandas")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="only these tables; then nothing is stored")
    parser.add_argument("--no-scale", action="store_true", help="leave the large table out")
    parser.add_argument(
        "--held-back",
        action="store_true",
        help="say which faults of the third that is held back were missed, not only how many. To be used once, when no threshold "
        "will be touched any more: whoever has seen them can no longer be told how often the audit is right",
    )
    return parser.parse_args()


def main() -> None:
    """Run the tables that are here, print the figures, and store them."""
    said = arguments()
    if unknown := [name for name in said.tables if name not in TABLES]:
        sys.exit(f"there is no table '{unknown[0]}': choose from {', '.join(TABLES)}")
    if digest_of_list() != frozen()["digest"]:
        sys.exit("the list of faults is not the one that was frozen: its figures would say nothing")
    cleans: list[Clean] = []
    trials: list[Trial] = []
    for name in said.tables or TABLES:
        table = TABLES[name]
        if not table.data_file.exists():
            print(f"{name}: left out, needs ../shared/data/{name}")
            continue
        frame = table.frame()
        cleans.append(Clean(name, *frame.shape, clean(table)))
        for fault in FAULTS:
            if fault.table == name:
                rows, problem = fault.planted(frame.copy(), table.problem())
                if digest_of_rows(rows, problem) != frozen()["planted"][fault.name]:
                    sys.exit(f"'{fault.name}' does to its table what it did not do when it was frozen")
                trials.append(Trial(fault, tried(rows, problem), cleans[-1].heard))
        progress(name, frame, trials)
    scale = None if said.no_scale or said.tables else measured()
    print(printed(cleans, trials, held_back=said.held_back))
    if scale:
        print(told(scale))
    if len(cleans) == len(TABLES):
        about = {"machine": platform.machine(), "cores": os.cpu_count(), "versions": {name: version(name) for name in PACKAGES}}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps({**about, **stored(cleans, trials, scale)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def progress(name: str, frame: pd.DataFrame, trials: list[Trial]) -> None:
    """Say on the terminal that a table is through."""
    seconds = sum(each.heard.seconds for each in trials if each.fault.table == name)
    print(f"{name}: {len(frame):,} rows, {seconds:.0f} s with its faults", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
