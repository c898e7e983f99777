"""Watches what this process has started: its peak of memory, and an end to all of it once a limit is passed."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

LOOK_SECONDS = 0.25  # between two looks; what is allocated and given back within is not seen
PROC = Path("/proc")


class Guard:
    """Looks at all descendants of this process for as long as its `with` block lasts.

    Memory is the sum of their proportional set sizes: a page that k processes share counts a k-th in each, so once in all.

    Args:
        seconds: after which all are killed.
        bytes: of memory, beyond which all are killed.
    """

    def __init__(self, seconds: float, bytes: float) -> None:
        """Look at nothing yet."""
        self.peak = 0  # bytes
        self.stopped = ""  # which limit was passed, in words
        self._seconds, self._bytes = seconds, bytes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End; what still runs is left alone."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        start = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            found = [*descendants(os.getpid())]
            self.peak = max(self.peak, sum(map(memory, found)))
            if time.monotonic() - start > self._seconds:
                self.stopped = self.stopped or f"not done after {self._seconds / 60:g} minutes"
            elif self.peak > self._bytes:
                self.stopped = self.stopped or f"took more than {self._bytes / 2**30:g} GiB"
            if self.stopped:
                for pid in found:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def descendants(parent: int) -> Iterator[int]:
    """Yield the processes that a process has started, those that they have, and so on."""
    for task in (PROC / str(parent) / "task").glob("*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for word in (task / "children").read_text().split():
                yield int(word)
                yield from descendants(int(word))


def memory(pid: int) -> int:
    """Return the proportional set size of a process in bytes; 0 where it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return 0
