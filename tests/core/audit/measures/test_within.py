"""Columns that follow the target within groups are told from those that only go with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.measures.encoded import encoded
from piste.core.audit.measures.within import Groups, by_fold, on_a_line

CENTRE = 10.0


def table(n_groups: int = 12, each: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return a target and the groups of its rows."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat(np.arange(n_groups), each))
    return rng.normal(10, 1, n_groups)[codes] + rng.normal(size=len(codes)), codes


def out_of_fold(y: np.ndarray, codes: np.ndarray, k: float) -> np.ndarray:
    fold = np.random.default_rng(1).integers(0, 5, len(y))
    x = np.empty(len(y))
    for row in range(len(y)):
        others = fold != fold[row]
        mine = others & (codes == codes[row])
        x[row] = (y[mine].sum() + k * y[others].mean()) / (mine.sum() + k)
    return x


@pytest.mark.parametrize("k", [0.0, 10.0])
def test_a_mean_over_the_rows_of_other_folds_is_found(k):
    y, codes = table()
    assert by_fold(out_of_fold(y, codes, k), y, codes, float(y.mean())) > 0.95


def test_rounded_measures_that_go_with_the_groups_are_no_mean_of_folds():
    y, codes = table()
    x = np.round(codes + np.random.default_rng(2).normal(size=len(y)) / 2)
    assert by_fold(x, y, codes, float(y.mean())) == 0


def test_a_smoothed_mean_over_the_other_rows_falls_with_the_own_answer():
    y, codes = table()
    total, size = np.bincount(codes, y), np.bincount(codes)
    x = (total[codes] - y + 5 * y.mean()) / (size[codes] - 1 + 5)
    groups = Groups.of(codes, y, 0)
    assert groups is not None
    assert on_a_line(x, groups) == (True, 1.0)


def test_a_column_that_nearly_follows_the_target_is_on_no_line():
    y, codes = table()
    groups = Groups.of(codes, y, 0)
    assert groups is not None
    assert on_a_line(y + 1e-3 * np.random.default_rng(3).normal(size=len(y)), groups) is None


@pytest.mark.parametrize(
    ("n_groups", "statistic"),
    [
        (3, lambda y: (y.sum() + 20 * CENTRE) / (len(y) + 20)),
        (12, lambda y: y.std()),
        (12, lambda y: 3 * np.log(y).mean() + 1),
        (12, lambda y: np.log1p(y.mean())),
    ],
    ids=["smoothed, three groups", "standard deviation", "mean of the logarithm", "logarithm of the mean"],
)
def test_statistics_of_groups_are_found(n_groups, statistic):
    y, codes = table(n_groups)
    y = y - y.mean() + CENTRE
    x = pd.Series(y).groupby(codes).transform(lambda own: statistic(own.to_numpy())).to_numpy()
    assert [each.keys for each in encoded({"'y'": y}, {"x": x}, {"group": codes})] == [("group",)]


def test_levels_of_an_experiment_are_no_statistic_though_the_target_is_a_line_in_them():
    level, other = (part.ravel() for part in np.meshgrid(np.arange(6.0), np.arange(40.0)))
    assert not list(encoded({"'y'": 3 * level + other}, {"level": level}, {}))
