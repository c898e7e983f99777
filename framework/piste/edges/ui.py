"""MLflow's own pages over the embedded store, by a server as small as it can be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from piste.core.errors import PisteError
from piste.edges.embedded import database_uri
from piste.edges.tracking import open_store

HOST = "127.0.0.1"
MOST_PORTS = 50  # tried from the one asked for
START_SECONDS, STOP_SECONDS = 120.0, 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path  # what it says


def serve(mlruns: Path, say: Callable[[str], None], *, port: int = 5000) -> None:
    """Show the results in MLflow until Ctrl-C.

    Args:
        mlruns: folder of the embedded store.
        say: shows a line to the person who waits.
        port: the one to use, or the next free one.

    Raises:
        PisteError: there is nothing to show, or the server does not start.
    """
    store = open_store(None, mlruns)
    if store.newest() is None:
        raise PisteError(f"{mlruns}: must hold a comparison to show, but holds none. Run 'piste run PROJECT' first.")
    chosen = free_port(port)
    if chosen != port:
        say(f"Port {port} is taken; using {chosen}.")
    say("Starting MLflow ...")
    with running(mlruns, chosen) as server:
        say(f"The newest comparison: {store.newest(server.url)}")
        say("Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            server.process.wait()
            raise PisteError(f"MLflow has ended by itself. It said: {_last_words(server.log)}")


def free_port(port: int) -> int:
    """Return the first port from this one on that nobody listens on."""
    for candidate in range(port, min(port + MOST_PORTS, 65536)):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, candidate))
                return candidate
    raise PisteError(f"no port from {port} to {min(port + MOST_PORTS, 65536) - 1} is free. Give another one by --port.")


@contextmanager
def running(mlruns: Path, port: int) -> Iterator[Server]:
    """Run the server while the block runs; it answers when the block begins, and is gone when it has ended.

    One worker and no job engine: two processes and half a gigabyte instead of fifteen and three.
    """
    mlruns = mlruns.absolute()
    log = mlruns / "ui.log"
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database_uri(mlruns / "mlflow.db"), "--artifacts-destination", (mlruns / "artifacts").as_uri()]
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with log.open("wb") as output:
        # In a group of its own, so that Ctrl-C reaches us alone and all of its processes can be ended together.
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    handled = {sign: signal.signal(sign, _interrupt) for sign in (signal.SIGTERM, signal.SIGHUP)} if _is_main_thread() else {}
    try:
        server = Server(f"http://{HOST}:{port}", process, log)
        _wait_until_it_answers(server)
        yield server
    finally:
        _stop(process)
        for sign, handler in handled.items():
            signal.signal(sign, handler)


def _interrupt(*_: object) -> None:
    """End as by Ctrl-C when asked to, or when the terminal is closed, so that the server ends too."""
    raise KeyboardInterrupt


def _is_main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


def _wait_until_it_answers(server: Server) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise PisteError(f"MLflow has not started. It said: {_last_words(server.log)}")
        with suppress(OSError), direct.open(f"{server.url}/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise PisteError(f"MLflow has not answered within {START_SECONDS:.0f} seconds. It said: {_last_words(server.log)}")


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
