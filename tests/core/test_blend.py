"""Ensembles whose weights are out of fold too."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.blend import PER_ENTRY, STEPS, blend
from piste.core.losses import Column, Judgements
from piste.core.metrics import METRICS
from piste.core.split import Fold, Folds

N = 120
RNG = np.random.default_rng(0)
Y = RNG.normal(size=N)
LABEL = RNG.integers(0, 3, N)
SQUARED, LOG = METRICS["rmse"].loss, METRICS["log_loss"].loss


def lines(*, forward: bool = False, n_folds: int = 4, repeats: int = 1) -> Judgements:
    """Return folds of neighbouring rows; each further repeat divides the rows otherwise."""
    made = []
    for repeat in range(repeats):
        order = np.arange(N) if repeat == 0 else np.random.default_rng(repeat).permutation(N)
        for part in np.array_split(order, n_folds):
            test = np.sort(part)
            made.append(Fold(f"fold {len(made)}", repeat, np.setdiff1d(np.arange(N), test), np.zeros(N - len(test), dtype=bool), test))
    whole = Fold("all", 0, np.arange(N), np.zeros(N, dtype=bool), np.array([], dtype=int))
    return Judgements.of(Folds(tuple(made), whole, np.arange(N), False, np.array([], dtype=int)), forward=forward)


def column(raw: np.ndarray, entry: str, number: int = 0) -> Column:
    """Return a column with these predictions."""
    return Column("mean", entry, number, "plug_in", {}, raw, raw, np.zeros(len(raw)))


def numbers(at: Judgements, n: int = 5, *, seed: int = 1) -> list[Column]:
    """Return columns that are right in part, each with noise of its own."""
    rng = np.random.default_rng(seed)
    return [column(Y[at.row] * rng.uniform(0.5, 1.1) + rng.normal(0, 0.3 + 0.2 * i, len(at.row)), f"m{i}") for i in range(n)]


def probabilities(at: Judgements, n: int = 4) -> list[Column]:
    """Return columns of class probabilities."""
    rng = np.random.default_rng(2)
    found = []
    for i in range(n):
        logits = 1.5 * np.eye(3)[LABEL[at.row]] + rng.normal(0, 1 + 0.2 * i, (len(at.row), 3))
        found.append(column(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), f"m{i}"))
    return found


def slow_greedy(predictions: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Do what Caruana et al. say, one step after the other, for squared errors."""
    bag: list[int] = []
    best: tuple[float, list[int]] = (np.inf, [])
    for _ in range(STEPS):
        losses = []
        for member in range(len(predictions)):
            mean = np.mean([predictions[i] for i in [*bag, member]], axis=0)
            losses.append(sum(weight * (y - mean) ** 2) / sum(weight))
        bag.append(int(np.argmin(losses)))
        if min(losses) < best[0] - 1e-15:
            best = (min(losses), list(bag))
    return np.bincount(best[1], minlength=len(predictions)) / len(best[1])


@pytest.mark.parametrize("forward", [False, True])
def test_the_weights_are_those_of_a_slow_greedy_search_on_the_other_folds(forward):
    at = lines(forward=forward)
    columns, weight = numbers(at), np.random.default_rng(5).uniform(0.5, 2, N)
    blended, shares = blend(columns, Y[at.row], weight, SQUARED, at)
    stack = np.stack([each.raw for each in columns])
    np.testing.assert_allclose(shares, slow_greedy(stack, Y[at.row], weight))
    for fold in range(1, 4):
        others = at.fold < fold if forward else at.fold != fold
        expected = slow_greedy(stack[:, others], Y[at.row][others], weight[others]) @ stack[:, at.fold == fold]
        np.testing.assert_allclose(blended[at.fold == fold], expected)


@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("fold", [0, 2])
def test_what_came_in_a_fold_moves_none_of_its_own_blended_predictions(fold, repeats):
    at = lines(repeats=repeats)
    columns = numbers(at)
    y = Y[at.row]
    before, _ = blend(columns, y, np.ones(len(y)), SQUARED, at)
    theirs = np.isin(at.row, at.row[at.fold == fold])  # in every repeat
    changed = np.where(theirs, -10 * y + 3, y)
    after, _ = blend(columns, changed, np.ones(len(y)), SQUARED, at)
    np.testing.assert_array_equal(before[at.fold == fold], after[at.fold == fold])
    assert (before != after).any()


@pytest.mark.parametrize("fold", [0, 1, 3])
def test_forward_in_time_nothing_moves_a_blended_prediction_of_the_same_or_an_earlier_fold(fold):
    at = lines(forward=True)
    columns = numbers(at)
    before, _ = blend(columns, Y, np.ones(N), SQUARED, at)
    after, _ = blend(columns, np.where(at.fold >= fold, 50 - Y, Y), np.ones(N), SQUARED, at)
    np.testing.assert_array_equal(before[at.fold <= fold], after[at.fold <= fold])


def test_the_first_fold_forward_takes_each_entrys_default_in_equal_parts():
    at = lines(forward=True)
    columns = [*numbers(at, 3), column(np.full(N, 1e6), "m0", number=1)]
    blended, _ = blend(columns, Y, np.ones(N), SQUARED, at)
    first = at.fold == 0
    np.testing.assert_allclose(blended[first], np.mean([each.raw[first] for each in columns[:3]], axis=0))


@pytest.mark.parametrize("made", ["numbers", "probabilities"])
def test_in_sample_a_blend_is_no_worse_than_its_best_member(made):
    at = lines()
    columns, y, loss = (numbers(at), Y, SQUARED) if made == "numbers" else (probabilities(at), LABEL, LOG)
    _, shares = blend(columns, y, np.ones(N), loss, at)
    whole = np.tensordot(shares, np.stack([each.raw for each in columns]), axes=1)
    assert loss(y, whole).mean() <= min(loss(y, each.raw).mean() for each in columns)


def test_two_that_err_to_opposite_sides_are_blended_half_and_half():
    at = lines()
    columns = [column(Y + 1.0, "high"), column(Y - 1.0, "low"), column(Y + 30.0, "lost")]
    blended, shares = blend(columns, Y, np.ones(N), SQUARED, at)
    np.testing.assert_allclose(shares, [0.5, 0.5, 0.0])
    np.testing.assert_allclose(blended, Y)


def test_where_one_is_right_it_is_all():
    at = lines()
    _, shares = blend([column(Y, "right"), column(Y + RNG.normal(size=N), "wrong")], Y, np.ones(N), SQUARED, at)
    assert shares.tolist() == [1.0, 0.0]


def test_rows_of_weight_0_count_for_nothing():
    at = lines()
    weight = np.where(np.arange(N) % 2 == 0, 1.0, 0.0)
    columns = [column(np.where(weight > 0, Y, 99.0), "right where it counts"), column(Y + 0.5, "near everywhere")]
    _, shares = blend(columns, Y, weight, SQUARED, at)
    assert shares.tolist() == [1.0, 0.0]


def test_of_each_entry_only_its_best_columns_may_join():
    at = lines()
    rng = np.random.default_rng(3)
    columns = [column(Y + rng.normal(0, 1 + 0.1 * i, N), "many", number=i) for i in range(10)] + [column(Y + 5, "other")]
    _, shares = blend(columns, Y, np.ones(N), SQUARED, at)
    allowed = np.argsort([SQUARED(Y, each.raw).mean() for each in columns[:10]])[:PER_ENTRY]
    assert set(np.flatnonzero(shares[:10])) <= set(allowed)


def test_probabilities_stay_probabilities_and_shares_are_shares():
    at = lines(repeats=2)
    blended, shares = blend(probabilities(at), LABEL[at.row], np.ones(len(at.row)), LOG, at)
    np.testing.assert_allclose(blended.sum(axis=1), 1.0)
    assert (blended > 0).all()
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= 0).all()
