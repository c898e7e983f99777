"""The losses of a stack, each with its slope at the last layer's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.numeric.quantile import pinball
from piste.numeric.stack.recipe import Sample, Shape

if TYPE_CHECKING:
    from torch import Tensor

LOWEST_RISE = 0.02
"""Where quantiles of the training rows are equal: what the first answer puts between them, in standard deviations of the target.
A quarter of it lost 6 % on counts of which half are 0, since a softplus that far down has no slope left; five times it 1 %."""


def link(shape: Shape) -> str:
    """Return what turns the last numbers into an answer, by the names of `numeric.activations`."""
    if shape.loss == "cross_entropy":
        return "sigmoid" if shape.n_outputs == 1 else "softmax"
    return {"squared": "identity", "poisson": "exp", "pinball": "ladder"}[shape.loss]


def targets(y: np.ndarray, shape: Shape) -> np.ndarray:
    """Return what the last layer is held against, (n_samples, n_columns): numbers, or a column of 0 and 1 for each class."""
    if shape.loss == "cross_entropy" and shape.n_outputs > 1:
        return np.equal(y[:, None], np.arange(shape.n_outputs)).astype(np.float32)
    return y.reshape(len(y), -1)


def first_bias(rows: Sample, shape: Shape) -> np.ndarray:
    """Return where the last layer starts, (n_outputs,): at the mean, that is 0, or at the quantiles of the training rows."""
    if shape.loss != "pinball":
        return np.zeros(shape.n_outputs)
    order = np.argsort(rows.y)
    reached = np.cumsum(rows.weight[order])
    quantiles = rows.y[order][np.searchsorted(reached, reached[-1] * np.array(shape.levels))]
    rises = np.maximum(np.diff(quantiles), LOWEST_RISE)
    return np.concatenate([quantiles[:1], np.log(np.expm1(rises))])


def loss_and_slope(outputs: Tensor, y: Tensor, weight: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    """Return the loss of every model, summed over the rows of a batch, and its slope at every number.

    Args:
        outputs: (n_models, n_outputs, n_rows)
        y: (n_columns, n_rows) as `targets` gives them
        weight: (n_rows,)
        shape: of the stack.

    Returns:
        (n_models,) and (n_models, n_outputs, n_rows)
    """
    import torch
    from torch.nn.functional import log_softmax, softplus

    if shape.loss == "squared":
        rest = outputs - y
        slope = rest * (weight * (2.0 / shape.n_outputs))
        return (rest * slope).sum((1, 2)) / 2, slope
    if shape.loss == "poisson":
        rate = torch.exp(outputs)
        return ((rate - y * outputs) * weight).sum((1, 2)), (rate - y) * weight
    if shape.loss == "pinball":
        return _pinball(outputs, y, weight / shape.n_outputs, shape.levels)
    if shape.n_outputs == 1:
        return ((softplus(outputs) - y * outputs) * weight).sum((1, 2)), (torch.sigmoid(outputs) - y) * weight
    shares = log_softmax(outputs, dim=1)
    return -(shares * (y * weight)).sum((1, 2)), (shares.exp() - y) * weight


def _pinball(outputs: Tensor, y: Tensor, weight: Tensor, levels: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """Return loss and slope of quantiles that rise by a softplus each: every number moves its own quantile and all above it."""
    import torch
    from torch.nn.functional import softplus

    level = outputs.new_tensor(levels)[:, None]
    rungs = softplus(outputs)
    rungs[:, 0] = outputs[:, 0]
    short = y - rungs.cumsum(dim=1)
    price = torch.where(short > 0, level, level - 1.0) * weight
    slope = -price.flip(1).cumsum(dim=1).flip(1)
    slope[:, 1:] *= torch.sigmoid(outputs[:, 1:])
    return (short * price).sum((1, 2)), slope


def average_loss(answer: np.ndarray, rows: Sample, shape: Shape) -> float:
    """Return the weighted mean loss of answers, (n_samples, width): numbers, probabilities, rates or quantiles."""
    if shape.loss == "squared":
        each = np.mean((answer - rows.y.reshape(answer.shape)) ** 2, axis=1)
    elif shape.loss == "pinball":
        each = pinball(rows.y, answer, shape.levels).mean(axis=1)
    elif shape.loss == "poisson":
        each = answer[:, 0] - rows.y * np.log(np.maximum(answer[:, 0], 1e-12))
    else:
        each = -np.log(np.maximum(answer[np.arange(len(rows.y)), rows.y], 1e-12))
    return float(np.average(each, weights=rows.weight))
