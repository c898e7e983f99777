"""Answers and columns of numbers that are not what they seem."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene

N = 400


def counted(code: float = np.nan, *, broken: int = 0) -> pd.DataFrame:
    """Days at a ski lift, on some of which the counter was broken."""
    rng = np.random.default_rng(0)
    snow = rng.gamma(2, 5, N).round(1)
    guests = (800 + 20 * snow + rng.normal(0, 120, N)).round()
    guests[rng.choice(N, broken, replace=False)] = code
    return pd.DataFrame({"snow": snow, "temperature": rng.normal(-4, 5, N).round(1), "guests": guests})


def weighed(*zeros: float, of: int = 3) -> pd.DataFrame:
    """Newborns of a clinic, some of whom were not weighed; or some of whom came early."""
    rng = np.random.default_rng(1)
    weight = rng.normal(3400, 450, N).round()
    weight[: len(zeros) * of] = np.repeat(zeros, of)
    return pd.DataFrame({"weight": weight, "mother_age": rng.integers(18, 45, N), "days": rng.poisson(3, N)})


EXAMPLES = [
    Example(
        "D01",
        on="guests",
        severity="warn",
        fires=scene(
            "The counter of a lift reports 9999 when it is broken, on 12 of 400 days; nobody came near that.",
            "target: guests",
            lambda: counted(9999, broken=12),
        ),
        silent=scene("The same days, without those on which the counter was broken.", "target: guests", counted),
    ),
    Example(
        "D01",
        on="weight",
        severity="warn",
        fires=scene(
            "`weight` is 0 for 30 of 400 newborns, who were not weighed; all others weigh 2,000 g or more.",
            "target: days",
            lambda: weighed(0.0, of=30),
        ),
        silent=scene("Three newborns came early, at 1,450 to 1,700 g.", "target: days", lambda: weighed(1450.0, 1600.0, 1700.0, of=1)),
    ),
]
