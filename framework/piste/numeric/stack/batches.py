"""The rows of a table in batches of one size, in another order every epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from piste.numeric.stack.layers import padded
from piste.numeric.stack.outputs import targets
from piste.numeric.stack.recipe import Sample, Shape

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one step; the last few may be there to fill it, with weight 0."""

    X: Tensor  # (n_rows, n_in)
    y: Tensor  # (n_columns, n_rows)
    weight: Tensor  # (n_rows,) so that a weighted sum is the batch's mean
    share: float  # of the table's rows


class Batches:
    """Batches of a table that differ by at most one row, each filled up to the same number.

    The order depends on the number of rows alone, not on a model's seed: all models of a stack then see the same batch, whose
    rows are gathered once. That costs no variety: networks of one order that start from other weights end as far apart as
    networks that differ in both (Summers and Dinneen, Nondeterminism and Instability in Neural Network Optimization, 2021).
    """

    def __init__(self, rows: Sample, shape: Shape, dtype: torch.dtype, device: torch.device) -> None:
        import torch

        self.n_samples = len(rows.X)
        self.n_batches = math.ceil(self.n_samples / shape.batch_size)
        self.n_rows = padded(math.ceil(self.n_samples / self.n_batches))
        self.X = torch.from_numpy(np.ascontiguousarray(rows.X)).to(device, dtype)
        self.y = torch.from_numpy(targets(rows.y, shape).astype(float)).to(device, dtype)
        self.weight = rows.weight
        ends = np.arange(self.n_batches + 1) * self.n_samples // self.n_batches
        self.sizes = np.diff(ends)
        self.places = np.minimum(ends[:-1, None] + np.arange(self.n_rows), self.n_samples - 1)
        self.real = np.arange(self.n_rows) < self.sizes[:, None]
        self.batch = self.X.new_empty((self.n_rows, self.X.shape[1]))

    def epochs(self) -> Iterator[Iterator[Batch]]:
        """Yield epoch after epoch; a batch is overwritten by the next."""
        rng = np.random.default_rng(self.n_samples)
        while True:
            yield self._epoch(rng.permutation(self.n_samples))

    def _epoch(self, order: np.ndarray) -> Iterator[Batch]:
        import torch

        rows = order[self.places]
        weight = torch.from_numpy(self.weight[rows] * self.real / self.sizes[:, None]).to(self.X)
        chosen = torch.from_numpy(rows).to(self.X.device)
        y = self.y[chosen].transpose(1, 2).contiguous()
        for number in range(self.n_batches):
            torch.index_select(self.X, 0, chosen[number], out=self.batch)
            yield Batch(self.batch, y[number], weight[number], self.sizes[number] / self.n_samples)
