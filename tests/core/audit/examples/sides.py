"""Examples of the checks of what stands on both sides of a split."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def readings(again: int) -> pd.DataFrame:
    """Return 300 patients, the first few of them entered a second time at the end of the file."""
    rng = np.random.default_rng(0)
    age, pulse, weight = rng.integers(20, 80, 300), rng.normal(75, 9, 300).round(1), rng.normal(72, 12, 300).round(1)
    rows = pd.DataFrame({"age": age, "pulse": pulse, "weight": weight, "pressure": (90 + age / 2 + rng.normal(0, 8, 300)).round(1)})
    return pd.concat([rows, rows.head(again)], ignore_index=True)


def answers() -> pd.DataFrame:
    """Return 400 guests who ticked three boxes, and whether they came back."""
    rng = np.random.default_rng(0)
    boxes = {name: rng.choice(["yes", "no"], 400) for name in ("by_car", "with_children", "stayed_over")}
    return pd.DataFrame({**boxes, "came_back": np.where(rng.random(400) < 0.4, "yes", "no")})


def lessons(n_groups: int, name: str) -> pd.DataFrame:
    """Return 480 lessons at a ski school: how fast each was skied depends on the snow, and on the group that `name` tells."""
    rng = np.random.default_rng(0)
    group = rng.permutation(np.arange(480) % n_groups)
    effect, build = rng.normal(0, 6, n_groups), rng.normal(75, 12, n_groups).round(1)
    snow = rng.uniform(0, 50, 480).round(1)
    speed = (35 + snow / 5 + effect[group] + rng.normal(0, 3, 480)).round(1)
    return pd.DataFrame({name: [f"{name} {each}" for each in group], "weight": build[group], "snow": snow, "speed": speed})


def takings() -> pd.DataFrame:
    """Return 400 days of a shop whose trade comes and goes over months."""
    rng = np.random.default_rng(0)
    drift = np.cumsum(rng.normal(0, 1, 400))
    day = pd.date_range("2022-01-01", periods=400)
    return pd.DataFrame(
        {"day": day, "rain": rng.exponential(3, 400).round(1), "takings": (100 + 6 * drift + rng.normal(0, 5, 400)).round(1)}
    )


def orders() -> pd.DataFrame:
    """Return 500 orders, one a day; whether each is sent back shows after two months."""
    rng = np.random.default_rng(0)
    day = pd.date_range("2022-01-01", periods=500)
    return pd.DataFrame({"day": day, "price": rng.integers(5, 500, 500), "sent_back": np.where(rng.random(500) < 0.3, "yes", "no")})


JUDGED = np.where(np.arange(400) < 380, 2, 0)  # the latest 20 days came in since

EXAMPLES = [
    Example(
        "L06",
        on="rows",
        severity="warn",
        fires=scene(
            "300 patients of a clinic; the first 45 were entered twice, so that 345 rows are shuffled into folds.",
            "target: pressure",
            lambda: readings(45),
        ),
        silent=scene(
            "400 guests ticked three boxes. Most rows repeat another one, answer included: there are only 16 ways to fill the form in.",
            "target: came_back",
            answers,
        ),
    ),
    Example(
        "L07",
        on="pupil",
        severity="warn",
        fires=scene(
            "Eighty pupils of a ski school took six lessons each, and each pupil has a pace of their own. Lessons are shuffled into folds.",
            """
            target: speed
            columns: {pupil: identifier}
            """,
            lambda: lessons(80, "pupil"),
        ),
        silent=scene(
            "The same lessons, on eight runs instead of by eighty pupils. Each run has its pace too, but the same runs will be used again.",
            "target: speed",
            lambda: lessons(8, "run"),
        ),
    ),
    Example(
        "L08",
        on="day",
        severity="warn",
        fires=scene(
            "A shop's trade comes and goes over months, and days are shuffled into folds: each is predicted with the days after it.",
            """
            target: takings
            time: day
            split: {scheme: kfold}
            """,
            takings,
        ),
        silent=scene(
            "The same days, each predicted from those before.",
            """
            target: takings
            time: day
            split: {scheme: forward}
            """,
            takings,
        ),
    ),
    Example(
        "L08",
        on="gap",
        severity="block",
        fires=scene(
            "Whether an order is sent back shows after 60 days, but models learn from all orders up to the day before the test.",
            """
            target: {column: sent_back, positive: "yes", delay: 60d}
            time: day
            split: {scheme: forward, by: quarter}
            """,
            orders,
        ),
        silent=scene(
            "The same orders, with the 60 days before each test left out.",
            """
            target: {column: sent_back, positive: "yes", delay: 60d}
            time: day
            split: {scheme: forward, by: quarter, gap: 60d}
            """,
            orders,
        ),
    ),
    Example(
        "L14",
        on="holdout",
        severity="warn",
        fires=scene(
            "The last 80 of 400 days are the holdout, but two comparisons had judged all but the last 20 days before it was declared.",
            """
            target: takings
            time: day
            split: {scheme: forward, holdout: 0.2}
            """,
            takings,
            judged_before=JUDGED,
        ),
        silent=scene(
            "The last 20 of 400 days are the holdout: they came in after the two comparisons.",
            """
            target: takings
            time: day
            split: {scheme: forward, holdout: 0.05}
            """,
            takings,
            judged_before=JUDGED,
        ),
    ),
]
