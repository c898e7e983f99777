"""The schema of problem.yaml, as frozen pydantic models."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic.json_schema import SkipJsonSchema

from piste.core.ask import LEVEL, Ask, Asks, whole
from piste.core.cost import Budget, Decision, EventCost, MatrixCost, QuantityCost, decision_shape, short_budget
from piste.core.errors import Fault, Place, either, near
from piste.core.part import (
    DURATION,
    ColumnName,
    Duration,
    Expression,
    Function,
    Is,
    Names,
    OwnFile,
    OwnName,
    Part,
    Positive,
    Scalar,
    Text,
    listed,
    once,
    refuse,
    shown,
    text,
)

__all__ = [
    "BLEND",
    "DURATION",
    "LATER",
    "LEVEL",
    "OUTPUT",
    "SEEN",
    "SEVERAL",
    "Acknowledgement",
    "Amount",
    "Ask",
    "Budget",
    "Bundled",
    "ColumnKind",
    "Constraints",
    "Data",
    "Decision",
    "Entry",
    "EventCost",
    "Is",
    "KnownAt",
    "Levels",
    "MatrixCost",
    "Part",
    "Problem",
    "QuantityCost",
    "Scheme",
    "Search",
    "Slices",
    "Split",
    "Success",
    "Target",
    "TargetKind",
    "Track",
    "amount",
    "decision_shape",
    "located",
    "short_budget",
    "short_data",
    "short_slices",
    "short_target",
    "whole",
]

TargetKind = Literal["numeric", "count", "binary", "category", "ordered"]
ColumnKind = Literal["number", "category", "boolean", "datetime", "identifier", "drop"]
Scheme = Literal["kfold", "stratified", "forward", "leave_one_out", "predefined"]
Bundled = Literal["iris", "diabetes", "digits", "wine", "breast_cancer", "linnerud"]

BLEND = "blend"  # an entry of `families` that no file of families/ holds: it is made of the others' predictions
SEVERAL, OUTPUT = "value", "output"  # of several targets, laid one below the other: their values, and which target each is of

# What the design has words for and nothing computes yet: refused as such, neither a misspelling nor ignored.
LATER = frozenset({"read"})
SEEN = r"(-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?|-?inf|nan)@[0-9a-f]{4}"  # the number of a finding, and what it is of
NO_MEANS = ("r2", "auc", "roc_auc", "f1", "precision", "recall", "average_precision", "balanced_accuracy", "mcc")


def _encoding(value: str) -> str:
    try:
        "".encode(value)
    except LookupError:
        known = ("utf-8", "utf-16", "latin-1", "cp1252", "iso-8859-15", "shift_jis", "gb18030")
        refuse(f"must be the name of an encoding, such as utf-8 or latin-1, but is '{value}'.{near(value, known)}")
    return value


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


def _rising(cuts: tuple[float, ...]) -> tuple[float, ...]:
    for before, after in pairwise(cuts):
        if after <= before:
            refuse(f"must rise, each once, but {after:g} follows {before:g}")
    return cuts


class Levels(Part):
    """The levels that a number is cut into."""

    of: Expression | None = Field(None, description="what is cut: an expression with the target in it; the target itself where not given")
    cuts: Annotated[
        tuple[float, ...],
        Field(min_length=1),
        BeforeValidator(
            lambda value: (value,) if isinstance(value, int | float) else listed(value), json_schema_input_type=tuple[float, ...]
        ),
        AfterValidator(_rising),
    ] = Field(description="the least value of each level but the lowest, rising")
    names: Annotated[tuple[Text, ...], BeforeValidator(listed), AfterValidator(once)] = Field(
        (), description="of the levels, lowest first: one more than there are cuts"
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the levels, lowest first; by their cuts where none are given.

        >>> Levels(cuts=(0.3, 0.55)).labels
        ('below 0.3', '0.3 to 0.55', 'from 0.55')
        """
        between = (f"{low:g} to {high:g}" for low, high in pairwise(self.cuts))
        return self.names or (f"below {self.cuts[0]:g}", *between, f"from {self.cuts[-1]:g}")


def _order(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(labels) < 2:
        refuse(f"must name every class, lowest first, and so at least two, but names {len(labels)}")
    return once(labels)


class Target(Part):
    """What is predicted."""

    column: ColumnName = Field(description="the column to predict")
    columns: Names = Field((), description="several columns of numbers to predict, each on its own; `column` then names them all together")
    kind: TargetKind | None = Field(
        None, description="numeric, count (whole, >= 0), binary, category or ordered (classes in an order); inferred where not given"
    )
    positive: Annotated[Scalar, Is("a text, a number, true or false")] | None = Field(
        None, description="the class that counts as yes (binary); the rarer one where not given"
    )
    order: Annotated[
        tuple[Annotated[str, Field(min_length=1), Is("a class: a text or a whole number")], ...],
        BeforeValidator(
            lambda value: tuple(map(text, value)) if isinstance(value, list | tuple) else value,
            json_schema_input_type=tuple[str | int, ...],
        ),
        AfterValidator(_order),
    ] = Field(
        (), description="the classes of an ordered target, lowest first; by number or alphabet where not given", validate_default=False
    )
    levels: Levels | None = Field(None, description="cuts a number into levels, which actions are priced by and classes are made of")
    delay: Duration | None = Field(None, description="how long after its time the target is known, e.g. 1d")
    proxy_for: Text | None = Field(None, description="what is really cared about, where the target only stands for it")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return short_target(value)

    @property
    def has_classes(self) -> bool:
        """Tell whether the author says that it is of classes."""
        return self.kind in ("binary", "category", "ordered") or self.positive is not None or bool(self.order)

    @property
    def n_levels(self) -> int | None:
        """Return how many levels or classes the author says there are; None where only the data can tell."""
        if self.levels is not None:
            return len(self.levels.cuts) + 1
        return len(self.order) or (2 if self.kind == "binary" or self.positive is not None else None)

    @model_validator(mode="after")
    def _several(self) -> Target:
        if len(self.columns) == 1:
            refuse(f"must name two columns or more in a list, but names one: write `target: {self.columns[0]}`")
        return self


def short_target(value: Any) -> Any:
    """Write the short forms of `target` out: the name of a column, or a list of such."""
    if isinstance(value, str):
        return {"column": value}
    if isinstance(value, list | tuple):
        if not value:
            refuse("must name a column, or several, but is empty")
        return {"column": SEVERAL, "columns": list(value)}
    return {"column": SEVERAL, **value} if isinstance(value, Mapping) and "columns" in value else value


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
    gap: Duration | None = Field(None, description="forward: rows this close before the test are left out, e.g. 1d")
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
            return {**value, "holdout": [text(each) for each in holdout]}
        return {**value, "holdout": text(holdout)} if isinstance(holdout, int) else value


class Entry(Part):
    """One row of families: which family, under which name, with which fixed values and grids."""

    name: OwnName
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
                f"must be {what}, but is {shown(entry['family'])}.{near(entry['family'], known) or ' There are ' + ', '.join(known) + '.'}"
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
        found = f"a mapping of {', '.join(map(str, value))}" if isinstance(value, Mapping) and value else shown(value)
        refuse(f"must be a name, or one name and its values, as in `tree: {{max_depth: 3}}`, but is {found}")
    [(name, body)] = value.items()
    if isinstance(body, str):
        return {"name": name, ("file" if body.endswith(".py") else "factory"): body}
    if body is None:
        return {"name": name, "family": name}
    if not isinstance(body, Mapping):
        refuse(f"must give '{name}' its values as a mapping, as in `{name}: {{max_depth: 3}}`, but gives {shown(body)}")
    where = {key: body[key] for key in ("family", "file", "factory") if key in body}
    if len(where) > 1:
        refuse(f"must be one of a family, a file and a factory, but '{name}' is {' and '.join(where)}")
    params = {key: tuple(grid) if isinstance(grid, list) else grid for key, grid in body.items() if key not in where}
    return {"name": name, **(where or {"family": name}), "params": params}


class Search(Part):
    """How much is tried."""

    trials: int = Field(10, ge=0, le=1000, description="hyperparameter settings tried per family beside its default")
    minutes: Annotated[float, Field(gt=0), Is("a number of minutes above 0")] | None = Field(
        None,
        description="at most so long a search, as if one worker computed it: an equal share for every family in every framing, which then "
        "tries fewer settings; no bound where not given",
    )
    seeds: int = Field(
        1, ge=1, le=20, description="under how many seeds each model is fitted whose fit draws at random; its loss is the mean of theirs"
    )


class Track(Part):
    """Where results go."""

    uri: Text | None = Field(None, description="an MLflow tracking server or database; an own database under mlruns/ where not given")
    experiment: Text | None = Field(None, description="name of the MLflow experiment; the problem's name where not given")


Percent = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)? ?%$"), Is("a percentage such as 25%")]
Amount = Annotated[
    Annotated[float, Field(ge=0)] | Annotated[str, Field(pattern=r"^(100|[0-9]{1,2}(\.[0-9]+)?) ?%$")],
    Is("a percentage from 0% to 100%, or an amount of 0 or more in the unit of the cost"),
]


def amount(written: str | float, of: float) -> float:
    """Return an amount as a number: a percentage is a share of something, a number is itself.

    >>> amount("10%", 80.0), amount(1.5, 80.0)
    (8.0, 1.5)
    """
    return float(written.removesuffix("%")) / 100 * of if isinstance(written, str) else float(written)


class Success(Part):
    """What a model must achieve."""

    beat: Text = Field("best_baseline", description="what to beat: best_baseline, or the name of a baseline")
    by: Amount = Field("5%", description="the smallest improvement worth shipping: a percentage, or an amount in the unit of the cost")
    same: Amount = Field("1%", description="a difference up to this is none; then the simpler model is preferred")
    confidence: Annotated[float, Field(ge=0.5, lt=1), Is("a number from 0.5 to below 1")] = Field(
        0.95, description="of every interval and claim"
    )
    worthwhile: Positive | None = Field(
        None, description="what even a perfect forecast must save a year, for the question to be worth asking"
    )


class Constraints(Part):
    """What a model must keep to in use."""

    latency_ms: Positive | None = Field(None, description="milliseconds that the prediction of one row may take")
    model_mb: Positive | None = Field(None, description="megabytes that the stored model may take")
    explainable: bool = Field(default=False, description="whether a person must be able to read the model")


class Slices(Part):
    """Where a model must not be much worse than overall."""

    columns: Names = Field(min_length=1, description="columns: each of their values is a slice of the rows")
    worse_than_overall: Percent = Field("25%", description="how much worse a slice may be")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return short_slices(value)


def short_slices(value: Any) -> Any:
    """Write the short form of `slices` out: the columns."""
    return {"columns": value} if isinstance(value, str | list | tuple) else value


def _known_metric(value: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("metrics")
    if value in NO_MEANS or value.removesuffix("_score") in NO_MEANS:
        tip = "it is shown beside; choose by rmse or mae (numbers), log_loss or brier (classes)"
        refuse(f"must be a mean over rows to rank models, but '{value}' is none: {tip}")
    if known and value not in known:
        refuse(f"must be {either(known)}, but is '{value}'.{near(value, known)}")
    return value


def _own_names(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    once(tuple(entry.name for entry in entries))
    return entries


Entries = Annotated[tuple[Entry, ...], BeforeValidator(listed), AfterValidator(_own_names)]


def _known_check(value: str, info: ValidationInfo) -> str:
    known: Mapping[str, bool] = (info.context or {}).get("checks", {})  # id -> whether it is exact
    if known and value not in known:
        refuse(f"must be the id of a check, as `piste check` prints it, but there is no '{value}'.{near(value, known)}")
    if known.get(value):
        refuse(f"must be a check that may be mistaken, but '{value}' is exact: mend what it finds")
    return value


def _one_thing(value: str) -> str:
    if value.strip() in ("", "*"):
        refuse(f"must be what one finding is about, as `piste check` prints it, but is {shown(value)}: not all at once")
    return value


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        refuse(f"must be a day, year first, such as 2027-11-01, but is {shown(value)}")


class Acknowledgement(Part):
    """A finding that somebody takes as it is, for a time."""

    check: Annotated[str, AfterValidator(_known_check), Is("the id of a check, such as L02")] = Field(
        description="the id of the check, such as L02"
    )
    on: Annotated[str, AfterValidator(_one_thing), Is("what the finding is about: one column, or what `piste check` prints")] = Field(
        min_length=1, description="what the finding is about: a column, or what `piste check` prints"
    )
    why: Annotated[str, Field(pattern=r"\S"), Is("the reason why the finding may stand")] = Field(description="why the finding may stand")
    by: Annotated[str, Field(pattern=r"\S"), Is("the name of whoever answers for it")] = Field(description="who answers for it")
    until: Annotated[str, AfterValidator(_day), Is("a day, year first, such as 2027-11-01")] = Field(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="the last day on which it counts, such as 2027-11-01"
    )
    seen: Annotated[str, Field(pattern=f"^{SEEN}$"), Is("what `piste check` prints of the finding, such as 0.83@3f2a")] | None = Field(
        None, description="what was seen, as `piste check` prints it: without it, or where it gets worse, the finding is open"
    )


class Problem(Part):
    """A problem as its author wrote it. Only `data` and `target` are required."""

    schema_: Literal["piste/1"] = Field("piste/1", alias="schema", description="version of this format")
    problem: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"), Is("a name of up to 100 letters, digits, - and _")] | None
    ) = Field(None, description="short name; the folder's name where not given")
    question: Text | None = Field(None, description="the question in plain words")
    data: Annotated[Data, Is("a path, sklearn:NAME, python:FILE.py:FUNCTION, or a mapping")] = Field(description="where the rows are")
    target: Annotated[Target, Is("a column, a list of columns, or a mapping with 'column', 'kind', 'levels' and others")] = Field(
        description="what is predicted"
    )
    decision: Decision | None = Field(None, description="what changes because of the prediction, and what mistakes cost")
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
    success: Success = Field(default_factory=Success, description="what a model must achieve")
    constraints: Constraints = Field(default_factory=Constraints, description="what a model must keep to in use")
    slices: Annotated[Slices, Is("a list of columns, or a mapping with 'columns' and 'worse_than_overall'")] | None = Field(
        None, description="where a model must not be much worse than overall"
    )
    families: Entries | None = Field(None, min_length=1, description="kinds of models; their order is the order of preference")
    framings: Asks | None = Field(
        None, min_length=1, description="ways to ask: names of framings, or your own names with how rows are shaped for each"
    )
    metric: Annotated[str, AfterValidator(_known_metric), Is("the name of a metric")] | None = Field(
        None, description="what ranks the models, by scikit-learn's name"
    )
    search: Search = Field(default_factory=Search, description="how much is tried")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="of everything random")
    acknowledge: Annotated[tuple[Acknowledgement, ...], BeforeValidator(listed)] = Field(
        (), description="findings that are taken as they are, each by somebody, for a reason and a time"
    )
    track: Track = Field(default_factory=Track, description="where results go")
    truth: Function | None = Field(
        None,
        description="of simulated data: FILE.py:FUNCTION(frame) -> (n_rows, n_draws) draws of the target given what is known; it is run",
    )

    _path: str = PrivateAttr("")
    _places: Mapping[str, Place] = PrivateAttr(default_factory=dict)
    _ends: Mapping[str, int] = PrivateAttr(default_factory=dict)

    @property
    def series(self) -> tuple[str, ...]:
        """Return the columns that together name a series of rows in time; none: all rows are one."""
        return tuple(name for name in self.unit if name != self.time)

    def fault(self, field: str, message: str, check: str = "") -> Fault:
        """Word a fault at a field such as "split.by": at its own line, or else at the nearest line above it.

        `check` names the check before training whose finding it is.
        """
        at = field
        while at and at not in self._places:
            at = at.rpartition(".")[0]
        return Fault(message, field, self._places.get(at, Place(self._path)), check)

    def stands(self, field: str) -> Place | None:
        """Return where the file says a field; None where it does not."""
        return self._places.get(field)

    def lines(self, key: str) -> tuple[int, int] | None:
        """Return the first and the last line of a key at the edge of the file; None where the file does not say it."""
        place = self._places.get(key)
        return (place.line, self._ends.get(key, place.line)) if place and place.line else None

    def written(self, *fields: str) -> str:
        """Return the first of some fields that its author wrote, as the short forms have it; the last where none is found."""
        return next((field for field in fields if field in self._places), fields[-1])

    def at(self, ask: Ask) -> str:
        """Return the field where an ask stands: "framings.with_lags" of a mapping, "framings.1" of a list."""
        place = f"framings.{(self.framings or ()).index(ask)}"
        named = f"framings.{ask.name}"
        return self.written(named, f"{place}.{ask.name}", place if ask.plain or self._places else named)


def located(problem: Problem, path: str, places: Mapping[str, Place], ends: Mapping[str, int] | None = None) -> Problem:
    """Return the problem with where its fields stand.

    Args:
        problem: as it was read.
        path: of its file.
        places: dotted names such as "families.2.tree" to places.
        ends: keys at the edge of the file to the last line of all that belongs to them.
    """
    problem._path = path
    problem._places = dict(places)
    problem._ends = dict(ends or {})
    return problem
