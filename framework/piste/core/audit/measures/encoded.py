"""Columns that are a statistic of the target over the rows of each group, without being told the groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from piste.core.audit.measures.skill import far
from piste.core.audit.measures.within import Groups, followed
from piste.core.melt import OUTPUT

if TYPE_CHECKING:
    from piste.core.audit.survey import Survey

EXACT = 1e-6  # of the target's standard deviation
NEAR = 0.3  # of the standard error: what a rounded statistic is off by at most, in all groups but 1%,
CHANCE = 1e-6  # with this chance at most
DENSITY = 0.8  # chance that a standard normal number is below z, over z, for small z
CLOSE = 0.05  # of the standard error, where the smoothing has to be found first
FEW_GROUPS = 3  # that a match needs
GROUPS = 8  # that one with numbers to be found first needs
MOSTLY = 0.99  # of the telling groups
HALF = 0.5  # of the rows lie in groups that tell; no more of them hold their own median
PREVIEW = 400  # rows on which leaving one out is tried first
PREVIEWED = 20  # groups on which the median is
FADED = 12.0  # log-odds of a weight beyond which it is 0 or 1 as far as digits go
STEP = 1e-3  # by which multiples of the least step are none
MOST_LEVELS = 500  # of a column whose groups are told apart by another one
MOST_KEYS = 60  # columns that are tried as groups; those with the fewest values
MOST_PAIRED = 8  # of which are tried in twos
MOST_CLASSES = 20  # whose shares are tried


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a column is of the target.

    Args:
        column: its name.
        statistic: in words: "mean", "smoothed mean".
        answer: of what, in words: "'price'", "'churn' being 'Yes'".
        keys: columns whose values make the groups; none where no column nor pair of columns does.
        share: of the telling groups, or rows, in which it holds.
    """

    column: str
    statistic: str
    answer: str
    keys: tuple[str, ...]
    share: float


def encodings(survey: Survey) -> tuple[Encoded, ...]:
    """Return the feature columns that are statistics of the target over the rows that may be looked at, the row itself among them."""
    target = survey.resolved.table.target
    if survey.resolved.problem.target.columns or far(target.values):
        return ()
    rows, kinds = survey.rows, survey.resolved.table.kinds
    y = target.values[rows]
    answers = {f"'{target.name}'": y.astype(float)}
    if survey.has_classes:
        labels = target.labels[-1:] if len(target.labels) == 2 else target.labels[:MOST_CLASSES]
        answers = {f"'{target.name}' being '{label}'": (y == target.labels.index(label)).astype(float) for label in labels}
    frame = survey.frame.iloc[rows]
    numbers = [column.name for column in survey.features if kinds[column.name] == "number" and column.name != OUTPUT]
    columns = {name: x for name in numbers if not far(x := frame[name].to_numpy(dtype=float))}
    keys = {
        str(name): pd.factorize(frame[name], use_na_sentinel=False)[0] for name in frame if name != target.name and _groups(frame[name])
    }
    few = dict(sorted(keys.items(), key=lambda key: int(key[1].max()))[:MOST_KEYS])
    return tuple(encoded(answers, columns, few))


def _groups(values: pd.Series) -> bool:
    """Tell whether a column may make groups: it repeats, and is no measurement."""
    if pd.api.types.is_float_dtype(values) and (values % 1 > 0).any():
        return False
    return bool(2 <= values.nunique() <= len(values) / 2)


def encoded(answers: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray], keys: Mapping[str, np.ndarray]) -> Iterator[Encoded]:
    """Yield the columns that are a statistic of an answer.

    The groups need not be known: a column that is the mean of each group is also the mean of the target over its own rows of
    each value. Only groups in which the target varies tell anything.

    Args:
        answers: what is known of the target in numbers, (n_rows,) each, by how it is called.
        columns: by name, (n_rows,) each.
        keys: columns that may make groups: their codes, (n_rows,) from 0.
    """
    groups = {key: _Group(codes, {}) for key, codes in keys.items()}
    drawn = {answer: {key: Groups.of(codes, y, len(y)) for key, codes in keys.items()} for answer, y in answers.items()}
    for name, x in columns.items():
        known = np.isfinite(x)
        if known.sum() < len(x) / 2:
            continue
        values, codes, counts = np.unique(x[known], return_inverse=True, return_counts=True)
        for answer, y in answers.items():
            spread = float(y.std())
            if not spread > 0:
                continue
            if FEW_GROUPS <= len(values) <= known.sum() / 2 and (
                found := _Levels(y[known], codes, values, counts, spread, float(y.mean())).statistic()
            ):
                yield Encoded(
                    name, found[0], answer, _named(x, {key: each for key, each in keys.items() if key != name}, len(values)), found[1]
                )
                break
            if GROUPS <= len(values) <= MOST_LEVELS and (apart := _apart(name, x, len(values), keys)):
                _, first, codes, counts = np.unique(keys[apart][known], return_index=True, return_inverse=True, return_counts=True)
                if found := _Levels(y[known], codes, x[known][first], counts, spread, float(y.mean())).statistic():
                    yield Encoded(name, found[0], answer, (apart,), found[1])
                    break
            others = {key: group for key, group in groups.items() if key != name and group.n_levels < len(values)}
            if by := _left_out(answer, y, x, others, spread):
                yield Encoded(name, "mean over the other rows", answer, (by[0],), by[1])
                break
            if within := followed(
                x, y, {key: keys[key] for key in keys if key != name}, {k: g for k, g in drawn[answer].items() if k != name}
            ):
                yield Encoded(name, within[0], answer, (within[1],), within[2])
                break


@dataclass(frozen=True, slots=True)
class _Levels:
    """A column by its values, and the target within each."""

    y: np.ndarray  # (n_rows,)
    codes: np.ndarray  # (n_rows,) of the values
    values: np.ndarray  # (n_values,)
    counts: np.ndarray
    spread: float  # of the target
    overall: float  # its mean, also where the column is missing

    def statistic(self) -> tuple[str, float] | None:
        """Return which statistic the values are, and in which share of the telling groups."""
        total = np.bincount(self.codes, self.y)
        mean = total / self.counts
        variance = np.maximum(np.bincount(self.codes, (self.y - mean[self.codes]) ** 2) / self.counts, 0.0)
        telling = (self.counts > 1) & (variance > (EXACT * self.spread) ** 2)
        if telling.sum() < FEW_GROUPS or self.counts[telling].sum() < HALF * len(self.y):
            return None
        error = np.sqrt(variance / np.maximum(self.counts - 1, 1))
        for word, statistic, off in (("mean", mean, error), ("sum", total, error * self.counts)):
            if share := self._holds(statistic, off, telling):
                return word, share
        if found := self._few(total, mean, variance, telling):
            return found
        if telling.sum() < GROUPS:
            return None
        if share := self._median(telling):
            return "median", share
        by_variance = self.counts / np.maximum(variance, (EXACT * self.spread) ** 2)
        for word, left in (("mean in other units", None), ("smoothed mean", self.counts), ("smoothed mean", by_variance)):
            if share := self._bent(mean, error, telling, left):
                return word, share
        return None

    def _holds(self, statistic: np.ndarray, error: np.ndarray, telling: np.ndarray) -> float:
        """Return the share of telling groups in which the values are a statistic; 0 where that is no proof.

        A value that was rounded is off by a little. An honest estimate would be off by the statistic's standard error, in each group
        on its own: that all are as near as the farthest is a chance of about (0.8 z) to the power of their number.
        """
        if np.ptp(statistic[telling]) <= 10 * EXACT * self.spread:
            return 0.0
        missed = np.abs(self.values - statistic)[telling]
        exact = float(np.mean(missed <= EXACT * self.spread + 1e-12 * np.abs(statistic[telling])))
        if exact >= MOSTLY:
            return exact
        z = np.sort(missed / np.maximum(error[telling], EXACT * self.spread))
        n = math.ceil(MOSTLY * len(z))
        farthest = float(z[n - 1])
        return n / len(z) if farthest <= NEAR and (DENSITY * farthest) ** n <= CHANCE else 0.0

    def _few(self, total: np.ndarray, mean: np.ndarray, variance: np.ndarray, telling: np.ndarray) -> tuple[str, float] | None:
        """Return which statistic with a number or two of its own the values are, to the last digit, where a few groups are enough."""
        x, m, n, overall = self.values[telling], mean[telling], self.counts[telling], self.overall
        limit = EXACT * self.spread
        if np.ptp(m) <= 10 * limit or np.ptp(x) <= 10 * limit:
            return None
        for word, deviation in (
            ("standard deviation", variance * self.counts / np.maximum(self.counts - 1, 1)),
            ("standard deviation", variance),
        ):
            if np.mean(np.abs(np.sqrt(deviation[telling]) - x) <= limit) >= MOSTLY:
                return word, 1.0
        pull, pulled = n * (m - x), x - overall
        rows = float(pull @ pulled / (pulled @ pulled)) if pulled.any() else 0.0
        if rows > 0 and np.mean(np.abs((n * m + rows * overall) / (n + rows) - x) <= limit) >= MOSTLY:
            return "smoothed mean", 1.0
        if len(x) <= FEW_GROUPS or _even(x):
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = (x - overall) / (m - overall)
            odds = np.log(weight / (1 - weight))
            moves = np.isfinite(odds) & (np.abs(odds) < FADED)
            if moves.sum() > FEW_GROUPS and _straight(n[moves].astype(float), odds[moves]):
                return "smoothed mean", float(moves.mean())
            known = self.y - min(0.0, float(self.y.min()))
            logs = np.bincount(self.codes, np.log1p(known))[telling] / n
            shares = ((total + a * b)[telling] / (n + b) for a, b in ((0.0, 0.0), (0.5, 1.0), (overall, 1.0)))
            plain = np.bincount(self.codes, np.log(known))[telling] / n  # not finite where the target is 0
            forms = [
                ("mean in other units", m),
                ("mean of the logarithm", logs),
                ("mean of the logarithm", plain),
                ("logarithm of the mean", np.log(m)),
            ]
            forms += [("logarithm of the mean", np.log1p(m)), *(("log-odds", np.log(each / (1 - each))) for each in shares)]
        for word, form in forms:
            if np.isfinite(form).all() and _straight(form, x):
                return word, 1.0
        return None

    def _median(self, telling: np.ndarray) -> float:
        """Return the share of telling groups of which the values are the median; a list price that most rows pay is none."""
        if np.mean(self.y == self.values[self.codes]) > HALF:
            return 0.0
        groups = np.flatnonzero(telling)
        share = 0.0
        for some in (groups[np.unique(np.linspace(0, len(groups) - 1, PREVIEWED).astype(int))], groups):
            rows = np.flatnonzero(np.isin(self.codes, some))
            rows = rows[np.lexsort((self.y[rows], self.codes[rows]))]
            _, first, size = np.unique(self.codes[rows], return_index=True, return_counts=True)
            middle = (self.y[rows][first + (size - 1) // 2] + self.y[rows][first + size // 2]) / 2
            share = float(np.mean(np.abs(self.values[some] - middle) <= EXACT * self.spread))
            if share < MOSTLY or np.ptp(middle) <= 10 * EXACT * self.spread:
                return 0.0
        return share

    def _bent(self, mean: np.ndarray, error: np.ndarray, telling: np.ndarray, left: np.ndarray | None) -> float:
        """Return the share of groups whose value is the mean drawn towards one number, or in other units; 0 where it is neither.

        A smoothed mean x = (n m + k m0) / (n + k) says n (m - x) = k x - k m0: a straight line in x, whose two numbers follow from
        all groups. With n over the variance it is the empirical Bayes of scikit-learn's TargetEncoder. In other units, m is a line in x.

        Source: Micci-Barreca, A Preprocessing Scheme for High-Cardinality Categorical Attributes, 2001.
        """
        x, m = self.values[telling], mean[telling]
        if np.ptp(m) <= 10 * EXACT * self.spread:
            return 0.0
        line = np.stack([x, np.ones(len(x))], axis=1)
        if left is None:
            found, *_ = np.linalg.lstsq(line, m)
            back = line @ found
        else:
            n = left[telling]
            found, *_ = np.linalg.lstsq(line / n[:, None], m - x)
            if not found[0] > 0:
                return 0.0
            back = x + line @ found / n
        share = float(np.mean(np.abs(back - m) <= np.maximum(CLOSE * error[telling], EXACT * self.spread)))
        return share if share >= MOSTLY else 0.0


def _even(x: np.ndarray) -> bool:
    """Tell whether numbers are steps of one size, as levels of an experiment or codes are: of such, straight lines are no chance."""
    steps = np.diff(np.sort(x))
    least = steps[steps > 0].min(initial=np.inf)
    times = steps / least
    return bool(least == np.inf or np.abs(times - np.round(times)).max() <= STEP)


def _straight(x: np.ndarray, y: np.ndarray) -> bool:
    """Tell whether numbers are a straight line of others, to rounding; neither may be the same throughout."""
    x, y = x - x.mean(), y - y.mean()
    own = float(x @ x)
    if not own > 0 or not y.any():
        return False
    slope = float(x @ y) / own
    return bool(slope > 0 and np.mean(np.abs(y - slope * x) <= EXACT * float(np.abs(y).max())) >= MOSTLY)


@dataclass(frozen=True, slots=True)
class _Group:
    """A column that may make groups, with what was summed up in them."""

    codes: np.ndarray
    sums: dict[str, tuple[np.ndarray, np.ndarray]]  # answer -> rows and total of each group

    @property
    def n_levels(self) -> int:
        return int(self.codes.max()) + 1

    def summed(self, answer: str, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if answer not in self.sums:
            self.sums[answer] = (np.bincount(self.codes), np.bincount(self.codes, y))
        return self.sums[answer]


def _left_out(answer: str, y: np.ndarray, x: np.ndarray, groups: Mapping[str, _Group], spread: float) -> tuple[str, float] | None:
    """Find a mean over the other rows of the group: what it misses the group's mean by is the row's own answer, turned round."""
    known = np.flatnonzero(np.isfinite(x))
    for key, group in groups.items():
        counts, total = group.summed(answer, y)
        share = 0.0
        for rows in (known[np.unique(np.linspace(0, len(known) - 1, PREVIEW).astype(int))], known):
            several = rows[counts[group.codes[rows]] > 1]
            if len(several) <= GROUPS:
                break
            others = (total[group.codes[several]] - y[several]) / (counts[group.codes[several]] - 1)
            share = float(np.mean(np.abs(others - x[several]) <= EXACT * spread)) if np.ptp(others) > 10 * EXACT * spread else 0.0
            if share < MOSTLY:
                break
        if share >= MOSTLY:
            return key, share
    return None


def _apart(name: str, x: np.ndarray, n_values: int, keys: Mapping[str, np.ndarray]) -> str | None:
    """Return a column that tells apart groups whose statistic happens to be the same, which the values do not."""
    for key, codes in keys.items():
        if key != name and n_values < int(codes.max()) + 1 <= 2 * n_values and _constant(x, codes):
            return key
    return None


def _named(x: np.ndarray, keys: Mapping[str, np.ndarray], n_levels: int) -> tuple[str, ...]:
    """Return the column, or else the two, within whose values a column does not vary: those with the fewest values."""
    sized = sorted((int(codes.max()) + 1, key) for key, codes in keys.items())
    for size, key in sized:
        if size >= n_levels and _constant(x, keys[key]):
            return (key,)
    for (first_size, first), (second_size, second) in combinations([each for each in sized if each[0] <= n_levels][:MOST_PAIRED], 2):
        if first_size * second_size >= n_levels and _constant(x, keys[first] * second_size + keys[second]):
            return first, second
    return ()


def _constant(x: np.ndarray, codes: np.ndarray) -> bool:
    order = np.argsort(codes, kind="stable")
    same = np.diff(codes[order]) == 0
    steps = np.diff(x[order])
    return bool(np.all((steps[same] == 0) | np.isnan(steps[same])))
