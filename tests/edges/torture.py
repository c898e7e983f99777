"""What is done to the result store in processes of their own: killed while they make or fill it, raced, locked out."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from piste.core.errors import PisteError
from piste.edges import store
from piste.edges.store import Store


def forked(act: Callable[[], object]) -> int:
    """Do something in a child, which ends with 0 if that went well."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            act()
            code = 0
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def ended(pid: int) -> int:
    """Return how a child ended."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def values(number: int) -> dict[str, np.ndarray]:
    """Return what is put under a number."""
    return {"values": np.full(3000, number, dtype=float)}


def check(path: Path) -> None:
    """Fail unless a store is whole and takes a result."""
    with Store(path) as opened:
        opened.put("after", "check", {"n": 1})
        found = opened.get("after")
        assert found is not None
        assert found.meta == {"n": 1}
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def creation_by_line(folder: Path) -> None:
    """Kill a process before each line that it runs while it makes a store."""

    def make(path: Path, lines: int) -> None:
        left = lines

        def trace(frame, event, _argument):
            nonlocal left
            if frame.f_code.co_filename != store.__file__:
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        with Store(path) as opened:
            opened.put("first", "check", {})

    lines = 0
    while ended(forked(partial(make, folder / str(lines) / "results.sqlite", lines))) == -signal.SIGKILL:
        check(folder / str(lines) / "results.sqlite")
        assert not list((folder / str(lines)).glob("*.new*"))
        lines += 1
    sys.stdout.write(f"{lines} kills\n")


def creation_by_clock(folder: Path) -> None:
    """Kill a process at random moments while it makes a store, within sqlite's calls too."""
    clock = random.Random(0)
    for number in range(50):
        path = folder / str(number) / "results.sqlite"
        pid = forked(lambda path=path: Store(path).put("first", "check", {}))
        time.sleep(clock.uniform(0.0, 0.03))
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        check(path)


def puts(folder: Path) -> None:
    """Kill a process at random moments while it puts results, and look for all that it had said were there."""
    path, clock, start = folder / "results.sqlite", random.Random(0), 0
    for _ in range(12):
        read, write = os.pipe()

        def fill(start=start, write=write) -> None:
            with Store(path) as opened:
                for number in range(start, start + 100_000):
                    opened.put(str(number), "check", {"n": number}, values(number))
                    os.write(write, b".")

        pid = forked(fill)
        os.close(write)
        time.sleep(clock.uniform(0.02, 0.15))
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        with open(read, "rb") as said:
            promised = start + len(said.read())
        with Store(path) as opened:
            found = opened.get_many(str(number) for number in range(promised + 2))
            assert promised <= len(found) <= promised + 1
            for name, record in found.items():
                assert record.meta == {"n": int(name)}
                np.testing.assert_array_equal(record.arrays["values"], values(int(name))["values"])
            start = len(found)
    check(path)
    sys.stdout.write(f"{start} results\n")


def race(folder: Path) -> None:
    """Let four processes make one store and put different results under the same keys."""
    path = folder / "results.sqlite"

    def fill(me: int) -> None:
        with Store(path) as opened:
            for number in range(40):
                opened.put(str(number), "check", {"by": me}, values(me))
                opened.put(f"{me} {number}", "check", {})

    assert [ended(pid) for pid in [forked(lambda me=me: fill(me)) for me in range(4)]] == [0] * 4
    with Store(path) as opened:
        for record in opened.get_many(str(number) for number in range(40)).values():
            np.testing.assert_array_equal(record.arrays["values"], values(record.meta["by"])["values"])
        assert len(opened.get_many(f"{me} {number}" for me in range(4) for number in range(40))) == 160
    check(path)


def read_only(folder: Path) -> None:
    """Use a store in a folder where nothing can be written, as a user who is not root."""
    path = folder / "results.sqlite"
    with Store(path) as opened:
        opened.put("before", "check", {"n": 1})

    def use() -> None:
        if os.getuid() == 0:
            os.setuid(65534)
        with Store(path) as opened:
            found = opened.get("before")
            assert found is not None
            assert found.meta == {"n": 1}
            try:
                opened.put("after", "check", {})
            except PisteError as error:
                sys.stdout.write(f"{error}\n")
                sys.stdout.flush()
            else:
                raise AssertionError("it took a result")
        try:
            Store(folder / "deeper" / "results.sqlite")
        except PisteError as error:
            sys.stdout.write(f"{error}\n")
            sys.stdout.flush()

    path.chmod(0o444)
    folder.chmod(0o555)
    code = ended(forked(use))
    folder.chmod(0o755)
    assert code == 0


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
