"""Lines of problem.yaml that findings offer for pasting, with what the problem already says under the same key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from piste.core.melt import ROW
from piste.core.part import Part
from piste.core.pasted import scalar
from piste.core.problem import Problem

WHENS = ("always", "decision", "after")


def known_at(problem: Problem, when: str, columns: Iterable[str]) -> str:
    """Write `known_at` with some columns moved to one of its lists, always, decision or after."""
    return moved(problem, dict.fromkeys(columns, when))


def moved(problem: Problem, told: Mapping[str, str]) -> str:
    """Write `known_at` with some columns moved: on one line where it is new and one list, else whole, to replace the old.

    Args:
        problem: whose `known_at` may already name columns.
        told: column -> the list that it moves to: always, decision or after.
    """
    lists = {each: [name for name in getattr(problem.known_at, each) if name not in told] for each in WHENS}
    is_new = not any(lists.values())
    for name, when in told.items():
        lists[when].append(name)
    written = {each: names for each, names in lists.items() if names}
    if len(written) == 1 and is_new:
        return f"known_at: {scalar(written)}"
    return "\n".join(["known_at:", *(f"  {each}: {scalar(names)}" for each, names in written.items())])


def dropped(problem: Problem, columns: Iterable[str]) -> str:
    """Write `columns` with some of them left out of the problem."""
    kinds: Mapping[str, str] = {**problem.columns, **dict.fromkeys(columns, "drop")}
    return f"columns: {scalar(kinds)}"


def split(problem: Problem, **changes: object) -> str:
    """Write `split` as the problem has it, with some changes; None takes a key away."""
    own = {name: value for name, value in given(problem.split).items() if value != ROW}  # not what several targets are held together by
    if "by" in changes and not isinstance(problem.split.holdout, float):
        own.pop("holdout", None)  # values of the old `by`
    return f"split: {scalar({name: value for name, value in {**own, **changes}.items() if value is not None})}"


def given(part: Part | None, *but: str) -> dict[str, Any]:
    """Return what the author wrote of a part of the problem, under the names of the file, but for some of them."""
    return part.model_dump(exclude_unset=True, exclude_none=True, by_alias=True, exclude=set(but)) if part else {}


def agreed(key: str, offered: Sequence[Any], time: str) -> dict[str, Any] | None:
    """Return the one value that serves for all that findings offer for a key of the problem; None where there is none.

    Args:
        key: at the edge of the file.
        offered: different values, each written over what the problem has now; the gravest finding's first.
        time: column of the time, by which a split forward holds rows of one moment together; empty where there is none.
    """
    if not all(isinstance(each, Mapping) for each in offered):
        return None
    if key == "split":
        ahead = next((each for each in offered if each.get("scheme") == "forward"), None)
        groups = {each["together"] for each in offered if "together" in each} - {time if ahead else ""}
        base = ahead or offered[0]
        return {**base, **({"together": groups.pop()} if groups else {})} if len(groups) <= 1 else None
    if key == "columns" or (key == "data" and len({json.dumps({**each, "missing": 0}, sort_keys=True) for each in offered}) == 1):
        whole = dict(offered[0])
        for each in offered[1:]:
            whole |= {name: value for name, value in each.items() if name != "missing"}
        if key == "data":
            whole["missing"] = list(dict.fromkeys(value for each in offered for value in each.get("missing", ())))
        return whole
    return None
