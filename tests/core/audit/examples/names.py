"""Names that speak of afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def queues() -> pd.DataFrame:
    """Return a hundred days of a ski lift."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"tickets": rng.poisson(300, 100), "wait_minutes": rng.gamma(2.0, 4.0, 100).round(1), "skiers": rng.poisson(250, 100)}
    )


EXAMPLES = [
    Example(
        "L15",
        on="wait_minutes",
        severity="note",
        fires=scene("How long people waited is measured on the day that is to be predicted.", "target: skiers", queues),
        silent=scene(
            "The column is the wait of the day before, and its name says so.",
            "target: skiers",
            lambda: queues().rename(columns={"wait_minutes": "wait_minutes_yesterday"}),
        ),
    )
]
