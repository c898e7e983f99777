"""The lean server, and tracking through a server."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import pytest

from piste.core.errors import PisteError
from piste.edges import ui
from piste.edges.tracking import TrackingDown, open_store
from tests.comparisons import regression


def answers(url):
    with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
        return answer.status == 200


def test_without_a_comparison_there_is_nothing_to_show(tmp_path):
    with pytest.raises(PisteError, match="must hold a comparison to show, but holds none"):
        ui.serve(tmp_path / "mlruns", pytest.fail)
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_passed_over():
    with closing(socket.create_server((ui.HOST, 0))) as taken:
        port = taken.getsockname()[1]
        assert ui.free_port(port) != port


def test_a_server_that_cannot_start_says_why(new_store):
    store = new_store()
    with closing(socket.create_server((ui.HOST, 0))) as taken:
        server = ui.running(store.mlruns, taken.getsockname()[1])
        with pytest.raises(PisteError, match=r"MLflow has not started\. It said: \S"):
            server.__enter__()


def test_a_server_takes_comparisons_once_and_its_end_loses_nothing(new_store, tmp_path):
    served = new_store("served")
    comparison = regression(families=("tree",))
    with ui.running(served.mlruns, ui.free_port(5300)) as server:
        assert answers(server.url)
        store = open_store(server.url, tmp_path / "mlruns")
        link = store.log(comparison, {})
        assert link.startswith(f"{server.url}/#/experiments/")
        assert store.log(comparison, {}) == link
        group = server.process.pid
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    with pytest.raises(TrackingDown):
        store.log(regression(families=("forest",)), {})
    assert served.newest() == link.replace(server.url, "http://127.0.0.1:5000")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "asked to end"])
def test_it_shows_the_newest_link_and_ends_cleanly(new_store, sign):
    store = new_store()
    store.log(regression(families=("tree",)), {})
    program = (
        "import sys\nfrom pathlib import Path\nfrom piste.edges.ui import serve\n"
        "serve(Path(sys.argv[1]), lambda line: print(line, flush=True), port=int(sys.argv[2]))\n"
    )
    with closing(socket.create_server((ui.HOST, 0))) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-c", program, str(store.mlruns), str(port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = [process.stdout.readline().rstrip() for _ in range(4)]
    assert re.fullmatch(rf"Port {port} is taken; using \d+\.", said[0])
    url = re.search(r"http://127\.0\.0\.1:\d+", said[2])[0]
    assert said[2] == f"The newest comparison: {store.newest(url)}"
    assert answers(url)
    process.send_signal(sign)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")
    time.sleep(0.2)
    with pytest.raises(OSError, match="refused"):
        answers(url)
