"""Numbers of rows that tell the answer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def patients() -> pd.DataFrame:
    """Return four hundred patients; those who fell ill got their number in the ward, which started anew at 5,000."""
    rng = np.random.default_rng(0)
    age = rng.integers(20, 90, 400)
    ill = rng.random(400) < age / 200
    number = np.where(ill, 5000 + np.cumsum(ill), 1000 + np.cumsum(~ill))
    return pd.DataFrame({"patient_no": number, "age": age, "ill": np.where(ill, "yes", "no")})


def children() -> pd.DataFrame:
    """Return the children of eighty families, numbered from the tallest down."""
    rng = np.random.default_rng(1)
    family = np.repeat([f"family {number}" for number in range(80)], 4)
    father = np.repeat(rng.normal(175.0, 6.0, 80).round(1), 4)
    height = (father + rng.normal(0.0, 5.0, 320)).round(1)
    rows = pd.DataFrame({"family": family, "father": father, "height": height}).sort_values(["family", "height"], ascending=[True, False])
    return rows.assign(child=rows.groupby("family").cumcount() + 1).reset_index(drop=True)


EXAMPLES = [
    Example(
        "L05",
        on="patient_no",
        severity="warn",
        fires=scene(
            "`patient_no` differs in every row, and is above 5,000 for those who fell ill: they were numbered again in the ward.",
            "target: ill",
            patients,
        ),
        silent=scene(
            "Patients are numbered as they come, ill or not.",
            "target: ill",
            lambda: patients().assign(patient_no=np.random.default_rng(3).permutation(400) + 1000),
        ),
    ),
    Example(
        "L05",
        on="child",
        severity="warn",
        fires=scene("`child` counts the children of a family from the tallest to the smallest.", "target: height", children),
        silent=scene(
            "`child` counts them in the order of their birth.",
            "target: height",
            lambda: children().sample(frac=1, random_state=0).assign(child=lambda rows: rows.groupby("family").cumcount() + 1),
        ),
    ),
]
