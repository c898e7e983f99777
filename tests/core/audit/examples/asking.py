"""What a problem leaves out, asks too little of, or asks in vain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def ski_days() -> pd.DataFrame:
    """Return four hundred days of a small resort, fuller at the weekend."""
    rng = np.random.default_rng(0)
    day = pd.date_range("2023-01-01", periods=400)
    tickets = rng.poisson(np.where(day.day_of_week >= 5, 900, 500))
    return pd.DataFrame({"day": day, "tickets": tickets, "skiers": rng.poisson(0.4 * tickets)})


def appointments() -> pd.DataFrame:
    """Return two thousand appointments of a clinic; one patient in ten does not come."""
    rng = np.random.default_rng(1)
    waited = rng.integers(1, 60, 2000)
    missed = rng.random(2000) < 0.04 + 0.002 * waited
    return pd.DataFrame({"days_waited": waited, "age": rng.integers(18, 90, 2000), "missed": np.where(missed, "yes", "no")})


def weeks_of_a_shop() -> pd.DataFrame:
    """Return the sales of a shop in sixty weeks, which nobody could predict."""
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {"week": pd.date_range("2024-01-01", periods=60, freq="W"), "adverts": rng.integers(0, 9, 60), "sales": rng.gamma(6.0, 150.0, 60)}
    )


def years_of_a_shop() -> pd.DataFrame:
    """Return as many days of a shop as make eight years."""
    rng = np.random.default_rng(3)
    day = pd.date_range("2016-01-01", periods=2900)
    usual = np.where(day.day_of_week == 5, 2600.0, 1500.0)
    return pd.DataFrame({"day": day, "adverts": rng.integers(0, 9, len(day)), "sales": usual + rng.normal(0.0, 250.0, len(day))})


def flats(*, mixed: bool = True) -> pd.DataFrame:
    """Return eight hundred flats in four quarters of a town, which cost alike where they are not mixed."""
    rng = np.random.default_rng(4)
    quarter = rng.choice(["harbour", "market", "station", "woods"], 800)
    dearer = pd.Series(quarter).map({"harbour": 1.5, "market": 1.2, "station": 0.8, "woods": 1.0}).to_numpy() if mixed else 1.0
    return pd.DataFrame({"quarter": quarter, "floor": rng.integers(0, 8, 800), "rent": dearer * rng.normal(900.0, 120.0, 800)})


def reviews() -> pd.DataFrame:
    """Return what guests of a hotel wrote."""
    rng = np.random.default_rng(5)
    return pd.DataFrame({"nights": rng.integers(1, 14, 300), "price": rng.normal(120.0, 30.0, 300), "rating": rng.normal(7.5, 1.2, 300)})


BUSY_DAYS = "A resort counts its skiers, 330 to 900 tickets a day. A day from 240 skiers on is busy: `busy` is 'yes'."


def busy_days(*, as_counted: bool = True) -> pd.DataFrame:
    """Return days that are called busy by how many skiers were counted, or by whether the car park was full."""
    days = ski_days()
    rng = np.random.default_rng(6)
    parked = days["skiers"] if as_counted else days["skiers"] + rng.normal(0.0, 40.0, len(days))
    return days.assign(busy=np.where(parked >= 240, "yes", "no"))


EXAMPLES = [
    Example(
        "F01",
        on="decision",
        severity="warn",
        fires=scene("400 days of a resort.", "target: {column: skiers, kind: count}", ski_days),
        silent=scene(
            "The same days, and what it costs to have one meal too many or too few.",
            """
            target: {column: skiers, kind: count}
            decision: {cost: {over: 2, under: 9}, currency: EUR}
            """,
            ski_days,
        ),
    ),
    Example(
        "F03",
        on="decision",
        severity="block",
        fires=scene(
            "One patient in ten misses the appointment. 3,000 appointments a year; the system would cost 100,000 EUR a year.",
            """
            target: {column: missed, positive: "yes"}
            decision: {cost: {false_alarm: 15, miss: 80}, currency: EUR, per_year: 3000}
            success: {worthwhile: 100000}
            """,
            appointments,
        ),
        silent=scene(
            "The same appointments, and 20,000 EUR a year.",
            """
            target: {column: missed, positive: "yes"}
            decision: {cost: {false_alarm: 15, miss: 80}, currency: EUR, per_year: 3000}
            success: {worthwhile: 20000}
            """,
            appointments,
        ),
    ),
    Example(
        "F03",
        on="decision",
        severity="warn",
        fires=scene(
            "Calling a patient costs 300 EUR, whoever it is; to call one who comes anyway, 5 EUR more.",
            """
            target: {column: missed, positive: "yes"}
            decision: {cost: {call: [305, 300], wait: [300, 310]}, currency: EUR}
            """,
            appointments,
        ),
        silent=scene(
            "The same, without the 300 EUR that are paid in any case.",
            """
            target: {column: missed, positive: "yes"}
            decision: {cost: {call: [5, 0], wait: [0, 10]}, currency: EUR}
            """,
            appointments,
        ),
    ),
    Example(
        "F04",
        on="success.by",
        severity="warn",
        fires=scene(
            "Sales of 60 weeks, up and down as if drawn from a hat; a model is to save 2 %.",
            """
            target: sales
            time: week
            success: {by: 2%}
            """,
            weeks_of_a_shop,
        ),
        silent=scene(
            "Sales of 2,900 days, a Saturday 1,100 more than another day.",
            """
            target: sales
            time: day
            success: {by: 2%}
            """,
            years_of_a_shop,
        ),
    ),
    Example(
        "F05",
        on="rmse",
        severity="warn",
        fires=scene(
            "One meal too many costs 2 EUR, one too few 9 EUR: enough in 82 % of all cases is right, not enough on average.",
            """
            target: {column: skiers, kind: count}
            decision: {cost: {over: 2, under: 9}, currency: EUR}
            metric: rmse
            """,
            ski_days,
        ),
        silent=scene(
            "Too many and too few cost the same: then the middle value is right, and it is what the absolute error rewards.",
            """
            target: {column: skiers, kind: count}
            decision: {cost: {over: 9, under: 9}, currency: EUR}
            metric: mae
            """,
            ski_days,
        ),
    ),
    Example(
        "F06",
        on="skiers",
        severity="warn",
        fires=scene(
            "Days of a resort, cut into quiet and busy ones.",
            """
            target: {column: skiers, kind: count, levels: {cuts: [240], names: [quiet, busy]}}
            decision: {cost: {one_lift: [0, 500], two_lifts: [200, 0]}, currency: EUR}
            framings: [classes]
            """,
            ski_days,
        ),
        silent=scene(
            "The same days, and models are also asked for the number.",
            """
            target: {column: skiers, kind: count, levels: {cuts: [240], names: [quiet, busy]}}
            decision: {cost: {one_lift: [0, 500], two_lifts: [200, 0]}, currency: EUR}
            framings: [mean, classes]
            """,
            ski_days,
        ),
    ),
    Example(
        "F06",
        on="skiers",
        severity="warn",
        fires=scene(
            BUSY_DAYS,
            """
            target: {column: busy, positive: "yes"}
            known_at: {after: [skiers]}
            """,
            busy_days,
        ),
        silent=scene(
            "A resort counts its skiers; a day on which the car park was full is called busy.",
            """
            target: {column: busy, positive: "yes"}
            known_at: {after: [skiers]}
            """,
            lambda: busy_days(as_counted=False),
        ),
    ),
    Example(
        "F08",
        on="rating",
        severity="note",
        fires=scene("What 300 guests of a hotel wrote.", "target: rating", reviews),
        silent=scene(
            "The same, and what it is for.", "target: {column: rating, proxy_for: whether a guest comes again}", reviews
        ),
    ),
    Example(
        "F09",
        on="quarter",
        severity="note",
        fires=scene("800 flats; one at the harbour costs nearly twice one at the station.", "target: rent", flats),
        silent=scene("800 flats that cost about the same everywhere.", "target: rent", lambda: flats(mixed=False)),
    ),
]  # fmt: skip
