"""Targets in a list as one: a row for each row and target, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core.problem import OUTPUT as OUTPUT
from piste.core.problem import Problem

ROW = "row"  # column of the long table: which row of the file it came from


@dataclass(frozen=True, slots=True)
class Melt:
    """Which targets a value may be of, and its unit: value = (target - centre) / scale. Plain values."""

    names: tuple[str, ...]  # of the targets
    centres: tuple[float, ...]
    scales: tuple[float, ...]

    @staticmethod
    def plain(names: tuple[str, ...]) -> Melt:
        """Keep every target in its own unit."""
        return Melt(names, (0.0,) * len(names), (1.0,) * len(names))

    @staticmethod
    def alike(targets: pd.DataFrame) -> Melt:
        """Count targets alike, whatever their units: in standard deviations from the mean of each.

        So errors are in standard deviations, R2 over all values is the mean of the targets' own (scikit-learn's
        `uniform_average`), and a model of all targets at once gives none of them more of its attention. The unit is that
        of the table, the same for all rows: it is part of the question, and nothing is learnt by it.

        Args:
            targets: (n_rows, n_targets) without missing values, none of them constant.
        """
        numbers = targets.to_numpy(dtype=float)
        return Melt(tuple(map(str, targets)), tuple(numbers.mean(axis=0).tolist()), tuple(numbers.std(axis=0).tolist()))

    def rows(self, frame: pd.DataFrame, numbers: np.ndarray | None = None) -> pd.DataFrame:
        """Return every row once for each target, in turn, with ROW and OUTPUT: (n_rows * n_targets, n_columns + 2).

        Args:
            frame: (n_rows, n_columns) without the targets.
            numbers: (n_rows,) what ROW calls each row; from 1 where not given.
        """
        names = np.arange(1, len(frame) + 1) if numbers is None else numbers
        origin = np.repeat(np.arange(len(frame)), len(self.names))
        long = frame.iloc[origin].reset_index(drop=True)
        long[ROW] = pd.Series(names[origin]).astype("str")
        long[OUTPUT] = pd.Series(np.tile(np.array(self.names, dtype=object), len(frame)), dtype="str")
        return long

    def values(self, targets: pd.DataFrame) -> np.ndarray:
        """Return the value of each long row, (n_rows * n_targets,), from (n_rows, n_targets) in their own units."""
        return np.asarray(((targets[[*self.names]].to_numpy(dtype=float) - self.centres) / self.scales).ravel())

    def back(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Return one line per row, (n_rows, n_columns * n_targets), in each target's own unit, from one per long row.

        "prediction" takes the name of its target; another column stands behind it, "cooling q95".
        """
        columns: dict[str, Any] = {}
        for number, (name, centre, scale) in enumerate(zip(self.names, self.centres, self.scales, strict=True)):
            of = answers.iloc[number :: len(self.names)].reset_index(drop=True)
            for column, values in of.items():  # of texts there are only such as need no unit: actions and levels
                own = values * scale + centre if pd.api.types.is_float_dtype(values) else values
                columns[name if column == "prediction" else f"{name} {column}"] = own
        return pd.DataFrame(columns)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> Melt:
        """Read what `to_json` wrote."""
        return Melt(*(tuple(state[name]) for name in ("names", "centres", "scales")))


def targets(problem: Problem) -> tuple[str, ...]:
    """Return the columns that are predicted."""
    return problem.target.columns or (problem.target.column,)


def settled(problem: Problem) -> Problem:
    """Return a problem as its long table is asked; the same where it has one target.

    The unit has OUTPUT beside what named a row, and the rows that one row became stand or fall together: by ROW, where
    nothing that the problem says holds them together already.
    """
    if not problem.target.columns:
        return problem
    split = problem.split
    forward = problem.time is not None and split.scheme in (None, "forward")  # rows of one time are never torn apart
    by_group = split.by is not None and split.scheme in (None, "leave_one_out")
    if split.scheme == "leave_one_out" and split.by is None:
        split = split.model_copy(update={"by": ROW})
    elif split.together is None and not (forward or by_group):
        split = split.model_copy(update={"together": ROW})
    unit = problem.unit or ((problem.time,) if problem.time else (ROW,))
    return problem.model_copy(update={"unit": unit if OUTPUT in unit else (*unit, OUTPUT), "split": split})
