"""M05: how much of what the champion costs is the luck of a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding
from piste.core.pasted import scalar, written
from piste.core.problem import BLEND
from piste.core.review.evidence import Evidence


@check(
    "M05",
    "Unstable over seeds",
    "warn",
    computed="The champion is fitted twice more under other seeds (of a blend each member, joined by the same shares): the standard "
    "deviation of its three mean costs. On the first fold; where that is no difference there, it is none in the mean over more, or else "
    "on all folds.",
    threshold="More than what counts as no difference (`success.same`): then the seed decides more than the choice of the model may.",
    alarm="A blend, or a simpler model, instead of one that was drawn. Of three seeds a spread is only roughly known.",
    source="Bouthillier et al., Accounting for variance in machine learning benchmarks, 2021.",
)
def seeded(evidence: Evidence) -> Found | NotApplicable:
    """What the champion costs depends on the seed it was fitted under: fitted again, it would be another model."""
    drawn, case = evidence.reseeded, evidence.case
    if isinstance(drawn, NotApplicable):
        return drawn
    means, spread, rope = drawn.means, drawn.spread, case.choice.rope
    shown = [float(case.court.yardstick.shown(max(0.0, mean))) for mean in means]
    tables = {"seeds": pd.DataFrame({"seed": np.arange(len(means)), "rows": len(drawn.losses), "cost": shown})}
    if spread <= rope:
        return Found([], tables)
    low, high = (evidence.amount(float(end)) for end in (means.min(), means.max()))
    message = f"Fitted under another seed, {evidence.row.title} comes to anything from {low} to {high}"
    follows = "What is shipped is one such draw, and may be the worse one; the next fit is another"
    fix = "average several: let `blend` join models, or choose a kind that depends less on chance"
    entries = case.resolved.entries
    blended = len(entries) < 2 or any(entry.family == BLEND for entry in entries)
    paste = "" if blended else f"families: {scalar([*map(written, entries), BLEND])}"
    return Found([Finding("M05", "warn", evidence.champion.column.entry, spread, rope, message, fix, follows, paste, "families")], tables)
