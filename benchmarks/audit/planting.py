"""How a fault gets into a table: small functions of (rows, problem, luck) that return both with the fault in them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

Problem = dict[str, Any]
Plant = Callable[[pd.DataFrame, Problem, np.random.Generator], tuple[pd.DataFrame, Problem]]
Make = Callable[[pd.DataFrame, np.random.Generator], Any]  # the values of a column: numbers or texts, one for each row


def number(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column as numbers, (n_rows,); NaN where a cell holds none."""
    return pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)


def written(values: Any) -> np.ndarray:
    """Return values as a file has them, (n_rows,) of texts: numbers with up to ten digits, a missing one empty."""
    array = np.asarray(values)
    if array.dtype.kind in "OUT":
        return array.astype(object)
    return np.array(["" if np.isnan(value) else f"{value:.10g}" for value in array.astype(float)], dtype=object)


def group_means(frame: pd.DataFrame, by: str | list[str], values: np.ndarray) -> pd.Series:
    """Return each row's mean of its group, its own value included."""
    return pd.Series(values, index=frame.index).groupby([frame[name] for name in ([by] if isinstance(by, str) else by)]).transform("mean")


def some(n_rows: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a share of the rows, drawn at random, ascending."""
    return np.sort(rng.choice(n_rows, size=round(share * n_rows), replace=False))


def noisy(values: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return values with normal noise of a share of their own spread."""
    return values + rng.normal(0.0, share * np.nanstd(values), len(values))


def sets(column: str, make: Make) -> Plant:
    """Add a column, or write over one."""

    def plant(frame: pd.DataFrame, problem: Problem, rng: np.random.Generator) -> tuple[pd.DataFrame, Problem]:
        return frame.assign(**{column: written(make(frame, rng))}), problem

    return plant


def puts(column: str, where: Callable[[pd.DataFrame, np.random.Generator], np.ndarray], make: Make) -> Plant:
    """Write over some cells of a column: `where` gives row numbers or a mask, `make` the values of all rows."""

    def plant(frame: pd.DataFrame, problem: Problem, rng: np.random.Generator) -> tuple[pd.DataFrame, Problem]:
        cells = frame[column].to_numpy(dtype=object).copy()
        rows = where(frame, rng)
        cells[rows] = written(make(frame, rng))[rows]
        return frame.assign(**{column: cells}), problem

    return plant


def rows(change: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]) -> Plant:
    """Change which rows there are."""

    def plant(frame: pd.DataFrame, problem: Problem, rng: np.random.Generator) -> tuple[pd.DataFrame, Problem]:
        return change(frame, rng).reset_index(drop=True), problem

    return plant


def says(**keys: Any) -> Plant:
    """Write keys of the problem: a mapping is laid over the one that is there, None takes the key away."""

    def plant(frame: pd.DataFrame, problem: Problem, rng: np.random.Generator) -> tuple[pd.DataFrame, Problem]:
        return frame, laid_over(problem, keys)

    return plant


def laid_over(problem: Mapping[str, Any], keys: Mapping[str, Any]) -> Problem:
    """Return a mapping with another laid over it, key by key; None takes a key away."""
    found = copy.deepcopy(dict(problem))
    for name, value in keys.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(found.get(name), Mapping):
            found[name] = laid_over(found[name], value)
        else:
            found[name] = copy.deepcopy(value)
    return found


def undeclares(*columns: str) -> Plant:
    """Say nothing any more of when some columns are known."""

    def plant(frame: pd.DataFrame, problem: Problem, rng: np.random.Generator) -> tuple[pd.DataFrame, Problem]:
        known = {when: [name for name in names if name not in columns] for when, names in problem["known_at"].items()}
        return frame, {**copy.deepcopy(problem), "known_at": {when: names for when, names in known.items() if names}}

    return plant


def vouches(column: str) -> Plant:
    """Say that a column is known at the decision."""

    def plant(frame: pd.DataFrame, problem: Problem, rng: np.random.Generator) -> tuple[pd.DataFrame, Problem]:
        found = copy.deepcopy(problem)
        found["known_at"].setdefault("decision", []).append(column)
        return frame, found

    return plant


def both(*plants: Plant) -> Plant:
    """Do one thing after the other."""

    def plant(frame: pd.DataFrame, problem: Problem, rng: np.random.Generator) -> tuple[pd.DataFrame, Problem]:
        for each in plants:
            frame, problem = each(frame, problem, rng)
        return frame, problem

    return plant


def repeated(frame: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with a share of them a second time, at random places."""
    again = frame.iloc[some(len(frame), share, rng)]
    whole = pd.concat([frame, again])
    return whole.iloc[rng.permutation(len(whole))]


def jittered(frame: pd.DataFrame, share: float, scale: float, columns: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with a share of them a second time, some columns moved by a share of their spread."""
    again = frame.iloc[some(len(frame), share, rng)].copy()
    for column in columns:
        spread = np.nanstd(number(frame, column))
        values = number(again, column) + rng.normal(0.0, scale * spread, len(again))
        again[column] = np.array([f"{value:.15g}" for value in values], dtype=object)
    whole = pd.concat([frame, again])
    return whole.iloc[rng.permutation(len(whole))]


def next_of(frame: pd.DataFrame, column: str, by: str | None = None) -> np.ndarray:
    """Return the value of the row that follows, within each group of `by`; the last keeps its own."""
    values = pd.Series(number(frame, column), index=frame.index)
    following = values.groupby(frame[by]).shift(-1) if by else values.shift(-1)
    return following.fillna(values).to_numpy()


def rolled(frame: pd.DataFrame, column: str, width: int, *, by: str | None = None, centred: bool = False) -> np.ndarray:
    """Return the mean of a window of rows that holds the row itself; of those there are, at the ends."""
    values = pd.Series(number(frame, column), index=frame.index)

    def mean(part: pd.Series) -> pd.Series:
        return part.rolling(width, min_periods=1, center=centred).mean()

    return (values.groupby(frame[by]).transform(mean) if by else mean(values)).to_numpy()
