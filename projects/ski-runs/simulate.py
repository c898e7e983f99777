"""A small ski resort, simulated: what is known at 18:00, then what happens on the slopes the next day.

The two halves meet only in `Evening`: `happens` looks at nothing else. So the distribution of tomorrow's skiers, given all
that could be known, is what `happens` draws again and again for the same evening, whatever is drawn before and after it: that
is `bayes`, and no model can decide better in the long run.

Where numbers come from: densities on the slope per class of skier, BC All Season Resort Guidelines (quoted by the FIS
wiki); lift capacities 1200 (double) and 2400 (quad) per hour; four types of customer, NSAA visits 2017-18; demand highest
near a wind chill of -9.5 C, shape after Malasevska and Haugom (Norwegian resorts); logit choice of runs with crowding, as
in models of Verbier and La Plagne. The coefficients themselves are assumptions, chosen so that every run is used.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

T = TypeVar("T")

FIRST_YEAR, SEASONS, DAYS = 2021, 5, 124  # each season opens on 4 December
HOURS = np.arange(9, 16)


class Run(NamedTuple):
    """A run as the piste map has it; `density` in skiers per hectare at which it counts as full."""

    name: str
    grade: str
    hectares: float
    minutes: float  # of one descent
    density: float
    lift: str
    exposure: float  # to wind, 0..1


class Lift(NamedTuple):
    """A lift: skiers per hour that it can carry, and the gust (km/h) at which it is as likely held as not."""

    name: str
    per_hour: float
    hold: float


class Customer(NamedTuple):
    """A type of customer: how many buy ahead and what moves them, how long they ski, and which runs they like."""

    name: str
    share: float  # of visits
    ahead: float  # share of them that has bought a ticket by 18:00 the day before
    shape: float  # of the gamma that moves this type alone from day to day; the smaller, the wilder
    weekday: tuple[float, ...]  # Monday to Sunday, effects on the log of demand
    holiday: float
    snow: float  # effect of ln(1 + snow_72h / 10) on tickets bought ahead
    walk_up_snow: float  # effect of ln(1 + snow_overnight / 10) on tickets bought in the morning
    present: tuple[float, ...]  # share on the slopes at 9, 10, ... 15 o'clock
    laps: float  # per hour
    likes: tuple[float, ...]  # green, blue, black, double black
    powder: float  # pull of fresh snow on black runs


RUNS = (
    Run("Meadow", "green", 5, 7, 50, "Village", 0.0),
    Run("Lullaby", "green", 7, 9, 40, "Forest", 0.0),
    Run("Larch", "blue", 9, 8, 30, "Forest", 0.1),
    Run("Cirrus", "blue", 11, 9, 25, "Summit", 0.3),
    Run("Boulevard", "blue", 12, 9, 25, "Summit", 0.2),
    Run("Gunsight", "black", 8, 7, 15, "Summit", 0.5),
    Run("Widowmaker", "black", 9, 8, 15, "Ridge", 0.8),
    Run("Couloir", "double black", 7, 9, 8, "Ridge", 1.0),
)
LIFTS = (Lift("Village", 1200, 86), Lift("Forest", 2400, 80), Lift("Summit", 2400, 74), Lift("Ridge", 1800, 67))
GRADES = ("green", "blue", "black", "double black")
CUSTOMERS = (
    Customer(
        "beginner", 0.14, 0.72, 12, (0, 0, 0, 0, 0.1, 0.9, 0.75), 0.9, -0.15, 0.0,
        (0.45, 0.80, 0.95, 0.75, 0.85, 0.75, 0.40), 1.2, (2.2, 0.0, -3.0, -6.0), -0.3,
    ),
    Customer(
        "intermediate", 0.43, 0.66, 25, (0, 0, 0, 0, 0.12, 0.55, 0.42), 0.55, 0.08, 0.16,
        (0.55, 0.88, 1.0, 0.72, 0.85, 0.82, 0.55), 1.6, (0.3, 1.6, -0.6, -4.0), 0.0,
    ),
    Customer(
        "advanced", 0.30, 0.60, 20, (0, 0.05, 0.05, 0.05, 0.12, 0.3, 0.2), 0.2, 0.35, 0.36,
        (0.65, 0.92, 1.0, 0.75, 0.88, 0.80, 0.55), 2.0, (-1.0, 0.9, 1.2, -0.8), 0.5,
    ),
    Customer(
        "expert", 0.13, 0.55, 12, (0.1, 0.15, 0.15, 0.1, 0.05, 0.0, -0.05), -0.1, 0.6, 0.5,
        (0.75, 0.95, 1.0, 0.80, 0.88, 0.75, 0.50), 2.2, (-1.6, 0.3, 1.3, 1.0), 0.9,
    ),
)  # fmt: skip

CALENDAR = ("weekday", "holiday", "day_of_season")  # as the tables name what is known at 18:00, and `Evening` too
TICKETS = tuple(f"tickets_{kind.name}" for kind in CUSTOMERS)
WEATHER = ("snow_24h", "snow_72h", "temp_forecast", "wind_forecast", "snow_forecast")

PER_HOUR = np.array([run.hectares * run.density * 60 / run.minutes for run in RUNS])  # (runs,) skiers when full
EXPOSURE = np.array([run.exposure for run in RUNS])
LIFT_OF = np.array([[lift.name for lift in LIFTS].index(run.lift) for run in RUNS])
LIFTED = np.array([0.9 * lift.per_hour for lift in LIFTS])  # (lifts,) one chair in ten leaves with a seat empty
STEEP = np.array([run.grade in ("black", "double black") for run in RUNS])
TASTE = np.array([[kind.likes[GRADES.index(run.grade)] + 0.5 * np.log(run.hectares / 8) for run in RUNS] for kind in CUSTOMERS])


def of_customers(field: str) -> np.ndarray:
    """Return one property of the four types as an array, (types, ...)."""
    return np.array([getattr(kind, field) for kind in CUSTOMERS])


@dataclass(frozen=True)
class Evening:
    """All that can be known at 18:00 the day before; everything that follows depends on this alone."""

    season: np.ndarray  # (days,) 0, 1, ...
    date: np.ndarray  # (days,) datetime64[D]
    day_of_season: np.ndarray  # (days,) from 0
    weekday: np.ndarray  # (days,) Monday 0 ... Sunday 6
    holiday: np.ndarray  # (days,) 0 or 1
    tickets: np.ndarray  # (days, types) sold for tomorrow
    snow_24h: np.ndarray  # (days,) cm fallen
    snow_72h: np.ndarray  # (days,) cm fallen
    temp_forecast: np.ndarray  # (days,) C
    wind_forecast: np.ndarray  # (days,) km/h
    snow_forecast: np.ndarray  # (days,) cm until the lifts open


@dataclass(frozen=True)
class Day:
    """What happened the next day."""

    snow_overnight: np.ndarray  # (days,) cm
    visits: np.ndarray  # (days, types) tickets bought ahead and in the morning
    open: np.ndarray  # (days, hours, runs) is its lift running
    flow: np.ndarray  # (days, hours, runs) expected skiers
    counts: np.ndarray  # (days, hours, runs) skiers that the counters saw
    load: np.ndarray  # (days, hours, lifts) how many want to ride, as a share of what the lift carries


def calendar() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return season, date and holiday of every day, (days,) each: 22 December to 6 January, and a week in February."""
    date = np.concatenate([np.datetime64(f"{FIRST_YEAR + at}-12-04") + np.arange(DAYS) for at in range(SEASONS)])
    season = np.repeat(np.arange(SEASONS), DAYS)
    year = FIRST_YEAR + 1 + season  # of its new year
    presidents_day = np.busday_offset([f"{at}-02" for at in year], 2, roll="forward", weekmask="Mon")
    since_christmas = (date - np.array([f"{at - 1}-12-22" for at in year], "M8[D]")).astype(int)
    february = np.abs((date - presidents_day).astype(int) - 2) <= 4  # from the Saturday before to the Sunday after
    return season, date, (((since_christmas >= 0) & (since_christmas <= 15)) | february).astype(int)


def overnight_snow(rng: np.random.Generator, snow_forecast: np.ndarray) -> np.ndarray:
    """Draw what falls, given what was forecast: false alarms, surprises, and amounts off by a third; cm, same shape."""
    falls = rng.random(snow_forecast.shape) < np.select([snow_forecast > 2, snow_forecast > 0], [0.92, 0.55], 0.06)
    expected = np.where(snow_forecast > 0, snow_forecast, 2.0)
    return np.where(falls, expected * np.exp(rng.normal(-0.06, 0.35, snow_forecast.shape)), 0.0).round(1)


def forecasts(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the forecasts of temperature (C), wind (km/h) and snow (cm), (seasons, DAYS) each: mild and wet spells last days."""
    temp, wet = np.empty((SEASONS, DAYS)), np.empty((SEASONS, DAYS), dtype=bool)
    spell, wet_before = rng.normal(0, 4, SEASONS), np.zeros(SEASONS, dtype=bool)
    for day in range(DAYS):
        spell = 0.7 * spell + rng.normal(0, 4 * np.sqrt(1 - 0.7**2), SEASONS)
        wet_before = rng.random(SEASONS) < np.where(wet_before, 0.60, 0.22)
        temp[:, day] = -8 + 3.5 * ((day - 42) / 45) ** 2 + spell  # coldest in the middle of January
        wet[:, day] = wet_before
    wind = np.exp(rng.normal(np.log(28) + 0.15 * wet, 0.42))
    snow = np.where(wet & (temp < 2), rng.gamma(0.9, 11, wet.shape), 0.0)
    return temp.round(1), wind.round(1), snow.round(1)


def known_by_evening(rng: np.random.Generator) -> tuple[Evening, np.ndarray]:
    """Draw all evenings, and the snow of each following night, (days,) cm, since it is the history of the evenings after it."""
    season, date, holiday = calendar()
    temp, wind, snow = forecasts(rng)
    fallen = overnight_snow(rng, snow)
    nights = np.pad(fallen, ((0, 0), (3, 0)))  # bare ground before the first day
    snow_24h = nights[:, 2:-1].ravel()
    snow_72h = (nights[:, :-3] + nights[:, 1:-2] + nights[:, 2:-1]).round(1).ravel()
    temp, wind, snow, fallen = temp.ravel(), wind.ravel(), snow.ravel(), fallen.ravel()

    weekday = (date.astype(int) + 3) % 7  # 1 January 1970 was a Thursday
    day = np.tile(np.arange(DAYS), SEASONS)
    chill = 13.12 + 0.6215 * temp + (0.3965 * temp - 11.37) * wind**0.16  # as Environment Canada reckons it since 2001
    common = (
        rng.normal(0.03 * np.arange(SEASONS), 0.06)[season]  # slow growth
        - 0.5 * np.exp(-day / 10)  # few come before Christmas
        - 0.4 * np.exp((day - DAYS) / 10)  # nor at the end
        - 0.35 * ((chill + 9.5) / 14) ** 2
    )
    log_demand = (
        common[:, None]
        + of_customers("weekday").T[weekday]
        + of_customers("holiday") * holiday[:, None]
        + of_customers("snow") * np.log1p(snow_72h / 10)[:, None]
    )
    shape = of_customers("shape")
    mood = rng.gamma(40, 1 / 40, (len(day), 1)) * rng.gamma(shape, 1 / shape, (len(day), len(shape)))
    tickets = rng.poisson(2100 * of_customers("share") * of_customers("ahead") * mood * np.exp(log_demand))
    return Evening(season, date, day, weekday, holiday, tickets, snow_24h, snow_72h, temp, wind, snow), fallen


def happens(rng: np.random.Generator, evening: Evening, snow_overnight: np.ndarray | None = None) -> Day:
    """Draw the day after each evening; the snow of the night too, unless it is given, (days,) cm."""
    fallen = overnight_snow(rng, evening.snow_forecast) if snow_overnight is None else snow_overnight
    n_days, n_hours = len(fallen), len(HOURS)

    ahead = of_customers("ahead")
    surprise = of_customers("walk_up_snow") * np.log1p(fallen / 10)[:, None] + rng.normal(0, 0.10, (n_days, 1))
    walk_ups = rng.poisson(rng.gamma(15, 1 / 15, evening.tickets.shape) * evening.tickets * (1 - ahead) / ahead * np.exp(surprise))
    visits = evening.tickets + walk_ups

    gust = evening.wind_forecast[:, None] * np.exp(rng.normal(0, 0.18, (n_days, 1)) + rng.normal(0, 0.12, (n_days, n_hours)))
    hold = np.array([lift.hold for lift in LIFTS])
    running = rng.random((n_days, n_hours, len(LIFTS))) >= 1 / (1 + np.exp(-(gust[..., None] - hold) / 4))
    is_open = running[..., LIFT_OF]

    riding = visits[:, None, :] * of_customers("present").T * of_customers("laps")  # (days, hours, types) descents
    fresh = np.log1p((fallen + 0.5 * evening.snow_24h) / 10)[:, None, None, None] * STEEP
    charm = TASTE + of_customers("powder")[:, None] * fresh - (0.8 * np.minimum(gust / 50, 2)[..., None] * EXPOSURE)[:, :, None, :]
    flow, load = flows(riding, charm, is_open)

    counts = np.where(is_open, rng.poisson(rng.gamma(25, 1 / 25, flow.shape) * flow), 0)
    return Day(fallen, visits, is_open, flow, counts, load)


def flows(riding: np.ndarray, charm: np.ndarray, is_open: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share skiers among open runs so that nobody who avoids crowds would rather ski elsewhere.

    Args:
        riding: (days, hours, types) descents wanted.
        charm: (days, hours, types, runs) utility of an empty run.
        is_open: (days, hours, runs).

    Returns:
        Expected skiers (days, hours, runs), and the load of the lifts (days, hours, lifts).
    """
    to_lift = np.eye(len(LIFTS))[LIFT_OF]  # (runs, lifts)
    pull = np.exp(charm) * is_open[:, :, None, :]
    flow, load = 0.3 * PER_HOUR * is_open, np.zeros((*is_open.shape[:2], len(LIFTS)))
    for _ in range(25):  # damped steps towards the fixed point
        weight = pull * np.exp(-1.2 * np.minimum(flow / PER_HOUR, 2.5))[:, :, None, :]
        chosen = weight / np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)  # all lifts held: nobody skis
        wanted = np.einsum("dhk,dhkr->dhr", riding, chosen)
        load = wanted @ to_lift / LIFTED
        carried = wanted / (1 + load**6)[..., LIFT_OF] ** (1 / 6)
        flow = 0.5 * flow + 0.5 * carried
    return flow, load


def winters(seed: int) -> tuple[Evening, Day]:
    """Draw all evenings of five winters, and the day that followed each."""
    evening_rng, day_rng = np.random.default_rng(seed).spawn(2)
    evening, fallen = known_by_evening(evening_rng)
    return evening, happens(day_rng, evening, fallen)


def known_columns(evening: Evening) -> dict[str, np.ndarray]:
    """Name what is known at 18:00 as the tables do, (days,) each."""
    return {
        **{name: getattr(evening, name) for name in CALENDAR},
        **{name: evening.tickets[:, at] for at, name in enumerate(TICKETS)},
        **{name: getattr(evening, name) for name in WEATHER},
    }


def simulate(seed: int) -> pd.DataFrame:
    """Return one row per day and run, 4,960 in all: what was known, `skiers`, and what was known only afterwards."""
    evening, day = winters(seed)

    def per_day(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, len(RUNS))

    def per_run(values: list[str] | np.ndarray) -> np.ndarray:
        return np.tile(np.asarray(values), len(evening.date))

    return pd.DataFrame(
        {
            "date": per_day(evening.date).astype("M8[ms]"),
            "run": per_run([run.name for run in RUNS]),
            "grade": per_run([run.grade for run in RUNS]),
            "lift": per_run([run.lift for run in RUNS]),
            "capacity": per_run((PER_HOUR * len(HOURS)).round()),
            **{name: per_day(values) for name, values in known_columns(evening).items()},
            "skiers": day.counts.sum(axis=1).ravel(),
            "scans_total": per_day(day.counts.sum(axis=(1, 2))),
            "wait_minutes": waiting(day.load).mean(axis=1)[:, LIFT_OF].round(1).ravel(),
            "hours_open": day.open.sum(axis=1).ravel(),
            "snow_overnight": per_day(day.snow_overnight),
        }
    )


def simulate_hours(seed: int) -> pd.DataFrame:
    """Return the same winters by the hour, 34,720 rows: one per day, hour and run, with its `count`."""
    evening, day = winters(seed)

    def per_day(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, len(HOURS) * len(RUNS))

    def per_run(values: list[str] | np.ndarray) -> np.ndarray:
        return np.tile(np.asarray(values), len(evening.date) * len(HOURS))

    hour = np.tile(np.repeat(HOURS, len(RUNS)), len(evening.date))
    date = per_day(evening.date)
    return pd.DataFrame(
        {
            "date": date.astype("M8[ms]"),
            "time": (date + hour * np.timedelta64(1, "h")).astype("M8[ms]"),
            "hour": hour,
            "run": per_run([run.name for run in RUNS]),
            "grade": per_run([run.grade for run in RUNS]),
            "lift": per_run([run.lift for run in RUNS]),
            "capacity": per_run(PER_HOUR.round()),
            **{name: per_day(values) for name, values in known_columns(evening).items()},
            "count": day.counts.ravel(),
            "scans_total": np.repeat(day.counts.sum(axis=2).ravel(), len(RUNS)),
            "wait_minutes": waiting(day.load)[..., LIFT_OF].round(1).ravel(),
            "lift_open": day.open.ravel().astype(int),
            "snow_overnight": per_day(day.snow_overnight),
        }
    )


def waiting(load: np.ndarray) -> np.ndarray:
    """Return the minutes in the queue of a lift by its load, same shape; longer queues put people off."""
    return 1 + 25 * load**3 / (1 + load**3)


def bayes(frame: pd.DataFrame, n_draws: int = 300) -> np.ndarray:
    """Draw the target of each row again and again, given what is known at 18:00 and nothing else.

    The best that anyone could predict: exact but for the error of so many draws, for every cost. The evening is read from the
    row itself, so it holds for whatever seed made the rows, and the draws of a row are the same whichever rows stand beside it.
    One draw is one day for all rows of a date: draws of several runs may be added.

    Args:
        frame: (n_rows, ...) rows of `ski_hours`, or, where there is no `hour`, of `ski_days`: any of them, in any order.
        n_draws: of each row.

    Returns:
        (n_rows, n_draws) skiers, in the order of the rows.

    Raises:
        ValueError: a run or an hour that the resort does not have, or rows that tell one evening in two ways.
    """
    evening, of_row = evenings(frame)
    run = positions(frame["run"], [each.name for each in RUNS])
    hour = positions(frame["hour"], HOURS.tolist()) if "hour" in frame else None
    known = b"".join(getattr(evening, field.name).tobytes() for field in fields(Evening))
    counts = kept(f"bayes-{n_draws}", ".npz", known, lambda: redrawn(evening, n_draws), read=_read_npz, write=_write_npz)
    return counts.sum(axis=2, dtype=counts.dtype)[of_row, :, run] if hour is None else counts[of_row, :, hour, run]


def evenings(frame: pd.DataFrame) -> tuple[Evening, np.ndarray]:
    """Read the evenings back from rows: each once, in the order of dates, and which of them each row follows, (n_rows,).

    Raises:
        ValueError: rows of one date differ in what was known on its evening.
    """
    date, first, of_row = np.unique(frame["date"].to_numpy("M8[D]"), return_index=True, return_inverse=True)
    known = {name: frame[name].to_numpy(dtype=float if name in WEATHER else int) for name in (*CALENDAR, *TICKETS, *WEATHER)}
    for name, values in known.items():
        if (values != values[first][of_row]).any():
            raise ValueError(f"rows of one date must agree in '{name}', known on its evening, but do not")
    once = {name: values[first] for name, values in known.items()}
    return Evening(
        season=(date - np.timedelta64(182, "D")).astype("M8[Y]").astype(int) + 1970 - FIRST_YEAR,  # winters run over a new year
        date=date,
        **{name: once[name] for name in (*CALENDAR, *WEATHER)},
        tickets=np.column_stack([once[name] for name in TICKETS]),
    ), of_row


def positions(values: pd.Series, known: list) -> np.ndarray:
    """Return where each value stands among those that the resort has, (n_rows,).

    Raises:
        ValueError: one is not among them.
    """
    found = pd.Index(known).get_indexer(values)
    if (found < 0).any():
        raise ValueError(f"'{values.name}' must be one of {', '.join(map(str, known))}, but is {values[found < 0].iloc[0]}")
    return found


def redrawn(evening: Evening, n_draws: int) -> np.ndarray:
    """Draw the day after each evening again and again: counts, (days, n_draws, hours, runs)."""
    counts = np.empty((len(evening.date), n_draws, len(HOURS), len(RUNS)), dtype=np.int32)  # half of the memory
    for at, date in enumerate(evening.date):
        same = Evening(**{field.name: np.repeat(getattr(evening, field.name)[[at]], n_draws, axis=0) for field in fields(Evening)})
        # A stream of its own for each date, and none that a seed of `simulate` gives: those are spawned, these are not.
        counts[at] = happens(np.random.default_rng([1800, int(date.astype(int))]), same).counts
    return counts


def ski_days(seed: int = 0) -> pd.DataFrame:
    """Return the rows of `simulate(seed)`, kept in .cache/ under the hash of all that determines them."""
    return kept(f"ski_days-{seed}", ".parquet", b"", lambda: simulate(seed), read=pd.read_parquet, write=_write_parquet)


def ski_hours(seed: int = 0) -> pd.DataFrame:
    """Return the rows of `simulate_hours(seed)`, kept as those of `ski_days` are."""
    return kept(f"ski_hours-{seed}", ".parquet", b"", lambda: simulate_hours(seed), read=pd.read_parquet, write=_write_parquet)


def kept(name: str, ending: str, given: bytes, make: Callable[[], T], *, read: Callable[[Path], T], write: Callable[[T, Path], None]) -> T:
    """Return what was made before, or make it, and keep it in .cache/ under the hash of all that determines it.

    Args:
        name: of the file, before the hash: what is made, with its numbers.
        ending: of the file.
        given: what else determines it, beside the name, this file and numpy.
        make: makes it.
        read: reads it from a file.
        write: writes it to a file.
    """
    determined_by = b"\0".join([Path(__file__).read_bytes(), np.__version__.encode(), name.encode(), given])
    path = Path(__file__).with_name(".cache") / f"{name}-{hashlib.sha256(determined_by).hexdigest()[:16]}{ending}"
    if path.exists():
        return read(path)
    made = make()
    with contextlib.suppress(OSError):  # in a folder that cannot be written to, it is made again the next time
        path.parent.mkdir(exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}.tmp")  # whole or not at all, also where two runs write at once
        try:
            write(made, aside)
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    return made


def _write_parquet(rows: pd.DataFrame, path: Path) -> None:
    rows.to_parquet(path, index=False)


def _read_npz(path: Path) -> np.ndarray:
    with np.load(path) as file:
        return file["counts"]


def _write_npz(counts: np.ndarray, path: Path) -> None:
    with path.open("wb") as file:  # given a path, numpy would add an ending
        np.savez_compressed(file, counts=counts)
