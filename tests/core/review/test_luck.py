"""M05: how much of what the champion costs is the luck of a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.check import NotApplicable
from piste.core.review.luck import seeded
from piste.core.seeds import Reseeded
from tests.cases import told, written

N = 200
RNG = np.random.default_rng(0)
Y = 100 + 10 * RNG.normal(size=N)
ROWS = pd.DataFrame({"x": RNG.normal(size=N), "w": RNG.uniform(0.5, 2, N), "y": Y})
MADE = written(ROWS, {"linear": Y + 4}, metric="mse", weight="w", success={"same": 1.0})
WEIGHT = MADE.case.court.weight[MADE.case.court.lines.judged]


def drawn(*costs: float) -> Reseeded:
    """Return what the champion loses under seeds that cost as much."""
    return Reseeded(np.tile(costs, (len(MADE.case.losses), 1)), WEIGHT)


@pytest.mark.parametrize(("third", "fires"), [(16 + 1.72, False), (16 + 1.74, True)])
def test_a_spread_above_what_counts_as_no_difference_warns(third, fires):
    """Of 16, 16 and 16 + d the standard deviation is d / sqrt(3)."""
    assert MADE.case.choice.rope == pytest.approx(1.0)
    findings, tables = told(seeded, MADE.case, reseeded=drawn(16, 16, third))
    assert bool(findings) == fires
    assert tables["seeds"]["cost"].tolist() == pytest.approx([16, 16, third])
    if fires:
        [finding] = findings
        assert (finding.check, finding.severity, finding.on) == ("M05", "warn", "linear")
        assert finding.number == pytest.approx(np.std([16, 16, third], ddof=1))
        assert "comes to anything from mse 16 to mse 17.7" in finding.message


def test_costs_are_weighted_as_everywhere():
    losses = np.stack([MADE.case.losses[:, MADE.case.champion], ROWS["w"].to_numpy()[MADE.case.court.lines.judged], np.ones(N)], axis=1)
    _, tables = told(seeded, MADE.case, reseeded=Reseeded(losses, WEIGHT))
    assert tables["seeds"]["cost"][1] == pytest.approx((ROWS["w"] ** 2).sum() / ROWS["w"].sum())


def test_a_blend_is_offered_where_there_is_none_and_entries_keep_their_values():
    [finding] = told(seeded, MADE.case, reseeded=drawn(16, 20, 30))[0]
    assert finding.paste == "families: [linear, tree, blend]"
    families = [{"linear": {"alpha": 0.1}}, "tree", "blend"]
    made = written(ROWS, {"linear": Y + 4}, metric="mse", families=families)
    assert told(seeded, made.case, reseeded=drawn(16, 20, 30))[0][0].paste == ""
    made = written(ROWS, {"linear": Y + 4}, metric="mse", families=families[:2])
    assert told(seeded, made.case, reseeded=drawn(16, 20, 30))[0][0].paste == "families: [{linear: {alpha: 0.1}}, tree, blend]"


def test_where_nothing_was_fitted_again_the_reason_is_said():
    said = seeded.run(MADE.evidence())
    assert isinstance(said, NotApplicable)
    assert "a quick run does not" in said.reason
