"""Quantiles that are repaired on other rows, sorted, and given tails."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.framing import Others
from piste.framings.quantiles import FRAMING, LEVELS, TAIL


def spread(raw: np.ndarray, others: Others):
    """Return the distributions of new rows."""
    return FRAMING.spread("quantile", raw, FRAMING.learn("quantile", others), None)


NOTHING = Others(np.empty((0, 10)), np.empty(0), np.empty(0), np.empty(0), counts=False)


@pytest.mark.parametrize("stretch", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("level", [0.05, 0.35, 0.8, 0.95])
def test_a_quantile_holds_its_share_of_new_rows_though_the_model_was_too_sure_or_not_sure_enough(stretch, level):
    rng = np.random.default_rng(0)
    place = rng.normal(0, 5, 6000)
    y = place + rng.gumbel(0, 2, 6000)
    exact = -2 * np.log(-np.log(np.array(LEVELS)))  # of the Gumbel distribution
    raw = place[:, None] + stretch * exact
    found = spread(raw[3000:], Others(raw[:3000], y[:3000], y[:3000], np.ones(3000), counts=False)).quantile(level)
    assert (y[3000:] <= found).mean() == pytest.approx(level, abs=0.03)


def test_quantiles_that_cross_are_put_in_order():
    crossed = np.linspace(9.0, 0.0, 10)[None]
    found = spread(crossed, NOTHING)
    np.testing.assert_allclose([found.quantile(level)[0] for level in LEVELS], np.arange(10.0))


def test_a_tail_reaches_beyond_the_last_quantile_in_proportion_to_the_last_step():
    raw = np.array([[0.0, 1, 2, 3, 4, 5, 6, 7, 8, 12]])
    found = spread(raw, NOTHING)
    assert found.quantile(1.0)[0] == pytest.approx(12 + TAIL * 4)
    assert found.quantile(0.0)[0] == pytest.approx(0 - TAIL * 1)


@pytest.mark.parametrize(("counts", "values", "low"), [(True, [0.0, 3.0], 0.0), (False, [0.5, 3.0], 0.0), (False, [-1.0, 3.0], -1.5)])
def test_what_never_was_below_nothing_is_not_believed_to_be(counts, values, low):
    raw = np.tile(np.arange(10.0), (2, 1))
    told = Others(raw, raw[:, 4], np.array(values), np.ones(2), counts)
    state = {**FRAMING.learn("quantile", told), "shifts": [0.0] * 10}
    assert FRAMING.spread("quantile", raw, state, None).quantile(0.0)[0] == low


def test_the_mean_of_a_symmetric_distribution_is_its_middle():
    raw = 7 + np.linspace(-4.5, 4.5, 10)[None]
    assert spread(raw, NOTHING).mean()[0] == pytest.approx(7.0)
    assert FRAMING.plain(raw)[0] == pytest.approx(7.0)
