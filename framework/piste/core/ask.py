"""The ways to ask that an author lists: framings, and how rows are shaped for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from piste.core.errors import either, near
from piste.core.part import ColumnName, Expression, Is, OwnName, Part, Text, listed, once, refuse, shown

LEVEL = "level"  # what `predict` names where a number was cut into levels
SHAPES = {  # words that are no framings, but how rows are shaped for one
    "wide": "all_at_once: {as: mean, wide: COLUMN}",
    "lags": "with_lags: {as: mean, add: [COLUMN@-7d]}",
}


def _known(info: ValidationInfo) -> tuple[str, ...]:
    return tuple((info.context or {}).get("framings", ()))


def _framing(value: str, info: ValidationInfo) -> str:
    """Let the name of a framing pass."""
    known = _known(info)
    if known and value not in known:
        tip = f" To shape the rows of a framing, write `framings: {{{SHAPES[value]}}}`." if value in SHAPES else near(value, known)
        refuse(f"must be {either(known)}, but is '{value}'.{tip}")
    return value


class Ask(Part):
    """One framing of the problem: which, and how rows are shaped for it."""

    name: OwnName
    as_: Annotated[str, AfterValidator(_framing), Is("the name of a framing")] | None = Field(
        None, alias="as", description="the framing; where not given, the one of that name"
    )
    wide: ColumnName | None = Field(None, description="a column of `unit` whose values are all predicted at once, by one model")
    apart: ColumnName | None = Field(None, description="a column of `unit` each of whose values gets a model of its own")
    add: Annotated[tuple[Expression, ...], BeforeValidator(listed, json_schema_input_type=Expression | tuple[Expression, ...])] = Field(
        (), description="further feature columns, such as count@-7d"
    )
    like: Text | None = Field(None, description="another entry of `framings`: what is not said here is taken over from it")
    predict: ColumnName | None = Field(None, description="the target's column; or `level`, where target.levels cut it")

    @model_validator(mode="before")
    @classmethod
    def _forms(cls, value: Any, info: ValidationInfo) -> Any:
        return value if isinstance(value, Ask) else _written_out(value, info)

    @property
    def plain(self) -> bool:
        """Tell whether it is a framing and no more, which one word says."""
        return self.as_ == self.name and not (self.wide or self.apart or self.add or self.like or self.predict)


def _written_out(value: Any, info: ValidationInfo) -> dict[str, Any]:
    """Read the forms of an ask: `mean`, `{mine: {as: mean, wide: run}}`."""
    if isinstance(value, str):
        return {"name": value, "as": _framing(value, info)}
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return {("as" if key == "as_" else key): each for key, each in value.items()}  # written out, from Python
    if not isinstance(value, Mapping) or len(value) != 1:
        found = f"a mapping of {', '.join(map(str, value))}" if isinstance(value, Mapping) and value else shown(value)
        refuse(f"must be a name, or one name and its values, as in `with_lags: {{as: mean, add: [y@-7d]}}`, but is {found}")
    [(name, body)] = value.items()
    if body is not None and not isinstance(body, Mapping):
        refuse(f"must give '{name}' its values as a mapping, as in `{name}: {{as: mean}}`, but gives {shown(body)}")
    if body is not None and "name" in body:
        refuse(f"must hold no key 'name': it is called '{name}'")
    written, known = {**{key: each for key, each in (body or {}).items() if each is not None}, "name": name}, _known(info)
    if "as" in written:
        if name in known and name != written["as"]:
            refuse(f"must have another name: '{name}' is itself a framing, and not '{written['as']}'")
    elif name in known:
        written["as"] = name
    elif "wide" in written and "like" not in written:
        written["as"] = "mean"  # the one framing that asks for many numbers at once
    elif "like" not in written:
        if known:
            refuse(f"must say which framing '{name}' is, by `as`: {either(known)}.{near(name, known)}")
        written["as"] = name
    return written


def _asks(value: Any) -> Any:
    return tuple({name: body} for name, body in value.items()) if isinstance(value, Mapping) else listed(value)


def _own_names(asks: tuple[Ask, ...]) -> tuple[Ask, ...]:
    once(tuple(ask.name for ask in asks))
    return asks


Asks = Annotated[tuple[Ask, ...], BeforeValidator(_asks), AfterValidator(_own_names)]


def whole(ask: Ask, asks: Mapping[str, Ask]) -> Ask:
    """Return an ask with what it takes over from the one that it is like: its own word first, further columns of both.

    Args:
        ask: one that is like another of `asks`, and so on, without a circle; or like none.
        asks: by name.
    """
    if ask.like is None:
        return ask
    other = whole(asks[ask.like], asks)
    taken = {key: getattr(ask, key) or getattr(other, key) for key in ("as_", "wide", "apart", "predict")}
    return ask.model_copy(update={**taken, "add": tuple(dict.fromkeys((*other.add, *ask.add))), "like": None})
