"""The process that tasks run in: a server that forks a child for each, or one fresh interpreter where nothing forks.

The server reads requests from its standard input, one JSON object a line, `{"task": 7, "refs": [1], "seconds": 60.0}`,
and writes reports to its standard output: `{"ready": true}` when the modules are loaded, `{"task": 7, "pid": 123}` when
a child starts, `{"task": 7, "code": -9, "timed_out": true, "output": "..."}` when it ended. Values travel as files of
a private folder: `ref-1`, `task-7`, `result-7`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pickle
import selectors
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from typing import Any, NoReturn

from piste.edges.packing import in_file, unpack

TAIL_BYTES = 4000  # of what a task printed, kept for the reason of a failure
LOOK_SECONDS = 0.25  # between two looks whether the parent still lives
END_SECONDS = 1.0  # to wait for killed processes to be gone
EXIT_NO_RESULT = 74  # EX_IOERR of sysexits.h: the result could not be written
EXIT_NO_START = 71  # EX_OSERR: no process could be started
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def attempt(task: mmap, find: Callable[[int], Any]) -> bytes:
    """Call the function of a packed task; pickle ("returned", value) or ("raised", (type, message, traceback))."""
    try:
        function, args = unpack(task, find)
        return pickle.dumps(("returned", function(*args)), protocol=5)
    except BaseException as error:  # noqa: BLE001 - whatever a model raises is an outcome, SystemExit too
        frames = error.__traceback__.tb_next if error.__traceback__ else None  # without this one
        text = "".join(traceback.format_exception(type(error), error, frames))
        return pickle.dumps(("raised", (type(error).__name__, str(error), text)))


def run_task(folder: Path, number: int, find: Callable[[int], Any]) -> int:
    """Run the task in `task-N`, leave what came of it in `result-N`, and return the exit code."""
    outcome = attempt(in_file(folder / f"task-{number}"), find)
    part = folder / f"result-{number}.part"
    try:
        part.write_bytes(outcome)
        part.rename(folder / f"result-{number}")
    except OSError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - the parent reads it
        return EXIT_NO_RESULT
    return 0


class Values:
    """The values that Refs of one folder stand for, each loaded once."""

    def __init__(self, folder: Path) -> None:
        """Start with none loaded."""
        self._folder = folder
        self._loaded: dict[int, Any] = {}

    def __call__(self, number: int) -> Any:
        """Return the value of a Ref."""
        if number not in self._loaded:
            self._loaded[number] = unpack(in_file(self._folder / f"ref-{number}"), self)
        return self._loaded[number]


def _prctl(option: int, value: int) -> bool:
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def watch(parent: int, *, last: Callable[[], object] = lambda: None) -> Callable[[], None]:
    """Kill this process and its group, after a last act, once its parent is gone; returns how to end the watch."""
    enough = threading.Event()

    def look() -> None:
        while not enough.wait(LOOK_SECONDS):
            if os.getppid() != parent:
                last()
                os.killpg(0, signal.SIGKILL)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()

    def end() -> None:
        enough.set()
        thread.join()

    return end


@dataclass(slots=True)
class _Child:
    number: int
    pid: int
    output: int  # file descriptor
    deadline: float  # by the monotonic clock
    timed_out: bool = False
    tail: bytearray = field(default_factory=bytearray)

    def read(self) -> bool:
        """Take what was printed since; whether there may be more to come."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output, 65536):
                self.tail = (self.tail + chunk)[-TAIL_BYTES:]
            return False
        return True

    def kill(self) -> None:
        """End the child, before it is waited for, and its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.kill_group()

    def kill_group(self) -> None:
        """End what it started. Its number is not given away as long as one of the group lives."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses a group of zombies
            os.killpg(self.pid, signal.SIGKILL)


class Server:
    """Forks children on request, stops them at their deadlines, and tells how they ended. One thread, so forks are safe."""

    def __init__(self, folder: Path, parent: int) -> None:
        """Take over the standard streams: what modules print must not get between the reports."""
        self._folder, self._parent = folder, parent
        self._requests, self._reports = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.close(null)
        self._values = Values(folder)
        self._children: dict[int, _Child] = {}  # by pid
        self._pending = b""
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        self._selector = selectors.DefaultSelector()

    def run(self, preload: Sequence[str]) -> NoReturn:
        """Load modules, then serve until the parent closes its end or is gone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a task leaves behind becomes ours to end
        end_watch = watch(self._parent, last=self._remove_folder)
        for name in preload:
            try:
                importlib.import_module(name)
            except Exception:  # noqa: BLE001 - the task that needs it fails with this error of its own
                traceback.print_exc()
        end_watch()
        gc.collect()
        gc.freeze()  # or the collector of each child would copy every page that it looks at
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        self._selector.register(self._requests, selectors.EVENT_READ, self._take_requests)
        self._selector.register(self._wake, selectors.EVENT_READ, self._wake_up)
        self._report(ready=True)
        while self._step():
            pass
        self._end()
        os._exit(0)  # taking a hundred modules down in order would cost what a task does

    def _step(self) -> bool:
        """Wait for something to happen and deal with it; whether to go on."""
        now = time.monotonic()
        nearest = min((child.deadline for child in self._children.values() if not child.timed_out), default=now + 1.0)
        ready = self._selector.select(min(max(nearest - now, 0.0), 1.0))
        go_on = os.getppid() == self._parent
        for key, _ in ready:
            go_on &= key.data()
        now = time.monotonic()
        for child in self._children.values():
            if child.deadline <= now and not child.timed_out:
                child.timed_out = True
                child.kill()
        self._reap()
        return go_on

    def _take_requests(self) -> bool:
        chunk = os.read(self._requests, 65536)
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        for line in lines:
            self._start(**json.loads(line))
        return bool(chunk)

    def _wake_up(self) -> bool:
        os.read(self._wake, 4096)
        return True

    def _start(self, task: int, refs: list[int], seconds: float | None) -> None:
        for number in refs:
            try:
                self._values(number)  # here, once: children share its memory
            except Exception:  # noqa: BLE001 - the child meets the same error, and reports it
                traceback.print_exc()
        gc.freeze()
        output, write = os.pipe()
        server = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(output)
            os.close(write)
            self._report(task=task, code=EXIT_NO_START, timed_out=False, output=str(error))
            return
        if pid == 0:
            os.close(output)
            self._become_child(task, write, server)
        with contextlib.suppress(OSError):  # the child does the same; whoever comes first
            os.setpgid(pid, pid)
        os.close(write)
        os.set_blocking(output, False)
        child = _Child(task, pid, output, time.monotonic() + seconds if seconds is not None else float("inf"))
        self._children[pid] = child
        self._selector.register(output, selectors.EVENT_READ, lambda: self._listen(child))
        self._report(task=task, pid=pid)

    def _listen(self, child: _Child) -> bool:
        if child.output >= 0 and not child.read():  # it closed its streams: nothing more to hear
            self._hush(child)
        return True

    def _hush(self, child: _Child) -> None:
        if child.output >= 0:
            self._selector.unregister(child.output)
            os.close(child.output)
            child.output = -1

    def _become_child(self, number: int, write: int, server: int) -> NoReturn:
        code = 1
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for name in (signal.SIGINT, signal.SIGCHLD):
                signal.signal(name, signal.SIG_DFL)
            if not _prctl(PR_SET_PDEATHSIG, signal.SIGKILL):
                watch(server)
            if os.getppid() != server:  # it died before the call above
                os._exit(code)
            self._selector.close()
            for end in (self._requests, self._reports, self._wake, self._woken, *(child.output for child in self._children.values())):
                with contextlib.suppress(OSError):
                    os.close(end)
            os.dup2(write, 1)
            os.dup2(write, 2)
            os.close(write)
            code = run_task(self._folder, number, self._values)
        except BaseException:  # noqa: BLE001 - nothing of the child may return into the server's loop
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Report every child that ended, and end what it left behind."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                child = self._children.pop(pid, None)
                if child is None:
                    continue  # an orphan of some task
                child.kill_group()
                if child.output >= 0:
                    child.read()
                self._hush(child)
                code = os.waitstatus_to_exitcode(status)
                output = child.tail.decode(errors="replace")
                self._report(task=child.number, code=code, timed_out=child.timed_out and code != 0, output=output)
        if not self._children:
            self._end_orphans()

    def _end_orphans(self) -> None:
        """End processes that left the group of a task and outlived it: Linux has made them children of ours."""
        for pid in self._descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _descendants(self) -> list[int]:
        try:
            return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
        except OSError:  # no Linux
            return list(self._children)

    def _report(self, **report: object) -> None:
        line = json.dumps(report).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):  # the parent is gone, which the next step sees
            while line:
                line = line[os.write(self._reports, line) :]  # a signal may cut it short

    def _end(self) -> None:
        limit = time.monotonic() + END_SECONDS
        for child in self._children.values():
            child.kill()
        while self._descendants() and time.monotonic() < limit:  # a killed process hands us its children in turn
            self._reap()
            time.sleep(0.001)
        self._remove_folder()

    def _remove_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def once(folder: Path, number: int) -> NoReturn:
    """Run one task in this interpreter, and die when the parent does: it holds the other end of our input."""
    parent = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)

    def wait_for_end() -> None:
        os.read(parent, 1)
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True).start()
    os._exit(run_task(folder, number, Values(folder)))


def main(arguments: Sequence[str]) -> None:
    """`--once FOLDER NUMBER`, or `FOLDER PARENT MODULE...`."""
    if arguments[0] == "--once":
        once(Path(arguments[1]), int(arguments[2]))
    Server(Path(arguments[0]), int(arguments[1])).run(arguments[2:])


if __name__ == "__main__":
    main(sys.argv[1:])
