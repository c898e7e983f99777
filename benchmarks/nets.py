"""CPU time of stacked networks beside networks trained one by one, with torch and scikit-learn: `python -m benchmarks.nets`."""

from __future__ import annotations

import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.figures import keep
from piste.numeric.stack.recipe import Recipe, Sample, Shape
from piste.numeric.stack.training import train

HAS_SKORCH = importlib.util.find_spec("skorch") is not None
PACKAGES = ("piste", "torch", "scikit-learn", "numpy", *(["skorch"] if HAS_SKORCH else []))
RUNS = 3
SQUARE = 1024  # of the matrix product that the machine's speed is taken from
SETTINGS, MEMBERS = 12, 4  # networks of a stack: a search as piste makes it, each of its settings four times over


@dataclass(frozen=True)
class Size:
    """A table, and the networks that are trained on it."""

    rows: int
    columns: int
    hidden: tuple[int, ...]
    batch: int
    epochs: int  # of every side
    alone: int  # networks that are trained one by one, enough to be measured
    targets: dict[str, float]  # side -> how many times less CPU time the stack should take
    share: float | None = None  # of the speed of a large matrix product that it should reach

    @property
    def name(self) -> str:
        """Return how the table prints it."""
        return f"{self.rows:,} x {self.columns}, {self.hidden}, batch {self.batch}"

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """Make rows whose target bends."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(self.rows, self.columns)).astype(np.float32)
        y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=self.rows)
        return X, ((y - y.mean()) / y.std()).astype(np.float32)

    def operations(self) -> int:
        """Return the additions and multiplications of one epoch's matrix products; the inputs need no slope."""
        widths = (self.columns, *self.hidden, 1)
        return 2 * self.rows * sum((2 if at == 0 else 3) * widths[at] * widths[at + 1] for at in range(len(widths) - 1))


SIZES = (
    Size(500, 10, (32, 32), 32, 40, 3, {"torch loop": 30, "scikit-learn": 15}),
    Size(500, 10, (64, 64), 32, 40, 3, {"torch loop": 30, "scikit-learn": 15}),
    Size(5_000, 20, (64, 64), 256, 10, 3, {"torch loop": 3, "scikit-learn": 2.5}, 0.6),
    Size(50_000, 30, (64, 64), 256, 3, 1, {"torch loop": 3, "scikit-learn": 2.5}, 0.6),
)


def recipes(size: Size, n_settings: int, n_members: int) -> list[Recipe]:
    """Return networks that differ in learning rate and weight decay."""
    rates = np.geomspace(3e-3, 3e-2, n_settings)
    return [Recipe("relu", 0.0, 10.0 ** -(2 + i % 3), float(rate), size.epochs, n_members, i) for i, rate in enumerate(rates)]


def stacked(size: Size) -> int:
    """Train a search at once; return how many networks that were."""
    _train(size, recipes(size, SETTINGS, MEMBERS))
    return SETTINGS * MEMBERS


def one_by_one(size: Size) -> int:
    """Train networks with the same program, each alone."""
    chosen = recipes(size, size.alone, 1)
    for recipe in chosen:
        _train(size, [recipe])
    return len(chosen)


def _train(size: Size, chosen: list[Recipe]) -> None:
    X, y = size.table()
    train(Sample(X, y, np.ones(size.rows)), None, Shape(size.hidden, "squared", 1, size.batch), chosen)


def torch_loop(size: Size) -> int:
    """Train networks as one writes it in torch: layers, an optimiser, a loop over minibatches of a shuffled table in memory."""
    X, y = (torch.from_numpy(array) for array in size.table())
    for recipe in recipes(size, size.alone, 1):
        torch.manual_seed(recipe.seed)
        layers: list[torch.nn.Module] = []
        width = size.columns
        for n_out in size.hidden:
            layers += [torch.nn.Linear(width, n_out), torch.nn.ReLU()]
            width = n_out
        model = torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))
        optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, size.epochs)
        for _ in range(size.epochs):
            for rows in torch.randperm(size.rows).split(size.batch):
                optimiser.zero_grad()
                loss = torch.nn.functional.mse_loss(model(X[rows])[:, 0], y[rows])
                loss.backward()
                optimiser.step()
            schedule.step()
    return size.alone


def scikit_learn(size: Size) -> int:
    """Train networks with MLPRegressor."""
    from sklearn.neural_network import MLPRegressor

    X, y = size.table()
    for recipe in recipes(size, size.alone, 1):
        MLPRegressor(
            hidden_layer_sizes=size.hidden,
            batch_size=size.batch,
            max_iter=size.epochs,
            n_iter_no_change=size.epochs + 1,
            alpha=recipe.weight_decay,
            learning_rate_init=recipe.learning_rate,
            random_state=recipe.seed,
        ).fit(X, y)
    return size.alone


def skorch(size: Size) -> int:
    """Train networks with skorch's NeuralNetRegressor."""
    from skorch import NeuralNetRegressor

    X, y = size.table()
    first, second = size.hidden
    for recipe in recipes(size, size.alone, 1):
        torch.manual_seed(recipe.seed)
        model = torch.nn.Sequential(
            torch.nn.Linear(size.columns, first),
            torch.nn.ReLU(),
            torch.nn.Linear(first, second),
            torch.nn.ReLU(),
            torch.nn.Linear(second, 1),
        )
        NeuralNetRegressor(
            model,
            max_epochs=size.epochs,
            lr=recipe.learning_rate,
            batch_size=size.batch,
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=recipe.weight_decay,
            train_split=None,
            verbose=0,
        ).fit(X, y[:, None])
    return size.alone


SIDES: dict[str, Callable[[Size], int]] = {
    "stack": stacked,
    "one by one": one_by_one,
    "torch loop": torch_loop,
    "scikit-learn": scikit_learn,
    **({"skorch": skorch} if HAS_SKORCH else {}),
}


def product_speed() -> float:
    """Return how many additions and multiplications a second a large float32 matrix product makes."""
    a, b = torch.randn(SQUARE, SQUARE), torch.randn(SQUARE, SQUARE)
    _ = a @ b
    start = time.process_time()
    for _ in range(10):
        _ = a @ b
    return 10 * 2 * SQUARE**3 / (time.process_time() - start)


def measured(size: Size) -> dict[str, Any]:
    """Measure every side in turn, three times over, so that what else the machine does meets all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    speeds = []
    for name in SIDES:  # caches, imports, kernels chosen by shape
        SIDES[name](Size(200, size.columns, size.hidden, size.batch, 2, 1, {}))
    for _ in range(RUNS):
        speeds.append(product_speed())
        for name, side in SIDES.items():
            start = time.process_time()
            n_networks = side(size)
            seconds[name].append((time.process_time() - start) / (n_networks * size.epochs))
    each = {name: statistics.median(found) for name, found in seconds.items()}
    speed = statistics.median(speeds)
    return {
        "size": size.name,
        "networks": SETTINGS * MEMBERS,
        "seconds_per_epoch": each,
        "ratio": {name: each[name] / each["stack"] for name in SIDES if name != "stack"},
        "target": size.targets,
        "gigaflops": size.operations() / each["stack"] / 1e9,
        "product_gigaflops": speed / 1e9,
        "share_of_product": size.operations() / each["stack"] / speed,
        "target_share": size.share,
    }


def lines(outcome: dict[str, Any]) -> str:
    """Lay the figures of one size out."""
    each = outcome["seconds_per_epoch"]
    title = f"{outcome['size']}: CPU ms of a network and epoch"
    stack = f"  {'stack of ' + str(outcome['networks']):14}{1e3 * each['stack']:>9.3f}"
    speed = (
        f"{outcome['gigaflops']:.0f} of {outcome['product_gigaflops']:.0f} GFLOP/s, {outcome['share_of_product']:.2f} of a large product"
    )
    rest = [
        f"  {name:14}{1e3 * each[name]:>9.3f}{ratio:>8.1f}x"
        + (f"{outcome['target'][name]:>7g}x asked" if name in outcome["target"] else "")
        for name, ratio in outcome["ratio"].items()
    ]
    return "\n".join([title, f"{stack}   {speed}", *rest])


def main() -> None:
    """Measure every size, print a table for each, and write the figures."""
    torch.set_num_threads(1)
    outcomes = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so few epochs do not converge
        for size in SIZES:
            outcomes.append(measured(size))
            print(lines(outcomes[-1]), flush=True)
    print("One thread; medians of 3 in one run; every side trains on the CPU, with the same batches, layers and number of epochs.")
    keep("nets", PACKAGES, outcomes, whole=True)


if __name__ == "__main__":
    main()
