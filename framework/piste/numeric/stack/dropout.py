"""Dropout masks of a stack, each model's from a random stream of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

BITS = 16  # of a random number: a quarter of the words, and a tenth of the time, of a number from torch's own generator
STEPS = 2**BITS


class Dropout:
    """Draws, for each batch, which hidden units of which rows are left out.

    A share is rounded to 1/65536, and what is kept is divided by the share that is kept (Srivastava et al., 2014).
    """

    def __init__(
        self, shares: Sequence[float], streams: Sequence[np.random.SFC64], widths: Sequence[int], n_rows: int, like: Tensor
    ) -> None:
        """Lay out masks.

        Args:
            shares: (n_models,) left out, between 0 and 1.
            streams: (n_models,) of random bits.
            widths: of the hidden layers.
            n_rows: of a batch.
            like: gives number type and device.
        """
        import torch

        self.streams = list(streams)
        dropped = torch.tensor([round(share * STEPS) for share in shares])
        self.least = (dropped - STEPS // 2).to(torch.int16)[:, None].to(like.device)  # bits are read as numbers with a sign
        self.scale = (STEPS / (STEPS - dropped)).to(like)[:, None]
        n_numbers = n_rows * sum(widths)
        self.bits = torch.empty((len(self.streams), -(-n_numbers // 4) * 4), dtype=torch.int16)
        self.kept = like.new_empty(len(self.streams), self.bits.shape[1])
        ends = np.cumsum([n_rows * width for width in widths])
        self.masks = tuple(
            self.kept[:, end - n_rows * width : end].view(-1, n_rows, width) for end, width in zip(ends, widths, strict=True)
        )

    def draw(self) -> Sequence[Tensor]:
        """Return new masks, for each hidden layer (n_models, n_rows, width); none where no model leaves anything out."""
        import torch

        if not self.streams:
            return ()
        numbers = self.bits.numpy()
        for row, stream in zip(numbers, self.streams, strict=True):
            row[:] = stream.random_raw(len(row) // 4).view(np.int16)
        torch.ge(self.bits.to(self.kept.device), self.least, out=self.kept).mul_(self.scale)
        return self.masks
