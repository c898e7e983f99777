"""How a file from outside answers: by numbers, quantiles, classes or their probabilities."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from piste.core.data import Target
from piste.core.errors import PisteError, either, near
from piste.core.foldsheet import KEYS
from piste.core.framing import Framing
from piste.core.notation import shown
from piste.core.resolve import Resolved
from piste.core.sheet import Sheet

ANSWER = "prediction"
QUANTILE = re.compile(r"(?=.*[1-9])(q?0\.[0-9]+|q[0-9]{2}|q[0-9]{2}[1-9])")
ROUNDED = 0.01  # probabilities whose sum is off by no more were rounded; they are brought to 1


@dataclass(frozen=True, slots=True)
class Answer:
    """How the file answers: the framing, and the columns that hold the answers."""

    framing: Framing
    columns: Mapping[str, float | str]  # column -> "" of one answer, its level of a quantile, its class of a probability

    def values(self, sheet: Sheet, target: Target) -> np.ndarray:
        """Read the answers as a family of this framing's task would give them, (n_lines, ...)."""
        if self.framing.kind == "quantiles":
            given = np.stack([sheet.numbers(name) for name in self.columns], axis=1)
            return resampled(given, [*map(float, self.columns.values())], self.framing.levels)
        if self.framing.kind != "classes":
            return sheet.numbers(ANSWER)
        if ANSWER in self.columns:
            return _certain(sheet, target.classes)
        shares = {str(label): sheet.numbers(column) for column, label in self.columns.items()}
        return _probabilities(sheet, shares, target.classes, [*self.columns])


def answer_of(sheet: Sheet, resolved: Resolved, wanted: str | None, framings: Mapping[str, Framing]) -> Answer:
    """Tell how the file answers.

    Raises:
        PisteError: it does not, in more than one way, or in one that does not fit the target.
    """
    target = resolved.table.target
    fitting = {name: each for name, each in framings.items() if not each.cumulative and _fits(each, resolved)}
    if wanted is not None and wanted not in fitting:
        reason = framings[wanted].why_not(target) if wanted in framings else None
        why = f", which does not fit: {reason}" if reason else ""
        raise PisteError(f"--as must be {either(fitting)}, but is '{wanted}'{why}.{near(wanted, fitting)}")
    there = [str(name) for name in sheet.raw.frame]
    quantiles = {name: _level(name) for name in there if name not in KEYS and QUANTILE.fullmatch(name) and name not in target.classes}
    shares = {name: label for name in there if (label := _label(name, target.classes)) is not None}
    ways: dict[str, Mapping[str, float | str]] = {}
    for name, each in fitting.items():
        columns: Mapping[str, float | str] = quantiles if each.kind == "quantiles" else shares if each.kind == "classes" else {}
        if not columns and ANSWER in there and each.kind != "quantiles":
            columns = {ANSWER: ""}
        if columns:
            ways[name] = columns
    if wanted is None and not target.labels and ways.get("classes") == {ANSWER: ""}:
        del ways["classes"]  # of a number, a plain prediction is a number
    if wanted is None and len([name for name in ways if name != "distribution"]) > 1:
        raise PisteError(sheet.fault(f"answers in more than one way: say which by --as {either(ways)}"))
    chosen = wanted or next(iter(ways), None)
    if chosen is None or chosen not in ways:
        raise PisteError(sheet.fault(_asked_for(chosen, fitting, target, there)))
    if fitting[chosen].kind == "quantiles" and len(set(ways[chosen].values())) < max(2, len(ways[chosen])):
        raise PisteError(sheet.fault(f"must hold quantiles at two levels or more, each once, but holds {', '.join(ways[chosen])}"))
    return Answer(fitting[chosen], ways[chosen])


def _fits(framing: Framing, resolved: Resolved) -> bool:
    """Tell whether a framing can be asked of the problem."""
    target = resolved.table.target
    levels_of_a_number = framing.kind == "classes" and not target.labels
    return framing.why_not(target) is None and (resolved.yardstick.priced or not levels_of_a_number)


def _asked_for(chosen: str | None, fitting: Collection[str], target: Target, there: Sequence[str]) -> str:
    """Say which columns are wanted."""
    ways = [f"`{ANSWER}`"] if chosen != "quantiles" else []
    if chosen in (None, "quantiles") and "quantiles" in fitting:
        ways.append("quantiles (`q05`, `q50`, `q95`)")
    if chosen in (None, "classes") and "classes" in fitting:
        ways.append("a probability of each of " + ", ".join(f"`P({label})`" for label in target.classes))
    return f"must hold predictions: {' or '.join(ways)}, but holds none.{near(ANSWER, there)}"


def _level(name: str) -> float:
    """Return the level that a column of quantiles names.

    >>> _level("q05"), _level("q975"), _level("0.1")
    (0.05, 0.975, 0.1)
    """
    plain = name.removeprefix("q")
    return float(plain) if plain.startswith("0.") else float(f"0.{plain}")


def _label(name: str, labels: Sequence[str]) -> str | None:
    """Return the class that a column is of: "P(yes)", or "yes" itself; None of another column."""
    if name.startswith("P(") and name.endswith(")"):
        return name[2:-1]
    return name if name in labels and name not in (*KEYS, ANSWER) else None


def resampled(given: np.ndarray, levels: Sequence[float], wanted: Sequence[float]) -> np.ndarray:
    """Return quantiles at other levels: straight lines between those given, and beyond them, over the normal distribution's own.

    So the quantiles of a normal distribution stay those of the same one, whatever the levels.

    Args:
        given: (n_lines, n_given), sorted or not.
        levels: (n_given,) between 0 and 1.
        wanted: (n_wanted,) ascending.

    >>> resampled(np.array([[-1.0, 0.0, 1.0]]), [0.1, 0.5, 0.9], [0.3, 0.5]).round(3)
    array([[-0.409,  0.   ]])
    """
    order = np.argsort(levels)
    normal = NormalDist()
    at, to = (np.array([normal.inv_cdf(level) for level in each]) for each in (np.array(levels)[order], wanted))
    values = np.sort(given[:, order], axis=1)
    left = np.clip(np.searchsorted(at, to, side="right") - 1, 0, len(at) - 2)
    share = (to - at[left]) / (at[left + 1] - at[left])
    return np.asarray(values[:, left] + share * (values[:, left + 1] - values[:, left]))


def _certain(sheet: Sheet, labels: Sequence[str]) -> np.ndarray:
    """Read a class in words in every line as certainty of it, (n_lines, n_classes)."""
    words = sheet.words(ANSWER)
    codes = pd.Index(labels).get_indexer(words)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        n = int((codes < 0).sum())
        count = f"{n:,} lines hold none: " if n > 1 else ""
        first = "is empty" if words[row] is None else f"holds {shown(words[row])}"
        message = f"must be {either(labels)}, but {count}{sheet.raw.at(row)} {first}.{near(words[row], labels)}"
        raise PisteError(sheet.fault(message, ANSWER, row))
    return np.asarray(np.eye(len(labels))[codes])


def _probabilities(sheet: Sheet, given: Mapping[str, np.ndarray], labels: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    """Put the probabilities of all classes together, (n_lines, n_classes); of two classes, one is enough."""
    if unknown := [label for label in given if label not in labels]:
        message = f"must be a probability of {either(labels)}, but '{unknown[0]}' is none.{near(unknown[0], labels)}"
        raise PisteError(sheet.fault(message, f"P({unknown[0]})"))
    if len(given) < len(columns):
        raise PisteError(sheet.fault(f"must give every class one column, but gives {', '.join(columns)}"))
    for column, values in zip(columns, given.values(), strict=True):
        outside = (values < 0) | (values > 1)
        if outside.any():
            row = int(np.argmax(outside))
            message = f"must hold probabilities from 0 to 1, but {sheet.raw.at(row)} holds {values[row]:g} ({int(outside.sum()):,} such)"
            raise PisteError(sheet.fault(message, column, row))
    if len(labels) == 2 and len(given) == 1:
        [(label, values)] = given.items()
        given = {label: values, next(other for other in labels if other != label): 1 - values}
    if absent := [label for label in labels if label not in given]:
        raise PisteError(sheet.fault(f"must give every class a probability, but gives none to {either(absent)}"))
    found = np.stack([given[label] for label in labels], axis=1)
    total = found.sum(axis=1)
    off = np.abs(total - 1) > ROUNDED
    if off.any():
        row = int(np.argmax(off))
        count = f"{int(off.sum()):,} lines do not: " if off.sum() > 1 else ""
        message = f"must hold probabilities that sum to 1, but {count}those of {sheet.raw.at(row)} sum to {total[row]:g}"
        raise PisteError(sheet.fault(message, row=row))
    return np.asarray(found / total[:, None])
