"""Lines of problem.yaml that findings offer for pasting, with what the problem already says under the same key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from piste.core.melt import ROW
from piste.core.part import Part
from piste.core.pasted import scalar
from piste.core.problem import Problem

WHENS = ("always", "decision", "after")


def known_at(problem: Problem, when: str, columns: Iterable[str]) -> str:
    """Write `known_at` with some columns moved to one of its lists: on one line where it is new, else whole, to replace the old.

    Args:
        problem: whose `known_at` may already name columns.
        when: always, decision or after.
        columns: known then.
    """
    moved = list(dict.fromkeys(columns))
    lists = {each: [name for name in getattr(problem.known_at, each) if name not in moved] for each in WHENS}
    lists[when] += moved
    written = {each: names for each, names in lists.items() if names}
    if len(written) == 1 and lists[when] == moved:
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
