"""The schema of problem.yaml, as frozen pydantic models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator
from pydantic.json_schema import SkipJsonSchema

from piste.core.errors import Fault, Place

Scalar = bool | int | float | str
TargetKind = Literal["numeric", "count", "binary", "category"]
ColumnKind = Literal["number", "category", "boolean", "datetime", "identifier", "drop"]
Scheme = Literal["kfold", "stratified", "forward", "leave_one_out", "predefined"]

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(min|h|d|w)")


class Part(BaseModel):
    """A part of a problem: unknown keys refused, types taken as written, values frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, populate_by_name=True)


def listed(value: Any) -> Any:
    """Take a list for a tuple, and one text for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]


class Data(Part):
    """Where the rows are: a file (path), a database (url and query), `sklearn:NAME`, `python:FILE:FUNCTION`, or a frame."""

    path: str | None = Field(None, description="a csv, tsv, parquet, json lines, excel or sqlite file, from the problem's folder")
    delimiter: str | None = Field(None, description="what separates the cells of a text table; sniffed where not given", min_length=1, max_length=1)
    encoding: str | None = Field(None, description="of a text table; utf-8 where not given")
    decimal: Literal[".", ","] | None = Field(None, description="the decimal mark of a text table")
    missing: Names = Field((), description="texts that stand for a missing value, beside the usual ones")
    sheet: str | None = Field(None, description="of an excel file; the first where not given")
    url: str | None = Field(None, description="of a database, as SQLAlchemy writes it")
    query: str | None = Field(None, description="the SELECT that gives the rows of a database")
    sklearn: str | None = Field(None, description="a data set that scikit-learn carries: iris, diabetes, digits, wine, breast_cancer, linnerud")
    python: str | None = Field(None, description="FILE:FUNCTION in the problem's own folder that returns a DataFrame; it is run")
    frame: SkipJsonSchema[Any] = Field(None, description="a DataFrame (Python only)")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            for prefix in ("sklearn", "python"):
                if value.startswith(f"{prefix}:"):
                    return {prefix: value.removeprefix(f"{prefix}:")}
            return {"path": value}
        return {"frame": value} if hasattr(value, "columns") and hasattr(value, "iloc") else value

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        given = [name for name in ("path", "url", "sklearn", "python", "frame") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"must name one source (path, url, sklearn or python), but names {' and '.join(given) or 'none'}")
        if self.url is not None and not self.query:
            raise ValueError("must give a query beside the url of a database")
        return self


class Target(Part):
    """What is predicted."""

    column: str = Field(description="the column to predict")
    kind: TargetKind | None = Field(None, description="numeric, count (whole, >= 0), binary or category; inferred where not given")
    positive: Scalar | None = Field(None, description="the class that counts as yes (binary); the rarer one where not given")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class KnownAt(Part):
    """When each column is known. Columns of `after` never reach a model."""

    always: Names = Field((), description="known long before the prediction: calendar, place, fixed properties")
    decision: Names = Field((), description="known at the moment of the prediction")
    after: Names = Field((), description="known only afterwards: never shown to a model")


class Split(Part):
    """How rows are set apart, so that the test looks like the use."""

    scheme: Scheme | None = Field(None, description="kfold, stratified, forward (in time), leave_one_out (one group of `by` each), predefined (column `by`)")
    by: str | None = Field(None, description="forward: a column of periods, or season, year, quarter, month, week or day of `time`; leave_one_out, predefined: the column")
    together: str | None = Field(None, description="rows that share this column's value never straddle a split; also the unit of every interval")
    folds: int | None = Field(None, ge=2, le=1000, description="number of folds")
    repeats: int | None = Field(None, ge=1, le=100, description="how often kfold or stratified is repeated with other folds")
    gap: str | None = Field(None, pattern=rf"^{DURATION.pattern}$", description="forward: rows this close before the test are left out, e.g. 1d")
    holdout: Annotated[float | Names | None, Field(description="set aside from everything: a share of the rows, or values of `by`")] = None

    @model_validator(mode="after")
    def _share(self) -> Split:
        if isinstance(self.holdout, float) and not 0 < self.holdout < 1:
            raise ValueError(f"holdout: must be a share between 0 and 1, but is {self.holdout:g}")
        return self


class Entry(Part):
    """One row of families: which family, under which name, with which fixed values and grids."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    family: str | None = Field(None, description="the family, where the name is your own")
    file: str | None = Field(None, description="a file of the problem's own folder that holds a FAMILY")
    factory: str | None = Field(None, description="FILE:FUNCTION that returns a scikit-learn estimator")
    params: Mapping[str, Scalar | None | tuple[Scalar | None, ...]] = Field(default_factory=dict, description="a value fixes it, a list is a grid")


class Search(Part):
    """How much is tried."""

    trials: int = Field(10, ge=0, le=1000, description="hyperparameter settings tried per family beside its default")


class Track(Part):
    """Where results go."""

    uri: str | None = Field(None, description="an MLflow tracking server or database; an own database under mlruns/ where not given")
    experiment: str | None = Field(None, description="name of the MLflow experiment; the problem's name where not given")


def _entries(value: Any) -> Any:
    """Read the forms of a families entry: `tree`, `{tree: {max_depth: 3}}`, `./mine.py`, `{mine: model.py:make}`."""
    return tuple(_entry(item) for item in value) if isinstance(value, list | tuple) else value


def _entry(item: Any) -> Any:
    if isinstance(item, str):
        own = item.endswith(".py")
        return {"name": re.sub(r"\W", "_", item.removesuffix(".py").rpartition("/")[2]), "file": item} if own else {"name": item, "family": item}
    if isinstance(item, dict) and len(item) == 1:
        [(name, body)] = item.items()
        if isinstance(body, str):
            return {"name": name, "factory": body}
        if body is None:
            return {"name": name, "family": name}
        if isinstance(body, dict):
            params = {key: tuple(value) if isinstance(value, list) else value for key, value in body.items() if key not in ("family", "file")}
            where = {key: body[key] for key in ("family", "file") if key in body} or {"family": name}
            return {"name": name, **where, "params": params}
    return item


class Problem(Part):
    """A problem as its author wrote it. Only `data` and `target` are required."""

    schema_: Literal["piste/1"] = Field("piste/1", alias="schema", description="version of this format")
    problem: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", description="short name; the folder's name where not given")
    question: str | None = Field(None, description="the question in plain words")
    data: Data = Field(description="where the rows are")
    target: Target = Field(description="what is predicted")
    columns: dict[str, ColumnKind] = Field(default_factory=dict, description="kinds of columns that inference gets wrong; drop leaves one out")
    weight: str | None = Field(None, description="column of row weights, >= 0")
    time: str | None = Field(None, description="column that says when a row happened")
    unit: Names = Field((), description="columns that together name one row")
    known_at: KnownAt = Field(default_factory=KnownAt, description="when each column is known")
    add: dict[str, str | float | int] = Field(default_factory=dict, description="derived columns: a name and an expression")
    split: Split = Field(default_factory=Split, description="how rows are set apart")
    baselines: dict[str, str | float | int] = Field(default_factory=dict, description="rules to beat: a name and an expression, e.g. mean(count) by run and hour")
    families: Annotated[tuple[Entry, ...], BeforeValidator(_entries)] | None = Field(None, min_length=1, description="kinds of models; their order is the order of preference")
    framings: Names | None = Field(None, min_length=1, description="ways to ask: mean, distribution, classes")
    metric: str | None = Field(None, description="what ranks the models, by scikit-learn's name")
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
