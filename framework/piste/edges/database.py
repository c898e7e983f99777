"""Rows of a database, by one query, in a transaction that changes nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
COMMENTS = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`)|--[^\n]*|/\*.*?\*/", re.DOTALL)
WRITING = re.compile(r"\b(into|delete\s+from|update\s+[\w.]+(\s+(as\s+)?\w+)?\s+set)\b", re.IGNORECASE)

Rows = tuple[list[str], Sequence[Sequence[Any]]]


class QueryError(ValueError):
    """Why a database gave no rows, in words that follow "but"."""


def check_query(query: str) -> None:
    """Refuse what is not one SELECT.

    A transaction that is rolled back does not undo everything in every database, so words that write are refused too.

    Raises:
        QueryError: it holds another statement, or more than one.
    """
    bare = COMMENTS.sub(lambda found: " quoted " if found[1] else " ", query).strip().rstrip(";").strip()
    if ";" in bare:
        raise QueryError("it holds more than one statement")
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE):
        raise QueryError(f"it starts with '{bare.split(maxsplit=1)[0] if bare else ''}'")
    if found := WRITING.search(bare):
        raise QueryError(f"it says '{found[0]}'")


def read_sqlite(path: Path, query: str) -> Rows:
    """Read an SQLite file; only reading is allowed, whatever the query says.

    Returns:
        The names of the columns, and the rows.

    Raises:
        QueryError: the query or the file is refused; its message is the database's own.
    """
    check_query(query)
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=10)
    except sqlite3.Error as error:
        raise QueryError(f"the database says: {error}") from error
    try:
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY)
        cursor = connection.execute(query)
        return [name for name, *_ in cursor.description], cursor.fetchall()
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise QueryError(f"the database says: {error}") from error
    finally:
        connection.close()


def read_url(url: str, query: str, folder: Path) -> tuple[str, Rows]:
    """Read any database that SQLAlchemy reaches, in a transaction that is rolled back.

    Returns:
        The address without its password, and the names of the columns with the rows.

    Raises:
        QueryError: the address, the driver or the query is refused; the message holds no password.
    """
    import sqlalchemy

    check_query(query)
    try:
        address = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError as error:
        raise QueryError("the url is not one that SQLAlchemy reads, such as postgresql+psycopg://user@host/name") from error
    shown = address.render_as_string(hide_password=True)
    if address.get_backend_name() == "sqlite":
        if not address.database or address.database == ":memory:":
            raise QueryError("a database in memory is empty. Name a file: sqlite:///rows.sqlite")
        path = folder / address.database
        if not path.is_file():
            raise QueryError(f"there is no file '{address.database}'")
        return shown, read_sqlite(path, query)
    try:
        engine = sqlalchemy.create_engine(address)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise QueryError(_safe(f"there is no driver for it: {error}", address.password)) from error
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            result = connection.exec_driver_sql(query)
            found = list(result.keys()), [tuple(row) for row in result.fetchall()]
            transaction.rollback()
        return shown, found
    except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise QueryError(_safe(f"the database says: {reason}", address.password)) from error
    finally:
        engine.dispose()


def _safe(message: str, password: object) -> str:
    return message.replace(str(password), "***") if password else message


def frame_of(rows: Rows) -> pd.DataFrame:
    """Return rows as a frame of objects, its columns numbered."""
    names, values = rows
    return pd.DataFrame({i: pd.Series([row[i] for row in values], dtype=object) for i in range(len(names))}, index=range(len(values)))
