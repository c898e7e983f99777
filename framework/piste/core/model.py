"""A fitted model, whole: a typed frame in, predictions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core.decision import NegativeBinomial
from piste.core.family import Kind, Task
from piste.core.features import Encoding, expand


@dataclass(frozen=True, slots=True)
class Member:
    """One fitted estimator with the encoding of its matrix; a blend has several."""

    weight: float
    family: str
    encoding: Encoding
    estimator: Any


@dataclass(frozen=True, slots=True)
class Model:
    """What is shipped: how rows become a matrix, and the estimators that read it."""

    title: str
    framing: str
    kind: Kind
    target: str
    labels: tuple[str, ...]
    features: tuple[str, ...]  # columns of the typed frame that are expanded
    also: tuple[str, ...]  # further columns that a rule reads
    dispersion: float | None  # of counts; None where the framing gives no distribution
    members: tuple[Member, ...]

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """Return (n_rows,) means or (n_rows, n_classes) probabilities of a typed frame."""
        expanded = expand(frame, self.features)
        rules = rule_columns(frame, expanded, self.also)
        total: np.ndarray | float = 0.0
        for member in self.members:
            matrix = pd.concat([expanded, rules], axis=1) if member.encoding.matrix == "raw" else expanded
            total = total + member.weight * predict(self.task, member.estimator, member.encoding.apply(matrix))
        return np.asarray(total)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return one line per row: `prediction`, and what is known of its uncertainty.

        That is, for a distribution the quantiles `q05` and `q95`, and for classes the probability of each.
        """
        raw = self.raw(frame)
        if self.kind == "classes":
            label = np.array(self.labels)[raw.argmax(axis=1)]
            shares = {f"P({name})": raw[:, code] for code, name in enumerate(self.labels)}
            return pd.DataFrame({"prediction": label, **shares}, index=frame.index)
        if self.dispersion is None:
            return pd.DataFrame({"prediction": raw}, index=frame.index)
        spread = NegativeBinomial(np.maximum(raw, 0.0), self.dispersion)
        return pd.DataFrame({"prediction": raw, "q05": spread.quantile(0.05), "q95": spread.quantile(0.95)}, index=frame.index)


def rule_columns(frame: pd.DataFrame, expanded: pd.DataFrame, also: Sequence[str]) -> pd.DataFrame:
    """Return what rules read beside the features: further columns as they are, and their calendar parts."""
    both = pd.concat([expand(frame, also), frame[[*also]]], axis=1)
    return both.loc[:, ~both.columns.duplicated() & ~both.columns.isin(expanded.columns)]


def predict(task: Task, estimator: Any, X: Any) -> np.ndarray:
    """Predict with one estimator: (n_rows,) means, or what the task asks for in columns: outputs, quantiles, probabilities.

    Raises:
        FloatingPointError: a prediction is not a finite number.
    """
    found: np.ndarray
    if task.kind == "classes":
        found = np.zeros((len(X), task.n_classes))
        found[:, np.asarray(estimator.classes_, dtype=int)] = estimator.predict_proba(X)
    else:
        width = len(task.levels) if task.kind == "quantiles" else task.n_outputs
        found = np.asarray(estimator.predict(X), dtype=float).reshape((len(X), width) if width > 1 else len(X))
        if task.kind == "distribution":
            found = np.maximum(found, 0.0)
    if bad := int((~np.isfinite(found)).any(axis=tuple(range(1, found.ndim))).sum()):
        raise FloatingPointError(f"predicted no finite number for {bad:,} of {len(found):,} rows")
    return found


@dataclass(frozen=True, slots=True)
class Constant:
    """The only class that the training rows held, whatever the row."""

    code: int

    @property
    def classes_(self) -> np.ndarray:
        """Return the class."""
        return np.array([self.code])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Be certain of it."""
        return np.ones((len(X), 1))
