"""Rows of a database are read, and nothing is changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from piste.core.errors import PisteError
from piste.core.problem import Problem
from piste.edges.database import QueryError, check_query, read_sqlite, read_url
from piste.edges.sources import read


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "rows.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE t (x REAL, name TEXT, y INTEGER); INSERT INTO t VALUES (1.5, 'a', 1), (NULL, 'b', 2), (3.5, 'it''s; -- fine', 3);"
    )
    connection.close()
    return path


@pytest.mark.parametrize("data", [{"path": "rows.sqlite"}, {"url": "sqlite:///rows.sqlite"}])
def test_rows_come_as_the_query_gives_them(path, data):
    problem = Problem.model_validate({"data": {**data, "query": "SELECT name, x * 2 AS twice, y FROM t"}, "target": "y"})

    raw = read(problem, path.parent)

    assert raw.frame["name"].tolist() == ["a", "b", "it's; -- fine"]
    assert raw.frame["twice"].fillna(-1).tolist() == [3.0, -1.0, 7.0]
    assert (str(raw.frame["y"].dtype), raw.at(0)) == ("int64", "row 1")


def test_a_url_is_relative_to_the_folder_of_the_problem(path, monkeypatch):
    monkeypatch.chdir("/")

    assert read_url("sqlite:///rows.sqlite", "SELECT x FROM t", path.parent)[1] == (["x"], [(1.5,), (None,), (3.5,)])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        " select 1 ; ",
        "WITH a AS (SELECT ';') SELECT * FROM a",
        "-- note; more\nSELECT '--;'",
        "/* ; */ SELECT 1",
        "SELECT 'delete from t', \"into\", `update t set` FROM t",
        "SELECT updated, deleted_from, set_into FROM t FOR UPDATE",
    ],
)
def test_one_select_is_let_through(query):
    check_query(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        ";",
        "DROP TABLE t",
        "SELECT 1; DROP TABLE t",
        "PRAGMA table_info(t)",
        "ATTACH 'a' AS a",
        "EXPLAIN SELECT 1",
        "WITH a AS (SELECT 1) DELETE/**/FROM t",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT 1, 2, 3",
        'WITH a AS (SELECT 1) UPDATE "t" SET x = 1',
        "SELECT * INTO OUTFILE '/tmp/rows' FROM t",
    ],
)
def test_anything_but_one_select_is_refused(query):
    with pytest.raises(QueryError):
        check_query(query)


@pytest.mark.parametrize("query", ["WITH a AS (SELECT 1) UPDATE OR IGNORE t SET x = 1", "SELECT load_extension('x')"])
def test_a_database_file_is_only_read_whatever_the_query_says(path, query):
    before = path.read_bytes()

    with pytest.raises(QueryError, match="the database says"):
        read_sqlite(path, query)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "a.db").write_bytes(b"rubbish" * 100)

    with pytest.raises(QueryError, match="not a database"):
        read_sqlite(tmp_path / "a.db", "SELECT x FROM t")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///none.sqlite", "no file 'none.sqlite'"),
        ("sqlite://", "in memory"),
        ("nodb://host/x", "no driver"),
        ("postgresql+nodriver://u:secret@host/x", "no driver"),
    ],
)
def test_a_database_that_cannot_be_reached_is_refused_in_one_line(url, said, tmp_path):
    problem = Problem.model_validate({"data": {"url": url, "query": "SELECT 1"}, "target": "y"})

    with pytest.raises(PisteError, match=said) as caught:
        read(problem, tmp_path)

    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_password_of_a_url_is_not_shown(tmp_path, monkeypatch):
    import sqlalchemy

    def down(*_: object, **__: object) -> None:
        raise sqlalchemy.exc.OperationalError("connect", {}, Exception("cannot reach u:secret@host"))

    monkeypatch.setattr(sqlalchemy, "create_engine", down)

    with pytest.raises(QueryError) as caught:
        read_url("postgresql://u:secret@host/x", "SELECT 1", tmp_path)

    assert "secret" not in str(caught.value)


def test_any_database_is_read_in_a_transaction_that_is_rolled_back(path, monkeypatch):
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    ends: list[str] = []
    for end in ("commit", "rollback"):
        sqlalchemy.event.listen(engine, end, lambda _, end=end: ends.append(end))
    monkeypatch.setattr(sqlalchemy, "create_engine", lambda _: engine)  # a file stands in for a server

    found = read_url("postgresql+psycopg://u:secret@host/x", "SELECT x FROM t ORDER BY y", path.parent)

    assert found == ("postgresql+psycopg://u:***@host/x", (["x"], [(1.5,), (None,), (3.5,)]))
    assert set(ends) == {"rollback"}
