"""What every executor promises of a task's result, and what one in processes promises of a task that does not behave."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from piste.core.errors import PisteError
from piste.edges.executors import Died, InProcess, Processes, Raised, TimedOut, _quotas, default_workers

sys.path.append(str(Path(__file__).parent))  # where workers look as well: pytest's own names for modules mean nothing to them
misbehave = importlib.import_module("misbehave")

SOON = 2.0  # seconds in which everything must be gone
ALL = {
    "in process": InProcess,
    "two processes": partial(Processes, 2),
    "fresh interpreters": partial(Processes, 2, fork=False),
}
APART = {name: ALL[name] for name in ("two processes", "fresh interpreters")}
PRELOAD = ("misbehave",)

needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")


@pytest.fixture(params=ALL.values(), ids=ALL)
def executor(request):
    with request.param() as made:
        yield made


@pytest.fixture(params=APART.values(), ids=APART)
def apart(request):
    with request.param() as made:
        yield made


@pytest.fixture
def forked():
    with Processes(2, PRELOAD) as made:
        yield made


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return {"X": rng.normal(size=(200, 5)), "y": rng.normal(size=200)}


def living(mark: object) -> list[str]:
    """List the command lines of the processes that name a folder of the test."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # gone
        if str(mark) in command and state not in "ZX":
            found.append(command)
    return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def becomes(wanted: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait until something is so."""
    limit = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True


# Every executor


def test_a_result_arrives(executor):
    assert executor.submit(misbehave.add, 1, 2, timeout=None).result() == 3


def test_results_are_identical_wherever_they_are_computed(table):
    results = {}
    for name, make in {**ALL, "one process": partial(Processes, 1)}.items():
        with make() as executor:
            ref = executor.put(table)
            futures = [executor.submit(misbehave.fit, ref, seed, timeout=None) for seed in range(3)]
            results[name] = np.array([future.result() for future in futures])
    expected = np.array([misbehave.fit(table, seed) for seed in range(3)])
    for found in results.values():
        np.testing.assert_array_equal(found, results["in process"])
        np.testing.assert_allclose(found, expected)


def test_an_exception_arrives_with_its_type_message_and_traceback(executor):
    error = executor.submit(misbehave.complain, "too few\nrows", timeout=None).exception()
    assert isinstance(error, Raised)
    assert (error.type_name, error.message, str(error)) == ("ValueError", "too few\nrows", "ValueError: too few\nrows")
    assert "in complain" in error.traceback
    assert "worker.py" not in error.traceback


def test_leaving_the_interpreter_is_an_exception_like_others(executor):
    error = executor.submit(misbehave.leave, 3, timeout=None).exception()
    assert isinstance(error, Raised)
    assert error.type_name == "SystemExit"


def test_a_result_that_cannot_travel_fails_its_task(executor):
    error = executor.submit(misbehave.unpicklable, timeout=None).exception()
    assert isinstance(error, Raised)
    assert "lambda" in error.message
    assert executor.submit(misbehave.add, 1, 2, timeout=None).result() == 3


def test_a_function_that_is_not_there_fails_its_task(executor):
    error = executor.submit(misbehave.import_what_is_missing, timeout=None).exception()
    assert (error.type_name, error.message) == ("ModuleNotFoundError", "No module named 'no_such_module'")


def test_a_function_of_the_users_script_is_refused_at_once(executor, monkeypatch):
    monkeypatch.setattr(misbehave.add, "__module__", "__main__")
    with pytest.raises(AssertionError, match="cannot import"):
        executor.submit(misbehave.add, 1, 2, timeout=None)


def test_arrays_arrive_read_only_also_strided_ones_and_those_within_frames(executor, table):
    table |= {"strided": table["X"][::2, ::2], "turned": table["X"].T, "empty": np.zeros((0, 3)), "texts": np.array(["a", "b"])}
    writeable = executor.submit(misbehave.flags, executor.put(table), timeout=None).result()
    assert writeable == dict.fromkeys(table, False)


def test_small_arguments_are_read_only_too(executor, table):
    assert executor.submit(misbehave.flags, table, timeout=None).result() == dict.fromkeys(table, False)


def test_arrays_are_aligned_alike_everywhere(executor, table):
    table["odd"] = np.ones(7, dtype=np.int8)
    assert executor.submit(misbehave.addresses, executor.put(table), timeout=None).result() == dict.fromkeys(table, 0)


def test_whoever_writes_into_a_table_fails_alone(executor, table):
    before, ref = table["X"].copy(), executor.put(table)
    assert "read-only" in str(executor.submit(misbehave.overwrite, ref, timeout=None).exception())
    np.testing.assert_array_equal(table["X"], before)
    executor.submit(misbehave.fit, ref, 0, timeout=None).result()


def test_a_value_may_refer_to_another(executor):
    outer = executor.put(["outer", executor.put("inner")])
    assert executor.submit(misbehave.add, [executor.put(1)], [outer], timeout=None).result() == [1, ["outer", "inner"]]


def test_two_hundred_tiny_tasks_give_their_results_in_order():
    for make in (InProcess, partial(Processes, 2, PRELOAD)):
        with make() as executor:
            futures = [executor.submit(misbehave.add, number, 0, timeout=60.0) for number in range(200)]
            assert [future.result() for future in futures] == list(range(200))


@pytest.mark.parametrize(
    "make", [InProcess, partial(Processes, 1), partial(Processes, 1, fork=False)], ids=["in process", "forked", "fresh"]
)
def test_tasks_start_in_the_order_of_their_submission(make, tmp_path):
    with make() as executor:
        for letter in "abcdefgh":
            executor.submit(misbehave.note, tmp_path / "notes", letter, timeout=None)
    assert (tmp_path / "notes").read_text() == "abcdefgh"


def test_a_task_that_waits_can_be_cancelled(executor, tmp_path):
    held = [executor.submit(misbehave.wait_for, tmp_path / "go", timeout=None) for _ in range(executor.workers)]
    waiting, last = (executor.submit(misbehave.note, tmp_path / name, "x", timeout=None) for name in ("never", "ran"))
    assert waiting.cancel()
    (tmp_path / "go").touch()
    last.result()
    assert [future.result() for future in held] == [True] * executor.workers
    assert not (tmp_path / "never").exists()


def test_closing_finishes_what_is_queued(executor, tmp_path):
    futures = [executor.submit(misbehave.note, tmp_path / str(number), "x", timeout=None) for number in range(5)]
    executor.close()
    assert all(future.done() for future in futures)
    assert len(list(tmp_path.iterdir())) == 5


def test_closing_now_cancels_what_is_queued(executor, tmp_path):
    held = [
        executor.submit(misbehave.mark_and_wait_for, tmp_path / f"on {i}", tmp_path / "go", timeout=None) for i in range(executor.workers)
    ]
    waiting = executor.submit(misbehave.add, 1, 2, timeout=None)
    assert becomes(lambda: len(list(tmp_path.iterdir())) == executor.workers)
    executor.close(now=True)
    assert waiting.cancelled()
    (tmp_path / "go").touch()  # a thread cannot be stopped
    if not isinstance(executor, InProcess):
        assert all(isinstance(future.exception(), CancelledError) for future in held)


# Processes


@pytest.mark.parametrize(
    ("function", "args", "code", "reason"),
    [
        (misbehave.vanish, (3,), 3, "its process ended (exit code 3) without a result"),
        (misbehave.vanish, (0,), 0, "its process ended (exit code 0) without a result"),
        (misbehave.kill_itself, (signal.SIGKILL,), -signal.SIGKILL, "killed (SIGKILL), possibly out of memory"),
        (misbehave.kill_itself, (signal.SIGTERM,), -signal.SIGTERM, "crashed (SIGTERM)"),
        (misbehave.crash, (), -signal.SIGSEGV, "crashed (SIGSEGV)"),
        (misbehave.abort, (), -signal.SIGABRT, "crashed (SIGABRT): terminate called after throwing an instance of 'std::bad_alloc'"),
    ],
)
def test_a_process_that_dies_costs_its_task_alone(apart, function, args, code, reason):
    before = apart.submit(misbehave.add, 1, 0, timeout=60.0)
    error = apart.submit(function, *args, timeout=60.0).exception()
    after = apart.submit(misbehave.add, 2, 0, timeout=60.0)
    assert isinstance(error, Died)
    assert (error.code, str(error)) == (code, reason)
    assert (before.result(), after.result()) == (1, 2)


@needs_proc
def test_a_task_that_hangs_is_gone_after_its_deadline(apart, tmp_path):
    started = tmp_path / "pid"
    future = apart.submit(misbehave.hang, started, timeout=2.0)
    error = future.exception()
    assert isinstance(error, TimedOut)
    assert str(error) == "stopped at its deadline of 2 s"
    assert not Path(f"/proc/{started.read_text()}").exists()
    assert apart.submit(misbehave.add, 1, 2, timeout=60.0).result() == 3


@needs_proc
def test_what_a_hanging_task_has_started_goes_with_it(apart, tmp_path):
    error = apart.submit(misbehave.hang_with_a_child, tmp_path / "pid", timeout=2.0).exception()
    assert isinstance(error, TimedOut)
    assert (tmp_path / "pid").exists()
    assert becomes(lambda: not living(tmp_path), SOON)


@needs_proc
@pytest.mark.parametrize("own_session", [(), (True,)], ids=["in its group", "in a session of its own"])
def test_what_a_finished_task_leaves_behind_is_ended(apart, tmp_path, own_session):
    assert apart.submit(misbehave.leave_a_child, tmp_path / "left", *own_session, timeout=60.0).result()
    assert becomes(lambda: not living(tmp_path), SOON)


def test_a_deadline_counts_from_the_start_of_the_task(tmp_path):
    with Processes(1, PRELOAD) as executor:
        first = executor.submit(misbehave.mark_and_wait_for, tmp_path / "on", tmp_path / "go", timeout=None)
        second = executor.submit(misbehave.add, 1, 2, timeout=2.0)
        assert becomes((tmp_path / "on").exists)
        time.sleep(2.2)  # the second would be late by now
        (tmp_path / "go").touch()
        assert (first.result(), second.result()) == (True, 3)


def test_no_more_tasks_run_than_there_are_workers(apart, tmp_path):
    futures = [apart.submit(misbehave.mark_and_wait_for, tmp_path / f"on {i}", tmp_path / "go", timeout=None) for i in range(4)]
    assert becomes(lambda: len(list(tmp_path.iterdir())) == 2)
    assert [future.running() for future in futures] == [True, True, False, False]
    (tmp_path / "go").touch()
    assert all(future.result() for future in futures)


def test_what_a_task_prints_is_kept_from_the_terminal_and_for_the_failure(apart, capfd):
    error = apart.submit(misbehave.print_and_complain, timeout=60.0).exception()
    assert error.output == "from Python\nfrom C\n"
    assert capfd.readouterr() == ("", "")


def test_a_task_that_prints_without_end_costs_no_memory(apart):
    error = apart.submit(misbehave.print_much, timeout=60.0).exception()
    assert error.output.endswith("xxx\nthe end\n")
    assert len(error.output) == 4000


def test_a_task_runs_on_one_thread_with_no_input(apart):
    assert apart.submit(misbehave.environment, "OMP_NUM_THREADS", timeout=60.0).result() == "1"
    assert apart.submit(misbehave.input_text, timeout=60.0).result() == b""


@needs_proc
def test_a_task_holds_none_of_the_servers_files_and_signal_handlers(forked, tmp_path):
    held = forked.submit(misbehave.mark_and_wait_for, tmp_path / "on", tmp_path / "go", timeout=None)
    assert becomes((tmp_path / "on").exists)
    files = forked.submit(misbehave.open_files, timeout=60.0).result()
    (tmp_path / "go").touch()
    assert held.result()
    kinds = [name.partition(":")[0] for name in files if "/task-" not in name and not name.endswith("/fd")]
    assert kinds == ["/dev/null", "pipe", "pipe"]  # its input, and its two outputs
    assert forked.submit(misbehave.signals, timeout=60.0).result() == [True, True, True]


def test_tasks_can_be_queued_while_modules_load(tmp_path, monkeypatch):
    (tmp_path / "slow_to_load.py").write_text(f"from misbehave import wait_for\nwait_for({str(tmp_path / 'go')!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Processes(1, ("slow_to_load",)) as executor:
        future = executor.submit(misbehave.add, 1, 2, timeout=60.0)
        assert not future.done()
        (tmp_path / "go").touch()
        assert future.result() == 3


def test_a_module_that_cannot_be_loaded_beforehand_is_left_to_the_task(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("print('hello')\nraise OSError('libgomp.so.1: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Processes(1, ("no_such_module", "broken", *PRELOAD)) as executor:
        assert executor.submit(misbehave.add, 1, 2, timeout=60.0).result() == 3


def test_the_loss_of_the_server_costs_what_ran_and_nothing_that_waited():
    with Processes(1, PRELOAD) as executor:
        futures = [executor.submit(misbehave.add, 1, 0, timeout=60.0), executor.submit(misbehave.kill_server, timeout=60.0)]
        futures += [executor.submit(misbehave.add, number, 0, timeout=60.0) for number in (2, 3)]
        lost = futures.pop(1).exception()
        assert isinstance(lost, Died)
        assert [future.result() for future in futures] == [1, 2, 3]
        again = executor.submit(misbehave.kill_server, timeout=60.0)
        assert isinstance(again.exception(), Died)
        assert executor.submit(misbehave.add, 4, 0, timeout=60.0).result() == 4


def test_a_server_that_cannot_live_fails_every_task(tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text("import os\nos.write(2, b'illegal instruction')\nos._exit(7)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Processes(2, ("deadly",)) as executor:
        futures = [executor.submit(misbehave.add, 1, 0, timeout=60.0) for _ in range(5)]
        assert {str(future.exception()) for future in futures} == {"its process ended (exit code 7) without a result: illegal instruction"}


def test_a_worker_that_cannot_be_started_again_fails_what_waits(monkeypatch):
    with Processes(1, PRELOAD) as executor:
        executor.submit(misbehave.add, 1, 0, timeout=60.0).result()
        monkeypatch.setattr(sys, "executable", "/no/such/python")
        futures = [executor.submit(misbehave.kill_server, timeout=60.0), executor.submit(misbehave.add, 1, 0, timeout=60.0)]
        assert all(isinstance(future.exception(), Died) for future in futures)
        assert str(futures[1].exception()).startswith("could not be started: ")


def test_a_server_that_cannot_be_started_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(PisteError, match=r"^/no/such/python: cannot be started as a worker \(No such file or directory\)$"):
        Processes(1)
    assert not list(tmp_path.iterdir())


def test_an_interpreter_that_cannot_be_started_is_the_reason_of_the_failure(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with Processes(1, fork=False) as executor:
        assert str(executor.submit(misbehave.add, 1, 0, timeout=60.0).exception()).startswith("could not be started: ")


def test_forked_tasks_compute_with_what_was_loaded_before_the_fork(table):
    with Processes(2, ("lightgbm", "torch", "sklearn.ensemble", *PRELOAD)) as executor:
        ref = executor.put(table)
        futures = [executor.submit(misbehave.fit_all, ref, timeout=None) for _ in range(3)]
        results = [future.result() for future in futures]
    with InProcess() as executor:
        results.append(executor.submit(misbehave.fit_all, table, timeout=None).result())
    assert results[0]["torch threads"] == 1
    for result in results[1:]:
        for name, values in results[0].items():
            np.testing.assert_array_equal(result[name], values, err_msg=name)


def test_texts_of_a_frame_arrive_and_compute(executor):
    frame = pd.DataFrame({"city": ["Bern", "Thun", None, "Bern"]})
    assert executor.submit(misbehave.shout, executor.put(frame), timeout=60.0).result() == {"BERN": 2, "THUN": 1}


@needs_proc
def test_the_server_forks_from_one_thread(table):
    with Processes(1, ("pandas", "sklearn.ensemble", *PRELOAD)) as executor:
        ref = executor.put(pd.DataFrame({"city": ["Bern"]}))
        executor.submit(misbehave.shout, ref, timeout=60.0).result()
        assert executor.submit(misbehave.server_threads, timeout=60.0).result() == 1


def test_files_are_private_and_gone_after_closing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Processes(1) as executor:
        executor.put(np.zeros(3))
        executor.submit(misbehave.add, 1, 2, timeout=60.0).result()
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.name: path.stat().st_mode & 0o777 for path in folder.glob("ref-*")} == {"ref-1": 0o600}
        assert not list(folder.glob("task-*"))
        assert not list(folder.glob("result-*"))
    assert not list(tmp_path.iterdir())


def test_no_room_for_a_value_is_one_line(tmp_path, monkeypatch):
    import resource

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Processes(1) as executor:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
            with pytest.raises(PisteError, match=r"cannot be written .*Free some space") as caught:
                executor.put(np.zeros(1_000_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert "\n" not in str(caught.value)
        assert executor.submit(misbehave.add, 1, 2, timeout=60.0).result() == 3


# Scripts: without `if __name__ == "__main__"`, killed, interrupted


@contextmanager
def script(folder: Path, body: str, *arguments: str):
    """Run a script that keeps its temporary files in the folder, in a process group of its own."""
    temporary = folder / "temporary"
    temporary.mkdir()
    path = folder / "script.py"
    path.write_text(textwrap.dedent(body))
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-W", "error", str(path), *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


UNGUARDED = """
    from pathlib import Path
    import sys
    from piste.edges.executors import Processes
    import misbehave

    print("once", flush=True)
    with Processes(2, ("misbehave",), fork=sys.argv[1] == "fork") as executor:
        print([executor.submit(misbehave.add, number, 1, timeout=None).result() for number in range(3)])
"""

HANGING = """
    import sys
    from piste.edges.executors import Processes
    import misbehave

    folder = sys.argv[2]
    try:
        with Processes(2, ("misbehave",), fork=sys.argv[1] == "fork") as executor:
            futures = [executor.submit(misbehave.hang_with_a_child, f"{folder}/on {number}", timeout=None) for number in range(4)]
            futures[0].result()
    except KeyboardInterrupt:
        print("closed")
        sys.exit(130)
"""

LOADING = """
    import sys, time
    from piste.edges.executors import Processes

    sys.path.insert(0, sys.argv[1])
    executor = Processes(2, ("slow_to_load",))
    time.sleep(600)
"""


@pytest.mark.parametrize("start", ["fork", "fresh"])
def test_a_script_needs_no_guard(tmp_path, start):
    with script(tmp_path, UNGUARDED, start) as process:
        assert process.communicate(timeout=60) == ("once\n[1, 2, 3]\n", "")


@needs_proc
@pytest.mark.parametrize("start", ["fork", "fresh"])
def test_nothing_outlives_a_killed_script(tmp_path, start):
    with script(tmp_path, HANGING, start, str(tmp_path)) as process:
        assert becomes(lambda: len(list(tmp_path.glob("on *"))) == 2)
        process.kill()
        assert becomes(lambda: not living(tmp_path), SOON)
    if start == "fork":  # the server removes what the script cannot
        assert becomes(lambda: not list((tmp_path / "temporary").iterdir()), SOON)


@needs_proc
def test_nothing_outlives_a_script_killed_while_modules_load(tmp_path):
    (tmp_path / "slow_to_load.py").write_text(f"import time\nopen({str(tmp_path / 'loading')!r}, 'w').close()\ntime.sleep(600)\n")
    with script(tmp_path, LOADING, str(tmp_path)) as process:
        assert becomes((tmp_path / "loading").exists)
        process.kill()
        assert becomes(lambda: not living(tmp_path), SOON)
    assert not list((tmp_path / "temporary").iterdir())


@needs_proc
@pytest.mark.parametrize("own_session", [(), (True,)], ids=["in its group", "in a session of its own"])
def test_nothing_outlives_a_killed_server(tmp_path, own_session):
    with Processes(2, PRELOAD) as executor:
        future = executor.submit(misbehave.hang_with_a_child, tmp_path / "on", *own_session, timeout=None)
        assert becomes(lambda: (tmp_path / "on").exists() and (tmp_path / "on").read_text() != "")
        os.kill(parent(parent(int((tmp_path / "on").read_text()))), signal.SIGKILL)
        assert isinstance(future.exception(timeout=60.0), Died)
        assert becomes(lambda: not living(tmp_path / "on"), SOON)


@needs_proc
@pytest.mark.parametrize("start", ["fork", "fresh"])
@pytest.mark.parametrize("target", ["the script", "its group"])
def test_an_interrupted_script_closes_cleanly(tmp_path, start, target):
    with script(tmp_path, HANGING, start, str(tmp_path)) as process:
        assert becomes(lambda: len(list(tmp_path.glob("on *"))) == 2)
        (os.kill if target == "the script" else os.killpg)(process.pid, signal.SIGINT)
        assert process.communicate(timeout=60) == ("closed\n", "")
        assert process.returncode == 130
        assert becomes(lambda: not living(tmp_path), SOON)
        assert not list((tmp_path / "temporary").iterdir())


# Processors


def test_there_are_as_many_workers_as_this_process_may_use():
    assert 1 <= default_workers() <= os.cpu_count()


@pytest.mark.parametrize(
    ("membership", "files", "quotas"),
    [
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000"}, [1.5]),
        ("0::/", {"cpu.max": "200000 100000"}, [2.0]),
        ("4:cpu,cpuacct:/docker/x\n3:memory:/", {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, [0.5]),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, []),
        ("0::/gone", {}, []),
    ],
)
def test_the_quota_of_a_container_is_read_from_its_control_groups(tmp_path, membership, files, quotas):
    own = tmp_path / "membership"
    own.write_text(membership + "\n")
    for name, text in files.items():
        path = tmp_path / "cgroups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert list(_quotas(tmp_path / "cgroups", own)) == quotas
