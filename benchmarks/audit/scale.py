"""How long `piste check` takes on 100,000 rows of 50 columns, how much memory, and that it imports neither torch nor mlflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

N_ROWS, N_NUMBERS, N_CATEGORIES = 100_000, 40, 7  # and a day, a shop, and the target
HEAVY = ("torch", "mlflow")
PROBLEM = """\
question: How many parcels will a shop send on a day?
data: data.csv
target: {column: parcels, kind: numeric}
time: day
unit: [shop, day]
split: {scheme: forward, by: quarter, together: day}
"""
# In the process that is measured: what `piste check` does, and then which of the heavy packages are there.
CODE = f"""
import json, re, sys, time
from piste.cli import main
try:
    code = main(["check", sys.argv[1]])
except SystemExit as end:
    code = end.code
peak = int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])  # of this program alone, in KiB
heavy = [name for name in {HEAVY!r} if name in sys.modules]
told = {{"code": code, "peak_mb": peak / 1024, "cpu_seconds": time.process_time(), "heavy": heavy}}
open(sys.argv[2], "w").write(json.dumps(told))
"""


@dataclass(frozen=True)
class Scale:
    """What one check of the large table took."""

    seconds: float  # on the clock: of a machine that does nothing else
    cpu_seconds: float  # of all threads; on a busy machine the truer of the two
    peak_mb: float
    heavy: tuple[str, ...]  # of the packages that must not be imported, those that were
    code: int | None  # the exit code


def made() -> pd.DataFrame:
    """Return the large table: 250 shops, 400 days, numbers of which ten matter, and some categories."""
    rng = np.random.default_rng(100_050)
    shops, days = 250, N_ROWS // 250
    numbers = rng.normal(size=(N_ROWS, N_NUMBERS)).round(4)
    frame = pd.DataFrame(numbers, columns=[f"measure_{place:02}" for place in range(N_NUMBERS)])
    for place in range(N_CATEGORIES):
        frame[f"kind_{place}"] = np.char.add("k", rng.integers(0, 4 + 6 * place, N_ROWS).astype(str))
    frame["shop"] = np.tile(np.char.add("shop ", np.arange(shops).astype(str)), days)
    frame["day"] = np.repeat(pd.date_range("2024-01-01", periods=days).strftime("%Y-%m-%d"), shops)
    weights = np.where(np.arange(N_NUMBERS) < 10, 1 / (1 + np.arange(N_NUMBERS)), 0)
    frame["parcels"] = (50 + 5 * numbers @ weights + np.repeat(rng.normal(0, 2, days), shops) + rng.normal(0, 3, N_ROWS)).round(2)
    return frame


def measured() -> Scale:
    """Check the large table in a process of its own, with as many threads as it likes.

    Raises:
        subprocess.CalledProcessError: it failed; its output has been printed.
    """
    with tempfile.TemporaryDirectory(prefix="piste-bench-scale-") as name:
        folder = Path(name)
        made().to_csv(folder / "data.csv", index=False)
        (folder / "problem.yaml").write_text(PROBLEM)
        told = folder / "told.json"
        start = time.perf_counter()
        command = [sys.executable, "-c", CODE, str(folder), str(told)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=dict(os.environ))
        seconds = time.perf_counter() - start
        found = json.loads(told.read_text())
    return Scale(seconds, found["cpu_seconds"], found["peak_mb"], tuple(found["heavy"]), found["code"])
