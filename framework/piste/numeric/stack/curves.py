"""The activations of a stack, each with its slope, written over the arrays that they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Curve:
    """An activation.

    The kernels are torch's own, called without its graph: one pass over memory each. Some slopes follow from the result alone,
    so that what went in need not be kept.
    """

    value: Callable[[Tensor, Tensor], object]  # (z, out): out becomes the activation of z; both may be one
    slope: Callable[[Tensor, Tensor], object]  # (pull, kept): pull is multiplied by the slope
    by_result: bool  # kept is the activation's result, otherwise z


def _tanh(z: Tensor, out: Tensor) -> None:
    """Write 2 sigmoid(2 z) - 1, which takes a fifth of the time of torch.tanh on some processors."""
    import torch

    torch.mul(z, 2.0, out=out)
    out.sigmoid_().mul_(2.0).sub_(1.0)


def curves() -> Mapping[str, Curve]:
    """Return the activations by the names of `numeric.activations`."""
    import torch

    aten = torch.ops.aten
    return {
        "linear": Curve(lambda z, out: out.copy_(z), lambda pull, kept: None, by_result=True),
        "sigmoid": Curve(
            lambda z, out: torch.sigmoid(z, out=out), lambda g, h: aten.sigmoid_backward.grad_input(g, h, grad_input=g), by_result=True
        ),
        "tanh": Curve(_tanh, lambda g, h: aten.tanh_backward.grad_input(g, h, grad_input=g), by_result=True),
        "relu": Curve(
            lambda z, out: torch.clamp(z, min=0.0, out=out),
            lambda g, h: aten.threshold_backward.grad_input(g, h, 0.0, grad_input=g),
            by_result=True,
        ),
        "elu": Curve(
            lambda z, out: aten.elu.out(z, out=out),
            lambda g, h: aten.elu_backward.grad_input(g, 1.0, 1.0, 1.0, True, h, grad_input=g),  # noqa: FBT003 - a kernel takes places
            by_result=True,
        ),
        "silu": Curve(
            lambda z, out: aten.silu.out(z, out=out), lambda g, z: aten.silu_backward.grad_input(g, z, grad_input=g), by_result=False
        ),
        "gelu": Curve(
            lambda z, out: aten.gelu.out(z, out=out), lambda g, z: aten.gelu_backward.grad_input(g, z, grad_input=g), by_result=False
        ),
    }
