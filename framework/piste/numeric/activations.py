"""The activation functions of networks, and the functions that turn a network's last numbers into an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-z)), without overflow, exact in both tails."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


def elu(z: np.ndarray) -> np.ndarray:
    """Return z where positive, exp(z) - 1 elsewhere. Source: Clevert, Unterthiner and Hochreiter, 2016."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def silu(z: np.ndarray) -> np.ndarray:
    """Return z * sigmoid(z). Source: Elfwing, Uchibe and Doya, 2018."""
    return z * sigmoid(z)


def gelu(z: np.ndarray) -> np.ndarray:
    """Return z times the normal distribution function of z. Source: Hendrycks and Gimpel, 2016."""
    from scipy.special import ndtr

    return z * ndtr(z)


ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "elu": elu,
    "silu": silu,
    "gelu": gelu,
}


def softmax(z: np.ndarray) -> np.ndarray:
    """Return exp(z) over its sum along the last axis, without overflow.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    shifted = np.exp(z - z.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def pair(z: np.ndarray) -> np.ndarray:
    """Return the probabilities of no and yes from the log odds of yes: (..., 1) -> (..., 2)."""
    return np.concatenate([sigmoid(-z), sigmoid(z)], axis=-1)


def softplus(z: np.ndarray) -> np.ndarray:
    """Return log(1 + exp(z)), without overflow."""
    return np.logaddexp(z, 0)


def ladder(z: np.ndarray) -> np.ndarray:
    """Return numbers that never fall along the last axis: the first as it is, each next one by a softplus above.

    >>> ladder(np.array([5.0, 0.0, -1000.0])).round(3)
    array([5.   , 5.693, 5.693])
    """
    return np.cumsum(np.concatenate([z[..., :1], softplus(z[..., 1:])], axis=-1), axis=-1)


LINKS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda z: z,
    "sigmoid": pair,
    "softmax": softmax,
    "exp": np.exp,
    "ladder": ladder,
}
"""The output layer by task: numbers, two classes, more classes, a rate, ascending quantiles."""
