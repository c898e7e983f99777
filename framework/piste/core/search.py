"""Candidates: which hyperparameters of a family are tried, in which order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from piste.core.errors import Fault, either, near
from piste.core.family import Dimension, Params, Space, Value
from piste.core.problem import Entry, Problem

MOST_GRID = 1000  # settings of a grid of the user's own
TUNED = "tuned"  # the only parameter of a candidate that is chosen inside the training rows: from how many settings

Key = tuple[str, str, int]  # framing, entry and number: a candidate within a comparison


@dataclass(frozen=True, slots=True)
class Candidate:
    """A framing, an entry of `families:` and hyperparameters; number 0 is the entry's default.

    Where there are `points`, the hyperparameters are one of these, chosen inside the training rows of each fold; `params` then only
    says how many there are.
    """

    framing: str
    entry: str
    number: int
    params: Params
    points: tuple[Params, ...] = ()

    @property
    def key(self) -> Key:
        """Name the candidate within a comparison."""
        return self.framing, self.entry, self.number


def settings(space: Space, entry: Entry, trials: int, seed: int) -> list[dict[str, Value]]:
    """Return the hyperparameters to try: the best-known default first, then a grid of the user's own or drawn ones.

    Drawn ones follow a scrambled Sobol sequence, so that more trials only append to fewer.

    Args:
        space: of the family for the task.
        entry: fixed values and grids of the user's own.
        trials: how many beside the default; a grid is tried whole.
        seed: of the sequence.
    """
    fixed = {name: value for name, value in entry.params.items() if not isinstance(value, tuple)}
    grids = {name: value for name, value in entry.params.items() if isinstance(value, tuple)}
    start = {name: dimension.default for name, dimension in space.items()} | fixed
    if grids:
        points = [start | dict(zip(grids, values, strict=True)) for values in itertools.product(*grids.values())]
    else:
        free = [name for name in space if name not in fixed]
        points = [start] + [start | drawn for drawn in _draw({name: space[name] for name in free}, trials, seed)]
    unique: dict[tuple[tuple[str, Value], ...], dict[str, Value]] = {}
    for point in points:
        kept = live(space, point)
        unique.setdefault(tuple(sorted(kept.items())), kept)
    return list(unique.values())


def candidates(framing: str, entry: Entry, space: Space, trials: int, seed: int, *, tuned: bool) -> list[Candidate]:
    """Return the candidates of a framing x entry, the default first.

    Args:
        framing: as the problem names it.
        entry: fixed values and grids of the author's own.
        space: of the family for the task.
        trials: how many settings beside the default.
        seed: of the sequence that they are drawn from.
        tuned: whether the family chooses among drawn settings inside the training rows: they are then one candidate. What the
            author has listed is asked for one by one, and stays so.
    """
    points = settings(space, entry, trials, seed)
    if not tuned or len(points) == 1 or any(isinstance(value, tuple) for value in entry.params.values()):
        return [Candidate(framing, entry.name, number, point) for number, point in enumerate(points)]
    return [Candidate(framing, entry.name, 0, points[0]), Candidate(framing, entry.name, 1, {TUNED: len(points)}, tuple(points))]


def live(space: Space, point: Mapping[str, Value]) -> dict[str, Value]:
    """Keep the parameters that exist beside the others' values (`Dimension.when`)."""
    kept = dict(point)
    for _ in space:  # a parameter that goes may take others with it
        kept = {
            name: value
            for name, value in kept.items()
            if name not in space or all(on in kept and kept[on] in values for on, values in space[name].when.items())
        }
    return kept


def _draw(space: Space, n: int, seed: int) -> list[dict[str, Value]]:
    if not space or n == 0:
        return []
    from scipy.stats import qmc

    points = qmc.Sobol(len(space), scramble=True, rng=np.random.default_rng([seed, 3])).random_base2(max(1, int(np.ceil(np.log2(n)))))
    return [{name: _at(dimension, float(u)) for (name, dimension), u in zip(space.items(), point, strict=True)} for point in points[:n]]


def _at(dimension: Dimension, u: float) -> Value:
    """Return the value at the share u in [0, 1) of a dimension."""
    if dimension.choices:
        return dimension.choices[int(u * len(dimension.choices))]
    low, high = dimension.low, dimension.high + dimension.integer
    value = low * (high / low) ** u if dimension.log else low + u * (high - low)
    if dimension.integer:
        return int(min(np.floor(value), dimension.high))
    return float(f"{value:.4g}")  # what a row prints is what was fitted


def faults(problem: Problem, place: str, entry: Entry, space: Space) -> list[Fault]:
    """Return what is wrong with the hyperparameters of an entry, each at its line.

    Args:
        problem: for places.
        place: field of the entry, such as "families.2".
        entry: as written.
        space: of the family.
    """
    found = []
    size = 1
    for name, written in entry.params.items():
        field = f"{place}.{entry.name}.{name}"
        if name not in space:
            known = f"; it has {', '.join(space)}" if space else ""
            found.append(problem.fault(field, f"is not a hyperparameter of '{entry.family}'{known}.{near(name, space)}"))
            continue
        values = written if isinstance(written, tuple) else (written,)
        if not values:
            found.append(problem.fault(field, "must list at least one value, but the list is empty"))
        size *= max(1, len(values))
        if idle := _idle(space, entry, name):
            found.append(problem.fault(field, idle))
        found += [problem.fault(field, message) for value in values if (message := _wrong(space[name], value))]
    if size > MOST_GRID:
        found.append(problem.fault(place, f"must span at most {MOST_GRID:,} settings, but the grid has {size:,}"))
    return found


def _idle(space: Space, entry: Entry, name: str) -> str | None:
    """Say so where a hyperparameter has no effect beside any of the values that the others may take here."""
    for on, values in space[name].when.items():
        written = entry.params.get(on, space[on].default)
        if not set(values) & set(written if isinstance(written, tuple) else (written,)):
            return f"has no effect beside {on} '{written}'; add {on}: {values[0]}"
    return None


def _wrong(dimension: Dimension, value: Value) -> str | None:
    """Say what is wrong with a value of the user's own; beyond the usual range, or between the numbers drawn, is allowed."""
    if dimension.choices and not (dimension.integer or dimension.log):
        shown = either(dict.fromkeys("none" if c is None else str(c) for c in dimension.choices))
        return None if value in dimension.choices else f"must be {shown}, but is '{value}'.{near(value, map(str, dimension.choices))}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, but is '{value}'"
    if dimension.integer and value != int(value):
        return f"must be a whole number, but is {value}"
    if dimension.log and value <= 0:
        return f"must be above 0, but is {value}"
    if dimension.low >= 0 > value:
        return f"must be at least 0, but is {value}"
    return None
