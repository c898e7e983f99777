"""The bytes of a file: of a regular one, that held still, unpacked where it was packed."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from pathlib import Path

from piste.core.errors import Fault, PisteError, Place, near

MOST_BYTES = 1 << 30  # of a file once unpacked; more does not fit beside the models
GZIP = b"\x1f\x8b"


class Refused(ValueError):
    """Why a source cannot be read, in words that begin with "must"."""


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file; anything else is refused before a byte of it is read, since a pipe would wait for ever.

    Raises:
        Refused: it is no regular file, or may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise Refused(f"must be a file, but there is no '{path}'.{near(path.name, beside)}") from error
    except OSError as error:
        raise Refused(f"must be a file that can be read, but '{path}' cannot: {error.strerror}") from error
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(kind) else "a pipe or a device"
        raise Refused(f"must be a file, but '{path}' is {what}")
    return os.fdopen(descriptor, "rb")


def content_of(path: Path) -> bytes:
    """Read a file whole, and see that it held still; what gzip has packed comes unpacked, whatever its name.

    Raises:
        Refused: it is no file that can be read, changes, or unpacks to too much.
        PisteError: it is empty.
    """
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        content = file.read()
        after = os.fstat(file.fileno())
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not still or (before.st_size and len(content) != before.st_size):
        raise Refused(f"must not change while it is read, but '{path}' does. Run again when it is written")
    if not content:
        raise PisteError(Fault("must hold a table, but is empty", "", Place(str(path))))
    return _unpacked(content)


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"must be whole, but its gzip data are damaged: {error}") from error
    if len(unpacked) > MOST_BYTES:
        raise Refused(f"must unpack to at most {MOST_BYTES >> 20:,} MiB, but unpacks to more")
    return unpacked
