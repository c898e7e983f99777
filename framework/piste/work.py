"""What a worker does: fit one cell, or fit one row of the leaderboard on all rows."""

from __future__ import annotations

import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from piste.core import expression
from piste.core.errors import PisteError
from piste.core.family import Family, Params
from piste.core.fit import Predicted, Study, fit_cell, refit
from piste.core.layout import Layout
from piste.core.model import Model, Question
from piste.core.plan import Cell
from piste.core.problem import Entry
from piste.edges.models import pack, read_model
from piste.edges.own import own_family
from piste.families import family
from piste.framings import framings

TIMED = 20  # answers to one row


def kin(entry: Entry, folder: Path) -> Family:
    """Return the family of an entry: one of piste's, or one of the problem's own folder."""
    return own_family(entry, folder) if entry.file or entry.factory else family(entry.family or entry.name)


def compute(study: Study, cell: Cell, entry: Entry, folder: Path) -> list[Predicted]:
    """Fit a cell in a worker process."""
    return fit_cell(study, cell, kin(entry, folder), framings()[study.forms[cell.framing].framing], time.perf_counter)


@dataclass(frozen=True, slots=True)
class Share:
    """One member of what is refitted."""

    weight: float
    entry: Entry
    params: Params
    points: tuple[Params, ...] = ()  # from which it is chosen inside the training rows, where it is


@dataclass(frozen=True, slots=True)
class Refitted:
    """A row of the leaderboard fitted on every row but the holdout."""

    packed: bytes  # empty where it cannot be stored; then `reason` says why
    reason: str
    history: dict[str, np.ndarray]  # per epoch, of a network
    example: Any  # DataFrame: what it answers to the first rows, for the signature; None where there is no model
    inputs: tuple[str, ...] = ()  # columns that a caller must send
    latency_ms: float = float("nan")  # of one row, the 95th percentile of a few times
    key: str = ""  # in the store


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which row is refitted, and what its model says of itself."""

    question: Question
    members: tuple[Share, ...]

    def alone(self) -> tuple[Wanted, ...]:
        """Return each member as a model of its own."""
        return tuple(Wanted(replace(self.question, title=share.entry.name), (replace(share, weight=1.0),)) for share in self.members)


def fit_model(study: Study, wanted: Wanted, folder: Path) -> Model:
    """Fit a row of the leaderboard on every row but the holdout."""
    ask = wanted.question
    members = [
        refit(study, kin(each.entry, folder), ask.framing, ask.asked, each.params, each.weight, each.points) for each in wanted.members
    ]
    return Model(ask, tuple(members))


def compute_model(study: Study, wanted: Wanted, layout: Layout, sample: Any, folder: Path) -> Refitted:
    """Refit in a worker process, and pack the model.

    Args:
        study: table and folds.
        wanted: what to fit.
        layout: of the rows that the model will be given.
        sample: a few typed rows, to show what it answers.
        folder: of the problem.
    """
    return _packed(fit_model(study, wanted, folder), layout, _families(wanted, folder), sample)


def join_models(packed: Sequence[bytes], wanted: Wanted, layout: Layout, sample: Any, folder: Path) -> Refitted:
    """Make a blend of models that are fitted already.

    Args:
        packed: one model for each member of what is wanted, in order.
        wanted: the blend.
        layout: of the rows that it will be given.
        sample: a few typed rows, to show what it answers.
        folder: of the problem.
    """
    models = [read_model(each)[0] for each in packed]
    members = tuple(replace(model.members[0], weight=share.weight) for model, share in zip(models, wanted.members, strict=True))
    return _packed(Model(wanted.question, members), layout, _families(wanted, folder), sample)


def _families(wanted: Wanted, folder: Path) -> dict[str, Family]:
    return {family.name: family for family in (kin(each.entry, folder) for each in wanted.members)}


def _packed(model: Model, layout: Layout, families: dict[str, Family], sample: Any) -> Refitted:
    layout = layout.requiring(model.question.columns)
    estimators = [estimator for member in model.members for estimator in member.estimators]
    history = next((dict(found) for each in estimators if (found := getattr(each, "history_", None))), {})
    answer = model.predict(sample)
    one = sample.iloc[:1]
    latency_ms = 1000 * float(np.quantile([_timed(model, one) for _ in range(TIMED)], 0.95))
    inputs = tuple(slot.name for slot in layout.slots if slot.required and not slot.expression)
    try:
        return Refitted(pack(model, layout, families), "", history, answer, inputs, latency_ms)
    except PisteError as error:
        return Refitted(b"", str(error), history, answer, inputs, latency_ms)


def _timed(model: Model, rows: Any) -> float:
    """Return how long an answer takes, in seconds."""
    start = time.perf_counter()
    model.predict(rows)
    return time.perf_counter() - start


def needed(shares: Sequence[Share], columns: Container[str], target: str) -> tuple[str, ...]:
    """Return the columns that the rules among the members read, beside the features.

    Args:
        shares: the members.
        columns: of the table; any other name is a calendar part of one, such as "date.weekday".
        target: is never read.
    """
    found: dict[str, None] = {}
    for params in (share.params for share in shares):
        keys = [key if key in columns else key.rpartition(".")[0] for key in str(params.get("by") or "").split("+") if key]
        written = sorted(expression.columns(expression.parse(str(params["expression"])))) if "expression" in params else []
        found |= dict.fromkeys([*keys, *([str(params["time"])] if "time" in params else []), *written])
    return tuple(name for name in found if name != target)
