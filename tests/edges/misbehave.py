"""Functions that the executor tests run in workers: they compute, print, raise, hang and die."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SLEEP = "import time; time.sleep(600)"


def add(a, b):
    return a + b


def note(path, text):
    with Path(path).open("a") as file:
        file.write(text)


def fit(table, seed):
    rng = np.random.default_rng(seed)
    X = table["X"] + rng.normal(size=table["X"].shape)
    return np.linalg.lstsq(X, table["y"], rcond=None)[0]


def fit_all(table):
    """Fit with every library that brings threads of its own."""
    import lightgbm
    import torch
    from sklearn.ensemble import HistGradientBoostingRegressor

    X, y = np.array(table["X"]), np.array(table["y"])
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(X.shape[1], 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimiser = torch.optim.Adam(network.parameters())
    for _ in range(20):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(network(torch.tensor(X, dtype=torch.float32))[:, 0], torch.tensor(y, dtype=torch.float32)).backward()
        optimiser.step()
    return {
        "torch": network(torch.tensor(X, dtype=torch.float32)).detach().numpy(),
        "torch threads": torch.get_num_threads(),
        "boosting": HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(X, y).predict(X),
        "lightgbm": lightgbm.LGBMRegressor(n_estimators=20, random_state=0, verbosity=-1).fit(X, y).predict(X),
        "product": X.T @ X,
    }


def shout(frame):
    return frame["city"].str.upper().value_counts().sort_index().to_dict()


def server_threads():
    return len(os.listdir(f"/proc/{os.getppid()}/task"))


def overwrite(table):
    table["X"][0] = 0.0


def flags(table):
    return {name: array.flags.writeable for name, array in table.items()}


def addresses(table):
    return {name: array.ctypes.data % 64 for name, array in table.items()}


def complain(message):
    raise ValueError(message)


def import_what_is_missing():
    import no_such_module  # noqa: F401


def print_and_complain():
    sys.stdout.write("from Python\n")
    os.write(2, b"from C\n")
    raise ValueError("after all")


def print_much():
    os.write(1, b"x" * 5_000_000 + b"\nthe end\n")
    raise ValueError("after all")


def leave(code):
    sys.exit(code)


def vanish(code):
    os._exit(code)


def kill_itself(number):
    os.kill(os.getpid(), number)
    time.sleep(600)


def abort():
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def crash():
    ctypes.string_at(0)


def kill_server():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


def hang(mark):
    Path(mark).write_text(str(os.getpid()))
    time.sleep(600)


def hang_with_a_child(mark, *own_session):
    """Start a process that sleeps and carries the mark in its command line, and sleep."""
    child = subprocess.Popen([sys.executable, "-c", SLEEP, str(mark)], start_new_session=bool(own_session))
    Path(mark).write_text(str(child.pid))
    time.sleep(600)


def leave_a_child(mark, *own_session):
    subprocess.Popen([sys.executable, "-c", SLEEP, str(mark)], start_new_session=bool(own_session))
    return True


def wait_for(path):
    while not Path(path).exists():
        time.sleep(0.005)
    return True


def mark_and_wait_for(mark, path):
    Path(mark).touch()
    return wait_for(path)


def unpicklable():
    return lambda: None


def environment(name):
    return os.environ.get(name)


def input_text():
    return os.read(0, 100)


def open_files():
    return sorted(os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}"))


def signals():
    return [signal.getsignal(number) is signal.SIG_DFL for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
