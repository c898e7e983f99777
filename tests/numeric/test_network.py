"""A network of arrays answers as torch's own layers would."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from piste.numeric.activations import LINKS
from piste.numeric.network import CHUNK, Network


def network(activation="tanh", link="identity", n_members=1, n_out=1, seed=0):
    rng = np.random.default_rng(seed)
    widths = (3, 5, 4, n_out)
    weights = tuple(rng.normal(size=(n_members, i, o)).astype(np.float32) for i, o in itertools.pairwise(widths))
    return Network(weights, tuple(rng.normal(size=(n_members, 1, o)).astype(np.float32) for o in widths[1:]), activation, link)


X = np.random.default_rng(1).normal(size=(50, 3))


def test_a_network_is_layers_of_torch():
    import torch

    ours = network()
    layers = []
    for weight, bias in zip(ours.weights, ours.biases, strict=True):
        layer = torch.nn.Linear(*weight.shape[1:])
        layer.weight.data, layer.bias.data = torch.from_numpy(weight[0].T.copy()), torch.from_numpy(bias[0, 0].copy())
        layers += [layer, torch.nn.Tanh()]
    theirs = torch.nn.Sequential(*layers[:-1])(torch.from_numpy(X.astype(np.float32))).detach().numpy()
    np.testing.assert_allclose(ours.answer(X), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("link", "n_out"), [("identity", 1), ("exp", 1), ("sigmoid", 1), ("softmax", 3), ("ladder", 3)])
def test_members_are_averaged_as_answers_not_as_scores(link, n_out):
    both = network(link=link, n_members=2, n_out=n_out)
    each = [
        Network(tuple(w[k : k + 1] for w in both.weights), tuple(b[k : k + 1] for b in both.biases), both.activation, link).answer(X)
        for k in range(2)
    ]
    np.testing.assert_allclose(both.answer(X), (each[0] + each[1]) / 2, rtol=1e-5)


@pytest.mark.parametrize(("link", "n_out"), [("sigmoid", 1), ("softmax", 3)])
def test_probabilities_sum_to_one(link, n_out):
    np.testing.assert_allclose(network(link=link, n_members=2, n_out=n_out).answer(X).sum(axis=1), 1)


def test_quantiles_never_cross():
    assert (np.diff(network(link="ladder", n_members=2, n_out=5).answer(X), axis=1) >= 0).all()


def test_many_rows_are_answered_as_few():
    many = np.tile(X, (CHUNK // len(X) + 2, 1))
    np.testing.assert_allclose(network().answer(many)[-50:], network().answer(X), rtol=1e-5, atol=1e-6)


def test_no_rows_have_no_answers():
    assert network(link="sigmoid").answer(np.empty((0, 3))).shape == (0, 2)


def test_every_link_is_an_output_layer_of_a_network():
    assert {"identity", "exp", "sigmoid", "softmax", "ladder"} == set(LINKS)


def test_a_network_kept_as_arrays_answers_the_same():
    ours = network(link="softmax", n_members=2, n_out=3)
    np.testing.assert_array_equal(Network.from_state(ours.to_state()).answer(X), ours.answer(X))
