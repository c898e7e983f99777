"""Units that change, gauges that are stuck, and clocks that are not sound."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene

DAYS = pd.Series(pd.date_range("2019-01-01", periods=730))


def rides(*, inches: bool = False, stuck: int = 0) -> pd.DataFrame:
    """Two years of a bicycle counter with the day's rain; from the second winter on the rain gauge may say inches."""
    rng = np.random.default_rng(0)
    season = np.sin(2 * np.pi * (DAYS.dt.day_of_year.to_numpy() - 100) / 365)
    rain = np.where(rng.random(730) < 0.4, rng.gamma(1.5, 4, 730), 0).round(1)
    heat = (12 + 9 * season + rng.normal(0, 3, 730)).round(1)
    count = np.maximum(50, 900 + 500 * season - 20 * rain + rng.normal(0, 120, 730)).round()
    if inches:
        rain = np.where(DAYS >= "2020-02-01", rain / 25.4, rain)
    if stuck:
        heat[400 : 400 + stuck] = heat[400]
    return pd.DataFrame({"date": DAYS, "rain": rain, "heat": heat, "count": count})


def winds(*, miles: bool) -> pd.DataFrame:
    """Two years of a bicycle counter with the wind; in the second year the station may say miles an hour, rounded likewise."""
    table = rides()
    wind = np.random.default_rng(3).gamma(6, 3, 730).round()
    return table.assign(wind=np.where(miles & (table["date"] < "2020-01-01"), wind, (wind * 1.609344).round()))


def parcels(*, inches: bool) -> pd.DataFrame:
    """Parcels with their length and width; every fourth was measured by a branch that may write the width in inches."""
    rng = np.random.default_rng(4)
    length, width = 20 * rng.lognormal(0, 0.7, 600), rng.normal(1, 0.08, 600)
    width = length * width * np.where(inches & (np.arange(600) % 4 == 0), 1 / 2.54, 1.0)
    return pd.DataFrame({"length": length.round(2), "width": width.round(2), "price": (3 + length / 10 + rng.normal(0, 1, 600)).round(2)})


def meters(*, times: float) -> pd.DataFrame:
    """A shop's use of power by day; on one day in its second year a meter of another kind was put in."""
    table = rides()
    rng = np.random.default_rng(1)
    power = rng.normal(200, 20, 730) * np.where(table["date"] >= "2020-06-01", times, 1.0)
    return table.assign(power=power)


def hours(*, twice: int) -> pd.DataFrame:
    """Sixty days of traffic by the hour, in which some hours were sent twice."""
    rng = np.random.default_rng(2)
    when = pd.Series(pd.date_range("2021-05-01", periods=1440, freq="h"))
    table = pd.DataFrame({"time": when, "wind": rng.gamma(3, 4, 1440).round(1), "cars": rng.poisson(200 + 100 * np.sin(when.dt.hour / 4))})
    again = table.sample(twice, random_state=0)
    return pd.concat([table, again]).sort_values("time", ignore_index=True)


EXAMPLES = [
    Example(
        "D07",
        on="rain",
        severity="warn",
        fires=scene(
            "The rain gauge reports tenths of a millimetre, and from February 2020 on inches.",
            "target: {column: count, kind: count}\ntime: date",
            lambda: rides(inches=True),
        ),
        silent=scene("Two years of millimetres.", "target: {column: count, kind: count}\ntime: date", rides),
    ),
    Example(
        "D07",
        on="power",
        severity="warn",
        fires=scene(
            "From one day to the next a meter shows five times as much, and stays there.",
            "target: {column: count, kind: count}\ntime: date",
            lambda: meters(times=5.0),
        ),
        silent=scene(
            "From one day on a shop uses a tenth more.",
            "target: {column: count, kind: count}\ntime: date",
            lambda: meters(times=1.1),
        ),
    ),
    Example(
        "D07",
        on="wind",
        severity="warn",
        fires=scene(
            "Until the end of 2019 the wind is in whole miles an hour, and in whole kilometres from then on.",
            "target: {column: count, kind: count}\ntime: date",
            lambda: winds(miles=True),
        ),
        silent=scene("Two years of kilometres an hour.", "target: {column: count, kind: count}\ntime: date", lambda: winds(miles=False)),
    ),
    Example(
        "D07",
        on="width",
        severity="warn",
        fires=scene(
            "Of every fourth parcel the width is in inches; widths alone do not show it, beside lengths they do.",
            "target: {column: price, kind: numeric}",
            lambda: parcels(inches=True),
        ),
        silent=scene("All in centimetres.", "target: {column: price, kind: numeric}", lambda: parcels(inches=False)),
    ),
    Example(
        "D07",
        on="heat",
        severity="warn",
        fires=scene(
            "The thermometer shows the same for 40 days.",
            "target: {column: count, kind: count}\ntime: date",
            lambda: rides(stuck=40),
        ),
        silent=scene("It shows the same for 6 days.", "target: {column: count, kind: count}\ntime: date", lambda: rides(stuck=6)),
    ),
    Example(
        "D08",
        on="time",
        severity="warn",
        fires=scene("60 of 1,500 hours are there twice.", "target: {column: cars, kind: count}\ntime: time", lambda: hours(twice=60)),
        silent=scene("4 of 1,444 hours are there twice.", "target: {column: cars, kind: count}\ntime: time", lambda: hours(twice=4)),
    ),
]
