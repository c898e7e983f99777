"""The result store: one sqlite file that keeps every outcome under the hash of all that determines it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import io
import json
import os
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from piste.core.errors import PisteError

SCHEMA_VERSION = 1  # kept as sqlite's user_version
APPLICATION_ID = 0x70737465  # "pste" in the file's header: tells our files from others
BUSY_SECONDS = 30.0  # that a writer waits for another
ASKED_AT_ONCE = 500  # keys of one query; sqlite's limit is 999 in old versions
SAMPLE_BYTES = 1 << 16  # of an array, to see whether compressing it pays
SCHEMA = """
    CREATE TABLE results (key TEXT PRIMARY KEY, kind TEXT NOT NULL, meta TEXT NOT NULL, arrays BLOB NOT NULL, blob BLOB);
    CREATE TABLE comparisons (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, problem TEXT NOT NULL, meta TEXT NOT NULL, arrays BLOB NOT NULL
    );
    CREATE INDEX comparisons_by_problem ON comparisons (problem, id);
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A stored outcome, as it was put."""

    key: str
    kind: str
    meta: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    blob: bytes | None = None


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """What a comparison left to be shown again."""

    key: str
    problem: str
    meta: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    frames: Mapping[str, pd.DataFrame]


class Store:
    """The store in one file, made where there is none; several processes may use it at once.

    Every call is a transaction of its own, on disk when it returns. Where the folder is read-only, what is there can be
    read.

    Raises:
        PisteError: from any call, where the file cannot be used (no store of ours, written by a newer piste, disk full,
            read-only, locked for long); what was put before stays readable.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file."""
        self._path = Path(path)
        with self._plainly():
            if not self._path.exists():
                _create(self._path)
            self._connection = self._open()

    def get(self, key: str) -> Record | None:
        """Return what was put under a key."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return what was put under those of the keys that are known, in the order of the keys."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Record] = {}
        with self._plainly():
            for start in range(0, len(wanted), ASKED_AT_ONCE):
                some = wanted[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = self._connection.execute(f"SELECT key, kind, meta, arrays, blob FROM results WHERE key IN ({marks})", some)
                for name, kind, meta, arrays, blob in rows:
                    found[name] = Record(name, kind, json.loads(meta), unpack_arrays(arrays), blob)
        return {name: found[name] for name in wanted if name in found}

    def put(
        self, key: str, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None, blob: bytes | None = None
    ) -> None:
        """Keep an outcome, unless there is one under the key already.

        Args:
            key: from `key`.
            kind: what it is, in a word.
            meta: JSON values; NaN and infinities are kept, tuples come back as lists.
            arrays: of any dtype but object; dtype and shape are kept.
            blob: a serialised model.
        """
        self._insert("IGNORE", (key, kind, _json(meta), pack_arrays(arrays or {}), blob))

    def replace(
        self, key: str, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None, blob: bytes | None = None
    ) -> None:
        """Keep an outcome in the place of one that is known to be worth less, such as a failure at a shorter deadline."""
        self._insert("REPLACE", (key, kind, _json(meta), pack_arrays(arrays or {}), blob))

    def save_comparison(
        self,
        key: str,
        problem: str,
        meta: Mapping[str, Any],
        *,
        arrays: Mapping[str, np.ndarray] | None = None,
        frames: Mapping[str, pd.DataFrame] | None = None,
    ) -> None:
        """Keep a comparison as the latest of its problem; one saved under the same key before is replaced."""
        shapes, packed = {}, {f"array/{name}": array for name, array in (arrays or {}).items()}
        for name, frame in (frames or {}).items():
            shapes[name], columns = pack_frame(frame)
            packed |= {f"frame/{name}/{column}": values for column, values in columns.items()}
        row = (key, problem, _json({"meta": meta, "frames": shapes}), pack_arrays(packed))
        with self._plainly():
            self._connection.execute("INSERT OR REPLACE INTO comparisons (key, problem, meta, arrays) VALUES (?, ?, ?, ?)", row)

    def comparison(self, key: str) -> StoredComparison | None:
        """Return the comparison of a key."""
        return self._one_comparison("key = ?", key)

    def latest_comparison(self, problem: str) -> StoredComparison | None:
        """Return the comparison that was last saved for a problem."""
        return self._one_comparison("problem = ?", problem)

    def columns_of(self, problem: str, frame: str, column: str) -> Iterator[tuple[Mapping[str, Any], np.ndarray]]:
        """Yield of every comparison of a problem, oldest first, what it was kept with, and a column of numbers of one of its frames."""
        with self._plainly():
            rows = self._connection.execute("SELECT meta, arrays FROM comparisons WHERE problem = ? ORDER BY id", (problem,))
            for stored, packed in rows:
                kept = json.loads(stored)
                place = [each["name"] for each in kept["frames"][frame]["columns"]].index(column)
                with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                    member = io.BytesIO(archive.read(f"frame/{frame}/{place}.npy"))
                yield kept["meta"], np.lib.format.read_array(member, allow_pickle=False)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _insert(self, conflict: Literal["IGNORE", "REPLACE"], row: tuple[str, str, str, bytes, bytes | None]) -> None:
        with self._plainly():
            self._connection.execute(f"INSERT OR {conflict} INTO results (key, kind, meta, arrays, blob) VALUES (?, ?, ?, ?, ?)", row)

    def _one_comparison(self, condition: str, value: str) -> StoredComparison | None:
        query = f"SELECT key, problem, meta, arrays FROM comparisons WHERE {condition} ORDER BY id DESC LIMIT 1"
        with self._plainly():
            row = self._connection.execute(query, (value,)).fetchone()
        if row is None:
            return None
        key, problem, stored, packed = row[0], row[1], json.loads(row[2]), unpack_arrays(row[3])
        arrays = {name.removeprefix("array/"): array for name, array in packed.items() if name.startswith("array/")}
        frames = {name: unpack_frame(shape, _below(f"frame/{name}/", packed)) for name, shape in stored["frames"].items()}
        return StoredComparison(key, problem, stored["meta"], arrays, frames)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._checked("mode=rw")
        except sqlite3.OperationalError:
            # A file in WAL mode needs a second one beside it even to be read, unless nobody can be writing.
            unfinished = Path(f"{self._path}-wal")
            if os.access(self._path.parent, os.W_OK) or (unfinished.exists() and unfinished.stat().st_size > 0):
                raise
            return self._checked("immutable=1")

    def _checked(self, mode: str) -> sqlite3.Connection:
        uri = f"{self._path.resolve().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")  # a result that was reported survives a power cut
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION_ID:
                raise PisteError(f"{self._path}: must be a result store of piste, but is another database. Move it away, or use --mlruns.")
            if version > SCHEMA_VERSION:
                raise PisteError(
                    f"{self._path}: must be of schema {SCHEMA_VERSION}, but is of schema {version}, written by a newer piste. "
                    "Upgrade piste, or use another folder with --mlruns."
                )
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _plainly(self) -> Iterator[None]:
        """Put what sqlite or the system refuses into one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise PisteError(f"{self._path}: {_reason(error)}") from error
        except OSError as error:
            where = "" if error.filename in (None, str(self._path)) else f"{error.filename}: "
            raise PisteError(f"{self._path}: cannot be used ({where}{error.strerror}). Use another folder with --mlruns.") from error


def _reason(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return "cannot be written, the disk is full. Free some space and run the same command again: it goes on from here."
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"has been locked by another process for {BUSY_SECONDS:g} s. Wait for that to end and run the same command again."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return "cannot be written, its folder or the file is read-only. Use another folder with --mlruns."
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"must be a result store of piste, but is another file or damaged ({error}). Move it away, or use --mlruns."
    return f"cannot be used ({error}). Use another folder with --mlruns."


def _create(path: Path) -> None:
    """Make an empty store aside and rename it, so that there is a whole one or none whenever this is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.parent):
        if path.exists():
            return  # another process was first
        new = Path(f"{path}.new")
        for stale in (new, *(Path(f"{base}{suffix}") for base in (path, new) for suffix in ("-journal", "-wal", "-shm"))):
            stale.unlink(missing_ok=True)  # sqlite would replay the log of a deleted file into the new one
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(SCHEMA)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("PRAGMA journal_mode = WAL")  # kept in the file
        new.rename(path)
        _sync(path.parent)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system takes back from a process that dies; Windows has none for folders."""
    if os.name == "nt":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the bytes of an npz file without pickles; those that shrink by a fifth are compressed.

    Raises:
        TypeError: an array holds objects.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            if array.dtype.hasobject:
                raise TypeError(f"an array must hold numbers, texts or times, but {name!r} holds objects")
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            content = member.getbuffer()
            sample = content[:SAMPLE_BYTES]
            pays = len(zlib.compress(sample, 1)) < 0.8 * len(sample)
            information = zipfile.ZipInfo(f"{name}.npy")  # without a date: equal arrays give equal bytes
            archive.writestr(information, content, zipfile.ZIP_DEFLATED if pays else zipfile.ZIP_STORED, compresslevel=1)
    return file.getvalue()


def unpack_arrays(packed: bytes) -> dict[str, np.ndarray]:
    """Return what `pack_arrays` packed."""
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for name in archive.namelist():
            arrays[name.removesuffix(".npy")] = np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
    return arrays


def pack_frame(frame: pd.DataFrame) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a frame as JSON values and arrays: numbers and times as arrays, texts and mixed columns as JSON.

    Args:
        frame: with columns named by text, each once, and rows numbered from 0.

    Raises:
        TypeError: another index, other names, or a column that is neither.
    """
    names = list(frame.columns)
    if len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"columns must be named by text, each once, but are {names}")
    if not frame.index.equals(pd.RangeIndex(len(frame))):
        raise TypeError("rows must be numbered from 0")
    columns: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for position, name in enumerate(names):
        column = frame[name]
        dtype = column.dtype
        described: dict[str, Any] = {"name": name, "dtype": str(dtype)}
        if isinstance(dtype, np.dtype) and not dtype.hasobject:
            arrays[str(position)] = column.to_numpy()
        elif isinstance(dtype, np.dtype | pd.StringDtype):
            described["values"] = [None if value is pd.NA else value for value in column.tolist()]
        else:
            raise TypeError(f"a column must hold numbers, texts or times, but {name!r} is {dtype}")
        columns.append(described)
    return {"n_rows": len(frame), "columns": columns}, arrays


def unpack_frame(shape: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return what `pack_frame` packed, with the same dtypes."""
    columns = {
        column["name"]: pd.Series(column["values"] if "values" in column else arrays[str(position)], dtype=column["dtype"])
        for position, column in enumerate(shape["columns"])
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(shape["n_rows"]), columns=pd.Index([c["name"] for c in shape["columns"]], dtype="str"))


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _json(value: Any) -> str:
    return json.dumps(value, default=_number, separators=(",", ":"))


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"must be a JSON value, but is {type(value).__name__}")


def key(*parts: Any) -> str:
    """Return the sha256 of what determines a result, as 64 hexadecimal digits.

    Args:
        parts: JSON values, arrays, and frozen dataclasses and mappings of them; the order of a mapping's keys does not
            count, nor whether a sequence is a list or a tuple.

    Raises:
        TypeError: a part that is something else.

    >>> key("cell", {"alpha": 0.1, "seed": 0}) == key("cell", {"seed": 0, "alpha": 0.1})
    True
    >>> key(1) == key(1.0)
    False
    """
    canonical = json.dumps(_canonical(parts), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        return {"array": digest, "dtype": value.dtype.str, "shape": list(value.shape)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _canonical(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"dataclass": type(value).__name__, "fields": fields}
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _canonical(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_canonical(inner) for inner in value]
    raise TypeError(f"a part of a key must be a JSON value, an array or a dataclass, but is {type(value).__name__}")


def fingerprint(*paths: str | Path) -> str:
    """Return the sha256 of source files: their names, as seen from the paths given, and contents.

    Args:
        paths: files, and folders, of which all .py files count.

    Raises:
        PisteError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in map(Path, paths):
        files = sorted(path.rglob("*.py"), key=lambda file: file.relative_to(path).as_posix()) if path.is_dir() else [path]
        for file in files:
            name = (Path(path.name) / file.relative_to(path)).as_posix()
            try:
                content = file.read_bytes()
            except OSError as error:
                raise PisteError(f"{file}: cannot be read ({error.strerror})") from error
            digest.update(f"{len(name)}:{name}:{len(content)}:".encode())
            digest.update(content)
    return digest.hexdigest()


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Return the installed versions of distributions, without importing them; None where one is not installed.

    >>> versions(["no-such-distribution"])
    {'no-such-distribution': None}
    """
    found: dict[str, str | None] = {}
    for package in packages:
        found[package] = None
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found
