"""The noise floor: what rows that no model can tell apart cost the best answer there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.audit.measures.twins import copies
from piste.core.audit.survey import Survey
from piste.core.decision import Actions, ByMetric, Came, Quantity

LOWER = 1.645  # standard errors below the mean: a bound that holds in 19 of 20 cases
FEWEST_GROUPS = 10  # of rows alike; fewer say nothing about the others


@dataclass(frozen=True, slots=True)
class Floor:
    """What the best answer costs, one for each group of rows that are alike, given in hindsight; so no model does better.

    Args:
        loss: mean loss of the rows looked at; rows that have no twin count as predicted without an error.
        lower: its lower bound at 95%, from group to group.
        twins: mean loss of the rows with a twin.
        r2: the largest share of the target's variance that can be predicted, as rows with a twin have it; NaN for classes.
        rows: with a twin.
        share: of the rows looked at.
        groups: of twins.
        differing: groups whose answers differ.
        contrary: share of the rows looked at that have a twin with another answer, those aside that chance brings or that the problem
            holds together.
    """

    loss: float
    lower: float
    twins: float
    r2: float
    rows: int
    share: float
    groups: int
    differing: int
    contrary: float


def floor(survey: Survey, rows: np.ndarray) -> Floor | None:
    """Return the noise floor of some rows; None where too few are alike in all that models and rules may look at."""
    study, target = survey.study, survey.resolved.table.target
    seen = looked(survey, rows)
    group = alike(seen)
    twin = group >= 0
    if not twin.any() or group.max() + 1 < FEWEST_GROUPS:
        return None
    mine, group = rows[twin], group[twin]
    weight = study.weight[mine]
    total = float(study.weight[rows].sum())
    if weight.sum() <= 0:
        return None
    came = Came(
        target.values[mine],
        target.codes[mine] if target.classes else None,
        None if target.thresholds is None else target.thresholds[mine],
    )
    losses = hindsight(survey.resolved.yardstick, came, group, weight, len(target.classes))
    y = target.values[rows].astype(float)
    r2 = float("nan")
    if not survey.has_classes:
        noise = float(np.average(squared_noise(y[twin], group, weight), weights=weight))
        spread = float(np.average((y - np.average(y, weights=study.weight[rows])) ** 2, weights=study.weight[rows]))
        r2 = 1 - noise / spread if spread > 0 else float("nan")
    parts = np.bincount(group, weight * losses)  # (n_groups,)
    sizes = np.bincount(group, weight)
    mean = float(parts.sum() / sizes.sum())
    error = float(np.sqrt(np.sum((parts - mean * sizes) ** 2))) / total
    loss = float(parts.sum() / total)
    codes = target.codes[mine]
    least, most = (np.full(len(sizes), fill, dtype=float) for fill in (np.inf, -np.inf))
    np.minimum.at(least, group, codes)
    np.maximum.at(most, group, codes)
    contradict = most > least
    contrary = _contrary(survey, seen, mine, twin, group) if contradict.any() else 0.0
    n_groups, differing = len(sizes), int(contradict.sum())
    lower = max(0.0, loss - LOWER * error)
    return Floor(loss, lower, mean, r2, len(mine), len(mine) / len(rows), n_groups, differing, contrary)


def _contrary(survey: Survey, seen: pd.DataFrame, rows: np.ndarray, twin: np.ndarray, group: np.ndarray) -> float:
    """Return the share of all rows with a twin that answers otherwise, those aside that chance brings or the problem holds together.

    Of rows that are held together (brothers and sisters share their parents) one is enough; unless they are so by a column that is
    computed from the others, which only says again that they are equal.

    Args:
        survey: the problem.
        seen: (n_rows) all that models see.
        rows: (n_twins,) row numbers of the table that have a twin.
        twin: (n_rows,) which those are.
        group: (n_twins,) of each.
    """
    target, together = survey.resolved.table.target, survey.resolved.rule.together
    first = np.ones(len(rows), dtype=bool)
    if together and together in survey.frame and together not in survey.resolved.problem.add:
        block = pd.factorize(survey.frame[together].iloc[rows], use_na_sentinel=False)[0]
        first = ~pd.DataFrame({"block": block, "group": group}).duplicated().to_numpy()
    answers = pd.Series(target.codes[rows][first]).groupby(group[first]).agg(["size", "nunique"])
    contrary = int(answers["size"][answers["nunique"] > 1].sum())
    if not contrary:
        return 0.0
    kept = np.ones(len(seen), dtype=bool)
    kept[np.flatnonzero(twin)[~first]] = False
    return contrary / len(seen) * copies([seen[name][kept] for name in seen], survey.study.seed).beyond_chance


def looked(survey: Survey, rows: np.ndarray) -> pd.DataFrame:
    """Return all that models and rules may look at, each column once."""
    study = survey.study
    frame = pd.concat([study.expanded, study.rules, *study.added.values()], axis=1)
    return frame.loc[:, ~frame.columns.duplicated()].iloc[rows]


def alike(frame: pd.DataFrame) -> np.ndarray:
    """Number the groups of rows that are equal in every column, (n_rows,); -1 where a row has no twin.

    The columns that tell most rows apart come first, so that the others are read only in the rows still alike.
    """
    left = np.arange(len(frame))
    group = np.zeros(len(frame), dtype=np.int64)
    first = frame.iloc[:: max(1, len(frame) // 2_000)]
    for name in sorted(frame, key=lambda each: -first[each].nunique()):
        codes = pd.factorize(frame[name].iloc[left], use_na_sentinel=False)[0]
        group = pd.factorize(group * (codes.max(initial=0) + 1) + codes)[0]
        kept = np.bincount(group)[group] > 1 if len(group) else np.zeros(0, dtype=bool)
        left, group = left[kept], group[kept]
    found = np.full(len(frame), -1)
    found[left] = pd.factorize(group)[0]
    return found


def hindsight(yardstick: object, came: Came, group: np.ndarray, weight: np.ndarray, n_levels: int) -> np.ndarray:
    """Return what the best single answer for each group cost its rows, (n_rows,).

    Chosen knowing what came, so that its mean is below that of any answer given before: by a factor of (n - 1) / n for squared
    errors, which is put right; for the others it is left, on the safe side.
    """
    if isinstance(yardstick, Actions):
        assert came.level is not None, "actions are priced by levels"
        expected = shares(came.level, group, weight, n_levels) @ yardstick.costs.T
        return np.asarray(yardstick.costs[expected.argmin(axis=1)[group], came.level])
    if isinstance(yardstick, Quantity):
        return yardstick.loss(quantiles(came.y, group, weight, yardstick.level)[group], came)
    assert isinstance(yardstick, ByMetric), "there is no other yardstick"
    metric = yardstick.metric
    if metric.functional == "probabilities":
        return metric.loss(came.y, shares(came.y, group, weight, int(came.y.max()) + 1)[group])
    if metric.functional == "median":
        return metric.loss(came.y, quantiles(came.y, group, weight, 0.5)[group])
    if metric.name in ("rmse", "mse"):
        return squared_noise(came.y, group, weight)
    return metric.loss(came.y, means(came.y, group, weight)[group])


def squared_noise(y: np.ndarray, group: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return squared distances from the means of groups, (n_rows,), scaled so that their means are without bias."""
    sizes = np.bincount(group)
    return np.asarray((y - means(y, group, weight)[group]) ** 2 * (sizes / np.maximum(sizes - 1, 1))[group])


def means(y: np.ndarray, group: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean of each group, (n_groups,)."""
    return np.asarray(np.bincount(group, weight * y) / np.maximum(np.bincount(group, weight), 1e-300))


def shares(codes: np.ndarray, group: np.ndarray, weight: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the weighted shares of classes in each group, (n_groups, n_classes)."""
    n_groups = int(group.max()) + 1
    mass = np.bincount(group * n_classes + codes, weight, n_groups * n_classes).reshape(n_groups, n_classes)
    return np.asarray(mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-300))


def quantiles(y: np.ndarray, group: np.ndarray, weight: np.ndarray, level: float) -> np.ndarray:
    """Return a weighted quantile of each group, (n_groups,): a value that minimises the group's pinball loss."""
    order = np.lexsort((y, group))
    reached = np.cumsum(weight[order])
    sizes = np.bincount(group, weight)
    ends = np.cumsum(sizes)
    wanted = ends - sizes + level * sizes
    last = np.cumsum(np.bincount(group)) - 1
    at = np.searchsorted(reached, wanted - 1e-9 * np.maximum(ends, 1.0))
    return np.asarray(y[order][np.minimum(at, last)])
