"""AdamW over all models of a stack at once, each with its own learning rate, decay and schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from piste.numeric.stack.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor

BETAS = (0.9, 0.95)
EPSILON = 1e-8
WARM_UP = 0.1  # share of the steps over which the learning rate rises, before it falls to 0 along a cosine


def rates(recipe: Recipe, n_steps: int) -> np.ndarray:
    """Return the learning rate of every step that is taken, (n_run x n_steps,): up along a line, down along a cosine.

    Args:
        recipe: of the network.
        n_steps: of an epoch.
    """
    done = np.arange(recipe.n_run * n_steps) / (recipe.n_epochs * n_steps)
    falling = 0.5 * (1 + np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP)))
    return recipe.learning_rate * np.where(done < WARM_UP, (done + 0.01) / (WARM_UP + 0.01), falling)


class AdamW:
    """Takes steps of p <- (1 - rate decay) p - rate u, where u is Adam's step of rate 1.

    torch's fused kernel knows one rate for all. Handed q = (1 - rate decay) / rate p it gives q - u, and rate (q - u) is the new p:
    two multiplications beside one call for all models, whatever their rates. Biases do not decay.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019.
    """

    def __init__(self, parameters: Tensor, n_decaying: int) -> None:
        """Start at rest.

        Args:
            parameters: (n_models, n_numbers), written over by every step.
            n_decaying: how many numbers of a row decay, from its start.
        """
        import torch

        self.n_decaying = n_decaying
        self.mean, self.square = torch.zeros_like(parameters), torch.zeros_like(parameters)
        self._lay_out(parameters)
        self.n_taken = torch.zeros((), device=parameters.device)

    def keep(self, models: Tensor, parameters: Tensor) -> None:
        """Go on with some of the models, whose parameters now stand elsewhere."""
        self.mean, self.square = self.mean[models], self.square[models]
        self._lay_out(parameters)

    def _lay_out(self, parameters: Tensor) -> None:
        import torch

        self.parameters, self.scaled = parameters, torch.empty_like(parameters)
        self.weights, self.biases = parameters[:, : self.n_decaying], parameters[:, self.n_decaying :]
        self.scaled_weights, self.scaled_biases = self.scaled[:, : self.n_decaying], self.scaled[:, self.n_decaying :]

    def step(self, gradient: Tensor, rate: Tensor, kept: Tensor) -> None:
        """Move every model once.

        Args:
            gradient: (n_models, n_numbers)
            rate: (n_models, 1) > 0
            kept: (n_models, 1) what decay leaves of a weight in this step, 1 - rate x decay.
        """
        import torch

        torch.mul(self.weights, kept / rate, out=self.scaled_weights)
        torch.div(self.biases, rate, out=self.scaled_biases)
        self.n_taken += 1
        torch._fused_adamw_(
            [self.scaled],
            [gradient],
            [self.mean],
            [self.square],
            [],
            [self.n_taken],
            lr=1.0,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )
        torch.mul(self.scaled, rate, out=self.parameters)
