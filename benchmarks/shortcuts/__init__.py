"""Exact shortcuts of the families, each beside the loop that it replaces; a file here holds those of one family as SHORTCUTS."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Size = tuple[int, int]  # n_samples, n_features

SIZES: tuple[Size, ...] = ((500, 10), (5_000, 20), (50_000, 30))
FOLDS, FOLD_SEED = 5, 0


@dataclass(frozen=True)
class Pair:
    """Two ways to the same answer, on one table: what a person would run, and what piste runs."""

    loop: Callable[[], object]
    shortcut: Callable[[], np.ndarray]  # gives what it predicts of the judged rows
    exact: Callable[[], np.ndarray]  # the same numbers, slowly: the plain loop, converged; of shortcut()'s shape


@dataclass(frozen=True)
class Shortcut:
    """A shortcut and its loop."""

    name: str  # "ridge, 20 alphas"
    loop: str  # what it is measured against: "GridSearchCV(Ridge)"
    pair: Callable[[Size], Pair]  # makes the table too, which is not measured
    target: Mapping[Size, float | None]  # how many times less CPU time it should take, if that was set; its sizes are those measured
    tolerance: float  # of `exact`, relative and absolute


def all_shortcuts() -> list[Shortcut]:
    """Return what the files of this folder hold, in the order of their names."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return [each for name in names for each in importlib.import_module(f"{__name__}.{name}").SHORTCUTS]


def folds(y: np.ndarray, *, classes: bool = False) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the row numbers that each fold learns from and judges, as a shuffled GridSearchCV splits."""
    from sklearn.model_selection import KFold, StratifiedKFold

    splitter: Any = (StratifiedKFold if classes else KFold)(FOLDS, shuffle=True, random_state=FOLD_SEED)
    return list(splitter.split(y[:, None], y))
