"""What a decision rule is worth beside a kind of model, over seeds of the simulated resort: `python -m benchmarks.ski_seeds [N]`.

Nothing of piste is used: numpy, scikit-learn and LightGBM alone, one setting each, on `ski_hours` of the seeds 0 ... N-1 (10).
Costs are EUR a run-hour on the rows of winters 3 to 5, whatever rows a model was fitted on, so that all can be compared. What the
same resorts cost by the day, as projects/ski-runs/problem.yaml counts it, is printed below for its README.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.measure import ONE_THREAD

os.environ.update(ONE_THREAD)  # before numpy is there to read it

import numpy as np
import pandas as pd

SIMULATOR = Path(__file__).parents[1] / "projects" / "ski-runs" / "simulate.py"
CUTS = (0.30, 0.55)
COST = np.array([[0, 60, 240], [40, 0, 90], [90, 45, 0]], dtype=float)  # (actions, levels), as in projects/ski-runs/hours.yaml
PER_YEAR = 6900
DAY_CUTS = (0.25, 0.40)
DAY_COST = np.array([[0, 300, 900], [140, 0, 400], [280, 140, 0]], dtype=float)  # as in projects/ski-runs/problem.yaml
DAYS_PER_YEAR = 992
FIRST_JUDGED = 2  # winters before it only train
NUMBERS = ("day_of_season", "holiday", "capacity", "snow_24h", "snow_72h", "temp_forecast", "wind_forecast", "snow_forecast")

NAIVE = ("boosting, number at its word", "boosting, likeliest level")
PROPER = ("logistic, least expected cost", "logistic for each run, least expected cost")
MODELS = (
    *("logistic, likeliest level", "logistic for each run, likeliest level", *PROPER),
    *(*NAIVE, "boosting, number with its errors", "boosting, least expected cost"),
)
BAYES = "Bayes: the evening and the resort known"
Split = list[tuple[np.ndarray, np.ndarray]]  # rows to fit on, rows to predict


@dataclass(frozen=True)
class Hours:
    """The run-hours of one simulated resort."""

    frame: pd.DataFrame  # (n_rows, ...)
    winter: np.ndarray  # (n_rows,) 0 ... 4
    count: np.ndarray  # (n_rows,)
    level: np.ndarray  # (n_rows,) 0 ... 2
    capacity: np.ndarray  # (n_rows,)
    coded: np.ndarray  # (n_rows, n_columns) for trees: the run by its number, first
    linear: np.ndarray  # (n_rows, n_columns) for straight lines: a column for each run, hour and weekday


def hours(simulator: ModuleType, seed: int) -> Hours:
    """Simulate a resort, and lay its columns out for both kinds of model."""
    frame = simulator.simulate_hours(seed)
    tickets = frame.filter(like="tickets_")
    numbers = np.column_stack([frame[list(NUMBERS)], tickets, tickets.sum(axis=1), frame.weekday >= 5]).astype(float)
    marks = pd.get_dummies(frame[["run", "hour", "weekday"]].astype(str)).to_numpy(dtype=float)
    coded = np.column_stack([pd.factorize(frame.run)[0], frame.hour, frame.weekday, numbers])
    count, capacity = frame["count"].to_numpy(dtype=float), frame.capacity.to_numpy()
    winter = (frame.date - pd.Timedelta(days=182)).dt.year.to_numpy()
    return Hours(frame, winter - winter.min(), count, levels(count, capacity), capacity, coded, np.column_stack([numbers, marks]))


def levels(count: np.ndarray, capacity: np.ndarray, cuts: tuple[float, float] = CUTS) -> np.ndarray:
    """Return the level of each count, same shape."""
    use = count / capacity
    return (use >= cuts[0]).astype(np.int8) + (use >= cuts[1])


def forward(found: Hours) -> Split:
    """Predict each winter from all before it."""
    return [(np.flatnonzero(found.winter < test), np.flatnonzero(found.winter == test)) for test in range(1, found.winter.max() + 1)]


def other_winters(found: Hours) -> Split:
    """Predict each winter from all others: as many rows to learn from as a random split gives, and none of the same day."""
    return [(np.flatnonzero(found.winter != test), np.flatnonzero(found.winter == test)) for test in range(found.winter.max() + 1)]


def random_fifths(found: Hours) -> Split:
    """Predict a fifth of the rows from the others, drawn without regard to days."""
    from sklearn.model_selection import KFold

    return list(KFold(5, shuffle=True, random_state=0).split(found.coded))


def least_cost(probabilities: np.ndarray, cost: np.ndarray = COST) -> np.ndarray:
    """Return the action of least expected cost, (n_rows,), given (n_rows, 3) probabilities of the levels."""
    return (probabilities @ cost.T).argmin(axis=1)


def shares(drawn: np.ndarray) -> np.ndarray:
    """Return how often each level was drawn, (n_rows, 3), given (n_rows, n_draws) levels."""
    return np.column_stack([(drawn == level).mean(axis=1) for level in range(3)])


def for_level(level: np.ndarray) -> np.ndarray:
    """Return the action that is best if the level is this one, same shape."""
    return COST.argmin(axis=0)[level]


def dressed(predicted: np.ndarray, capacity: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Return the probabilities of the levels if the count is (predicted + 1) * r - 1, r drawn from ratios seen elsewhere, (n_rows, 3)."""
    seen = np.sort(ratio)
    at_least = [1 - np.searchsorted(seen, (cut * capacity + 1) / (predicted + 1)) / len(seen) for cut in CUTS]
    return np.column_stack([1 - at_least[0], at_least[0] - at_least[1], at_least[1]])


def decide(found: Hours, split: Split, *, earlier: bool) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Fit every model on every part of a split.

    Args:
        found: the rows.
        split: what is fitted on what.
        earlier: errors are learnt from earlier parts alone, else from all other parts.

    Returns:
        The action of each rule on each row, (n_rows,), -1 where none; and the number that boosting expects, (n_rows,).
    """
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n_rows = len(found.count)
    setting = {"n_estimators": 250, "learning_rate": 0.05, "num_leaves": 31, "n_jobs": 1, "random_state": 0, "verbose": -1}
    number, part = np.zeros(n_rows), np.full(n_rows, -1)
    run = found.coded[:, 0]
    straight, apart, trees = (np.zeros((n_rows, 3)) for _ in range(3))
    for at, (train, test) in enumerate(split):
        part[test] = at
        regressor = LGBMRegressor(**setting).fit(found.coded[train], found.count[train], categorical_feature=[0])
        number[test] = np.maximum(regressor.booster_.predict(found.coded[test]), 0)
        classifier = LGBMClassifier(**setting).fit(found.coded[train], found.level[train], categorical_feature=[0])
        trees[test] = classifier.booster_.predict(found.coded[test])
        logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        straight[test] = logistic.fit(found.linear[train], found.level[train]).predict_proba(found.linear[test])
        for each in np.unique(run):
            ours, theirs = train[run[train] == each], test[run[test] == each]
            logistic.fit(found.linear[ours], found.level[ours])
            apart[np.ix_(theirs, logistic.classes_)] = logistic.predict_proba(found.linear[theirs])  # a run may never have been full
    ratio = (found.count + 1) / (number + 1)
    with_errors = np.full(n_rows, -1)
    for at, (_, test) in enumerate(split):
        known = (part >= 0) & ((part < at) if earlier else (part != at))
        if known.any():  # forward, the first part has no part before it: its winter is not judged
            with_errors[test] = least_cost(dressed(number[test], found.capacity[test], ratio[known]))
    actions = (
        for_level(straight.argmax(axis=1)),
        for_level(apart.argmax(axis=1)),
        least_cost(straight),
        least_cost(apart),
        for_level(levels(number, found.capacity)),
        for_level(trees.argmax(axis=1)),
        with_errors,
        least_cost(trees),
    )
    return dict(zip(MODELS, actions, strict=True)), number


def rules(found: Hours) -> dict[str, np.ndarray]:
    """Return what needs no model, learnt forward: each rule's action on each row, (n_rows,)."""
    frame = found.frame
    total = frame.filter(like="tickets_").sum(axis=1).to_numpy(dtype=float)
    place = frame.groupby(["run", "hour"]).ngroup().to_numpy()
    usual = frame.groupby(["run", "hour", frame.weekday >= 5]).ngroup().to_numpy()
    action = {
        name: np.full(len(frame), -1) for name in ("the best constant action", "climatology, least expected cost", "the owner's rule")
    }
    for train, test in forward(found):
        action["the best constant action"][test] = COST[:, found.level[train]].mean(axis=1).argmin()
        seen = np.column_stack([np.bincount(usual[train], found.level[train] == level, usual.max() + 1) for level in range(3)])
        action["climatology, least expected cost"][test] = least_cost(seen / seen.sum(axis=1, keepdims=True))[usual[test]]
        each = np.bincount(place[train], found.count[train]) / np.bincount(place[train], total[train])
        action["the owner's rule"][test] = for_level(levels(total[test] * each[place[test]], found.capacity[test]))
    return action


def limits(found: Hours, draws: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is known only because the world is simulated: actions given (n_rows, n_draws) draws, and given the count itself."""
    return {
        BAYES: least_cost(shares(levels(draws, found.capacity[:, None]))),
        "perfect information": for_level(found.level),
    }


def study(simulator: ModuleType, seed: int) -> Iterator[tuple[str, str, float]]:
    """Yield the split, the rule and its cost on the judged winters of one resort, EUR a run-hour; and the RMSE of boosting."""
    found = hours(simulator, seed)
    judged = found.winter >= FIRST_JUDGED
    draws = simulator.bayes(found.frame)

    def paid(action: np.ndarray) -> float:
        assert (action[judged] >= 0).all(), "every rule decides every judged row"
        return float(COST[action, found.level][judged].mean())

    def rmse(number: np.ndarray) -> float:
        return float(np.sqrt(np.mean((number - found.count)[judged] ** 2)))

    yield from (("hours, share", name, float((found.level == at).mean())) for at, name in enumerate(("low", "medium", "high")))
    yield from (("forward", name, paid(action)) for name, action in (rules(found) | limits(found, draws)).items())
    yield "hours, RMSE", BAYES, rmse(draws.mean(axis=1))
    for name, split in (("forward", forward(found)), ("other winters", other_winters(found)), ("random fifths", random_fifths(found))):
        actions, number = decide(found, split, earlier=name == "forward")
        yield from ((name, rule, paid(action)) for rule, action in actions.items())
        yield "hours, RMSE", f"boosting, {name}", rmse(number)


def by_the_day(simulator: ModuleType, seed: int) -> Iterator[tuple[str, str, float]]:
    """Yield what the same resort costs by the day, EUR a run-day on all winters but the first, and how full it is."""
    rows = simulator.simulate(seed)
    judged = rows.date >= rows.date.min() + pd.Timedelta(days=182)
    draws = simulator.bayes(rows)[judged]  # of all rows, since those are drawn already
    rows = rows[judged]
    capacity = rows.capacity.to_numpy()
    level = levels(rows.skiers.to_numpy(), capacity, DAY_CUTS)
    expected = draws.mean(axis=1)
    yield from (("days, share", name, float((level == at).mean())) for at, name in enumerate(("low", "medium", "high")))
    yield "days", "the best constant action", float(DAY_COST[:, level].mean(axis=1).min())
    at_its_word = DAY_COST.argmin(axis=0)[levels(expected, capacity, DAY_CUTS)]
    yield "days", "the number that Bayes expects, at its word", float(DAY_COST[at_its_word, level].mean())
    action = least_cost(shares(levels(draws, capacity[:, None], DAY_CUTS)), DAY_COST)
    yield "days", BAYES, float(DAY_COST[action, level].mean())
    yield "days, RMSE", BAYES, float(np.sqrt(np.mean((expected - rows.skiers) ** 2)))


def load(folder: Path) -> ModuleType:
    """Return a copy of the simulator in a folder, where it keeps its draws: 18 MB a resort."""
    copy = Path(shutil.copy(SIMULATOR, folder))
    spec = importlib.util.spec_from_file_location("ski_runs_simulate", copy)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main(n_seeds: int) -> None:
    """Print every figure by seed, how it varies, and who wins how often."""
    start, rows = time.perf_counter(), []
    with tempfile.TemporaryDirectory(prefix="piste-bench-") as folder:
        simulator = load(Path(folder))
        for seed in range(n_seeds):
            rows += [(seed, *row) for row in (*study(simulator, seed), *by_the_day(simulator, seed))]
            print(f"seed {seed}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    figures = pd.DataFrame(rows, columns=["seed", "of", "name", "figure"]).pivot(index=["of", "name"], columns="seed", values="figure")
    figure = {key: figures.loc[key].to_numpy() for key in figures.index}

    print(f"{n_seeds} resorts: mean, standard deviation between resorts, and each resort")
    for (of, name), each in sorted(figure.items(), key=lambda item: (item[0][0], item[1].mean())):
        spread = f"{each.std(ddof=1):7.2f}" if n_seeds > 1 else " " * 7
        print(f"{of:14} {name:44}{each.mean():8.2f}{spread}  {' '.join(f'{one:6.2f}' for one in each)}")
    for proper in PROPER:
        for naive in NAIVE:
            gain = figure["forward", naive] - figure["forward", proper]
            print(f"{proper}, against {naive}: better in {(gain > 0).sum()} of {n_seeds} resorts, by {gain.mean():.2f} in the mean")
    bayes = figure["forward", BAYES]
    for name in MODELS:
        luck = figure["random fifths", name]
        print(
            f"random fifths, {name}: below Bayes in {(luck < bayes).sum()} of {n_seeds} resorts; in the mean "
            f"{(luck / figure['other winters', name]).mean() - 1:+.1%} against other winters, "
            f"{(luck / figure['forward', name]).mean() - 1:+.1%} against forward"
        )
    below = figure["hours, RMSE", "boosting, random fifths"] < figure["hours, RMSE", BAYES]
    print(f"random fifths, boosting: an RMSE below that of Bayes in {below.sum()} of {n_seeds} resorts")
    print(f"perfect information is worth {bayes.mean() * PER_YEAR:,.0f} EUR a year by the hour to who decides as Bayes,")
    print(f"and {figure['days', BAYES].mean() * DAYS_PER_YEAR:,.0f} by the day: knowing all costs nothing")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
