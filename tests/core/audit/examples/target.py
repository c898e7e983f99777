"""Too few answers, and answers that contradict each other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def visits(n_patients: int) -> pd.DataFrame:
    """240 visits of some patients to a clinic."""
    rng = np.random.default_rng(0)
    patient = np.arange(240) % n_patients
    dose = rng.normal(10, 2, 240).round(1)
    return pd.DataFrame({"patient": [f"p{i}" for i in patient], "dose": dose, "pressure": (120 + dose + rng.normal(0, 8, 240)).round()})


def loans(n_lost: int) -> pd.DataFrame:
    """600 loans, some of which were lost."""
    rng = np.random.default_rng(1)
    end = np.array(["repaid"] * (600 - n_lost) + ["lost"] * n_lost)
    return pd.DataFrame({"amount": rng.gamma(2, 4000, 600).round(), "age": rng.integers(20, 70, 600), "end": rng.permutation(end)})


def cakes(*, minutes: bool) -> pd.DataFrame:
    """Cakes by flour and heat; how long each was baked is written down, or not."""
    rng = np.random.default_rng(2)
    flour, heat, time = rng.integers(1, 6, 300) * 100, rng.integers(16, 22, 300) * 10, rng.normal(40, 8, 300).round(2)
    height = 2 + flour / 100 + heat / 100 + 0.2 * time + rng.normal(0, 0.1, 300)
    return pd.DataFrame({"flour": flour, "heat": heat, "height": height.round(2)} | ({"minutes": time} if minutes else {}))


def letters(*, again: int) -> pd.DataFrame:
    """600 letters by what was counted in them, some of which were labelled twice, otherwise the second time."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({f"{word}s": rng.gamma(1, 2, 600).round(3) for word in ("link", "name", "number")})
    table["spam"] = np.where(table["links"] + rng.normal(0, 1, 600) > 2, "yes", "no")
    second = table.head(again).assign(spam=lambda each: np.where(each["spam"] == "yes", "no", "yes"))
    return pd.concat([table, second], ignore_index=True)


EXAMPLES = [
    Example(
        "D05",
        on="spam",
        severity="warn",
        fires=scene("30 of 600 letters were labelled twice, and otherwise the second time.", "target: spam", lambda: letters(again=30)),
        silent=scene("All letters were labelled once.", "target: spam", lambda: letters(again=0)),
    ),
    Example(
        "D02",
        on="patient",
        severity="warn",
        fires=scene(
            "240 visits, but of 12 patients only: visits of one patient are alike, so there are 12 independent cases.",
            """
            target: {column: pressure, kind: numeric}
            split: {scheme: kfold, together: patient}
            """,
            lambda: visits(12),
        ),
        silent=scene(
            "240 visits of 60 patients.",
            """
            target: {column: pressure, kind: numeric}
            split: {scheme: kfold, together: patient}
            """,
            lambda: visits(60),
        ),
    ),
    Example(
        "D02",
        on="lost",
        severity="warn",
        fires=scene("14 of 600 loans were lost: about 3 in each of five folds.", "target: end", lambda: loans(14)),
        silent=scene("40 of 600 loans were lost.", "target: end", lambda: loans(40)),
    ),
    Example(
        "D05",
        on="height",
        severity="note",
        fires=scene(
            "Cakes of the same flour and heat rise differently, by how long they were baked, which was not written down.",
            "target: {column: height, kind: numeric}",
            lambda: cakes(minutes=False),
        ),
        silent=scene(
            "The same cakes with the minutes, to a hundredth: hardly any two are alike.",
            "target: {column: height, kind: numeric}",
            lambda: cakes(minutes=True),
        ),
    ),
]
