"""Where tasks run: in this process, or in processes of their own that raise, hang or die at nobody else's cost."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import pickle
import queue
import shutil
import signal
import sys
import tempfile
import threading
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from piste.core.errors import PisteError
from piste.edges.launchers import Interpreters, Server, kill_group
from piste.edges.packing import Packed, Ref, in_memory, pack, unpack
from piste.edges.worker import EXIT_NO_RESULT, EXIT_NO_START, attempt


class TaskFailed(Exception):
    """A task that has no result. Reads as the reason, in one sentence; `output` is the last of what it printed."""

    def __init__(self, reason: str, output: str = "") -> None:
        """Keep the reason and the output."""
        super().__init__(reason)
        self.output = output


class TimedOut(TaskFailed):
    """It ran into its deadline and was killed."""

    def __init__(self, seconds: float, output: str = "") -> None:
        """Keep the time that it was given."""
        super().__init__(f"stopped at its deadline of {seconds:g} s", output)
        self.seconds = seconds


class Died(TaskFailed):
    """Its process ended without a result. `code` is the exit code, or minus the number of the signal that killed it."""

    def __init__(self, code: int, output: str = "") -> None:
        """Put the code, and the last line that was printed, into words."""
        super().__init__(_ending(code, output), output)
        self.code = code


class Raised(TaskFailed):
    """It raised an exception: its type's name, its message and its traceback as text."""

    def __init__(self, type_name: str, message: str, traceback: str, output: str = "") -> None:
        """Keep what was raised as text: the exception itself may need what this process lacks."""
        super().__init__(f"{type_name}: {message}" if message else type_name, output)
        self.type_name, self.message, self.traceback = type_name, message, traceback


def _ending(code: int, output: str) -> str:
    if code == -9:  # SIGKILL, which Windows has no name for; what was printed before says nothing about it
        return "killed (SIGKILL), possibly out of memory"
    names = {member.value: member.name for member in signal.Signals}
    crash = f"crashed ({names.get(-code, f'signal {-code}')})"
    exits = {EXIT_NO_RESULT: "could not write its result", EXIT_NO_START: "could not be started"}
    ending = crash if code < 0 else exits.get(code, f"its process ended (exit code {code}) without a result")
    last = next((line.strip()[:200] for line in reversed(output.splitlines()) if line.strip()), "")
    return f"{ending}: {last}" if last else ending


class Executor(Protocol):
    """Runs functions somewhere. Left by an exception, the `with` block closes it at once; else when all is done."""

    workers: int

    def put(self, value: Any) -> Ref:
        """Hand over a value once, for any number of tasks; numeric arrays in it arrive read-only."""

    def submit(self, function: Callable[..., Any], *args: Any, timeout: float | None) -> Future[Any]:
        """Queue a call; where values handed over stand in args, the function gets them.

        Args:
            function: one that can be imported by name, not of the user's script.
            args: picklable; numeric arrays arrive read-only.
            timeout: seconds from the start of the call.

        Returns:
            the future result, or one of `TimedOut`, `Died`, `Raised`.

        Raises:
            PisteError: the disk is full.
        """

    def close(self, *, now: bool = False) -> None:
        """Finish what is queued; `now`: cancel it, and stop what runs (its futures raise CancelledError)."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""


class InProcess:
    """Runs one task after the other in a thread of this process.

    It shares memory and terminal with us: it cannot stop a task at its deadline, does not outlive a crash, and what is
    printed appears. Arguments and results are pickled all the same, so that what works here works in `Processes`.
    """

    workers = 1

    def __init__(self) -> None:
        """Start the thread; it does not keep the interpreter from ending."""
        self._values: list[Any] = []
        self._queue: queue.SimpleQueue[tuple[Future[Any], mmap] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="piste tasks")
        self._thread.start()

    def put(self, value: Any) -> Ref:
        """Keep a copy."""
        self._values.append(unpack(in_memory(pack(value)), self._values.__getitem__))
        return Ref(len(self._values) - 1)

    def submit(self, function: Callable[..., Any], *args: Any, timeout: float | None) -> Future[Any]:
        """Queue a call."""
        del timeout  # a thread cannot be killed
        future: Future[Any] = Future()
        self._queue.put((future, in_memory(_packed(function, args))))
        return future

    def close(self, *, now: bool = False) -> None:
        """Wait for what is queued; `now`: cancel it, and leave what runs to itself."""
        with contextlib.suppress(queue.Empty):
            while now:
                if job := self._queue.get_nowait():
                    job[0].cancel()
        self._queue.put(None)
        if not now:
            self._thread.join()

    def _run(self) -> None:
        from threadpoolctl import threadpool_limits

        while (job := self._queue.get()) is not None:
            future, task = job
            if future.set_running_or_notify_cancel():
                with threadpool_limits(1):  # as in Processes: the order of a sum depends on the number of threads
                    outcome = attempt(task, self._values.__getitem__)
                _deliver(future, _outcome(outcome))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close, at once after an exception."""
        self.close(now=kind is not None)


@dataclass(slots=True, eq=False)
class _Task:
    number: int
    refs: tuple[int, ...]
    seconds: float | None
    future: Future[Any] = field(default_factory=Future)
    pid: int | None = None  # once a server has started it

    def outcome(self, folder: Path, code: int, output: str, *, timed_out: bool) -> Any:
        """Return what came of the task, a failure as an exception, and remove its files."""
        result = folder / f"result-{self.number}"
        if result.exists():
            found = _outcome(result, output)
        elif timed_out and self.seconds is not None:
            found = TimedOut(self.seconds, output)
        else:
            found = Died(code, output)
        self.remove(folder)
        return found

    def remove(self, folder: Path) -> None:
        """Remove the files of the task."""
        for name in ("task-{}", "result-{}", "result-{}.part"):
            with contextlib.suppress(OSError):  # what cannot go now goes with the folder
                (folder / name.format(self.number)).unlink(missing_ok=True)


class Processes:
    """Runs every task in a process of its own, at most `workers` at once, in the order of their submission.

    The processes are forked by a server that has loaded the modules of `preload`, so that a task starts in
    milliseconds, and never from this process, so that neither its threads nor its `__main__` are carried over. Each
    runs on one thread, and what it prints is kept from the terminal. None of them outlives this process.

    Args:
        workers: tasks that run at once.
        preload: modules to load beforehand; those that cannot be loaded are left to the tasks that need them.
        fork: False starts a fresh interpreter for each task, as must be where the system cannot fork.
    """

    def __init__(self, workers: int, preload: tuple[str, ...] = (), *, fork: bool = hasattr(os, "fork")) -> None:
        """Start loading the modules, in the background."""
        self.workers = workers
        self._preload, self._fork = preload, fork
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="piste-"))  # private: mode 0700
        except OSError as error:
            raise _no_room(tempfile.gettempdir(), error) from error
        self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._numbers = itertools.count(1)
        self._changed = threading.Condition(threading.RLock())  # guards what follows
        self._waiting: deque[_Task] = deque()
        self._running: dict[int, _Task] = {}
        self._closed = False
        self._barren = 0  # servers lost in a row before they started a task
        try:
            self._starter: Server | Interpreters | None = self._new_starter()
        except OSError as error:
            self._remove_folder()
            raise PisteError(f"{sys.executable}: cannot be started as a worker ({error.strerror})") from error

    def put(self, value: Any) -> Ref:
        """Write a value to a private file, which every process maps into its memory."""
        assert not self._closed, "a closed executor takes no values"
        number = next(self._numbers)
        self._write(f"ref-{number}", pack(value))
        return Ref(number)

    def submit(self, function: Callable[..., Any], *args: Any, timeout: float | None) -> Future[Any]:
        """Queue a call; returns at once."""
        packed = _packed(function, args)
        task = _Task(next(self._numbers), packed.refs, timeout)
        self._write(f"task-{task.number}", packed)
        with self._changed:
            assert not self._closed, "a closed executor takes no tasks"
            self._waiting.append(task)
            self._dispatch()
        return task.future

    def close(self, *, now: bool = False) -> None:
        """Finish what is queued, or stop it `now`; end all processes and remove all files."""
        try:
            with self._changed:
                if not now:
                    self._changed.wait_for(lambda: not self._waiting and not self._running)
                self._closed = True
                waiting, running = list(self._waiting), list(self._running.values())
                self._waiting.clear()
                self._running.clear()
                starter, self._starter = self._starter, None
        except KeyboardInterrupt:
            self.close(now=True)
            raise
        for task in waiting:
            task.future.cancel()
        if starter is not None:
            starter.close()
        for task in running:
            task.future.set_exception(CancelledError("the executor was closed"))
        self._remove_folder()

    def _write(self, name: str, packed: Packed) -> None:
        path = self._folder / name
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb") as file:
                file.writelines(packed.chunks())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _no_room(str(self._folder), error) from error

    def _new_starter(self) -> Server | Interpreters:
        if self._fork:
            return Server(self._folder, self._preload, self._started, self._ended, self._lost)
        return Interpreters(self._folder, self._ended)

    def _dispatch(self) -> None:
        """Start what may start; the lock is held."""
        while self._waiting and len(self._running) < self.workers:
            task = self._waiting.popleft()
            if not (task.future.running() or task.future.set_running_or_notify_cancel()):
                task.remove(self._folder)
                continue
            try:
                self._starter = self._starter or self._new_starter()
            except OSError as error:
                task.future.set_exception(Died(EXIT_NO_START, str(error)))
                task.remove(self._folder)
                continue
            self._running[task.number] = task
            self._starter.start(task.number, task.refs, task.seconds)

    def _started(self, number: int, pid: int) -> None:
        with self._changed:
            self._barren = 0
            if number in self._running:
                self._running[number].pid = pid

    def _ended(self, number: int, code: int, output: str, *, timed_out: bool) -> None:
        with self._changed:
            task = self._running.get(number)
        if task is None:
            return  # the executor was closed
        outcome = task.outcome(self._folder, code, output, timed_out=timed_out)
        with self._changed:
            mine = self._running.pop(number, None) is task
            self._dispatch()
            self._changed.notify_all()
        if mine:
            _deliver(task.future, outcome)

    def _lost(self, code: int, log: str) -> None:
        """Fail the tasks that died with their server, and start another for those that wait."""
        with self._changed:
            if self._closed:
                return
            self._starter = None
            started = [task for task in self._running.values() if task.pid is not None]
            queued = [task for task in self._running.values() if task.pid is None] + list(self._waiting)
            self._barren += not started
            if self._barren > 1:
                started, queued = started + queued, []
            outcomes = [(task.future, task.outcome(self._folder, code, log, timed_out=False)) for task in started]
            for task in started:
                if task.pid is not None:
                    kill_group(task.pid)
            self._running.clear()
            self._waiting = deque(queued)
            self._dispatch()
            self._changed.notify_all()
        for future, outcome in outcomes:
            if future.running() or future.set_running_or_notify_cancel():
                _deliver(future, outcome)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close, at once after an exception."""
        self.close(now=kind is not None)


def _packed(function: Callable[..., Any], args: tuple[Any, ...]) -> Packed:
    assert getattr(function, "__module__", "") != "__main__", "a worker cannot import functions of the user's script"
    return pack((function, args))


def _outcome(pickled: bytes | Path, output: str = "") -> Any:
    try:
        kind, content = pickle.loads(pickled.read_bytes() if isinstance(pickled, Path) else pickled)
    except Exception as error:  # noqa: BLE001 - it may need what only the worker has; no thread of ours may end by it
        return Raised(type(error).__name__, str(error), traceback.format_exc(), output)
    if kind == "returned":
        return content
    type_name, message, text = content
    return Raised(type_name, message, text, output)


def _deliver(future: Future[Any], outcome: Any) -> None:
    if isinstance(outcome, TaskFailed):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _no_room(folder: str, error: OSError) -> PisteError:
    return PisteError(f"{folder}: cannot be written ({error.strerror}). Free some space there, or point TMPDIR to another folder.")


def default_workers() -> int:
    """Return how many processors this process may use: by its affinity and, in a container, by its quota."""
    if hasattr(os, "process_cpu_count"):
        available = os.process_cpu_count()
    elif hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count()
    return max(1, math.ceil(min([available or 1, *_quotas()])))


def _quotas(cgroups: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> Iterator[float]:
    """Yield the processors that each control group above this process grants. Source: linux, admin-guide/cgroup-v2 and -v1."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, own = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        folder = cgroups / ("cpu" if controllers else "") / own.lstrip("/")
        for level in (folder, *folder.parents):
            if not level.is_relative_to(cgroups):
                break
            with contextlib.suppress(OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
                if controllers:
                    quota, period = (int((level / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
                else:
                    quota, period = (int(word) for word in (level / "cpu.max").read_text().split())
                if quota > 0:  # -1 is none
                    yield quota / period
