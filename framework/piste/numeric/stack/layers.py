"""The layers of a stack: all parameters of a model in one row, with the forward and the backward pass written out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from piste.numeric.stack.curves import curves

if TYPE_CHECKING:
    from torch import Tensor

Act = Callable[[], object]  # writes to arrays that were laid out before

FIRST_GAIN = 6.0
"""How much faster the first layer moves than the others: measured beside 1 and 3, 2 to 10 % better on concrete and phoneme
(Holzmueller et al., 2024, scale their inputs by a learnt diagonal with six times the learning rate)."""

LANES = 32
"""Rows of a batch and numbers of a model come in multiples of this. Then no kernel ends within a vector register, where some
round otherwise, and a model's numbers do not depend on what lies beside them: alone it becomes what it becomes in a stack."""


def padded(n: int) -> int:
    """Return the next multiple of LANES.

    >>> padded(1), padded(32), padded(33)
    (32, 32, 64)
    """
    return -(-n // LANES) * LANES


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of every model, as views of their rows; the forward pass multiplies weights by `gain`.

    Weights are divided by the root of their number of inputs in the forward pass, not at the start: so one learning rate serves
    layers of any width (Jacot, Gabriel and Hongler, 2018).
    """

    weight: Tensor  # (n_models, n_in, n_out); of the last layer (n_models, n_out, n_in), which is faster where n_out is small
    bias: Tensor  # (n_models, 1, n_out); of the last layer (n_models, n_out, 1)
    gain: float


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a model's row of parameters holds what: first all weights, then all biases, then nothing."""

    widths: tuple[int, ...]  # of the inputs, each hidden layer, the outputs

    @property
    def n_weights(self) -> int:
        """Return how many numbers are weights."""
        return sum(n_in * n_out for n_in, n_out in itertools.pairwise(self.widths))

    @property
    def n_numbers(self) -> int:
        """Return the length of a row."""
        return padded(self.n_weights + sum(self.widths[1:]))

    def layers(self, rows: Tensor) -> tuple[Layer, ...]:
        """Return the layers whose numbers are in rows, (n_models, n_numbers)."""
        n_models, weight_at, bias_at = len(rows), 0, self.n_weights
        found = []
        for number, (n_in, n_out) in enumerate(itertools.pairwise(self.widths)):
            last = number == len(self.widths) - 2
            weight = rows[:, weight_at : weight_at + n_in * n_out].view(n_models, *((n_out, n_in) if last else (n_in, n_out)))
            bias = rows[:, bias_at : bias_at + n_out].view(n_models, *((n_out, 1) if last else (1, n_out)))
            found.append(Layer(weight, bias, (FIRST_GAIN if number == 0 else 1.0) / math.sqrt(max(1, n_in))))
            weight_at, bias_at = weight_at + n_in * n_out, bias_at + n_out
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring models of one activation, either all with dropout or all without."""

    activation: str
    models: slice
    dropped: bool


class Passes:
    """Forward and backward on batches of one size, in arrays that are made once, as are the views of their parts: a step is short.

    Models are one batched matrix product a layer. It reads the rows of a batch once for all of them, takes 1.0 to 1.05 times
    as long as one wide product of all first layers (tables of 10 to 340 columns), and unlike that rounds each model as if it were alone.
    """

    def __init__(
        self, frame: Frame, parameters: Tensor, gradient: Tensor, runs: Sequence[Run], n_rows: int, masks: Sequence[Tensor] = ()
    ) -> None:
        """Lay out arrays.

        Args:
            frame: of a row.
            parameters: (n_models, n_numbers), read in every pass.
            gradient: (n_models, n_numbers), written by `backward`.
            runs: of models, which they cover in order; those with dropout come last.
            n_rows: of a batch.
            masks: for each hidden layer (n_dropped, n_rows, width), for the models with dropout, read in every pass that learns.
        """
        import torch

        self.layers, self.slopes = frame.layers(parameters), frame.layers(gradient)
        self.n_models, n_hidden = len(parameters), len(frame.widths) - 2
        sizes = [(self.n_models, n_rows, width) for width in frame.widths[1:-1]]
        # What goes into the activations, what comes out of them, and the slope of the loss at the former.
        self.before, self.after, self.pulls = ([parameters.new_empty(size) for size in sizes] for _ in range(3))
        self.outputs = parameters.new_empty((self.n_models, frame.widths[-1], n_rows))
        # Matrix products of many models at once are only written to arrays without gaps.
        self.products = [torch.empty_like(layer.weight, memory_format=torch.contiguous_format) for layer in self.slopes]
        self.turned_weights = [layer.weight.transpose(1, 2) for layer in self.layers]
        self.turned_after = [h.transpose(1, 2) for h in self.after]
        self.answering = [self._plain(number, runs) for number in range(n_hidden)]
        self.learning, self.curving = self.answering, [self._slopes(number, runs, ()) for number in range(n_hidden)]
        if masks:
            self.learning = [self._masked(number, runs, masks[number]) for number in range(n_hidden)]
            self.curving = [self._slopes(number, runs, masks[number : number + 1]) for number in range(n_hidden)]

    def forward(self, X: Tensor, *, learning: bool) -> Tensor:
        """Return the last numbers of every model, (n_models, n_outputs, n_rows).

        Args:
            X: (n_rows, n_in), the same for all.
            learning: with the masks, for `backward`; otherwise without.
        """
        import torch

        given = X.expand(self.n_models, *X.shape)
        actions = self.learning if learning else self.answering
        for layer, z, h, then in zip(self.layers, self.before, self.after, actions, strict=False):
            torch.baddbmm(layer.bias, given, layer.weight, alpha=layer.gain, out=z)
            for act in then:
                act()
            given = h
        last = self.layers[-1]
        turned = self.turned_after[-1] if self.after else given.transpose(1, 2)
        return torch.baddbmm(last.bias, last.weight, turned, alpha=last.gain, out=self.outputs)

    def backward(self, X: Tensor, slope: Tensor) -> None:
        """Write the gradient of what the last `forward` that learns came to.

        Args:
            X: as in the forward pass.
            slope: (n_models, n_outputs, n_rows) of the loss at the last numbers.
        """
        import torch

        shared = X.expand(self.n_models, *X.shape)
        last, to = self.layers[-1], self.slopes[-1]
        torch.bmm(slope, self.after[-1] if self.after else shared, out=self.products[-1])
        torch.mul(self.products[-1], last.gain, out=to.weight)
        torch.sum(slope, 2, keepdim=True, out=to.bias)
        for number in reversed(range(len(self.after))):
            pull, to = self.pulls[number], self.slopes[number]
            if number < len(self.after) - 1:
                above = number + 1
                pull.baddbmm_(self.pulls[above], self.turned_weights[above], beta=0, alpha=self.layers[above].gain)
            elif slope.shape[1] == 1:  # each row times each weight: no matrix product would be as fast
                torch.mul((slope * last.gain).transpose(1, 2), last.weight, out=pull)
            else:
                pull.baddbmm_(slope.transpose(1, 2), last.weight, beta=0, alpha=last.gain)
            for act in self.curving[number]:
                act()
            turned = self.turned_after[number - 1] if number else shared.transpose(1, 2)
            torch.bmm(turned, pull, out=self.products[number])
            torch.mul(self.products[number], self.layers[number].gain, out=to.weight)
            torch.sum(pull, 1, keepdim=True, out=to.bias)

    def _plain(self, number: int, runs: Sequence[Run]) -> list[Act]:
        """Return what takes a hidden layer through its activations."""
        z, h = self.before[number], self.after[number]
        return [partial(curves()[run.activation].value, z[run.models], h[run.models]) for run in runs]

    def _masked(self, number: int, runs: Sequence[Run], mask: Tensor) -> list[Act]:
        """Return the same with dropout: one product for neighbours of one kind, after the activations of all."""
        import torch

        z, h = self.before[number], self.after[number]
        acts: list[Act] = []
        for run in runs:
            curve = curves()[run.activation]
            stays = run.dropped and curve.by_result  # the slope needs the result as it was before the mask
            acts.append(partial(curve.value, z[run.models], (z if stays else h)[run.models]))
        first = self.n_models - len(mask)
        dropped = [run for run in runs if run.dropped]
        for by_result, group in itertools.groupby(dropped, key=lambda run: curves()[run.activation].by_result):
            parts = list(group)
            models = slice(parts[0].models.start, parts[-1].models.stop)
            kept = mask[models.start - first : models.stop - first]
            acts.append(partial(torch.mul, (z if by_result else h)[models], kept, out=h[models]))
        return acts

    def _slopes(self, number: int, runs: Sequence[Run], masks: Sequence[Tensor]) -> list[Act]:
        """Return what takes the slope of the loss back through masks and activations of a hidden layer."""
        pull = self.pulls[number]
        acts: list[Act] = [partial(pull[self.n_models - len(mask) :].mul_, mask) for mask in masks]
        for run in runs:
            curve = curves()[run.activation]
            kept = self.after if curve.by_result and not (run.dropped and masks) else self.before
            acts.append(partial(curve.slope, pull[run.models], kept[number][run.models]))
        return acts
