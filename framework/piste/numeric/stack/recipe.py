"""What a stack of networks is trained on and how, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from piste.numeric.network import Network

Loss = Literal["squared", "cross_entropy", "poisson", "pinball"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What all models of a stack have in common."""

    hidden: tuple[int, ...]  # width of each hidden layer
    loss: Loss
    n_outputs: int  # of the last layer: numbers, classes (1 where there are two), levels
    batch_size: int
    levels: tuple[float, ...] = ()  # of the pinball loss, ascending


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one network is trained, or a few that differ in their seed and are averaged."""

    activation: str
    dropout: float
    weight_decay: float
    learning_rate: float  # at its peak
    n_epochs: int  # length of the schedule
    n_members: int
    seed: int  # of first weights and dropout
    until: int | None = None  # epoch after which to end, with the schedule still made for `n_epochs`

    @property
    def n_run(self) -> int:
        """Return how many epochs are run at most."""
        return self.n_epochs if self.until is None else self.until


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows to learn from, or to watch."""

    X: np.ndarray  # (n_samples, n_in)
    y: np.ndarray  # (n_samples,) float; int codes for cross entropy; (n_samples, n_outputs) float for the squared loss of several
    weight: np.ndarray  # (n_samples,) mean 1 over the rows to learn from


@dataclass(frozen=True, slots=True)
class Trained:
    """Networks, and the losses on the way."""

    network: Network  # of the best epoch where rows are watched, else of the last
    best_epoch: int  # from 1
    train_loss: np.ndarray  # (n_epochs,) over the epoch's batches, dropout included, mean over members
    watch_loss: np.ndarray  # (n_epochs,) after the epoch, of the members' average; (0,) where no rows are watched
