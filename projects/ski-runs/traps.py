"""The table of `simulate.py` as a careless colleague would hand it over: nine faults, each one that happens in real tables.

Eight can be told from the rows. The ninth cannot: that `snow_overnight` falls after the decision, only a person can say.
"""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd

REPEATED = 0.02  # of the rows
BROKEN = 0.01  # of the counters' days
NO_READING = 9999  # what a broken counter reports
CM_PER_INCH = 2.54


def ski_traps(seed: int = 0) -> pd.DataFrame:
    """Return the days of `ski_days(seed)` with the faults in them, in the order of dates.

    Left in are what is known only afterwards: scans_total and wait_minutes, which give the answer away, and snow_overnight,
    which helps a little.
    """
    days = runpy.run_path(str(Path(__file__).with_name("simulate.py")))["ski_days"](seed)
    rng = np.random.default_rng([seed, 9])
    winter = (days["date"] - pd.Timedelta(days=182)).dt.year  # it runs over a new year
    third, last = np.unique(winter)[[2, -1]]
    days.loc[winter == third, ["snow_24h", "snow_72h"]] /= CM_PER_INCH  # a new gauge, for one winter
    days["run"] = days["run"].where((winter != last) | (days["run"] != "Gunsight"), "Gun Sight")  # a new sign
    days.loc[rng.random(len(days)) < BROKEN, "skiers"] = NO_READING
    again = days.sample(frac=REPEATED, random_state=int(rng.integers(2**31)))  # exported twice
    table = pd.concat([days, again]).sort_values("date", kind="stable", ignore_index=True)
    table["run_usual"] = table.groupby("run")["skiers"].transform("mean")  # of all rows, those that will be tested too
    return table
