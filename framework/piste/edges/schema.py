"""The JSON Schema of problem.yaml, from which editors complete and explain."""

from __future__ import annotations

from typing import Any, get_args

from piste.core.cost import AMOUNTS, EVENTS
from piste.core.problem import BLEND, Bundled, Problem

VALUE = ["boolean", "number", "string", "null"]
OWN = {"type": "string", "pattern": r"\.py$", "description": "a file of the problem's own folder that holds a FAMILY"}
FACTORY = {
    "type": "string",
    "pattern": r"\.py:[^:]+$",
    "description": "FILE.py:FUNCTION that returns a scikit-learn estimator, from the problem's own folder",
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12), short forms included.

    What piste takes, the schema takes; of what piste refuses, a schema can only refuse what shows without a parser of
    expressions, the other fields or the data.
    """
    from piste.core.metrics import METRICS
    from piste.families import NAMES as FAMILIES
    from piste.framings import NAMES as FRAMINGS

    made: dict[str, Any] = _tidy(Problem.model_json_schema(by_alias=True))
    parts, keys = made["$defs"], made["properties"]
    ask = parts.pop("Ask")["properties"]
    del parts["Entry"], parts["MatrixCost"]
    path = {"type": "string", "minLength": 1, "pattern": "^(?!sklearn:)", "description": "a path, or python:FILE.py:FUNCTION"}
    bundled = {
        "enum": [f"sklearn:{name}" for name in get_args(Bundled)],
        "description": parts["Data"]["properties"]["sklearn"]["description"],
    }
    column = {"type": "string", "minLength": 1, "description": "the column to predict"}
    keys["data"] = _short_or(keys["data"], path, bundled)
    keys["target"] = _short_or(keys["target"], column, {"type": "array", "minItems": 1, "items": column, "description": "several columns"})
    _narrow(parts)
    keys["metric"]["enum"] = list(METRICS)
    keys["framings"] = _framings(list(FRAMINGS), ask, keys["framings"])
    keys["families"] = _one_or_more(_entry([*FAMILIES, BLEND]), keys["families"])
    keys["slices"] = _short_or(keys["slices"], *parts["Slices"]["properties"]["columns"]["anyOf"])
    whole = {"type": "integer"}  # of a numbered `by`, such as a year
    holdout = parts["Split"]["properties"]["holdout"]
    holdout["anyOf"] += [whole]
    for form in holdout["anyOf"]:
        if form.get("type") == "array":
            form["items"] = {"anyOf": [form["items"], whole]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "problem.yaml of piste",
        **{key: made[key] for key in ("description", "type", "required", "additionalProperties", "properties", "$defs")},
    }


def _tidy(node: Any) -> Any:
    """Leave out titles that repeat the key, defaults that say nothing, and null: an empty value is refused."""
    if isinstance(node, list):
        return [_tidy(each) for each in node if each != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(value) for key, value in node.items() if key not in ("title", "default") or isinstance(value, dict)}
    if isinstance(node.get("default"), bool | int | str):
        tidy["default"] = node["default"]
    if len(tidy.get("anyOf", ())) == 1:
        [form] = tidy.pop("anyOf")
        tidy = {**form, **tidy}
    return tidy


def _short_or(long: dict[str, Any], *short: dict[str, Any]) -> dict[str, Any]:
    return {"description": long["description"], "anyOf": [*short, {"$ref": long["$ref"]}]}


def _one_or_more(item: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    return {"description": of["description"], "anyOf": _one_or_list(item)}


def _narrow(parts: dict[str, Any]) -> None:
    """Write out what pydantic cannot tell of the target, its levels and the decision: short forms, and how long lists are."""
    target, levels, decision = (parts[name]["properties"] for name in ("Target", "Levels", "Decision"))
    del parts["Target"]["required"]
    parts["Target"]["anyOf"] = [{"required": ["column"]}, {"required": ["columns"]}]
    target["order"]["minItems"] = 2
    levels["cuts"] = {"description": levels["cuts"]["description"], "anyOf": _one_or_list({"type": "number"})}
    decision["cost_range"] |= {"minItems": 2, "maxItems": 2}
    decision["cost"] = {"description": decision["cost"]["description"], "anyOf": _costs()}
    units = {**parts["Budget"]["properties"]["units"], "description": "how many units there are to give out"}
    decision["budget"] = _short_or(decision["budget"], units)
    parts["Slices"]["properties"]["columns"]["anyOf"][1]["minItems"] = 1


def _one_or_list(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [item, {"type": "array", "minItems": 1, "items": item}]


def _costs() -> list[dict[str, Any]]:
    """Describe the three shapes of a cost, of which no key of the first two can name an action."""
    row = {"type": "array", "minItems": 2, "items": {"type": "number", "minimum": 0}, "description": "its cost at each level"}
    matrix = {
        "type": "object",
        "minProperties": 2,
        "propertyNames": {"pattern": f"^(?!({'|'.join((*AMOUNTS, *EVENTS))})$)."},
        "additionalProperties": row,
        "description": "each action, and its cost at each level",
    }
    return [{"$ref": "#/$defs/QuantityCost"}, {"$ref": "#/$defs/EventCost"}, matrix]


def _framings(names: list[str], ask: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    """Describe `framings`: names, or names of the author's own with how rows are shaped for each."""
    shaped = {key: rule for key, rule in ask.items() if key != "name"}
    shaped["as"] = {"enum": names, "description": shaped["as"]["description"]}
    body = {"anyOf": [{"type": "null"}, {"type": "object", "properties": shaped, "additionalProperties": False}]}
    mapping = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]*$"},
        "additionalProperties": body,
        "description": "names, each with " + ", ".join(f"`{key}`" for key in shaped),
    }
    item = {"enum": names, "description": "a framing as it is"}
    one = {**mapping, "maxProperties": 1}
    return {"description": of["description"], "anyOf": [item, mapping, {"type": "array", "minItems": 1, "items": {"anyOf": [item, one]}}]}


def _entry(families: list[str]) -> dict[str, Any]:
    """Describe an entry of `families`: a name, a file, or one name with what it stands for or its values."""
    value = {
        "anyOf": [{"type": VALUE}, {"type": "array", "minItems": 1, "items": {"type": VALUE}}],
        "description": "a value fixes it, a list is a grid",
    }
    values = {
        "type": "object",
        "properties": {
            "family": {"enum": families, "description": "the family, where the name is your own"},
            "file": OWN,
            "factory": FACTORY,
        },
        "additionalProperties": value,
    }
    named = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]*$"},
        "additionalProperties": {"anyOf": [{"type": "null"}, OWN, FACTORY, values]},
        "description": "one name, and its values",
    }
    return {"anyOf": [{"enum": families, "description": "a family with its usual values"}, OWN, named]}
