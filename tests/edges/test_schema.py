"""The schema for editors: it is the committed one, takes what piste takes, and shows what it can of what piste refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from piste.core.problem import Problem
from piste.edges.load import schema
from piste.edges.strict_yaml import read
from tests.journeys.bad_config import CANNOT_BE_ASKED, CANNOT_BE_DECIDED, CANNOT_BE_MEANT, MINIMAL

ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT / "docs" / "problem.schema.json"
TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}


def accepts(value: Any, rule: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Validate by the keywords of JSON Schema that ours uses; any other is a failure of the test."""
    for word, wanted in rule.items():
        match word:
            case "$ref":
                held = accepts(value, whole["$defs"][wanted.removeprefix("#/$defs/")], whole)
            case "anyOf":
                held = any(accepts(value, each, whole) for each in wanted)
            case "type":
                held = any(is_of(value, each) for each in (wanted if isinstance(wanted, list) else [wanted]))
            case "const":
                held = value == wanted
            case "enum":
                held = value in wanted
            case "pattern":
                held = not isinstance(value, str) or re.search(wanted, value) is not None
            case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
                signs = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"}
                held = not is_of(value, "number") or getattr(float(value), f"__{signs[word]}__")(float(wanted))
            case "minLength" | "minItems" | "minProperties":
                held = not isinstance(value, str | list | dict) or len(value) >= wanted
            case "maxLength" | "maxItems" | "maxProperties":
                held = not isinstance(value, str | list | dict) or len(value) <= wanted
            case "items":
                held = not isinstance(value, list) or all(accepts(each, wanted, whole) for each in value)
            case "required":
                held = not isinstance(value, dict) or {*wanted} <= {*value}
            case "properties":
                held = not isinstance(value, dict) or all(
                    accepts(value[key], inner, whole) for key, inner in wanted.items() if key in value
                )
            case "propertyNames":
                held = not isinstance(value, dict) or all(accepts(key, wanted, whole) for key in value)
            case "additionalProperties":
                others = [each for key, each in value.items() if key not in rule.get("properties", {})] if isinstance(value, dict) else []
                held = not others if wanted is False else all(accepts(each, wanted, whole) for each in others)
            case "$schema" | "$defs" | "title" | "description" | "default":
                held = True
            case _:
                raise AssertionError(f"the test does not know the keyword {word}")
        if not held:
            return False
    return True


def is_of(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        return isinstance(value, int | float) and not isinstance(value, bool) and (name == "number" or value == int(value))
    return isinstance(value, TYPES[name])


def test_the_committed_schema_is_the_one_that_piste_prints() -> None:
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == schema(), "write it anew: piste schema > docs/problem.schema.json"


PROBLEMS = [*sorted(ROOT.glob("projects/*/*.yaml")), *sorted(ROOT.glob("tests/real/*.yaml"))]


@pytest.mark.parametrize("file", PROBLEMS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_schema_takes_every_problem_of_ours(file: Path) -> None:
    assert accepts(read(file.read_text(encoding="utf-8"), str(file)).value, schema(), schema())


@pytest.mark.parametrize(
    "lines",
    [
        "families: tree",
        "families: [tree, ./mine.py, {linear: {alpha: [0.1, null], fit: true}}, {svm: null}]",
        "families: [{mine: model.py:make}, {small: {family: tree}}]",
        "framings: mean",
        "framings: [mean, {early: {as: mean, add: 'y@-7d'}}]",
        "framings: {mean: null, early: {like: mean, add: [y@-7d]}, all: {wide: g, predict: y}}",
        "decision: {cost: {over: 1, under: 4, unit: 400}, made_at: -1d 18:00, cost_range: [0.5, 2]}",
        "decision: {cost: {false_alarm: 1, miss: 4}, made_at: -2h}",
        "decision: {cost: {a: [0, 4.5], b: [3, 0]}, actions: [b, a], budget: 8}",
        "decision: {cost: {a: [0, 4], b: [3, 0]}, budget: {units: 8, uses: {b: 2}, per: day}}",
        "success: {beat: constant, by: 10%, same: 0.5, confidence: 0.9}",
        "slices: g",
        "slices: [g, day]",
        "slices: {columns: g, worse_than_overall: 30%}",
        "unit: [a, b]",
        "split: {by: year, holdout: 2025}",
        "split: {by: year, holdout: [2024, x]}",
        "split: {holdout: 0.2, gap: 1d}",
        "add: {a: log(x), b: 2}",
    ],
)
def test_the_schema_takes_the_short_forms(lines: str) -> None:
    assert accepts(yaml.safe_load(MINIMAL + lines), schema(), schema())


# A schema sees one value at a time, and no data, file or expression.
UNSEEN = (
    "expression",
    "aggregate",
    "answer",
    "lag",
    "twice",
    "target as",
    "before and after",
    "forward",
    "own file",
    "elsewhere",
    "holdout",
    "against",
)
UNSEEN += ("two sources", "encoding", "decimal as a text", "metric that is no mean", "yes for a switch")
SEEN = [case for case in (*CANNOT_BE_MEANT, *CANNOT_BE_DECIDED, *CANNOT_BE_ASKED) if not any(word in case.name for word in UNSEEN)]


@pytest.mark.parametrize("case", SEEN, ids=lambda case: case.name)
def test_the_schema_refuses_what_shows_without_the_rest(case: Any) -> None:
    text = case.files["problem.yaml"]
    written = read(text if isinstance(text, str) else text.decode(), "a.yaml").value
    assert not accepts(written, schema(), schema())


def test_every_key_is_described() -> None:
    made = schema()
    for part in (made, *made["$defs"].values()):
        assert not [key for key, rule in part["properties"].items() if "description" not in rule]


def test_every_field_of_a_problem_is_in_the_schema() -> None:
    assert {info.alias or name for name, info in Problem.model_fields.items()} == {*schema()["properties"]}
