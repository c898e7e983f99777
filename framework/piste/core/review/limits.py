"""M14: whether the champion keeps to what `constraints` allow in use."""

from __future__ import annotations

import pandas as pd

from piste.core.case import Case
from piste.core.entrants import Entrant
from piste.core.finding import Finding, short


def check(case: Case, _: tuple[Entrant, ...]) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Hold what was measured of the champion's model against its limits."""
    limits = case.resolved.problem.constraints
    title = case.row_of(case.champion).title
    findings = []
    for name, limit, unit, words in (
        ("latency_ms", limits.latency_ms, "ms", "takes {} for one row"),
        ("model_mb", limits.model_mb, "MB", "takes {} to store"),
    ):
        found = case.measured.get(name)
        if limit is not None and found is not None and found > limit:
            message = f"{title} {words.format(f'{short(found)} {unit}')}, and constraints.{name} allows {limit:g}"
            findings.append(Finding("M14", "warn", name, found, limit, message, "choose a simpler family, or allow more"))
    return findings, {}
