"""Dropout masks of a stack, each model's from a random stream of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

BITS = 16  # of a random number: a quarter of the words, and a tenth of the time, of a number from torch's own generator
STEPS = 2**BITS
PER_WORD = 64 // BITS
AT_ONCE = 8  # steps whose numbers are drawn together: a call for each model costs more than the numbers of a small batch


class Dropout:
    """Draws, for each batch, which hidden units of which rows are left out.

    A share is rounded to 1/65536, and what is kept is divided by the share that is kept (Srivastava et al., 2014). `masks` holds, for
    each hidden layer, (n_models, n_rows, width), and no layers where no model leaves anything out; `draws` writes them anew.
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
        n_drawn = -(-n_numbers // PER_WORD) * PER_WORD
        self.bits = torch.empty((len(self.streams), AT_ONCE, n_drawn), dtype=torch.int16)
        self.kept = like.new_empty(len(self.streams), n_drawn)
        ends = np.cumsum([n_rows * width for width in widths])
        views = (self.kept[:, end - n_rows * width : end].view(-1, n_rows, width) for end, width in zip(ends, widths, strict=True))
        self.masks = tuple(views) if self.streams else ()

    def draws(self, n_steps: int) -> Iterator[None]:
        """Write new masks, for each step of an epoch; nothing where no model leaves anything out."""
        import torch

        if not self.streams:
            yield from itertools.repeat(None, n_steps)
            return
        for start in range(0, n_steps, AT_ONCE):
            numbers = self.bits[:, : min(AT_ONCE, n_steps - start)].numpy()
            n_words = numbers[0].size // PER_WORD
            for block, stream in zip(numbers, self.streams, strict=True):
                block[:] = stream.random_raw(n_words).view(np.int16).reshape(block.shape)
            for bits in torch.from_numpy(numbers).to(self.kept.device).unbind(1):
                torch.ge(bits, self.least, out=self.kept).mul_(self.scale)
                yield None
