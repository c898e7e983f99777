"""The tables of the comparison, each divided three times: rows to learn from, and a fifth that no method sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.sets import SHARED

SPLITS = 3
HELD_SHARE = 5  # one row in so many is held out
MOST_HELD = 10_000  # more would only cost time: the error of a mean over 10,000 rows is far below the differences shown
FLOOR = float(np.finfo(np.float32).eps)  # of a probability, the same for all: some compute in float32, where less is 0


@dataclass(frozen=True)
class Table:
    """A set, as a person would describe it to any method."""

    file: str
    target: str
    classes: bool = False
    drop: tuple[str, ...] = ()  # what would give the answer away, or is free text
    codes: tuple[str, ...] = ()  # categories that are written as numbers


TABLES = {
    "concrete": Table("data.csv", "strength"),
    "abalone": Table("data.csv", "rings"),
    "elevators": Table("data.csv", "Goal"),
    "california_housing": Table("housing.csv", "median_house_value"),
    "bike_hour": Table(
        "hour.csv",
        "cnt",
        drop=("instant", "dteday", "casual", "registered"),
        codes=("season", "mnth", "hr", "weekday", "weathersit"),
    ),
    "titanic": Table("titanic.csv", "survived", classes=True, drop=("name", "ticket", "cabin")),
    "segment": Table("data.csv", "class", classes=True),
    "phoneme": Table("data.csv", "Class", classes=True),
    "adult": Table("data.csv.gz", "income", classes=True, drop=("split",)),
}


@dataclass(frozen=True)
class Division:
    """One division of a set: numbers are floats, categories and labels are texts, and what is missing is missing."""

    name: str
    categories: tuple[str, ...]  # columns that hold them
    labels: tuple[str, ...]  # of classes, in the order of their codes; empty for a number
    X: pd.DataFrame  # (n_train, n_features)
    y: np.ndarray  # (n_train,) numbers, or codes of classes
    X_held: pd.DataFrame  # (n_held, n_features)
    y_held: np.ndarray  # (n_held,)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the columns that hold numbers."""
        return tuple(name for name in self.X if name not in self.categories)

    def levelled(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return both parts with categories of pandas' own kind, which the rows to learn from know; any other is missing."""
        kinds = {name: pd.CategoricalDtype(sorted(self.X[name].dropna().unique())) for name in self.categories}

        def known(part: pd.DataFrame) -> pd.DataFrame:
            return part.assign(
                **{name: pd.Categorical(part[name].where(part[name].isin(kind.categories)), dtype=kind) for name, kind in kinds.items()}
            )

        return known(self.X), known(self.X_held)

    def errors(self, prediction: np.ndarray) -> dict[str, float]:
        """Judge predictions of the held-out rows; lower is better.

        Args:
            prediction: (n_held,) numbers, or (n_held, n_labels) probabilities in the order of the labels.

        Returns:
            error: root of the mean squared error in standard deviations of the held-out target, or log loss; of classes also
            error_rate.

        Raises:
            ValueError: it is not of that shape, or not finite.
        """
        expected = (len(self.y_held), len(self.labels)) if self.labels else self.y_held.shape
        if prediction.shape != expected or not np.isfinite(prediction).all():
            raise ValueError(f"prediction must be finite and of shape {expected}, but {prediction.shape=}")
        if not self.labels:
            return {"error": float(np.sqrt(np.mean((self.y_held - prediction) ** 2)) / np.std(self.y_held))}
        shares = np.clip(np.asarray(prediction, dtype=float), FLOOR, 1.0)
        came = (shares / shares.sum(axis=1, keepdims=True))[np.arange(len(shares)), self.y_held]
        return {"error": float(-np.log(came).mean()), "error_rate": float(np.mean(prediction.argmax(axis=1) != self.y_held))}


def divided(name: str, split: int, rows: int) -> Division:
    """Divide a set.

    Args:
        name: of the set.
        split: which division: 0, 1 or 2.
        rows: at most so many to learn from; fewer does not change which rows are held out.
    """
    about = TABLES[name]
    return divide(name, about, pd.read_csv(SHARED / name / about.file), split, rows)


def divide(name: str, about: Table, frame: pd.DataFrame, split: int, rows: int) -> Division:
    """Divide a table that has been read, as `divided`."""
    frame = frame.drop(columns=[*about.drop])
    frame = frame.iloc[np.random.default_rng([split, 2025]).permutation(len(frame))].reset_index(drop=True)
    texts = frame.pop(about.target)
    labels = tuple(sorted(texts.astype(str).unique())) if about.classes else ()
    y = pd.Categorical(texts.astype(str), categories=labels).codes.astype(int) if about.classes else texts.to_numpy(float)
    categories = tuple(each for each in frame if each in about.codes or not pd.api.types.is_numeric_dtype(frame[each]))
    frame = pd.DataFrame({each: _texts(frame[each]) if each in categories else frame[each].astype(float) for each in frame})
    held = len(frame) // HELD_SHARE
    train, judged = slice(held, held + rows), slice(0, min(held, MOST_HELD))
    assert not labels or len(np.unique(y[train])) == len(labels), f"{name}: the rows to learn from must hold every class"
    learnt, kept = (frame.iloc[part].reset_index(drop=True) for part in (train, judged))
    return Division(name, categories, labels, learnt, y[train], kept, y[judged])


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(str).astype(object).where(column.notna(), None)


def here(name: str) -> Path | None:
    """Return where a set is; None where it is not there."""
    file = SHARED / name / TABLES[name].file
    return file if file.exists() else None
