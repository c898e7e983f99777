"""The folder of a new problem: made whole or not at all, and over nothing that is there."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from piste.core.errors import Fault, PisteError, Place
from piste.edges.load import FILE

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
SCHEMAS = ("problem.schema.json", "docs/problem.schema.json")  # where an editor's schema may lie, in a folder above


def checked_name(folder: Path) -> str:
    """Return what the problem of a new folder is called.

    Raises:
        PisteError: the name cannot be one, or such a problem is there already.
    """
    name = folder.resolve().name
    if not NAME.fullmatch(name):
        better = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:100]
        tip = f". Did you mean '{folder.parent / better}'?" if NAME.fullmatch(better) else ""
        raise _refused(folder, f"must end in a name of up to 100 letters, digits, - and _, but '{name}' is none{tip}")
    if (folder / FILE).exists():
        raise _refused(folder / FILE, f"must be new, but is there already. Choose another name, or: piste check {folder}")
    if folder.exists() and not folder.is_dir():
        raise _refused(folder, "must be a folder to be made, but is a file")
    return name


def heading(folder: Path) -> str:
    """Return the line by which editors find the schema, where one lies in a folder above; else nothing."""
    home = folder.resolve()
    for above in (home, *home.parents):
        for schema in SCHEMAS:
            if (above / schema).is_file():
                return f"# yaml-language-server: $schema={path_from(home, above / schema)}"
    return ""


def path_from(folder: Path, file: Path) -> str:
    """Return the path of a file from a folder, written with /."""
    try:
        return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return file.resolve().as_posix()


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a new problem: all of them, or none.

    Args:
        folder: may be there, with other files in it.
        files: text by name.

    Raises:
        PisteError: one of them is there already, or the folder cannot be written.
    """
    for name in files:
        if (folder / name).exists():
            raise _refused(folder / name, "must not be there yet, since it is about to be written. Move it, or choose another name")
    home = folder.resolve()
    aside = home.with_name(f".{home.name}-{os.getpid()}")
    new = [above for above in home.parents if not above.exists()]
    written: list[Path] = []
    try:
        aside.mkdir(parents=True)
        for name, text in files.items():
            (aside / name).write_text(text, encoding="utf-8")
        if not home.exists():
            aside.rename(home)
            return
        for name in files:
            (aside / name).rename(home / name)
            written.append(home / name)
        aside.rmdir()
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        for above in new:
            if above.is_dir() and not any(above.iterdir()):
                above.rmdir()
        raise _refused(folder, f"must be a folder that can be written, but is not: {error.strerror}") from error


def _refused(path: Path, message: str) -> PisteError:
    return PisteError(Fault(message, "", Place(str(path))))
