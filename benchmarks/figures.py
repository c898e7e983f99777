"""The figures of a benchmark's last whole run, kept with the date and the machine that they hang on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PROCESSORS = Path("/proc/cpuinfo")  # names the processor on Linux; elsewhere its kind must do


def keep(name: str, packages: Iterable[str], outcomes: Sequence[Mapping[str, Any]], *, whole: bool, results: Path = RESULTS) -> None:
    """Write down what a run measured, or say that it was a part only, which never takes the place of the whole.

    Args:
        name: of the benchmark; the file is called so.
        packages: whose versions the figures hang on.
        outcomes: what was measured, as plain values.
        whole: nothing was left out, be it by name or because its rows are not here.
        results: the folder to write to.
    """
    path = results / f"{name}.json"
    if not whole or not outcomes:
        print(f"Not everything was measured: results/{path.name} stays as it was.")
        return
    results.mkdir(exist_ok=True)
    fresh = path.with_suffix(".new")  # so that a run that is stopped here leaves the last figures whole
    fresh.write_text(json.dumps({**circumstances(packages), "outcomes": [*outcomes]}, indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def kept(name: str, results: Path = RESULTS) -> dict[str, Any] | None:
    """Return what `keep` wrote; None where there was no whole run yet."""
    path = results / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def circumstances(packages: Iterable[str]) -> dict[str, Any]:
    """Return what figures hang on beside the program: the date, the machine, and the versions of packages."""
    return {
        "date": date.today().isoformat(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), **{package: version(package) for package in packages}},
    }


def processor() -> str:
    """Return what the processor is called, or its kind where the system does not say."""
    if PROCESSORS.exists():
        for line in PROCESSORS.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
