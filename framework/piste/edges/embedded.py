"""The embedded MLflow database: made aside and renamed, so that no kill leaves half of one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from piste.core.errors import PisteError


def ensure_database(path: Path, artifacts: Path) -> None:
    """Make an MLflow database where there is none, or check that the one there fits the MLflow that is installed.

    Args:
        path: of the sqlite file.
        artifacts: where runs of MLflow's default experiment would put their files.

    Raises:
        PisteError: the file is no MLflow database, or one of another version.
    """
    if path.exists():
        _check(path)
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    for leftover in path.parent.glob(f"{new.name}*"):
        leftover.unlink()
    SqlAlchemyStore(database_uri(new), artifacts.absolute().as_uri()).engine.dispose()
    with closing(sqlite3.connect(new)) as connection:
        # Kept in the file: two to three times fewer milliseconds a run, and readers do not wait for the writer.
        connection.execute("PRAGMA journal_mode=WAL")
    _sync(new)
    new.rename(path)
    _sync(path.parent)


def database_uri(path: Path) -> str:
    """Return the URI by which SQLAlchemy opens a sqlite file."""
    if "?" in str(path):
        raise PisteError(f"{path}: must not hold a '?', which would end the path in the address of a database. Rename the folder.")
    return f"sqlite:///{path.absolute()}"


def link_for_mlflow(path: Path) -> None:
    """Let a plain `mlflow ui` in the working directory open mlruns/mlflow.db: it would begin an empty database there.

    Done only for the usual place, and only where nothing has that name; SQLite follows the link to the file and its log.
    """
    if path == Path.cwd() / "mlruns" / "mlflow.db":
        # Some file systems have no links; then a plain `mlflow ui` shows nothing, and `piste ui` shows all.
        with suppress(OSError):
            Path("mlflow.db").symlink_to(Path("mlruns") / "mlflow.db")


def _check(path: Path) -> None:
    """Compare versions before MLflow opens the file: a newer MLflow would change it without asking."""
    import mlflow
    from mlflow.store.db.utils import _get_latest_schema_revision

    try:
        with closing(sqlite3.connect(path)) as connection:
            [found] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.DatabaseError, TypeError) as error:
        raise PisteError(
            f"{path}: must be a database of MLflow, but cannot be read as one ({error}). Move it away; a new one is made."
        ) from error
    wanted = _get_latest_schema_revision()
    if found != wanted:
        raise PisteError(
            f"{path}: must be of MLflow {mlflow.__version__} (schema {wanted}), but was written by another version (schema {found}). "
            f"Install that version again, run 'mlflow db upgrade {database_uri(path)}' on a backed-up file, or move the file away: "
            "results are kept beside it and are logged again."
        )


def _sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def sole_writer(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the folder's lock, so that one process at a time writes to its database; the lock ends with the process.

    Args:
        folder: of the database.
        waiting: called when another process holds the lock.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "mlflow.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
