"""Trains multi-layer perceptrons by gradient descent, a few of one shape side by side."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from piste.numeric.network import Network
from piste.numeric.quantile import pinball

if TYPE_CHECKING:
    from torch import Generator, Tensor

Loss = Literal["squared", "cross_entropy", "poisson", "pinball"]

LINK: Mapping[Loss, str] = {"squared": "identity", "poisson": "exp", "pinball": "ladder"}
"""What turns the last numbers into an answer; of cross entropy it depends on how many classes there are."""

LOWEST_RISE = 0.02
"""Where quantiles of the training rows are equal: what the first answer puts between them, in standard deviations of the target.
A quarter of it lost 6 % on counts of which half are 0, since a softplus that far down has no slope left; five times it 1 %."""

FIRST_GAIN = 6.0
"""How much faster the first layer moves than the others: measured beside 1 and 3, 2 to 10 % better on concrete and phoneme
(Holzmueller et al., 2024, scale their inputs by a learnt diagonal with six times the learning rate)."""

WARM_UP = 0.1  # share of the steps over which the learning rate rises, before it falls to 0 along a cosine
BETAS = (0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How networks of one shape are trained."""

    hidden: tuple[int, ...]
    activation: str
    loss: Loss
    n_outputs: int  # of the last layer: numbers, classes (1 where there are two), levels
    dropout: float
    weight_decay: float
    learning_rate: float
    n_epochs: int  # length of the schedule
    batch_size: int
    n_members: int
    levels: tuple[float, ...] = ()  # of the pinball loss, ascending


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows to learn from, or to watch."""

    X: np.ndarray  # (n_samples, n_in)
    y: np.ndarray  # (n_samples,) float; int codes for cross entropy; (n_samples, n_outputs) float for the squared loss of several
    weight: np.ndarray  # (n_samples,) mean 1 over the rows to learn from


@dataclass(frozen=True, slots=True)
class Trained:
    """Networks, and the losses on the way."""

    network: Network
    train_loss: np.ndarray  # (n_epochs,) over the epoch's batches, dropout included, mean over members
    watch_loss: np.ndarray  # (n_epochs,) after the epoch, of the members' average; (0,) where no rows are watched


@dataclass(frozen=True, slots=True)
class Layer:
    """Weights of all members; the forward pass multiplies them by `gain`."""

    weight: Tensor  # (n_members, n_in, n_out)
    bias: Tensor  # (n_members, 1, n_out)
    gain: float


def train(rows: Sample, watched: Sample | None, recipe: Recipe, seed: int, until: int | None = None) -> Trained:
    """Train networks.

    Weights are divided by the root of their number of inputs in the forward pass, not at the start: so one learning rate
    serves layers of any width. The last layer starts at 0: the first answer is the mean, or the quantiles of the training rows.

    Args:
        rows: to learn from.
        watched: to compute the loss on after every epoch; nothing is learnt from them.
        recipe: shape and schedule.
        seed: of first weights, batches and dropout; torch's global generator is left alone.
        until: epoch after which to end, with the schedule still made for `n_epochs`.

    Raises:
        FloatingPointError: the loss is no longer a finite number.

    Source: AdamW, Loshchilov and Hutter, 2019; scaled weights, Jacot, Gabriel and Hongler, 2018.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    X, y, weight = _tensors(rows)
    layers = _first_layers(rows, recipe, generator)
    groups = [
        {"params": [layer.weight for layer in layers], "weight_decay": recipe.weight_decay},
        {"params": [layer.bias for layer in layers], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=BETAS, fused=True)
    n_batches = math.ceil(len(X) / recipe.batch_size)
    train_losses: list[float] = []
    watch_losses: list[float] = []
    for epoch in range(recipe.n_epochs if until is None else until):
        total = 0.0
        for number, batch in enumerate(torch.randperm(len(X), generator=generator).chunk(n_batches)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * _rate((epoch * n_batches + number) / (recipe.n_epochs * n_batches))
            losses = _losses(_forward(X[batch], layers, recipe, generator), y[batch], recipe)
            loss = (losses * weight[batch]).mean(dim=1).sum()  # members do not meet: each has its own gradient
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += float(loss.detach()) * len(batch)
        train_losses.append(total / (len(X) * recipe.n_members))
        if not math.isfinite(train_losses[-1]):
            raise FloatingPointError(
                f"the loss of the network became {train_losses[-1]} in epoch {epoch + 1}: "
                f"the learning rate must be lower than {recipe.learning_rate:g}"
            )
        if watched is not None:
            watch_losses.append(average_loss(_network(layers, recipe).answer(watched.X), watched, recipe))
    return Trained(_network(layers, recipe), np.array(train_losses), np.array(watch_losses))


def average_loss(answer: np.ndarray, rows: Sample, recipe: Recipe) -> float:
    """Return the weighted mean loss of answers, (n_samples, width): numbers, probabilities, rates or quantiles."""
    if recipe.loss == "squared":
        each = np.mean((answer - rows.y.reshape(answer.shape)) ** 2, axis=1)
    elif recipe.loss == "pinball":
        each = pinball(rows.y, answer, recipe.levels).mean(axis=1)
    elif recipe.loss == "poisson":
        each = answer[:, 0] - rows.y * np.log(np.maximum(answer[:, 0], 1e-12))
    else:
        each = -np.log(np.maximum(answer[np.arange(len(rows.y)), rows.y], 1e-12))
    return float(np.average(each, weights=rows.weight))


def _tensors(rows: Sample) -> tuple[Tensor, Tensor, Tensor]:
    import torch

    kind = np.float32 if rows.y.dtype.kind == "f" else np.int64
    arrays = (rows.X.astype(np.float32), rows.y.astype(kind), rows.weight.astype(np.float32))
    X, y, weight = (torch.from_numpy(array) for array in arrays)
    return X, y, weight


def _first_layers(rows: Sample, recipe: Recipe, generator: Generator) -> list[Layer]:
    import torch

    widths = (rows.X.shape[1], *recipe.hidden, recipe.n_outputs)
    layers = []
    for number, (n_inputs, n_outputs) in enumerate(itertools.pairwise(widths)):
        weight = torch.randn(recipe.n_members, n_inputs, n_outputs, generator=generator)
        if number == len(recipe.hidden):
            weight.zero_()
        gain = (FIRST_GAIN if number == 0 else 1.0) / math.sqrt(max(1, n_inputs))
        bias = torch.zeros(recipe.n_members, 1, n_outputs)
        if number == len(recipe.hidden) and recipe.loss == "pinball":
            bias += torch.from_numpy(_first_rungs(rows, recipe.levels))
        layers.append(Layer(weight.requires_grad_(), bias.requires_grad_(), gain))
    return layers


def _first_rungs(rows: Sample, levels: tuple[float, ...]) -> np.ndarray:
    """Return what `ladder` turns into the quantiles of the training rows, (n_levels,) float32."""
    order = np.argsort(rows.y)
    reached = np.cumsum(rows.weight[order])
    quantiles = rows.y[order][np.searchsorted(reached, reached[-1] * np.array(levels))]
    rises = np.maximum(np.diff(quantiles), LOWEST_RISE)
    return np.concatenate([quantiles[:1], np.log(np.expm1(rises))]).astype(np.float32)


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """Return torch's function of a name of `numeric.activations`."""
    import torch
    from torch.nn import functional

    named: dict[str, Callable[[Tensor], Tensor]] = {
        "linear": lambda z: z,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "elu": functional.elu,
        "silu": functional.silu,
    }
    return named[name]


def _forward(X: Tensor, layers: list[Layer], recipe: Recipe, generator: Generator) -> Tensor:
    """Return the last numbers of every member, (n_members, n_samples, n_outputs), with dropout."""
    import torch

    act = activation(recipe.activation)
    hidden = X.expand(recipe.n_members, *X.shape)
    for number, layer in enumerate(layers):
        hidden = torch.baddbmm(layer.bias, hidden, layer.weight, alpha=layer.gain)
        if number < len(recipe.hidden):
            hidden = act(hidden)
            if recipe.dropout > 0:
                kept = torch.rand(hidden.shape, generator=generator) >= recipe.dropout
                hidden = hidden * kept / (1 - recipe.dropout)
    return hidden


def _losses(outputs: Tensor, y: Tensor, recipe: Recipe) -> Tensor:
    """Return the loss of every member and row, (n_members, n_samples)."""
    import torch
    from torch.nn import functional

    if recipe.loss == "squared":
        return ((outputs - y.reshape(outputs.shape[1:])) ** 2).mean(dim=2)
    if recipe.loss == "pinball":
        level = torch.tensor(recipe.levels)
        rungs = torch.cat([outputs[..., :1], functional.softplus(outputs[..., 1:])], dim=2)
        short = y[:, None] - rungs.cumsum(dim=2)
        return torch.maximum(level * short, (level - 1) * short).mean(dim=2)
    if recipe.loss == "poisson":
        return torch.exp(outputs[..., 0]) - y * outputs[..., 0]
    if outputs.shape[-1] == 1:
        return functional.softplus(outputs[..., 0]) - y * outputs[..., 0]
    return functional.cross_entropy(outputs.transpose(1, 2), y.expand(len(outputs), -1), reduction="none")


def _rate(done: float) -> float:
    """Return the learning rate as a share of its peak, when a share of the steps is done."""
    if done < WARM_UP:
        return (done + 0.01) / (WARM_UP + 0.01)
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _network(layers: list[Layer], recipe: Recipe) -> Network:
    weights = tuple((layer.weight.detach() * layer.gain).numpy() for layer in layers)
    biases = tuple(layer.bias.detach().clone().numpy() for layer in layers)
    if recipe.loss == "cross_entropy":
        return Network(weights, biases, recipe.activation, "sigmoid" if recipe.n_outputs == 1 else "softmax")
    return Network(weights, biases, recipe.activation, LINK[recipe.loss])
