"""Lines of problem.yaml, as they are pasted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from piste.core.problem import Entry


def scalar(value: Any) -> str:
    """Write a value on one line of YAML: a plain word where that reads back as itself, else as JSON.

    >>> scalar("forward"), scalar("no: comma"), scalar(True), scalar("12")
    ('forward', '"no: comma"', 'true', '"12"')
    """
    if isinstance(value, str):
        plain = value.replace("_", "a").replace("-", "a").replace(".", "a").replace("/", "a").replace(" ", "a")
        safe = plain.isalnum() and plain.isascii() and value[0].isalpha() and value == value.strip()
        return value if safe and value.casefold() not in ("true", "false", "null") else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(scalar(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {scalar(item)}" for key, item in value.items()) + "}"
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value)


def blank(line: str) -> str:
    """Write values that are not known yet as blanks, to be filled in.

    >>> blank(scalar({"over": None, "under": None}))
    '{over: , under: }'
    """
    return re.sub(r": null(?=[,}])", ": ", line)


def written(entry: Entry) -> Any:
    """Return an entry of `families` as its author writes it: a name, or a mapping."""
    where = {name: value for name in ("family", "file", "factory") if (value := getattr(entry, name)) not in (None, entry.name)}
    if not entry.params and not where:
        return entry.name
    if not entry.params and "family" not in where:
        [value] = where.values()
        return {entry.name: value}
    return {entry.name: {**where, **entry.params}}
