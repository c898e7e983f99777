"""How worker processes start and end: one server that forks a child for each task, or a fresh interpreter for each."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from piste.edges.worker import EXIT_NO_START, TAIL_BYTES

END_SECONDS = 3.0  # that a server is given to end its children, before it is killed
MARK = "PISTE_WORKER"  # in the environment of our workers, and so of all that they start
THREADS = (*(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR")), "VECLIB_MAXIMUM_THREADS")


class Ended(Protocol):
    """Hears how a task ended."""

    def __call__(self, number: int, code: int, output: str, *, timed_out: bool) -> None:
        """Hear the exit code, the last of what was printed, and whether the deadline had come."""


class Server:
    """Our end of a `piste.edges.worker` that forks."""

    def __init__(
        self,
        folder: Path,
        preload: tuple[str, ...],
        started: Callable[[int, int], None],
        ended: Ended,
        lost: Callable[[int, str], None],
    ) -> None:
        """Start it; it loads the modules in the background.

        Args:
            folder: of the tasks' files.
            preload: names of modules.
            started: hears the number of a task, and of its process.
            ended: hears the number of a task, its exit code, what it printed, and whether it was killed at its deadline.
            lost: hears the exit code and the log of the server when it is gone.

        Raises:
            OSError: it cannot be started.
        """
        self._started, self._ended, self._lost = started, ended, lost
        self._folder, self._log = folder, folder / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                _worker(str(folder), str(os.getpid()), *preload),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(folder),
                start_new_session=True,  # Ctrl-C is ours alone to answer
                bufsize=0,
            )
        self._ready = False
        self._thread = threading.Thread(target=self._listen, daemon=True, name="piste server")
        self._thread.start()

    def start(self, task: int, refs: Sequence[int], seconds: float | None) -> None:
        """Have a child forked."""
        assert self._process.stdin is not None, "opened as a pipe"
        request = {"task": task, "refs": refs, "seconds": seconds}
        with contextlib.suppress(BrokenPipeError):  # it is lost, as the listening thread is about to see
            self._process.stdin.write(json.dumps(request).encode() + b"\n")

    def close(self) -> None:
        """End it and its children."""
        assert self._process.stdin is not None, "opened as a pipe"
        self._process.stdin.close()  # which it takes as the end
        if not self._ready:
            self._process.kill()  # it has no children yet, and loads modules for seconds
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _listen(self) -> None:
        assert self._process.stdin is not None, "opened as a pipe"
        assert self._process.stdout is not None, "opened as a pipe"
        with open(self._process.stdout.fileno(), "rb", closefd=False) as reports:
            for line in reports:
                report = json.loads(line)
                if "ready" in report:
                    self._ready = True
                elif "pid" in report:
                    self._started(report["task"], report["pid"])
                else:
                    self._ended(report["task"], report["code"], report["output"], timed_out=report["timed_out"])
        self._process.stdout.close()
        code = self._process.wait()
        _kill_marked(self._folder)
        log = ""
        with contextlib.suppress(FileNotFoundError):
            log = self._log.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
        self._lost(code, log)
        self._process.stdin.close()  # not before: until then tasks may be sent, and are found to be lost


class Interpreters:
    """A fresh `piste.edges.worker` for each task, and a thread of ours that waits for it."""

    def __init__(self, folder: Path, ended: Ended) -> None:
        """Start none yet; `ended` hears of each as from `Server`."""
        self._folder, self._ended = folder, ended
        self._lock = threading.Lock()  # guards what follows
        self._closed = False
        self._processes: dict[threading.Thread, subprocess.Popen[bytes]] = {}

    def start(self, task: int, refs: Sequence[int], seconds: float | None) -> None:
        """Start an interpreter."""
        del refs  # each loads its own
        threading.Thread(target=self._run, args=(task, seconds), daemon=True, name=f"piste task {task}").start()

    def close(self) -> None:
        """End them all."""
        with self._lock:
            self._closed = True
            processes = dict(self._processes)
        for thread, process in processes.items():
            kill_group(process.pid)
            if thread is not threading.current_thread():
                thread.join()

    def _run(self, task: int, seconds: float | None) -> None:
        try:
            with self._lock:
                if self._closed:
                    return
                process = self._processes[threading.current_thread()] = self._new_process(task)
        except OSError as error:
            self._ended(task, EXIT_NO_START, str(error), timed_out=False)
            return
        tail = bytearray()
        reader = threading.Thread(target=_drain, args=(process.stdout, tail), daemon=True)
        reader.start()
        timed_out = False
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
        kill_group(process.pid)  # with all that it has started
        code = process.wait()
        _kill_marked(self._folder / str(task))
        assert process.stdin is not None, "opened as a pipe"
        process.stdin.close()
        reader.join(1.0)  # no longer: a process that left the group may hold the other end
        self._ended(task, code, tail.decode(errors="replace"), timed_out=timed_out)
        with self._lock:
            del self._processes[threading.current_thread()]

    def _new_process(self, task: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            _worker("--once", str(self._folder), str(task)),
            stdin=subprocess.PIPE,  # closed when we die, which it takes as the end
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(self._folder / str(task)),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            bufsize=0,
        )


def _worker(*arguments: str) -> list[str]:
    return [sys.executable, "-u", "-P", "-m", "piste.edges.worker", *arguments]


def _environment(mark: Path) -> dict[str, str]:
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    one_thread = dict.fromkeys(THREADS, "1")
    return {
        **os.environ,
        **one_thread,
        MARK: str(mark),
        "PYTHONPATH": path,
        "PYTHONHASHSEED": "0",  # the same numbers also from models that iterate over sets of texts
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # the server must have one thread when it forks
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS ends forked children that use its libraries, unless told
    }


def _drain(stream: Any, tail: bytearray) -> None:
    with stream:
        while chunk := stream.read(65536):
            tail[:] = (tail + chunk)[-TAIL_BYTES:]


def kill_group(pid: int) -> None:
    """End a worker and what it has started in its process group."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses a group of zombies
            os.killpg(pid, signal.SIGKILL)
    else:
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)


def _kill_marked(mark: Path) -> None:
    """End what a worker has started and left behind, in whatever group; only Linux shows environments of processes."""
    sought = f"{MARK}={mark}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # gone, or another user's
            if sought in environment.read_bytes().split(b"\0"):
                os.kill(int(environment.parent.name), signal.SIGKILL)
