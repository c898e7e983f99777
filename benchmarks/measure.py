"""CPU time of a program with everything that it starts, orphans included."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphaned descendants become ours, so that waiting for them counts their time
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Cost:
    """What a program took: CPU seconds of its whole process tree, and seconds on the clock."""

    cpu_seconds: float
    wall_seconds: float


def measured(command: list[str], cwd: str) -> Cost:
    """Run a program to its end, and to the end of every process that it left.

    Raises:
        OSError: not Linux, where orphans would not be counted.
        subprocess.CalledProcessError: the program failed; its output has been printed.
    """
    if sys.platform != "linux":
        raise OSError("the benchmark counts the CPU time of orphaned processes, which it only can on Linux")
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    before, start = _children(), time.perf_counter()
    subprocess.run(command, cwd=cwd, env={**os.environ, **ONE_THREAD, "MLFLOW_DISABLE_TELEMETRY": "true"}, check=True)
    wall = time.perf_counter() - start
    while _reap():
        pass
    return Cost(_children() - before, wall)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap() -> bool:
    """Wait for one more process; false when there is none left."""
    try:
        os.wait()
    except ChildProcessError:
        return False
    return True
