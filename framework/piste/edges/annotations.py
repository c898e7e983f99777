"""Remarks at lines of files, as GitHub's workflow commands: a pull request shows each where it belongs.

Source: GitHub docs, Workflow commands for GitHub Actions (error, warning, notice); what is escaped, and how, is that of
`@actions/core` (packages/core/src/command.ts).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from piste.core.errors import Place

Level = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say of a line."""

    level: Level
    place: Place
    title: str
    message: str


def annotated(remarks: Iterable[Remark], workspace: str | None = None) -> list[str]:
    """Return a line of output for each remark.

    Args:
        remarks: the gravest first: GitHub shows the first ten of a level.
        workspace: the folder of the repository, which GitHub names files from; the working directory where not given.
    """
    return [_annotation(each, workspace) for each in remarks]


def _annotation(remark: Remark, workspace: str | None) -> str:
    place = remark.place
    about = {"file": _from(workspace, place.path), "line": place.line, "col": place.column, "title": remark.title}
    said = ",".join(f"{key}={_property(str(value))}" for key, value in about.items() if value)
    return f"::{remark.level} {said}::{_data(remark.message)}"


def _from(workspace: str | None, path: str) -> str:
    """Return a path as seen from the workspace; one outside of it as it is."""
    if not path:
        return ""
    seen = os.path.relpath(path, workspace or os.curdir)
    return path if seen.startswith(os.pardir) else seen.replace(os.sep, "/")


def _data(text: str) -> str:
    r"""Escape what would end a message.

    >>> _data("100% of\nit")
    '100%25 of%0Ait'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape what would end a property.

    >>> _property("L02 a,b: c")
    'L02 a%2Cb%3A c'
    """
    return _data(text).replace(":", "%3A").replace(",", "%2C")
