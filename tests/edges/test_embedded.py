"""The embedded MLflow database."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from piste.core.errors import PisteError
from piste.edges.embedded import database_uri, ensure_database, link_for_mlflow, sole_writer
from piste.edges.tracking import TrackingDown, open_store


def made(folder):
    """Make a database by the way that everybody goes."""
    with open_store(None, folder).connected():
        return folder / "mlflow.db"


def pragma(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchone()[0]


def test_looking_makes_no_database(tmp_path):
    assert open_store(None, tmp_path).newest() is None
    assert not list(tmp_path.iterdir())


def test_all_of_the_store_is_under_mlruns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "elsewhere" / "mlruns")
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
    assert {path.name for path in (tmp_path / "elsewhere" / "mlruns").iterdir()} <= {
        "mlflow.db",
        "mlflow.db-wal",
        "mlflow.db-shm",
        "mlflow.lock",
    }


def test_readers_need_not_wait_for_the_writer(empty_database):
    assert pragma(empty_database, "PRAGMA journal_mode") == "wal"


def test_what_a_kill_left_of_a_new_database_is_swept_away(tmp_path):
    (tmp_path / "mlflow.db.new").write_text("half a database")
    (tmp_path / "mlflow.db.new-journal").write_text("half a journal")
    path = made(tmp_path)
    assert pragma(path, "SELECT COUNT(*) FROM experiments") == 1
    assert not list(tmp_path.glob("*.new*"))


def test_a_database_stands_at_its_place_only_when_it_is_whole(tmp_path, monkeypatch):
    from mlflow.store.tracking import sqlalchemy_store

    class Killed(BaseException):
        pass

    def half(uri, artifacts):
        Path(uri.removeprefix("sqlite:///")).write_text("half a database")
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sqlalchemy_store, "SqlAlchemyStore", half)
        with pytest.raises(Killed):
            ensure_database(tmp_path / "mlflow.db", tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
    made(tmp_path)


def test_a_database_of_another_version_is_refused_and_left_as_it_was(new_store):
    store = new_store()
    path = store.mlruns / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'f4a9b2c7d1e6'")
        connection.commit()
    with pytest.raises(TrackingDown, match=r"mlflow.db: must be of MLflow .* but was written by another version \(schema f4a9b2c7d1e6\)"):
        store.newest()
    assert pragma(path, "SELECT version_num FROM alembic_version") == "f4a9b2c7d1e6"


@pytest.mark.parametrize("content", [b"no database at all, only text that is long enough to be looked at", b""])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path, content):
    path = tmp_path / "mlflow.db"
    path.write_bytes(content)
    with pytest.raises(TrackingDown, match=re.escape(f"{path}: must be a database of MLflow, but cannot be read as one")):
        open_store(None, tmp_path).newest()
    assert path.read_bytes() == content


def test_a_path_that_a_database_address_cannot_hold_is_refused():
    with pytest.raises(PisteError, match="must not hold a '\\?'"):
        database_uri(Path("what?") / "mlflow.db")


def test_a_plain_mlflow_in_the_working_directory_opens_the_same_database(new_store, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    store = new_store()
    made(store.mlruns)
    MlflowClient(store.uri).create_experiment("seen by both", artifact_location=(tmp_path / "x").as_uri())
    plain = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    assert plain.get_experiment_by_name("seen by both") is not None
    assert (tmp_path / "mlflow.db").is_symlink()
    assert not (tmp_path / "mlflow.db-wal").exists()


def test_a_database_of_the_users_own_is_never_touched(new_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_text("mine")
    made(new_store().mlruns)
    assert (tmp_path / "mlflow.db").read_text() == "mine"


def test_no_link_is_made_for_a_store_that_is_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    link_for_mlflow(tmp_path / "results" / "mlflow.db")
    assert not (tmp_path / "mlflow.db").is_symlink()


def test_one_process_at_a_time_writes(tmp_path):
    program = (
        "import sys\nfrom pathlib import Path\nfrom piste.edges.embedded import sole_writer\n"
        "with sole_writer(Path(sys.argv[1]), lambda: print('waiting', flush=True)):\n    print('inside', flush=True)\n"
    )
    with sole_writer(tmp_path, lambda: pytest.fail("nobody else is here")):
        other = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert other.stdout.readline() == "waiting\n"
    assert other.communicate(timeout=60)[0] == "inside\n"
