"""What the tests of the edges share: an MLflow database that was just made."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Return an MLflow database with nothing in it: making one takes seconds, copying it none."""
    from piste.edges.tracking import open_store

    folder = tmp_path_factory.mktemp("empty")
    with open_store(None, folder).connected():
        pass
    return folder / "mlflow.db"


@pytest.fixture
def new_store(empty_database, tmp_path):
    """Return a function that makes an embedded store of the test's own under a folder of this name."""
    from piste.edges.tracking import open_store

    def make(name="mlruns"):
        (tmp_path / name).mkdir()
        shutil.copy(empty_database, tmp_path / name / "mlflow.db")
        return open_store(None, tmp_path / name)

    return make
