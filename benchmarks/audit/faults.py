"""The faults: each planted into one clean table, with what must be said of it, decided before any threshold was set.

A third is held back by a hash of its name. A fault is caught when the audit says something of it that is open, warns or
blocks, comes from one of the checks listed, and names what is wrong; what it says of the clean table does not count.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from benchmarks.audit.planting import (
    Plant,
    both,
    group_means,
    jittered,
    next_of,
    noisy,
    number,
    puts,
    repeated,
    rolled,
    rows,
    says,
    sets,
    some,
    undeclares,
    vouches,
    written,
)

# What counts as having caught a fault: the checks that look for its kind.
ANSWER = frozenset({"L01", "L02", "L03", "L09", "L10"})  # this column holds the answer
NUMBERED = ANSWER | {"L05"}
ABSENT = ANSWER | {"D04"}
TWICE = frozenset({"L06", "F07"})
TORN = frozenset({"L06", "L07", "L11", "F07"})
TIMELESS = frozenset({"L07", "L08", "L11"})
SOON = frozenset({"L04", "L08"})
BREAK = frozenset({"D06", "D07", "L12"})
CODE = frozenset({"D01", "D04", "D06", "D07"})
TEXT = frozenset({"D06", "D08"})


@dataclass(frozen=True)
class Fault:
    """One fault in one table.

    Args:
        name: its own.
        kind: faults of a kind are counted together.
        table: the clean table that it is planted into.
        about: what must be named: columns, or keys of the problem; one of them suffices.
        caught_by: ids of the checks that count as having caught it.
        deserves: what it deserves; a note is counted apart.
        plant: puts it in.
        whole: the checks that count look at the table as a whole, so that nothing need be named.
        hidden: why no statistic of this table can find it; empty where one can. It counts as missed all the same.
    """

    name: str
    kind: str
    table: str
    about: tuple[str, ...]
    caught_by: frozenset[str]
    deserves: Literal["block", "warn", "note"]
    plant: Plant
    whole: bool = False
    hidden: str = ""

    @property
    def digest(self) -> str:
        """Return what decides its luck and its part."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def held_back(self) -> bool:
        """Tell whether it belongs to the third that nobody looks at before the end."""
        return int(self.digest, 16) % 3 == 0

    def planted(self, frame: pd.DataFrame, problem: dict) -> tuple[pd.DataFrame, dict]:
        """Return a clean table and its problem with this fault in them."""
        return self.plant(frame, problem, np.random.default_rng(int(self.digest[:16], 16)))

    def canonical(self) -> dict:
        """Return all of it but the planting, as plain values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "table": self.table,
            "about": list(self.about),
            "caught_by": sorted(self.caught_by),
            "deserves": self.deserves,
            "whole": self.whole,
            "hidden": self.hidden,
            "held_back": self.held_back,
        }


def shares_of_yes(frame: pd.DataFrame, column: str, yes: str) -> np.ndarray:
    """Return 1.0 where a column says yes, else 0.0."""
    return (frame[column] == yes).to_numpy(dtype=float)


def smoothed(frame: pd.DataFrame, by: str, values: np.ndarray, strength: float) -> np.ndarray:
    """Return each row's mean of its group, drawn towards the overall mean as by `strength` more rows."""
    grouped = pd.Series(values).groupby(frame[by].to_numpy())
    return ((grouped.transform("sum") + strength * values.mean()) / (grouped.transform("size") + strength)).to_numpy()


def left_out(frame: pd.DataFrame, by: str, values: np.ndarray) -> np.ndarray:
    """Return each row's mean of the other rows of its group; the overall mean where there is no other."""
    grouped = pd.Series(values).groupby(frame[by].to_numpy())
    others = grouped.transform("size") - 1
    return np.where(others > 0, (grouped.transform("sum") - values) / others.clip(lower=1), values.mean())


def from_day(frame: pd.DataFrame, time: str, day: str) -> np.ndarray:
    """Tell which rows come from a day on."""
    return (frame[time] >= day).to_numpy()


def flipped(frame: pd.DataFrame, column: str, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return the labels of two classes with a share of them exchanged."""
    first, second = sorted(frame[column].unique())
    labels = frame[column].to_numpy(dtype=object).copy()
    wrong = some(len(frame), share, rng)
    labels[wrong] = np.where(labels[wrong] == first, second, first)
    return labels


def sorted_and_numbered(frame: pd.DataFrame, column: str, name: str, noise: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows sorted by their answer, about, and numbered in that order."""
    key = number(frame, column) if frame[column].str.fullmatch(r"-?[\d.]+").all() else frame[column].astype("category").cat.codes.to_numpy()
    order = np.argsort(noisy(key.astype(float), noise, rng), kind="stable")
    return frame.iloc[order].assign(**{name: written(np.arange(1, len(frame) + 1))})


def months_of(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return a row for each of three months of a customer, with charges that hardly change and the customer's one outcome."""
    months = []
    for month in range(3):
        part = frame.copy()
        part["month"] = str(month + 1)
        part["tenure"] = written(number(frame, "tenure") + month)
        part["MonthlyCharges"] = written(np.round(number(frame, "MonthlyCharges") * rng.normal(1.0, 0.01, len(frame)), 2))
        months.append(part)
    return pd.concat(months).sort_values(["customerID", "month"])


def interpolated(frame: pd.DataFrame, target: str, yes: str, columns: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with the rarer class brought to the size of the other by rows made between two neighbours of it."""
    rare = frame[frame[target] == yes]
    values = np.column_stack([number(rare, column) for column in columns])
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    distances = np.square(scaled[:, None, :] - scaled[None, :, :]).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1)[:, :5]
    first = rng.integers(0, len(rare), len(frame) - 2 * len(rare))
    second = near[first, rng.integers(0, 5, len(first))]
    between = values[first] + rng.random((len(first), 1)) * (values[second] - values[first])
    made = rare.iloc[first].assign(**{column: written(between[:, place]) for place, column in enumerate(columns)})
    whole = pd.concat([frame, made])
    return whole.iloc[rng.permutation(len(whole))]


def few_of(frame: pd.DataFrame, column: str, value: str, n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of which only some have a value."""
    having = np.flatnonzero(frame[column] == value)
    gone = rng.choice(having, size=len(having) - n_rows, replace=False)
    return frame.drop(index=frame.index[gone])


def contradicted(frame: pd.DataFrame, target: str, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with a share of them a second time, with another answer."""
    again = frame.iloc[some(len(frame), share, rng)].copy()
    first, second = sorted(frame[target].unique())
    again[target] = np.where(again[target] == first, second, first)
    whole = pd.concat([frame, again])
    return whole.iloc[rng.permutation(len(whole))]


def other_way(frame: pd.DataFrame, column: str, form: str) -> np.ndarray:
    """Return a column of dates written in another form."""
    return pd.to_datetime(frame[column]).dt.strftime(form).to_numpy(dtype=object)


def unwritten(frame: pd.DataFrame, target: str, value: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows without half of those that have a value: they were never written down."""
    having = np.flatnonzero((frame[target] == value).to_numpy())
    return frame.drop(index=frame.index[rng.choice(having, size=len(having) // 2, replace=False)])


def counted_again(frame: pd.DataFrame, target: str, order: str, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with a share of them a second time beside the first, counted three higher."""
    again = frame.iloc[some(len(frame), share, rng)]
    again = again.assign(**{target: written(number(again, target) + 3)})
    return pd.concat([frame, again]).sort_values(order, key=pd.to_numeric, kind="stable")


def balanced(frame: pd.DataFrame, target: str, yes: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with the rarer class brought to the size of the other by repeating its rows."""
    rare = frame[frame[target] == yes]
    whole = pd.concat([frame, rare.iloc[rng.integers(0, len(rare), len(frame) - 2 * len(rare))]])
    return whole.iloc[rng.permutation(len(whole))]


FAULTS: tuple[Fault, ...] = (
    # The answer under another name.
    Fault(
        "california: the value in thousands",
        "leak, copied",
        "california_housing",
        ("assessed_value",),
        ANSWER,
        "block",
        sets("assessed_value", lambda f, _: number(f, "median_house_value") / 1000),
    ),
    Fault(
        "abalone: age is rings and a half more",
        "leak, copied",
        "abalone",
        ("age",),
        ANSWER,
        "block",
        sets("age", lambda f, _: number(f, "rings") + 1.5),
    ),
    Fault(
        "diamonds: the price in another currency, rounded to tens",
        "leak, copied",
        "diamonds",
        ("retail_eur",),
        ANSWER,
        "block",
        sets("retail_eur", lambda f, _: np.round(number(f, "price") * 0.92, -1)),
    ),
    Fault(
        "telco: a status of the customer",
        "leak, copied",
        "telco_churn",
        ("account_status",),
        ANSWER,
        "block",
        sets("account_status", lambda f, _: np.where(f["Churn"] == "Yes", "closed", "active")),
    ),
    Fault(
        "german: the outcome as a code",
        "leak, copied",
        "german_credit",
        ("code2",),
        ANSWER,
        "block",
        sets("code2", lambda f, _: np.where(f["class"] == "bad", 2, 1)),
    ),
    # The answer with noise.
    Fault(
        "ames: an appraisal after the sale",
        "leak, noisy",
        "ames",
        ("Appraisal",),
        ANSWER,
        "warn",
        sets("Appraisal", lambda f, rng: np.round(number(f, "SalePrice") * np.exp(rng.normal(0, 0.05, len(f))), -2)),
    ),
    Fault(
        "concrete: another test of the same sample",
        "leak, noisy",
        "concrete",
        ("rebound",),
        ANSWER,
        "warn",
        sets("rebound", lambda f, rng: np.log(np.maximum(noisy(number(f, "strength"), 0.2, rng), 1))),
    ),
    Fault(
        "adult: a tax bracket, wrong in 2 of 100",
        "leak, noisy",
        "adult",
        ("bracket",),
        ANSWER,
        "warn",
        sets("bracket", lambda f, rng: flipped(f, "income", 0.02, rng)),
    ),
    Fault(
        "spambase: the verdict of a person, wrong in 4 of 100",
        "leak, noisy",
        "spambase",
        ("reviewed",),
        ANSWER,
        "warn",
        sets("reviewed", lambda f, rng: flipped(f, "class", 0.04, rng)),
    ),
    Fault(
        "diamonds: a price of the insurer",
        "leak, noisy",
        "diamonds",
        ("insured",),
        ANSWER,
        "warn",
        sets("insured", lambda f, rng: np.round(number(f, "price") * np.exp(rng.normal(0, 0.15, len(f))), -2)),
    ),
    # Parts of the answer that the data really hold.
    Fault(
        "bike_day: casual and registered left in",
        "part of the answer, real",
        "bike_day",
        ("casual", "registered"),
        ANSWER,
        "warn",
        undeclares("casual", "registered"),
    ),
    Fault(
        "bike_hour: casual and registered left in",
        "part of the answer, real",
        "bike_hour",
        ("casual", "registered"),
        ANSWER,
        "warn",
        undeclares("casual", "registered"),
    ),
    Fault(
        "ski_resort2: visits by day left in",
        "part of the answer, real",
        "ski_resort2",
        ("Skier visits day", "SV Nights"),
        ANSWER,
        "warn",
        undeclares("Skier visits day", "SV Nights"),
    ),
    Fault(
        "ski_resort3: visits by day and night left in",
        "part of the answer, real",
        "ski_resort3",
        ("DAY_VISITS", "NIGHT_VISITS"),
        ANSWER,
        "warn",
        undeclares("DAY_VISITS", "NIGHT_VISITS"),
    ),
    Fault(
        "fremont: the two sides left in",
        "part of the answer, real",
        "fremont_daily",
        ("West", "East"),
        ANSWER,
        "warn",
        undeclares("West", "East"),
    ),
    Fault(
        "galton: the child's number left in",
        "part of the answer, real",
        "galton_families",
        ("childNum",),
        ANSWER,
        "warn",
        undeclares("childNum"),
    ),
    Fault(
        "energy: the other answer left in",
        "part of the answer, real",
        "energy_enb",
        ("cooling",),
        ANSWER,
        "warn",
        undeclares("cooling"),
    ),
    # What comes later.
    Fault(
        "bike_hour: the hour that follows",
        "future column",
        "bike_hour",
        ("demand_b",),
        ANSWER,
        "warn",
        sets("demand_b", lambda f, _: next_of(f, "cnt")),
    ),
    Fault(
        "pedestrian: the hour that follows at the sensor",
        "future column",
        "pedestrian_melbourne",
        ("flow",),
        ANSWER,
        "warn",
        sets("flow", lambda f, _: next_of(f, "Count", "Sensor")),
    ),
    Fault(
        "metro: the hour that follows",
        "future column",
        "metro_traffic",
        ("loop_2",),
        ANSWER,
        "warn",
        sets("loop_2", lambda f, _: next_of(f, "traffic_volume")),
    ),
    Fault(
        "fremont: the day that follows",
        "future column",
        "fremont_daily",
        ("counter_b",),
        ANSWER,
        "warn",
        sets("counter_b", lambda f, _: next_of(f, "Total")),
    ),
    # What comes of the answer.
    Fault(
        "ski_resort3: minutes of waiting",
        "consequence",
        "ski_resort3",
        ("queue_minutes",),
        ANSWER,
        "warn",
        sets("queue_minutes", lambda f, rng: np.round(np.maximum(noisy(number(f, "TOTAL_VISITS") / 150, 0.4, rng), 0), 1)),
    ),
    Fault(
        "bike_day: hours of repair",
        "consequence",
        "bike_day",
        ("repair_hours",),
        ANSWER,
        "warn",
        sets("repair_hours", lambda f, rng: np.round(noisy(number(f, "cnt") / 400, 0.6, rng), 1)),
    ),
    Fault(
        "telco: calls of the team that wins customers back",
        "consequence",
        "telco_churn",
        ("calls",),
        ANSWER,
        "warn",
        sets("calls", lambda f, rng: rng.poisson(np.where(f["Churn"] == "Yes", 3.0, 0.3))),
    ),
    Fault(
        "german: days overdue",
        "consequence",
        "german_credit",
        ("overdue",),
        ANSWER,
        "warn",
        sets("overdue", lambda f, rng: np.round(np.where(f["class"] == "bad", rng.gamma(2, 30, len(f)), rng.exponential(4, len(f))))),
    ),
    Fault(
        "titanic: the boat",
        "consequence",
        "titanic",
        ("boat",),
        ABSENT,
        "warn",
        sets("boat", lambda f, rng: np.where(f["survived"] == "1", rng.integers(1, 17, len(f)).astype(str), "")),
    ),
    Fault(
        "telco: why they left, for those who did",
        "consequence",
        "telco_churn",
        ("reason_code",),
        ABSENT,
        "warn",
        sets("reason_code", lambda f, rng: np.where(f["Churn"] == "Yes", rng.choice(["price", "network", "moved"], len(f)), "")),
    ),
    # Encodings by the answers of all rows.
    Fault(
        "ames: mean price of the neighbourhood, over all rows",
        "target encoding, all rows",
        "ames",
        ("nb_level",),
        ANSWER,
        "warn",
        sets("nb_level", lambda f, _: group_means(f, "Neighborhood", number(f, "SalePrice"))),
    ),
    Fault(
        "titanic: share of survivors of the ticket, over all rows",
        "target encoding, all rows",
        "titanic",
        ("ticket_score",),
        ANSWER,
        "block",
        sets("ticket_score", lambda f, _: group_means(f, "ticket", number(f, "survived"))),
    ),
    Fault(
        "adult: share of the occupation and the schooling, over all rows",
        "target encoding, all rows",
        "adult",
        ("job_score",),
        ANSWER,
        "warn",
        sets("job_score", lambda f, _: group_means(f, ["occupation", "education_num"], shares_of_yes(f, "income", ">50K"))),
    ),
    Fault(
        "metro: mean of the kind of weather, over all rows",
        "target encoding, all rows",
        "metro_traffic",
        ("sky",),
        ANSWER,
        "warn",
        sets("sky", lambda f, _: group_means(f, "weather_description", number(f, "traffic_volume"))),
    ),
    Fault(
        "titanic: share of survivors of the ticket, smoothed",
        "target encoding, smoothed",
        "titanic",
        ("ticket_rate",),
        ANSWER,
        "warn",
        sets("ticket_rate", lambda f, _: smoothed(f, "ticket", number(f, "survived"), 2)),
    ),
    Fault(
        "ames: mean price of the neighbourhood, smoothed",
        "target encoding, smoothed",
        "ames",
        ("nb_smooth",),
        ANSWER,
        "warn",
        sets("nb_smooth", lambda f, _: smoothed(f, "Neighborhood", number(f, "SalePrice"), 10)),
    ),
    Fault(
        "telco: share of the others of the contract",
        "target encoding, leave one out",
        "telco_churn",
        ("contract_rate",),
        ANSWER,
        "block",
        sets("contract_rate", lambda f, _: left_out(f, "Contract", shares_of_yes(f, "Churn", "Yes"))),
    ),
    Fault(
        "abalone: mean of the others of the sex",
        "target encoding, leave one out",
        "abalone",
        ("sex_mean",),
        ANSWER,
        "block",
        sets("sex_mean", lambda f, _: left_out(f, "sex", number(f, "rings"))),
    ),
    # The same rows on both sides.
    Fault(
        "abalone: 2 of 100 rows twice",
        "rows repeated",
        "abalone",
        ("split", "together"),
        TWICE,
        "warn",
        rows(lambda f, rng: repeated(f, 0.02, rng)),
        whole=True,
    ),
    Fault(
        "german: 10 of 100 rows twice",
        "rows repeated",
        "german_credit",
        ("split", "together"),
        TWICE,
        "warn",
        rows(lambda f, rng: repeated(f, 0.1, rng)),
        whole=True,
    ),
    Fault(
        "california: 10 of 100 rows twice",
        "rows repeated",
        "california_housing",
        ("split", "together"),
        TWICE,
        "warn",
        rows(lambda f, rng: repeated(f, 0.1, rng)),
        whole=True,
    ),
    Fault(
        "abalone: 5 of 100 rows again, moved by 1e-6",
        "rows nearly repeated",
        "abalone",
        ("split", "together"),
        TWICE,
        "warn",
        rows(lambda f, rng: jittered(f, 0.05, 1e-6, ["length", "diameter", "whole_weight", "shucked_weight"], rng)),
        whole=True,
    ),
    Fault(
        "california: 5 of 100 rows again, moved by 1e-4",
        "rows nearly repeated",
        "california_housing",
        ("split", "together"),
        TWICE,
        "warn",
        rows(lambda f, rng: jittered(f, 0.05, 1e-4, ["longitude", "latitude", "median_income", "population"], rng)),
        whole=True,
    ),
    Fault(
        "concrete: 10 of 100 rows again, moved by 1e-9",
        "rows nearly repeated",
        "concrete",
        ("split", "together"),
        TWICE,
        "warn",
        rows(lambda f, rng: jittered(f, 0.1, 1e-9, ["cement", "water", "coarse_aggregate", "fine_aggregate"], rng)),
        whole=True,
    ),
    # Groups on both sides.
    Fault(
        "galton: brothers and sisters torn apart",
        "group torn",
        "galton_families",
        ("family", "father", "mother", "midparentHeight"),
        TORN,
        "warn",
        says(split={"together": None}),
    ),
    Fault(
        "titanic: a ticket torn apart",
        "group torn",
        "titanic",
        ("ticket",),
        TORN,
        "warn",
        says(split={"together": None}),
    ),
    Fault(
        "telco: three months of each customer",
        "group torn",
        "telco_churn",
        ("customerID",),
        TORN,
        "warn",
        both(rows(months_of), says(unit=["customerID", "month"])),
    ),
    Fault(
        "concrete: a mix torn apart",
        "group torn",
        "concrete",
        ("mix", "split", "together"),
        TORN,
        "warn",
        says(split={"together": None}),
        whole=True,
    ),
    Fault(
        "pedestrian: the hours of a day torn apart",
        "group torn",
        "pedestrian_melbourne",
        ("Date",),
        TORN | TIMELESS,
        "warn",
        says(split={"scheme": "kfold", "by": None, "together": None, "folds": 5}),
    ),
    # Another unit.
    Fault(
        "metro: degrees Celsius from 2016 on",
        "unit switch",
        "metro_traffic",
        ("temp",),
        BREAK,
        "warn",
        puts("temp", lambda f, _: from_day(f, "date_time", "2016-01-01"), lambda f, _: np.round(number(f, "temp") - 273.15, 2)),
    ),
    Fault(
        "ski_resort3: snow in centimetres from the fourth winter on",
        "unit switch",
        "ski_resort3",
        ("M_SNWD",),
        BREAK,
        "warn",
        puts("M_SNWD", lambda f, _: from_day(f, "Date", "2018-10-01"), lambda f, _: np.round(number(f, "M_SNWD") * 2.54)),
    ),
    Fault(
        "bike_day: wind in miles from 2012 on",
        "unit switch",
        "bike_day",
        ("windspeed",),
        BREAK,
        "warn",
        puts("windspeed", lambda f, _: from_day(f, "dteday", "2012-01-01"), lambda f, _: number(f, "windspeed") / 1.609),
    ),
    Fault(
        "pedestrian: counts in tens from July 2016 on",
        "unit switch",
        "pedestrian_melbourne",
        ("Count",),
        BREAK | {"D01"},
        "warn",
        puts("Count", lambda f, _: from_day(f, "Date", "2016-07-01"), lambda f, _: np.round(number(f, "Count") / 10)),
    ),
    Fault(
        "galton: a third of the fathers in centimetres",
        "unit switch",
        "galton_families",
        ("father",),
        BREAK | CODE,
        "warn",
        puts("father", lambda f, rng: some(len(f), 1 / 3, rng), lambda f, _: np.round(number(f, "father") * 2.54, 1)),
    ),
    Fault(
        "ames: a third of the areas in square metres",
        "unit switch",
        "ames",
        ("Gr Liv Area",),
        BREAK | CODE,
        "warn",
        puts("Gr Liv Area", lambda f, rng: some(len(f), 1 / 3, rng), lambda f, _: np.round(number(f, "Gr Liv Area") * 0.0929)),
    ),
    # Codes for a missing value.
    Fault(
        "california: -1 for 2 of 100 values",
        "sentinel in the target",
        "california_housing",
        ("median_house_value",),
        frozenset({"D01", "D06", "D07"}),
        "warn",
        puts("median_house_value", lambda f, rng: some(len(f), 0.02, rng), lambda f, _: np.full(len(f), -1)),
    ),
    Fault(
        "metro: 9999 for 1 of 100 counts",
        "sentinel in the target",
        "metro_traffic",
        ("traffic_volume",),
        frozenset({"D01", "D06", "D07"}),
        "warn",
        puts("traffic_volume", lambda f, rng: some(len(f), 0.01, rng), lambda f, _: np.full(len(f), 9999)),
    ),
    Fault(
        "bike_day: 0 for 3 of 100 days",
        "sentinel in the target",
        "bike_day",
        ("cnt",),
        frozenset({"D01", "D06", "D07"}),
        "warn",
        puts("cnt", lambda f, rng: some(len(f), 0.03, rng), lambda f, _: np.zeros(len(f))),
    ),
    Fault(
        "german: an age of 999 in 3 of 100",
        "sentinel in a column",
        "german_credit",
        ("age",),
        CODE,
        "warn",
        puts("age", lambda f, rng: some(len(f), 0.03, rng), lambda f, _: np.full(len(f), 999)),
    ),
    Fault(
        "concrete: -1 for 4 of 100 amounts of water",
        "sentinel in a column",
        "concrete",
        ("water",),
        CODE,
        "warn",
        puts("water", lambda f, rng: some(len(f), 0.04, rng), lambda f, _: np.full(len(f), -1)),
    ),
    # What is missing tells.
    Fault(
        "telco: charges missing for those who left",
        "missing by the answer",
        "telco_churn",
        ("MonthlyCharges",),
        ABSENT,
        "warn",
        puts(
            "MonthlyCharges",
            lambda f, rng: rng.random(len(f)) < np.where(f["Churn"] == "Yes", 0.6, 0.02),
            lambda f, _: np.full(len(f), "", dtype=object),
        ),
    ),
    Fault(
        "california: rooms missing where houses are dear",
        "missing by the answer",
        "california_housing",
        ("total_rooms",),
        ABSENT,
        "warn",
        puts(
            "total_rooms",
            lambda f, rng: rng.random(len(f)) < np.where(number(f, "median_house_value") > 250_000, 0.5, 0.05),
            lambda f, _: np.full(len(f), "", dtype=object),
        ),
    ),
    # Time not minded.
    Fault(
        "bike_day: rows at random",
        "time shuffled",
        "bike_day",
        ("split", "dteday"),
        TIMELESS,
        "warn",
        says(split={"scheme": "kfold", "by": None, "folds": 5}, baselines=None),
        whole=True,
    ),
    Fault(
        "bike_hour: rows at random",
        "time shuffled",
        "bike_hour",
        ("split", "dteday"),
        TIMELESS,
        "warn",
        says(split={"scheme": "kfold", "by": None, "together": None, "folds": 5}),
        whole=True,
    ),
    Fault(
        "ski_resort3: rows at random",
        "time shuffled",
        "ski_resort3",
        ("split", "Date"),
        TIMELESS,
        "warn",
        says(split={"scheme": "kfold", "by": None, "folds": 5}),
        whole=True,
    ),
    Fault(
        "metro: rows at random",
        "time shuffled",
        "metro_traffic",
        ("split", "date_time"),
        TIMELESS,
        "warn",
        says(split={"scheme": "kfold", "by": None, "folds": 5}),
        whole=True,
    ),
    Fault(
        "ski_resort3: counts come a month later, a gap of a day",
        "gap too small",
        "ski_resort3",
        ("split", "split.gap", "target.delay"),
        SOON,
        "warn",
        says(target={"delay": "30d"}, split={"by": "month", "gap": "1d"}),
        whole=True,
    ),
    Fault(
        "fremont: yesterday's count, which is not there yet",
        "lag too short",
        "fremont_daily",
        ("baselines", "Total@-1d", "last_day"),
        SOON,
        "block",
        says(baselines={"last_day": "Total@-1d"}),
    ),
    Fault(
        "bike_day: models look back a day, the count comes two weeks later",
        "lag too short",
        "bike_day",
        ("framings", "cnt@-1d", "with_lags"),
        SOON,
        "block",
        says(
            target={"delay": "14d"},
            baselines=None,
            framings={"mean": {"as": "mean"}, "with_lags": {"like": "mean", "add": ["cnt@-1d"]}},
        ),
    ),
    # Numbers that name a row.
    Fault(
        "abalone: numbered when sorted by rings",
        "id tells the answer",
        "abalone",
        ("sample_no",),
        NUMBERED,
        "warn",
        rows(lambda f, rng: sorted_and_numbered(f, "rings", "sample_no", 0.3, rng)),
    ),
    Fault(
        "spambase: numbered when sorted by class",
        "id tells the answer",
        "spambase",
        ("row",),
        NUMBERED,
        "warn",
        rows(lambda f, rng: sorted_and_numbered(f, "class", "row", 0.0, rng)),
    ),
    Fault(
        "adult: numbered when about sorted by income",
        "id tells the answer",
        "adult",
        ("record",),
        NUMBERED,
        "warn",
        rows(lambda f, rng: sorted_and_numbered(f, "income", "record", 0.8, rng)),
    ),
    # Windows that hold their own answer.
    Fault(
        "bike_day: mean of seven days, the day included",
        "window holds its answer",
        "bike_day",
        ("week_mean",),
        ANSWER,
        "block",
        sets("week_mean", lambda f, _: rolled(f, "cnt", 7)),
    ),
    Fault(
        "fremont: mean of three days around",
        "window holds its answer",
        "fremont_daily",
        ("smooth",),
        ANSWER,
        "block",
        sets("smooth", lambda f, _: rolled(f, "Total", 3, centred=True)),
    ),
    Fault(
        "pedestrian: mean of three hours, the hour included",
        "window holds its answer",
        "pedestrian_melbourne",
        ("recent",),
        ANSWER,
        "block",
        sets("recent", lambda f, _: rolled(f, "Count", 3, by="Sensor")),
    ),
    Fault(
        "ski_resort3: visits of the winter so far, the day included",
        "window holds its answer",
        "ski_resort3",
        ("so_far",),
        ANSWER,
        "block",
        sets(
            "so_far",
            lambda f, _: (
                pd.Series(number(f, "TOTAL_VISITS")).groupby((pd.to_datetime(f["Date"]).diff().dt.days.fillna(0) > 60).cumsum()).cumsum()
            ),
        ),
    ),
    Fault(
        "ski_resort2: mean of a month, the day included",
        "window holds its answer",
        "ski_resort2",
        ("month_level",),
        ANSWER,
        "block",
        sets("month_level", lambda f, _: rolled(f, "TOTAL_VISITS", 30)),
    ),
    # Sums that hold their own answer.
    Fault(
        "pedestrian: all of the sensor's day",
        "sum holds its answer",
        "pedestrian_melbourne",
        ("day_total",),
        ANSWER,
        "warn",
        sets("day_total", lambda f, _: pd.Series(number(f, "Count")).groupby([f["Sensor"], f["Date"]]).transform("sum")),
    ),
    Fault(
        "bike_hour: all of the day",
        "sum holds its answer",
        "bike_hour",
        ("day_total",),
        ANSWER,
        "warn",
        sets("day_total", lambda f, _: pd.Series(number(f, "cnt")).groupby(f["dteday"]).transform("sum")),
    ),
    # Numbers and dates as texts.
    Fault(
        "california: a point before the last three digits, in a fifth",
        "numbers as text",
        "california_housing",
        ("total_rooms",),
        TEXT | CODE,
        "warn",
        puts(
            "total_rooms",
            lambda f, rng: some(len(f), 0.2, rng),
            lambda f, _: np.array([f"{value:,.0f}".replace(",", ".") for value in number(f, "total_rooms")], dtype=object),
        ),
    ),
    Fault(
        "galton: inches behind three of ten heights",
        "numbers as text",
        "galton_families",
        ("father",),
        TEXT,
        "warn",
        puts("father", lambda f, rng: some(len(f), 0.3, rng), lambda f, _: (f["father"] + " in").to_numpy(dtype=object)),
    ),
    Fault(
        "diamonds: decimal commas in a fifth",
        "numbers as text",
        "diamonds",
        ("depth",),
        TEXT,
        "warn",
        puts(
            "depth",
            lambda f, rng: some(len(f), 0.2, rng),
            lambda f, _: f["depth"].str.replace(".", ",", regex=False).to_numpy(dtype=object),
        ),
    ),
    Fault(
        "fremont: a third of the dates the other way",
        "dates in two forms",
        "fremont_daily",
        ("Date",),
        TEXT,
        "warn",
        puts("Date", lambda f, rng: some(len(f), 1 / 3, rng), lambda f, _: other_way(f, "Date", "%d.%m.%Y")),
    ),
    Fault(
        "metro: another form from 2016 on",
        "dates in two forms",
        "metro_traffic",
        ("date_time",),
        TEXT,
        "warn",
        puts(
            "date_time",
            lambda f, _: from_day(f, "date_time", "2016-01-01"),
            lambda f, _: other_way(f, "date_time", "%d/%m/%Y %H:%M"),
        ),
    ),
    # Sensors and clocks.
    Fault(
        "bike_hour: the hygrometer stands still for three weeks",
        "stuck sensor",
        "bike_hour",
        ("hum",),
        frozenset({"D07", "D03"}),
        "warn",
        puts(
            "hum",
            lambda f, _: (f["dteday"] >= "2012-03-05").to_numpy() & (f["dteday"] < "2012-03-26").to_numpy(),
            lambda f, _: np.full(len(f), 0.62),
        ),
    ),
    Fault(
        "fremont: the wind stands still for two months",
        "stuck sensor",
        "fremont_daily",
        ("AWND",),
        frozenset({"D07", "D03"}),
        "warn",
        puts(
            "AWND",
            lambda f, _: (f["Date"] >= "2014-03-01").to_numpy() & (f["Date"] < "2014-05-01").to_numpy(),
            lambda f, _: np.full(len(f), 31),
        ),
    ),
    Fault(
        "fremont: 8 of 100 days are not there",
        "steps missing",
        "fremont_daily",
        ("Date",),
        frozenset({"D08"}),
        "warn",
        rows(lambda f, rng: f.drop(index=f.index[some(len(f), 0.08, rng)])),
    ),
    Fault(
        "bike_hour: 4 of 100 hours twice, with other counts",
        "unit not unique",
        "bike_hour",
        ("unit", "dteday", "hr"),
        frozenset({"F07"}),
        "block",
        rows(lambda f, rng: counted_again(f, "cnt", "instant", 0.04, rng)),
        whole=True,
    ),
    Fault(
        "telco: 1 of 100 customers twice",
        "unit not unique",
        "telco_churn",
        ("unit", "customerID"),
        frozenset({"F07"}),
        "block",
        rows(lambda f, rng: repeated(f, 0.01, rng)),
        whole=True,
    ),
    # Classes and labels.
    Fault(
        "telco: eight who left",
        "class of few rows",
        "telco_churn",
        ("Churn", "Yes"),
        frozenset({"D02"}),
        "warn",
        rows(lambda f, rng: few_of(f, "Churn", "Yes", 8, rng)),
    ),
    Fault(
        "adult: an income of eight rows",
        "class of few rows",
        "adult",
        ("income", "none"),
        frozenset({"D02"}),
        "warn",
        both(
            puts("income", lambda f, rng: rng.choice(len(f), 8, replace=False), lambda f, _: np.full(len(f), "none", dtype=object)),
            says(target={"kind": "category", "positive": None}),
        ),
    ),
    Fault(
        "german: a fifth of the rows again, with the other answer",
        "rows that contradict each other",
        "german_credit",
        ("class", "split"),
        frozenset({"D05", "L06"}),
        "warn",
        rows(lambda f, rng: contradicted(f, "class", 0.2, rng)),
        whole=True,
    ),
    Fault(
        "telco: yes in two spellings",
        "label in two spellings",
        "telco_churn",
        ("Churn", "target"),
        frozenset({"D01", "D02", "D06"}),
        "warn",
        puts("Churn", lambda f, rng: some(len(f), 0.1, rng), lambda f, _: f["Churn"].str.lower().to_numpy(dtype=object)),
    ),
    Fault(
        "adult: a full stop behind the labels of the test",
        "label in two spellings",
        "adult",
        ("income", "target"),
        frozenset({"D01", "D02", "D06"}),
        "warn",
        puts("income", lambda f, _: (f["split"] == "test").to_numpy(), lambda f, _: (f["income"] + ".").to_numpy(dtype=object)),
    ),
    Fault(
        "spambase: spam repeated until there is as much of it",
        "oversampled before the split",
        "spambase",
        ("split", "together"),
        TWICE,
        "warn",
        rows(lambda f, rng: balanced(f, "class", "1", rng)),
        whole=True,
    ),
    Fault(
        "german: bad credits made between two others",
        "oversampled before the split",
        "german_credit",
        ("split", "together"),
        TWICE | {"L07", "L11"},
        "warn",
        rows(lambda f, rng: interpolated(f, "class", "bad", ["duration", "amount", "age"], rng)),
        whole=True,
    ),
    Fault(
        "ames: prices cut at 250,000",
        "capped target",
        "ames",
        ("SalePrice",),
        frozenset({"D01"}),
        "warn",
        sets("SalePrice", lambda f, _: np.minimum(number(f, "SalePrice"), 250_000)),
    ),
    Fault(
        "ski_resort3: no more than fit the car park",
        "capped target",
        "ski_resort3",
        ("TOTAL_VISITS",),
        frozenset({"D01"}),
        "warn",
        sets("TOTAL_VISITS", lambda f, _: np.minimum(number(f, "TOTAL_VISITS"), 4000)),
    ),
    # The question itself.
    Fault(
        "german: an action that is never right",
        "dominated action",
        "german_credit",
        ("lend_and_write",),
        frozenset({"F02"}),
        "block",
        both(
            says(decision={"cost": None, "cost_range": None}),
            says(decision={"cost": {"lend": [0, 5], "refuse": [1, 0], "lend_and_write": [0.5, 6]}}),
        ),
    ),
    Fault(
        "ski_resort3: an action that is never right",
        "dominated action",
        "ski_resort3",
        ("everyone",),
        frozenset({"F02"}),
        "block",
        both(
            says(decision={"cost": None, "cost_range": None}),
            says(
                target={"levels": {"cuts": [1000, 2500], "names": ["quiet", "busy", "full"]}},
                decision={"cost": {"few": [0, 200, 600], "half": [100, 0, 300], "everyone": [120, 50, 320]}},
            ),
        ),
    ),
    Fault(
        "german: ranked by accuracy, a mistake costs five times the other",
        "metric against the cost",
        "german_credit",
        ("metric", "accuracy"),
        frozenset({"F05"}),
        "warn",
        says(metric="accuracy"),
        whole=True,
    ),
    Fault(
        "bike_hour: ranked by RMSE, too few costs three times too many",
        "metric against the cost",
        "bike_hour",
        ("metric", "rmse"),
        frozenset({"F05"}),
        "warn",
        says(metric="rmse"),
        whole=True,
    ),
    Fault(
        "bike_day: asked to save more than a perfect forecast does",
        "not worth predicting",
        "bike_day",
        ("success", "worthwhile"),
        frozenset({"F03"}),
        "block",
        says(success={"worthwhile": 5_000_000}),
        whole=True,
    ),
    Fault(
        "german: a gain of 1 % from a thousand rows",
        "too few rows for the gain",
        "german_credit",
        ("success",),
        frozenset({"F04"}),
        "warn",
        says(success={"by": "1%"}),
        whole=True,
    ),
    Fault(
        "ski_resort3: a number cut in two",
        "number thrown away",
        "ski_resort3",
        ("TOTAL_VISITS", "crowded"),
        frozenset({"F06"}),
        "warn",
        both(
            sets("crowded", lambda f, _: np.where(number(f, "TOTAL_VISITS") > 2500, "yes", "no")),
            says(
                target={"column": "crowded", "kind": "binary", "positive": "yes"},
                decision={"cost": {"over": None, "under": None, "false_alarm": 1, "miss": 3}},
                known_at={"after": ["DAY_VISITS", "NIGHT_VISITS", "TOTAL_VISITS"]},
            ),
        ),
    ),
    # The test is of other rows than those learnt from.
    Fault(
        "adult: learnt from the young, tested on the old",
        "test of other rows",
        "adult",
        ("split", "age"),
        frozenset({"L12", "L11"}),
        "warn",
        sets("split", lambda f, rng: np.where(noisy(number(f, "age"), 0.3, rng) > 48, "test", "train")),
        whole=True,
    ),
    # What no statistic of the table can find.
    Fault(
        "fremont: vouched for, and known only afterwards",
        "beyond statistics",
        "fremont_daily",
        ("tweets",),
        ANSWER,
        "warn",
        both(
            sets("tweets", lambda f, rng: rng.poisson(np.maximum(noisy(number(f, "Total") / 200, 0.8, rng), 0))),
            vouches("tweets"),
        ),
        hidden="its author says that it is known before, and it is no stronger than honest columns; only who collects it knows better",
    ),
    Fault(
        "german: half of the bad credits were never written down",
        "beyond statistics",
        "german_credit",
        ("class", "data"),
        frozenset({"D01", "D02", "L12"}),
        "warn",
        rows(lambda f, rng: unwritten(f, "class", "bad", rng)),
        hidden="rows that are not there leave no trace in those that are: the share of bad credits may just as well be lower",
    ),
    Fault(
        "telco: one label in twenty is wrong",
        "beyond statistics",
        "telco_churn",
        ("Churn",),
        frozenset({"D01", "D05", "D06"}),
        "warn",
        sets("Churn", lambda f, rng: flipped(f, "Churn", 0.05, rng)),
        hidden="labels exchanged at random look like customers who are hard to predict",
    ),
    # Deserve a note, and are counted apart.
    Fault(
        "bike_day: a country of one",
        "dead column (note)",
        "bike_day",
        ("country",),
        frozenset({"D03"}),
        "note",
        sets("country", lambda f, _: np.full(len(f), "US", dtype=object)),
    ),
    Fault(
        "concrete: standardised on all rows",
        "standardised on all rows (note)",
        "concrete",
        ("cement",),
        frozenset({"L09"}),
        "note",
        sets("cement", lambda f, _: (number(f, "cement") - number(f, "cement").mean()) / number(f, "cement").std()),
    ),
    Fault(
        "bike_hour: codes of weather that are new in the last quarter",
        "unseen levels (note)",
        "bike_hour",
        ("weathersit",),
        frozenset({"L13", "L12"}),
        "note",
        puts(
            "weathersit",
            lambda f, _: from_day(f, "dteday", "2012-10-01"),
            lambda f, _: np.char.add("w", f["weathersit"].to_numpy(dtype=str)).astype(object),
        ),
    ),
    Fault(
        "titanic: a free column that smells of the future",
        "name smells (note)",
        "titanic",
        ("final_list",),
        frozenset({"L15", "L03", "L02"}),
        "note",
        sets("final_list", lambda f, rng: rng.integers(0, 9, len(f))),
    ),
)
