"""A fitted multi-layer perceptron, or a few of them averaged: plain arrays that predict without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from piste.numeric.activations import ACTIVATIONS, LINKS

CHUNK = 4096  # rows at a time, so that hidden layers stay in cache


@dataclass(frozen=True, slots=True)
class Network:
    """Members of one shape whose answers are averaged.

    The answer of a member is link(h W + b), with h = activation(h W + b) for each hidden layer before it.
    """

    weights: tuple[np.ndarray, ...]  # of each layer (n_members, n_in, n_out) float32
    biases: tuple[np.ndarray, ...]  # of each layer (n_members, 1, n_out) float32
    activation: str
    link: str

    def answer(self, X: np.ndarray) -> np.ndarray:
        """Answer rows: (n_samples, n_in) -> (n_samples, width), in the unit that the network was trained in."""
        parts = [self._answer(np.asarray(X[start : start + CHUNK], dtype=np.float32)) for start in range(0, len(X), CHUNK)]
        return np.concatenate(parts) if parts else self._answer(np.asarray(X, dtype=np.float32))

    def _answer(self, X: np.ndarray) -> np.ndarray:
        hidden = X[None]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = ACTIVATIONS[self.activation](hidden @ weight + bias)
        outputs = (hidden @ self.weights[-1] + self.biases[-1]).astype(float)
        return LINKS[self.link](outputs).mean(axis=0)

    def to_state(self) -> dict[str, Any]:
        """Return plain arrays and words."""
        layers = range(len(self.weights))
        arrays = {f"weight_{i}": self.weights[i] for i in layers} | {f"bias_{i}": self.biases[i] for i in layers}
        return {"n_layers": len(self.weights), "activation": self.activation, "link": self.link} | arrays

    @staticmethod
    def from_state(state: Mapping[str, Any]) -> Network:
        """Read what `to_state` wrote."""
        weights, biases = (
            tuple(np.asarray(state[f"{name}_{i}"], dtype=np.float32) for i in range(state["n_layers"])) for name in ("weight", "bias")
        )
        return Network(weights, biases, state["activation"], state["link"])
