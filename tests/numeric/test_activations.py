"""The formulas of activations are torch's, in value and in slope."""

from __future__ import annotations

import numpy as np
import pytest

from piste.numeric.activations import ACTIVATIONS, LINKS, sigmoid, softmax

Z = np.array([-60.0, -5.0, -1.3, -0.4, 0.3, 0.9, 2.0, 7.0, 60.0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_predicts_what_torch_computes(name):
    import torch
    from torch.nn import functional

    theirs = torch.from_numpy(Z) if name == "linear" else getattr(functional, name)(torch.from_numpy(Z))
    np.testing.assert_allclose(ACTIVATIONS[name](Z), theirs.numpy(), rtol=1e-12, atol=1e-15)


def test_no_activation_overflows():
    with np.errstate(all="raise", under="ignore"):
        for activate in ACTIVATIONS.values():
            assert np.isfinite(activate(np.array([-1e4, 1e4]))).all()


def test_two_classes_are_a_softmax_of_the_log_odds():
    z = Z[:, None]
    np.testing.assert_allclose(LINKS["sigmoid"](z), softmax(np.concatenate([np.zeros_like(z), z], axis=1)), rtol=1e-9, atol=1e-300)


def test_a_sigmoid_of_minus_z_is_what_is_missing_to_one():
    np.testing.assert_allclose(sigmoid(Z) + sigmoid(-Z), 1.0)
