"""What the parts of problem.yaml are made of: frozen models that refuse unknown keys, and values that say what they must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, NoReturn, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from piste.core.grammar import ExpressionError, Lag
from piste.core.parser import parse

Scalar = bool | int | float | str

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(min|h|d|w)")


@dataclass(frozen=True, slots=True)
class Is:
    """What a value must be, in words that follow "must be"."""

    words: str


def refuse(message: str, **context: Any) -> NoReturn:
    """Say what is wrong with a value, in words that follow the name of its field."""
    raise PydanticCustomError("refused", "{message}", {"message": message, **context})


class Part(BaseModel):
    """A part of a problem: unknown keys refused, types taken as written, values frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)


def listed(value: Any) -> Any:
    """Take a list for a tuple, and one text for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def once(values: tuple[str, ...]) -> tuple[str, ...]:
    """Let pass what names each once."""
    twice = [value for number, value in enumerate(values) if value in values[:number]]
    if twice:
        refuse(f"must name each once, but names '{twice[0]}' twice")
    return values


def text(value: Any) -> Any:
    """Take a whole number for a text: classes and years are named so."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def shown(value: Any) -> str:
    """Show a value as it was written."""
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping | list | tuple):
        return "empty" if not value else "a mapping" if isinstance(value, Mapping) else "a list"
    return "empty" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def inside(path: str) -> str:
    """Let only a path below the problem's own folder pass."""
    parts = PurePosixPath(path).parts
    if "\\" in path or ":" in path or path.startswith("/") or ".." in parts:
        refuse(f"must be a file in the problem's own folder, written with /, but is '{path}'")
    return path


def _function(value: str) -> str:
    """Let FILE.py:FUNCTION pass."""
    file, _, function = value.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        refuse(f"must be FILE.py:FUNCTION, but is '{value}'")
    inside(file)
    return value


def _expression(value: Any) -> Any:
    """Let pass what the grammar understands; the character of a fault goes with the error."""
    if isinstance(value, str):
        try:
            parse(value)
        except ExpressionError as error:
            refuse(f"must be an expression, but {error.message}", position=error.position)
    return value


def length(duration: str) -> timedelta:
    """Return how long a duration is.

    >>> length("1.5d")
    datetime.timedelta(days=1, seconds=43200)
    """
    match = DURATION.fullmatch(duration)
    assert match, f"the schema lets no other duration through, but {duration=}"
    return Lag(float(match[1]), cast(Any, match[2])).delta


ColumnName = Annotated[str, Field(min_length=1), Is("the name of a column")]
Names = Annotated[
    tuple[ColumnName, ...], BeforeValidator(listed, json_schema_input_type=str | tuple[ColumnName, ...]), AfterValidator(once)
]
OwnName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$"), Is("a name of letters, digits and _, beginning with a letter")]
Function = Annotated[str, AfterValidator(_function), Is("FILE.py:FUNCTION")]
OwnFile = Annotated[str, AfterValidator(inside), Is("a file in the problem's own folder")]
Expression = Annotated[str | int | float, AfterValidator(_expression), Is("an expression: a text or a number")]
Text = Annotated[str, Field(min_length=1), Is("a text")]
Duration = Annotated[str, Field(pattern=rf"^{DURATION.pattern}$"), Is("a length of time such as 1d (min, h, d or w)")]
Positive = Annotated[float, Field(gt=0), Is("a number above 0")]
