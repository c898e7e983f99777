"""What a problem says that is refused where it is read: the faults are those that reading it raises."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pandas as pd

from piste.core.errors import Fault, PisteError
from tests.checks import Example, Scene, scene, surveyed


def refused(says: str, problem: str, rest: str, rows: Callable[[], pd.DataFrame]) -> Scene:
    """Return a scene of a problem that is refused: what is looked at is the rest of it, beside its faults."""
    lines = dedent(problem).strip()
    return Scene(says, lines, lambda: surveyed(dedent(rest).strip(), rows(), faults=faults_of(lines, rows())))


def faults_of(problem: str, rows: pd.DataFrame) -> tuple[Fault, ...]:
    """Return what is wrong with a problem, in the words of those who refuse it."""
    try:
        surveyed(problem, rows)
    except PisteError as error:
        return error.faults
    raise AssertionError("the problem must be refused")


def run_days(*, halves: bool = False) -> pd.DataFrame:
    """Return two ski runs on sixty days; counted once a day, or in the morning and in the afternoon."""
    rows = pd.DataFrame([(run, day) for day in pd.date_range("2024-01-01", periods=60) for run in ("Larch", "Couloir")])
    rows.columns = ["run", "date"]
    number = range(len(rows))
    rows = rows.assign(snow=[float(i % 7) for i in number], wait=[float(i % 11) for i in number], skiers=[float(i % 13) for i in number])
    if not halves:
        return rows
    return pd.concat([rows.assign(half=half) for half in ("morning", "afternoon")], ignore_index=True)


LEVELS = "target: {column: skiers, levels: {cuts: [4, 8], names: [low, medium, high]}}"

EXAMPLES = [
    Example(
        "F02",
        on="two_marshals",
        severity="block",
        fires=refused(
            "Two marshals cost at least as much as one, however full the run is.",
            f"""
            {LEVELS}
            decision: {{cost: {{none: [0, 60, 240], one_marshal: [40, 0, 90], two_marshals: [90, 45, 95]}}}}
            """,
            f"""
            {LEVELS}
            decision: {{cost: {{none: [0, 60, 240], one_marshal: [40, 0, 90]}}}}
            """,
            run_days,
        ),
        silent=scene(
            "On a full run two marshals are cheaper than one.",
            f"""
            {LEVELS}
            decision: {{cost: {{none: [0, 60, 240], one_marshal: [40, 0, 90], two_marshals: [90, 45, 85]}}}}
            """,
            run_days,
        ),
    ),
    Example(
        "F07",
        on="unit",
        severity="block",
        fires=refused(
            "Skiers of two runs, counted in the morning and in the afternoon: two rows for each run and day.",
            """
            target: skiers
            unit: [run, date]
            """,
            "target: skiers",
            lambda: run_days(halves=True),
        ),
        silent=scene(
            "The same, with the half of the day in its name.",
            """
            target: skiers
            unit: [run, date, half]
            """,
            lambda: run_days(halves=True),
        ),
    ),
    Example(
        "L04",
        on="yesterday",
        severity="block",
        fires=refused(
            "Decided at 18:00 the day before, when the counters of that day are not read yet.",
            """
            target: skiers
            time: date
            unit: [run, date]
            decision: {made_at: -1d 18:00}
            baselines: {yesterday: skiers@-1d}
            """,
            """
            target: skiers
            time: date
            unit: [run, date]
            decision: {made_at: -1d 18:00}
            """,
            run_days,
        ),
        silent=scene(
            "The day before yesterday is known by then.",
            """
            target: skiers
            time: date
            unit: [run, date]
            decision: {made_at: -1d 18:00}
            baselines: {two_days_ago: skiers@-2d}
            """,
            run_days,
        ),
    ),
    Example(
        "L04",
        on="by_wait",
        severity="block",
        fires=refused(
            "`wait` is how long people queued on the day itself.",
            """
            target: skiers
            known_at: {after: [wait]}
            baselines: {by_wait: 2 * wait}
            """,
            """
            target: skiers
            known_at: {after: [wait]}
            """,
            run_days,
        ),
        silent=scene(
            "The snow of the night is known in the morning.",
            """
            target: skiers
            known_at: {after: [wait]}
            baselines: {by_snow: 2 * snow}
            """,
            run_days,
        ),
    ),
]
