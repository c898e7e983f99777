"""What every test may ask for: the shared data, a browser; and the rule that in CI nothing is skipped."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Before numpy is imported: the worker processes share the cores, so a library with threads of its own only gets in the way.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# Where a shell starts the tests in the background, Ctrl-C is ignored, here and in all that is started from here.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.pop("COLUMNS", None)  # of the terminal that the tests run in: what is printed here goes to none
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

# What may be skipped in CI too: the start of the reason, and why no machine of ours can help it.
MAY_SKIP = {
    "needs a GPU": "CI has none; the same test runs on the CPU beside it",
    "root may read anything": "CI runs as root, to whom no file is closed",
}

# A deadline measures the machine; in CI the examples are the same every time, so that red means a change in the code.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def refused(reason: str) -> bool:
    """Say whether a skip for this reason counts as a failure."""
    return bool(os.environ.get("CI")) and not reason.removeprefix("Skipped: ").startswith(tuple(MAY_SKIP))


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where CI runs: what is skipped there is tested nowhere."""
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if refused(reason):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: skipped in CI, which counts as failed. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Refuse skipped tests in CI."""
    report = yield
    fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Refuse skipped files in CI."""
    report = yield
    fail_if_skipped(report)
    return report


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Return the folder of one of the shared data sets by name; without it, the test that asks is skipped by that name."""

    def folder(name: str) -> Path:
        found = SHARED / name
        if not found.is_dir():
            pytest.skip(f"needs ../shared/data/{name}")
        return found

    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium that can be driven; without it, the test that asks is skipped."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("needs Chromium")
