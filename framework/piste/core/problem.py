"""The schema of problem.yaml, as frozen pydantic models."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from piste.core.errors import Fault, Place, either, near
from piste.core.grammar import ExpressionError
from piste.core.parser import parse

Scalar = bool | int | float | str
TargetKind = Literal["numeric", "count", "binary", "category"]
ColumnKind = Literal["number", "category", "boolean", "datetime", "identifier", "drop"]
Scheme = Literal["kfold", "stratified", "forward", "leave_one_out", "predefined"]
Bundled = Literal["iris", "diabetes", "digits", "wine", "breast_cancer", "linnerud"]

BLEND = "blend"  # an entry of `families` that no file of families/ holds: it is made of the others' predictions
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(min|h|d|w)")

# What the design has words for and nothing computes yet: refused as such, neither a misspelling nor ignored.
LATER = frozenset(
    {
        *("decision", "success", "constraints", "slices", "acknowledge", "read"),
        *("target.levels", "target.delay", "target.proxy_for", "search.minutes", "search.seeds"),
    }
)
LATER_VALUES = {"target.kind": ("ordered",), "framings": ("quantiles", "ordered", "wide", "lags")}
NO_MEANS = ("r2", "auc", "roc_auc", "f1", "precision", "recall", "average_precision", "balanced_accuracy", "mcc")


@dataclass(frozen=True, slots=True)
class Is:
    """What a value must be, in words that follow "must be"."""

    words: str


def refuse(message: str, **context: Any) -> NoReturn:
    """Say what is wrong with a value, in words that follow the name of its field."""
    raise PydanticCustomError("refused", "{message}", {"message": message, **context})


class Part(BaseModel):
    """A part of a problem: unknown keys refused, types taken as written, values frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


def listed(value: Any) -> Any:
    """Take a list for a tuple, and one text for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = [value for number, value in enumerate(values) if value in values[:number]]
    if twice:
        refuse(f"must name each once, but names '{twice[0]}' twice")
    return values


ColumnName = Annotated[str, Field(min_length=1), Is("the name of a column")]
Names = Annotated[
    tuple[ColumnName, ...], BeforeValidator(listed, json_schema_input_type=str | tuple[ColumnName, ...]), AfterValidator(_once)
]


def _inside(path: str) -> str:
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
    _inside(file)
    return value


def _encoding(value: str) -> str:
    try:
        "".encode(value)
    except LookupError:
        known = ("utf-8", "utf-16", "latin-1", "cp1252", "iso-8859-15", "shift_jis", "gb18030")
        refuse(f"must be the name of an encoding, such as utf-8 or latin-1, but is '{value}'.{near(value, known)}")
    return value


def _expression(value: Any) -> Any:
    """Let pass what the grammar understands; the character of a fault goes with the error."""
    if isinstance(value, str):
        try:
            parse(value)
        except ExpressionError as error:
            refuse(f"must be an expression, but {error.message}", position=error.position)
    return value


Function = Annotated[str, AfterValidator(_function), Is("FILE.py:FUNCTION")]
OwnFile = Annotated[str, AfterValidator(_inside), Is("a file in the problem's own folder")]
Expression = Annotated[str | int | float, AfterValidator(_expression), Is("an expression: a text or a number")]
Text = Annotated[str, Field(min_length=1), Is("a text")]


class Data(Part):
    """Where the rows are: a file (path), a database (url and query), `sklearn:NAME`, `python:FILE:FUNCTION`, or a frame."""

    path: Text | None = Field(None, description="a csv, tsv, parquet, json lines, excel or sqlite file, from the problem's folder")
    delimiter: Annotated[str, Field(min_length=1, max_length=1), Is('one character (a tab is "\\t" in double quotes)')] | None = Field(
        None, description="what separates the cells of a text table; sniffed where not given"
    )
    encoding: Annotated[str, AfterValidator(_encoding)] | None = Field(None, description="of a text table; utf-8 where not given")
    decimal: Literal[".", ","] | None = Field(None, description="the decimal mark of a text table")
    missing: Annotated[tuple[str, ...], BeforeValidator(listed, json_schema_input_type=str | tuple[str, ...])] = Field(
        (), description="texts that stand for a missing value, beside the usual ones"
    )
    sheet: Text | None = Field(None, description="of an excel file; the first where not given")
    url: Annotated[str, Field(pattern=r"^[a-z0-9+]+:"), Is("the URL of a database, such as sqlite:///rows.db")] | None = Field(
        None, description="of a database, as SQLAlchemy writes it"
    )
    query: Text | None = Field(None, description="the SELECT that gives the rows of a database")
    sklearn: Bundled | None = Field(None, description="a data set that scikit-learn carries")
    python: Function | None = Field(None, description="FILE:FUNCTION in the problem's own folder that returns a DataFrame; it is run")
    frame: SkipJsonSchema[Any] = Field(None, description="a DataFrame (Python only)")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return short_data(value)

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        given = [name for name in ("path", "url", "sklearn", "python", "frame") if getattr(self, name) is not None]
        if len(given) != 1:
            refuse(f"must name one source (path, url, sklearn or python), but names {' and '.join(given) or 'none'}")
        if self.url is not None and not self.query:
            refuse("must give a query beside the url of a database")
        return self


def short_data(value: Any) -> Any:
    """Write the short form of `data` out: a path, `sklearn:NAME`, `python:FILE:FUNCTION`, or a frame."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        source, colon, rest = value.partition(":")
        return {source: rest} if colon and source in ("sklearn", "python") else {"path": value}
    if isinstance(value, list):
        refuse("must be one source, but is a list: joining tables is not supported yet")
    return {"frame": value} if hasattr(value, "columns") and hasattr(value, "iloc") else value


class Target(Part):
    """What is predicted."""

    column: ColumnName = Field(description="the column to predict")
    kind: TargetKind | None = Field(None, description="numeric, count (whole, >= 0), binary or category; inferred where not given")
    positive: Annotated[Scalar, Is("a text, a number, true or false")] | None = Field(
        None, description="the class that counts as yes (binary); the rarer one where not given"
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return short_target(value)


def short_target(value: Any) -> Any:
    """Write the short form of `target` out: the name of a column."""
    return {"column": value} if isinstance(value, str) else value


class KnownAt(Part):
    """When each column is known. Columns of `after` never reach a model."""

    always: Names = Field((), description="known long before the prediction: calendar, place, fixed properties")
    decision: Names = Field((), description="known at the moment of the prediction")
    after: Names = Field((), description="known only afterwards: never shown to a model")


class Split(Part):
    """How rows are set apart, so that the test looks like the use."""

    scheme: Scheme | None = Field(
        None, description="kfold, stratified, forward (in time), leave_one_out (one group of `by` each), predefined (column `by`)"
    )
    by: ColumnName | None = Field(
        None,
        description="forward: a column of periods, or season, year, quarter, month, week or day of `time`; "
        "leave_one_out, predefined: the column",
    )
    together: ColumnName | None = Field(
        None, description="rows that share this column's value never straddle a split; also the unit of every interval"
    )
    folds: int | None = Field(None, ge=2, le=1000, description="number of folds")
    repeats: int | None = Field(None, ge=1, le=100, description="how often kfold or stratified is repeated with other folds")
    gap: Annotated[str, Field(pattern=rf"^{DURATION.pattern}$"), Is("a length of time such as 1d (min, h, d or w)")] | None = Field(
        None, description="forward: rows this close before the test are left out, e.g. 1d"
    )
    holdout: Annotated[Annotated[float, Field(gt=0, lt=1)] | Names | None, Is("a share of the rows between 0 and 1, or values of `by`")] = (
        Field(None, description="set aside from everything: a share of the rows, or values of `by`")
    )

    @model_validator(mode="before")
    @classmethod
    def _whole_values(cls, value: Any) -> Any:
        """Take whole numbers of a holdout for values of `by`, such as years."""
        if not isinstance(value, Mapping) or "by" not in value:
            return value
        holdout = value.get("holdout")
        if isinstance(holdout, list | tuple):
            return {**value, "holdout": [_text(each) for each in holdout]}
        return {**value, "holdout": _text(holdout)} if isinstance(holdout, int) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Entry(Part):
    """One row of families: which family, under which name, with which fixed values and grids."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$"), Is("a name of letters, digits and _, beginning with a letter")]
    family: str | None = Field(None, description="the family, where the name is your own")
    file: OwnFile | None = Field(None, description="a file of the problem's own folder that holds a FAMILY")
    factory: Function | None = Field(None, description="FILE:FUNCTION that returns a scikit-learn estimator")
    params: Mapping[str, Annotated[Scalar | tuple[Scalar | None, ...] | None, Is("a value, or a list of values")]] = Field(
        default_factory=dict, description="a value fixes it, a list is a grid"
    )

    @model_validator(mode="before")
    @classmethod
    def _forms(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Entry):
            return value
        entry = _entry(value)
        known = (info.context or {}).get("families")
        if known and entry.get("family") is not None and entry["family"] not in known:
            what = "the name of a family, or a file ending in .py"
            refuse(
                f"must be {what}, but is {_shown(entry['family'])}.{near(entry['family'], known) or ' There are ' + ', '.join(known) + '.'}"
            )
        return entry


def _entry(value: Any) -> dict[str, Any]:
    """Read the forms of an entry: `tree`, `{tree: {max_depth: 3}}`, `./mine.py`, `{mine: model.py:make}`."""
    if isinstance(value, str):
        return (
            {"name": re.sub(r"\W", "_", PurePosixPath(value).stem), "file": value}
            if value.endswith(".py")
            else {"name": value, "family": value}
        )
    if isinstance(value, Mapping) and {"name"} < set(value) <= set(Entry.model_fields):
        return dict(value)  # written out, from Python
    if not isinstance(value, Mapping) or len(value) != 1:
        found = f"a mapping of {', '.join(map(str, value))}" if isinstance(value, Mapping) and value else _shown(value)
        refuse(f"must be a name, or one name and its values, as in `tree: {{max_depth: 3}}`, but is {found}")
    [(name, body)] = value.items()
    if isinstance(body, str):
        return {"name": name, ("file" if body.endswith(".py") else "factory"): body}
    if body is None:
        return {"name": name, "family": name}
    if not isinstance(body, Mapping):
        refuse(f"must give '{name}' its values as a mapping, as in `{name}: {{max_depth: 3}}`, but gives {_shown(body)}")
    where = {key: body[key] for key in ("family", "file", "factory") if key in body}
    if len(where) > 1:
        refuse(f"must be one of a family, a file and a factory, but '{name}' is {' and '.join(where)}")
    params = {key: tuple(grid) if isinstance(grid, list) else grid for key, grid in body.items() if key not in where}
    return {"name": name, **(where or {"family": name}), "params": params}


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping | list | tuple):
        return "empty" if not value else "a mapping" if isinstance(value, Mapping) else "a list"
    return "empty" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


class Search(Part):
    """How much is tried."""

    trials: int = Field(10, ge=0, le=1000, description="hyperparameter settings tried per family beside its default")


class Track(Part):
    """Where results go."""

    uri: Text | None = Field(None, description="an MLflow tracking server or database; an own database under mlruns/ where not given")
    experiment: Text | None = Field(None, description="name of the MLflow experiment; the problem's name where not given")


def _known_framing(value: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("framings")
    if value in LATER_VALUES["framings"]:
        refuse(f"must be another framing: '{value}' is not supported yet")
    if known and value not in known:
        refuse(f"must be {either(known)}, but is '{value}'.{near(value, known)}")
    return value


def _framing_list(value: Any) -> Any:
    if isinstance(value, Mapping):
        refuse("must be a list of names, but is a mapping: framings of your own are not supported yet")
    return listed(value)


def _known_metric(value: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("metrics")
    if value in NO_MEANS or value.removesuffix("_score") in NO_MEANS:
        tip = "it is shown beside; choose by rmse or mae (numbers), log_loss or brier (classes)"
        refuse(f"must be a mean over rows to rank models, but '{value}' is none: {tip}")
    if known and value not in known:
        refuse(f"must be {either(known)}, but is '{value}'.{near(value, known)}")
    return value


def _own_names(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    _once(tuple(entry.name for entry in entries))
    return entries


FramingName = Annotated[str, AfterValidator(_known_framing), Is("the name of a framing")]
Entries = Annotated[tuple[Entry, ...], BeforeValidator(listed), AfterValidator(_own_names)]
Framings = Annotated[
    tuple[FramingName, ...], BeforeValidator(_framing_list, json_schema_input_type=str | tuple[FramingName, ...]), AfterValidator(_once)
]


class Problem(Part):
    """A problem as its author wrote it. Only `data` and `target` are required."""

    schema_: Literal["piste/1"] = Field("piste/1", alias="schema", description="version of this format")
    problem: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"), Is("a name of up to 100 letters, digits, - and _")] | None
    ) = Field(None, description="short name; the folder's name where not given")
    question: Text | None = Field(None, description="the question in plain words")
    data: Annotated[Data, Is("a path, sklearn:NAME, python:FILE.py:FUNCTION, or a mapping")] = Field(description="where the rows are")
    target: Annotated[Target, Is("a column, or a mapping with 'column', 'kind' or 'positive'")] = Field(description="what is predicted")
    columns: dict[ColumnName, ColumnKind] = Field(
        default_factory=dict, description="kinds of columns that inference gets wrong; drop leaves one out"
    )
    weight: ColumnName | None = Field(None, description="column of row weights, >= 0")
    time: ColumnName | None = Field(None, description="column that says when a row happened")
    unit: Names = Field((), description="columns that together name one row")
    known_at: KnownAt = Field(default_factory=KnownAt, description="when each column is known")
    add: dict[ColumnName, Expression] = Field(default_factory=dict, description="derived columns: a name and an expression")
    split: Split = Field(default_factory=Split, description="how rows are set apart")
    baselines: dict[Text, Expression] = Field(
        default_factory=dict, description="rules to beat: a name and an expression, e.g. mean(count) by run and hour"
    )
    families: Entries | None = Field(None, min_length=1, description="kinds of models; their order is the order of preference")
    framings: Framings | None = Field(None, min_length=1, description="ways to ask: mean, distribution, classes")
    metric: Annotated[str, AfterValidator(_known_metric), Is("the name of a metric")] | None = Field(
        None, description="what ranks the models, by scikit-learn's name"
    )
    search: Search = Field(default_factory=Search, description="how much is tried")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="of everything random")
    track: Track = Field(default_factory=Track, description="where results go")

    _path: str = PrivateAttr("")
    _places: Mapping[str, Place] = PrivateAttr(default_factory=dict)

    def fault(self, field: str, message: str) -> Fault:
        """Word a fault at a field such as "split.by": at its own line, or else at the nearest line above it."""
        at = field
        while at and at not in self._places:
            at = at.rpartition(".")[0]
        return Fault(message, field, self._places.get(at, Place(self._path)))


def located(problem: Problem, path: str, places: Mapping[str, Place]) -> Problem:
    """Return the problem with where each of its fields stands: dotted names such as "families.2.tree" to places."""
    problem._path = path
    problem._places = dict(places)
    return problem
