"""Trains a stack of networks: a schedule for each, the best epoch of each, and none longer than it needs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from piste.numeric.activations import LINKS
from piste.numeric.network import Network
from piste.numeric.stack.adamw import AdamW, rates
from piste.numeric.stack.batches import Batch, Batches
from piste.numeric.stack.curves import curves
from piste.numeric.stack.dropout import Dropout
from piste.numeric.stack.layers import Frame, Passes, Run
from piste.numeric.stack.outputs import average_loss, first_bias, link, loss_and_slope
from piste.numeric.stack.recipe import Recipe, Sample, Shape, Trained

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PATIENCE = 0.5
"""A network leaves when its watched loss was last lowest so large a share of its schedule ago. Of 128 networks, 16 settings on each of
eight tables, one then missed its lowest loss, and 4 % of the epochs were not run, 16 % of those of the table that is learnt soonest. A
quarter of the schedule spared 14 % and missed it ten times: the loss falls once more where the learning rate does."""

WORKING_SET = 8 * 2**20  # bytes of a chunk of models, so that what a step reads and writes stays in a processor's cache


def train(rows: Sample, watched: Sample | None, shape: Shape, recipes: Sequence[Recipe], device: str = "cpu") -> list[Trained]:
    """Train networks of one shape on the same rows.

    Each becomes, to the bit, what it would become alone on the same machine: first weights and dropout come from its own seed,
    the order of the rows from their number. Where rows are watched, a network is that of its best epoch. The last layer starts
    at 0: the first answer is the mean, or the quantiles of the training rows. torch's global generator is left alone.

    Args:
        rows: to learn from.
        watched: to compute the loss on after every epoch; nothing is learnt from them but which epoch is best.
        shape: of all networks.
        recipes: one for each network, or a few averaged.
        device: torch's word for where.

    Raises:
        FloatingPointError: the loss of a network is no longer a finite number.
    """
    import torch

    with torch.inference_mode():
        return _train(rows, watched, shape, recipes, torch.device(device))


def _train(rows: Sample, watched: Sample | None, shape: Shape, recipes: Sequence[Recipe], place: torch.device) -> list[Trained]:
    import torch

    batches = Batches(rows, shape, torch.float32, place)
    # Neighbours of one activation are one call, as are the masks of neighbours of one kind; those with dropout come last.
    kinds = {name: (curve.by_result, name) for name, curve in curves().items()}
    order = sorted(range(len(recipes)), key=lambda number: (recipes[number].dropout > 0, kinds[recipes[number].activation]))
    found: dict[int, Trained] = {}
    for chunk in _chunks(order, recipes, _model_bytes(rows, shape, batches.n_rows), place):
        stack = _Stack(rows, watched, shape, [recipes[number] for number in chunk], batches)
        found |= dict(zip(chunk, stack.trained(), strict=True))
    return [found[number] for number in range(len(recipes))]


def _model_bytes(rows: Sample, shape: Shape, n_rows: int) -> int:
    """Return what a model reads and writes in a step: parameters, gradient, AdamW's three arrays; three arrays a hidden layer."""
    frame = Frame((rows.X.shape[1], *shape.hidden, shape.n_outputs))
    return 4 * (5 * frame.n_numbers + 3 * n_rows * sum(shape.hidden))


def _chunks(order: Sequence[int], recipes: Sequence[Recipe], model_bytes: int, place: torch.device) -> Iterator[list[int]]:
    """Yield the numbers of recipes that are trained together; a GPU takes all, since it gains from width and has no such cache."""
    most = math.inf if place.type == "cuda" else max(1, WORKING_SET // model_bytes)
    chunk: list[int] = []
    for number in order:
        if chunk and sum(recipes[each].n_members for each in (*chunk, number)) > most:
            yield chunk
            chunk = []
        chunk.append(number)
    yield chunk


class _Stack:
    """Networks that are trained step by step together; one that is done leaves."""

    def __init__(self, rows: Sample, watched: Sample | None, shape: Shape, recipes: Sequence[Recipe], batches: Batches) -> None:
        self.shape, self.recipes, self.batches, self.watched = shape, list(recipes), batches, watched
        self.frame = Frame((rows.X.shape[1], *shape.hidden, shape.n_outputs))
        self.parameters = self._first(rows)
        self.gradient = self.parameters.new_zeros(self.parameters.shape)
        self.best = self.parameters.clone()
        self.optimiser = AdamW(self.parameters, self.frame.n_weights)
        self.running = list(range(len(recipes)))
        ends = np.cumsum([recipe.n_members for recipe in recipes])
        self.models = {n: slice(int(end) - each.n_members, int(end)) for n, (each, end) in enumerate(zip(recipes, ends, strict=True))}
        self.streams = [np.random.SFC64([recipe.seed, member]) for recipe in recipes for member in range(recipe.n_members)]
        self.views = [] if watched is None else _padded_views(watched.X, batches)
        self.train_losses: list[list[float]] = [[] for _ in recipes]
        self.watch_losses: list[list[float]] = [[] for _ in recipes]
        self.done: dict[int, Trained] = {}

    def trained(self) -> list[Trained]:
        """Train all, and return them in the order in which they came."""
        self._lay_out()
        epochs = self.batches.epochs()
        for epoch in itertools.count(1):
            self._learn(epoch, next(epochs))
            if self.watched is not None:
                self._watch(self.watched)
            if any(self._ended(number, epoch) for number in self.running):
                self._dismiss(epoch)
            if not self.running:
                return [self.done[number] for number in range(len(self.recipes))]
        raise AssertionError("every schedule ends")

    def _first(self, rows: Sample) -> Tensor:
        """Return the first parameters of every model, (n_models, n_numbers)."""
        import torch

        n_models = sum(recipe.n_members for recipe in self.recipes)
        first = torch.zeros((n_models, self.frame.n_numbers))
        layers = self.frame.layers(first)
        start = 0
        for recipe in self.recipes:
            generator = torch.Generator().manual_seed(recipe.seed)
            for layer in layers[:-1]:
                weight = layer.weight[start : start + recipe.n_members]
                weight.copy_(torch.randn(weight.shape, generator=generator))
            start += recipe.n_members
        layers[-1].bias.copy_(torch.from_numpy(first_bias(rows, self.shape))[:, None])
        return first.to(self.batches.X)

    def _lay_out(self) -> None:
        """Make what depends on which models are running."""
        import torch

        running = [self.recipes[number] for number in self.running]
        runs: list[Run] = []
        start = 0
        for (dropped, activation), group in itertools.groupby(running, key=lambda recipe: (recipe.dropout > 0, recipe.activation)):
            end = start + sum(recipe.n_members for recipe in group)
            runs.append(Run(activation, slice(start, end), dropped))
            start = end
        n_rows = self.batches.n_rows
        shares = [recipe.dropout for recipe in running for _ in range(recipe.n_members)]
        first = shares.count(0.0)
        self.dropout = Dropout(shares[first:], self.streams[first:], self.shape.hidden, n_rows, self.parameters)
        self.passes = Passes(self.frame, self.parameters, self.gradient, runs, n_rows, self.dropout.masks)
        n_steps = self.batches.n_batches
        table = np.ones((max(recipe.n_run for recipe in running) * n_steps, len(shares)))
        decay = np.empty(len(shares))
        for number, recipe in zip(self.running, running, strict=True):
            decay[self.models[number]] = recipe.weight_decay
            table[: recipe.n_run * n_steps, self.models[number]] = rates(recipe, n_steps)[:, None]
        self.rates, self.kept = (torch.from_numpy(each[:, :, None]).to(self.parameters) for each in (table, 1.0 - table * decay))

    def _learn(self, epoch: int, batches: Iterator[Batch]) -> None:
        """Take every step of an epoch."""
        total = self.parameters.new_zeros(len(self.parameters))
        first, n_steps = (epoch - 1) * self.batches.n_batches, self.batches.n_batches
        for step, batch, _ in zip(range(first, first + n_steps), batches, self.dropout.draws(n_steps), strict=True):
            loss, slope = loss_and_slope(self.passes.forward(batch.X, learning=True), batch.y, batch.weight, self.shape)
            self.passes.backward(batch.X, slope)
            self.optimiser.step(self.gradient, self.rates[step], self.kept[step])
            total.add_(loss, alpha=batch.share)
        losses = total.cpu().numpy().astype(float)
        for number in self.running:
            self.train_losses[number].append(self._finite(losses[self.models[number]].mean(), number))

    def _watch(self, watched: Sample) -> None:
        """Compute the loss of every network on the watched rows; remember those that were never better."""
        import torch

        parts = [self.passes.forward(view, learning=False).clone() for view in self.views]
        outputs = torch.cat(parts, dim=2)[:, :, : len(watched.y)].transpose(1, 2).cpu().numpy().astype(float)
        for number in self.running:
            models, losses = self.models[number], self.watch_losses[number]
            answer = LINKS[link(self.shape)](outputs[models]).mean(axis=0)
            losses.append(self._finite(average_loss(answer, watched, self.shape), number))
            if losses[-1] <= min(losses):
                self.best[models] = self.parameters[models]

    def _finite(self, loss: float, number: int) -> float:
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss of the network became {loss} in epoch {len(self.train_losses[number]) + 1}: "
                f"the learning rate must be lower than {self.recipes[number].learning_rate:g}"
            )
        return float(loss)

    def _ended(self, number: int, epoch: int) -> bool:
        """Tell whether a network has run its epochs, or was best too long ago."""
        recipe, losses = self.recipes[number], self.watch_losses[number]
        return epoch >= recipe.n_run or (bool(losses) and epoch - 1 - int(np.argmin(losses)) >= math.ceil(PATIENCE * recipe.n_epochs))

    def _dismiss(self, epoch: int) -> None:
        """Let those go that are done, and lay the others out anew."""
        import torch

        for number in self.running:
            if self._ended(number, epoch):
                self.done[number] = self._finished(number)
        staying = [number for number in self.running if number not in self.done]
        kept = [np.arange(len(self.parameters))[self.models[number]] for number in staying]
        if not kept:
            self.running = staying
            return
        models = np.concatenate(kept)
        chosen = torch.from_numpy(models).to(self.parameters.device)
        self.streams = [self.streams[model] for model in models]
        self.parameters, self.best = self.parameters[chosen], self.best[chosen]
        self.gradient = self.gradient[chosen]
        self.optimiser.keep(chosen, self.parameters)
        ends = np.cumsum([len(part) for part in kept])
        self.models = {number: slice(int(end) - len(part), int(end)) for number, part, end in zip(staying, kept, ends, strict=True)}
        self.running = staying
        self._lay_out()

    def _finished(self, number: int) -> Trained:
        """Return networks as they are, or as they were when they were best."""
        recipe, watch_loss = self.recipes[number], np.array(self.watch_losses[number])
        rows = (self.parameters if self.watched is None else self.best)[self.models[number]]
        layers = self.frame.layers(rows)
        weights = [(layer.weight * layer.gain).cpu().numpy() for layer in layers]
        weights[-1] = np.ascontiguousarray(weights[-1].transpose(0, 2, 1))
        biases = [layer.bias.clone().cpu().numpy() for layer in layers]
        biases[-1] = biases[-1].transpose(0, 2, 1)
        network = Network(tuple(weights), tuple(biases), recipe.activation, link(self.shape))
        best = recipe.n_run if self.watched is None else int(watch_loss.argmin()) + 1
        return Trained(network, best, np.array(self.train_losses[number]), watch_loss)


def _padded_views(X: np.ndarray, batches: Batches) -> list[Tensor]:
    """Return rows in parts of a batch's size, the last one filled with zeros."""
    import torch

    parts = math.ceil(len(X) / batches.n_rows)
    filled = np.zeros((parts * batches.n_rows, X.shape[1]))
    filled[: len(X)] = X
    return list(torch.split(torch.from_numpy(filled).to(batches.X), batches.n_rows))
