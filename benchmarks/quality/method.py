"""What a method of the comparison is: how it learns from rows and predicts others, and all that determines the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from benchmarks.quality.tables import Division


@dataclass(frozen=True)
class Answer:
    """Predictions of the held-out rows."""

    row: str  # of the table of results; a method may give more than one
    prediction: np.ndarray  # (n_held,) numbers, or (n_held, n_labels) probabilities
    note: str = ""  # what was chosen


@dataclass(frozen=True)
class Method:
    """A way to learn from tables."""

    name: str
    rows: Mapping[str, str]  # of the table of results, by name: what each is called
    packages: Sequence[str]  # whose versions may change a number; the method is left out where one is not installed
    settings: Mapping[str, Any]
    fit: Callable[[Division, Mapping[str, Any], int], list[Answer]]  # division, settings and seed

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the packages that are not installed."""
        return tuple(name for name in self.packages if not _version(name))

    def determined_by(self) -> dict[str, Any]:
        """Return what determines an outcome beside the rows."""
        return {"settings": dict(self.settings), "versions": {name: _version(name) for name in self.packages}}


def _version(package: str) -> str:
    """Return the version of a package without its local label; empty where it is not installed."""
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return ""
