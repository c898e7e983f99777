"""A stack of networks: slopes that are right, and every network what it would be alone."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from piste.numeric.activations import ACTIVATIONS, LINKS
from piste.numeric.quantile import pinball
from piste.numeric.stack.adamw import BETAS, EPSILON, AdamW, rates
from piste.numeric.stack.batches import Batches
from piste.numeric.stack.dropout import Dropout
from piste.numeric.stack.layers import LANES, Frame, Passes, Run
from piste.numeric.stack.outputs import average_loss, loss_and_slope, targets
from piste.numeric.stack.recipe import Recipe, Sample, Shape
from piste.numeric.stack.training import PATIENCE, train

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

SHAPES = {
    "one number": Shape((24, 40), "squared", 1, 32),
    "three numbers": Shape((24, 40), "squared", 3, 32),
    "a rate": Shape((24, 40), "poisson", 1, 32),
    "two classes": Shape((24, 40), "cross_entropy", 1, 32),
    "three classes": Shape((24, 40), "cross_entropy", 3, 32),
    "quantiles": Shape((24, 40), "pinball", 5, 32, LEVELS),
}
every_output = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
every_device = pytest.mark.parametrize("device", DEVICES)


def sample(shape: Shape, n: int = 150, seed: int = 0) -> Sample:
    """Make rows whose weights differ, for any output."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 7))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=n)
    if shape.loss == "cross_entropy":
        y = np.digitize(y, [0.0] if shape.n_outputs == 1 else [-0.5, 0.5])
    elif shape.loss == "poisson":
        y = rng.poisson(np.exp(0.5 * y)).astype(float)
    elif shape.loss == "squared" and shape.n_outputs > 1:
        y = np.column_stack([y, X[:, 3], -X[:, 4]])
    weight = rng.uniform(0.5, 1.5, n)
    return Sample(X, y, weight / weight.mean())


def recipes() -> list[Recipe]:
    """Return networks that differ in everything that may differ, in no order."""
    plain = [Recipe(name, 0.0, 0.01, 0.02, 5 + i, 1, i) for i, name in enumerate(ACTIVATIONS)]
    dropping = [Recipe(name, 0.1 + 0.05 * i, 0.1, 0.01 * (1 + i), 8, 2, 9 + i) for i, name in enumerate(ACTIVATIONS)]
    return [each for pair in zip(plain, dropping, strict=True) for each in pair] + [Recipe("relu", 0.0, 0.0, 0.03, 9, 3, 77, until=4)]


def numbers(trained) -> list[np.ndarray]:
    """Return all that training found."""
    return [*trained.network.weights, *trained.network.biases, trained.train_loss, trained.watch_loss, np.array(trained.best_epoch)]


@every_device
@pytest.mark.parametrize("dropped", [False, True], ids=["", "dropout"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@every_output
def test_the_slope_of_every_number_is_that_of_the_loss(shape, activation, dropped, device):
    """Against central differences: a stack of copies of one model, in each of which one number is moved up, or down."""
    shape = replace(shape, hidden=(5, 4))
    frame, generator, step = Frame((7, 5, 4, shape.n_outputs)), torch.Generator().manual_seed(0), 1e-6
    rows = sample(shape, 6)
    X, y, weight = (torch.from_numpy(np.asarray(each, float)).to(device) for each in (rows.X, targets(rows.y, shape).T.copy(), rows.weight))
    first = torch.randn((1, frame.n_numbers), generator=generator, dtype=torch.float64).to(device)
    masks = [torch.rand((1, 6, width), generator=generator).gt(0.3).to(first) / 0.7 for width in (5, 4)] if dropped else []

    def losses(parameters):
        gradient = torch.zeros_like(parameters)
        widened = [mask.expand(len(parameters), -1, -1) for mask in masks]
        passes = Passes(frame, parameters, gradient, [Run(activation, slice(0, len(parameters)), dropped)], 6, widened)
        loss, slope = loss_and_slope(passes.forward(X, learning=True), y, weight, shape)
        return loss, lambda: (passes.backward(X, slope), gradient)[1]

    found = losses(first)[1]()[0]
    moves = step * torch.eye(frame.n_numbers, dtype=torch.float64, device=device)
    central = (losses(first + moves)[0] - losses(first - moves)[0]) / (2 * step)
    assert torch.linalg.norm(found - central) < 1e-6 * torch.linalg.norm(central)


@every_output
def test_the_loss_is_that_of_torch(shape):
    rows, generator = sample(shape), torch.Generator().manual_seed(0)
    outputs = torch.randn((2, shape.n_outputs, len(rows.y)), generator=generator, dtype=torch.float64)
    y, weight = torch.from_numpy(targets(rows.y, shape).T.astype(float)), torch.from_numpy(rows.weight)
    found, _ = loss_and_slope(outputs, y, weight, shape)
    for each, model in zip(found, outputs, strict=True):
        if shape.loss == "squared":
            expected = functional.mse_loss(model, y, reduction="none").mean(0)
        elif shape.loss == "poisson":
            expected = functional.poisson_nll_loss(model, y, reduction="none")[0]
        elif shape.loss == "pinball":
            expected = torch.from_numpy(pinball(rows.y, LINKS["ladder"](model.numpy().T), LEVELS).mean(axis=1))
        elif shape.n_outputs == 1:
            expected = functional.binary_cross_entropy_with_logits(model, y, reduction="none")[0]
        else:
            expected = functional.cross_entropy(model.T, torch.from_numpy(rows.y), reduction="none")
        torch.testing.assert_close(each, (expected * weight).sum())


@every_device
@pytest.mark.parametrize("watching", [False, True], ids=["", "watched"])
@every_output
def test_a_network_is_in_a_stack_what_it_is_alone(shape, watching, device):
    """To the bit; on a GPU, whose products are summed in an order of their own, nearly."""
    rows, watched = sample(shape), sample(shape, 50, seed=1) if watching else None
    together = train(rows, watched, shape, recipes(), device)
    for recipe, found in zip(recipes(), together, strict=True):
        alone = train(rows, watched, shape, [recipe], device)[0]
        for ours, expected in zip(numbers(found), numbers(alone), strict=True):
            if device == "cpu":
                np.testing.assert_array_equal(ours, expected)
            else:
                np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-4)


def test_stacks_that_leave_the_cache_are_cut_and_nothing_changes(monkeypatch):
    shape = SHAPES["one number"]
    whole = train(sample(shape), None, shape, recipes())
    monkeypatch.setattr("piste.numeric.stack.training.WORKING_SET", 200_000)
    for ours, expected in zip(train(sample(shape), None, shape, recipes()), whole, strict=True):
        np.testing.assert_array_equal(ours.network.weights[0], expected.network.weights[0])


def test_training_is_what_automatic_slopes_and_the_optimiser_of_torch_make_of_it():
    shape = Shape((8, 6), "squared", 1, 32)
    rows, recipe = sample(shape), Recipe("tanh", 0.0, 0.1, 0.02, 6, 1, 3)
    generator, widths = torch.Generator().manual_seed(3), (7, 8, 6, 1)
    weights = [torch.randn((i, o), generator=generator) for i, o in itertools.pairwise(widths[:-1])] + [torch.zeros(6, 1)]
    biases = [torch.zeros(width) for width in widths[1:]]
    gains = [6 / 7**0.5, 8**-0.5, 6**-0.5]
    for each in (*weights, *biases):
        each.requires_grad_()
    optimiser = torch.optim.AdamW(
        [{"params": weights, "weight_decay": 0.1}, {"params": biases, "weight_decay": 0.0}], betas=BETAS, eps=EPSILON
    )
    batches = Batches(rows, shape, torch.float32, torch.device("cpu"))
    schedule = iter(rates(recipe, batches.n_batches))
    for epoch in itertools.islice(batches.epochs(), 6):
        for batch in epoch:
            hidden = batch.X
            for weight, bias, gain in zip(weights[:-1], biases[:-1], gains[:-1], strict=True):
                hidden = torch.tanh(gain * hidden @ weight + bias)
            loss = (((gains[-1] * hidden @ weights[-1] + biases[-1])[:, 0] - batch.y[0]) ** 2 * batch.weight).sum()
            for group in optimiser.param_groups:
                group["lr"] = next(schedule) if group is optimiser.param_groups[0] else optimiser.param_groups[0]["lr"]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    network = train(rows, None, shape, [recipe])[0].network
    for found, expected, gain in zip(network.weights, weights, gains, strict=True):
        np.testing.assert_allclose(found[0], gain * expected.detach().numpy(), rtol=1e-3, atol=1e-4)
    for found, expected in zip(network.biases, biases, strict=True):
        np.testing.assert_allclose(found[0, 0], expected.detach().numpy(), rtol=1e-3, atol=1e-4)


def test_every_model_steps_as_by_an_optimiser_of_its_own():
    generator = torch.Generator().manual_seed(0)
    first, slopes = torch.randn((3, 40), generator=generator), torch.randn((20, 3, 40), generator=generator)
    paces, decays = torch.tensor([[1e-3], [0.1], [0.02]]), torch.tensor([[0.0], [0.5], [0.01]])
    ours, decaying = first.clone(), 30
    optimiser = AdamW(ours, decaying)
    for slope in slopes:
        optimiser.step(slope, paces, 1 - paces * decays)
    for model in range(3):
        parts = [first[model, :decaying].clone(), first[model, decaying:].clone()]
        groups = [{"params": [parts[0]], "weight_decay": float(decays[model])}, {"params": [parts[1]], "weight_decay": 0.0}]
        theirs = torch.optim.AdamW(groups, lr=float(paces[model]), betas=BETAS, eps=EPSILON)
        for slope in slopes:
            parts[0].grad, parts[1].grad = slope[model, :decaying].clone(), slope[model, decaying:].clone()
            theirs.step()
        torch.testing.assert_close(ours[model], torch.cat(parts), rtol=1e-5, atol=1e-6)


def test_the_learning_rate_rises_for_a_tenth_of_the_schedule_and_falls_to_nothing():
    found = rates(Recipe("relu", 0.0, 0.0, 0.5, 10, 1, 0), 20)
    assert found.argmax() == 20
    assert found.max() == 0.5
    assert (np.diff(found[:21]) > 0).all()
    assert (np.diff(found[20:]) < 0).all()
    assert 0 < found[-1] < 1e-3
    np.testing.assert_array_equal(rates(Recipe("relu", 0.0, 0.0, 0.5, 10, 1, 0, until=3), 20), found[:60])


def test_what_is_kept_is_the_best_epoch_of_each():
    shape = SHAPES["one number"]
    rows, watched = sample(shape), sample(shape, 50, seed=1)
    for found in train(rows, watched, shape, recipes()):
        assert found.best_epoch == 1 + found.watch_loss.argmin()
        assert average_loss(found.network.answer(watched.X), watched, shape) == pytest.approx(found.watch_loss.min(), rel=1e-5)


def test_a_network_that_only_gets_worse_leaves_and_the_others_go_on():
    rng = np.random.default_rng(0)
    shape = Shape((16,), "squared", 1, 32)
    noise, watched = (Sample(rng.normal(size=(100, 7)), rng.normal(size=100), np.ones(100)) for _ in range(2))
    hasty, slow = Recipe("relu", 0.0, 0.0, 0.1, 50, 1, 0), Recipe("relu", 0.0, 0.0, 1e-6, 60, 1, 1)
    left, stayed = train(noise, watched, shape, [hasty, slow])
    assert len(left.watch_loss) == left.best_epoch + PATIENCE * 50 < 50
    assert len(stayed.watch_loss) > len(left.watch_loss)


def test_a_schedule_that_ends_sooner_takes_the_same_steps_until_then():
    shape = SHAPES["one number"]
    recipe = Recipe("silu", 0.1, 0.01, 0.02, 8, 2, 5)
    whole, part = (train(sample(shape), None, shape, [each])[0] for each in (recipe, replace(recipe, until=3)))
    np.testing.assert_array_equal(part.train_loss, whole.train_loss[:3])
    assert part.best_epoch == 3


def test_members_differ_and_so_do_seeds():
    shape = SHAPES["one number"]
    recipe = Recipe("silu", 0.0, 0.01, 0.02, 3, 2, 5)
    one, other = train(sample(shape), None, shape, [recipe, replace(recipe, seed=6)])
    hidden = one.network.weights[0]
    assert not np.allclose(hidden[0], hidden[1])
    assert not np.allclose(hidden, other.network.weights[0])


@pytest.mark.parametrize("n", [1, 5, 33, 150, 1000])
def test_an_epoch_shows_every_row_once_in_batches_of_one_size(n):
    rows = Sample(np.arange(1.0, n + 1)[:, None], np.arange(1.0, n + 1), np.linspace(0.5, 1.5, n))
    batches = Batches(rows, Shape((8,), "squared", 1, 32), torch.float64, torch.device("cpu"))
    first, second = ([(b.X[:, 0].clone(), b.y[0], b.weight, b.share) for b in epoch] for epoch in itertools.islice(batches.epochs(), 2))
    seen = [X[weight > 0].numpy() for X, _, weight, _ in first]
    np.testing.assert_array_equal(np.sort(np.concatenate(seen)), rows.X[:, 0])
    sizes = [len(part) for part in seen]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= 32
    for X, y, weight, share in first:
        assert len(X) % LANES == 0
        assert torch.equal(X, y)
        size = int((weight > 0).sum())
        assert share == pytest.approx(size / n)
        np.testing.assert_allclose(weight[:size], np.interp(X[:size], rows.X[:, 0], rows.weight) / size)
    assert n < 33 or not all(torch.equal(one[0], two[0]) for one, two in zip(first, second, strict=True))


def test_a_row_without_weight_teaches_nothing():
    """Such rows fill a batch up."""
    shape, recipe = Shape((8,), "squared", 1, 32), Recipe("tanh", 0.0, 0.0, 0.02, 5, 1, 0)
    rows = sample(shape, 33)
    wild = Sample(np.vstack([rows.X, rows.X[-1:]]), np.append(rows.y, 1e3), np.append(rows.weight, 0.0))
    assert abs(train(wild, None, shape, [recipe])[0].network.answer(rows.X)).max() < 10


def test_dropout_leaves_its_share_out_and_keeps_the_mean():
    like = torch.empty(0)
    shares = [0.1, 0.5]

    def draw(seed):
        dropout = Dropout(shares, [np.random.SFC64([seed, k]) for k in range(2)], (64, 48), 256, like)
        next(dropout.draws(1))
        return [mask.clone() for mask in dropout.masks]

    masks = draw(0)
    assert [mask.shape for mask in masks] == [(2, 256, 64), (2, 256, 48)]
    for mask in masks:
        for model, share in zip(mask, shares, strict=True):
            assert float((model == 0).float().mean()) == pytest.approx(share, abs=0.015)
            assert model.max() == pytest.approx(1 / (1 - share), rel=1e-4)
    assert not torch.equal(masks[0][0] > 0, masks[0][1] > 0)
    assert all(torch.equal(one, again) for one, again in zip(masks, draw(0), strict=True))
    assert not torch.equal(masks[0], draw(1)[0])


def test_a_loss_that_is_no_number_names_the_learning_rate():
    shape = SHAPES["one number"]
    calm, wild = Recipe("relu", 0.0, 0.0, 0.02, 5, 1, 0), Recipe("linear", 0.0, 0.0, 1e12, 5, 1, 1)
    with pytest.raises(FloatingPointError, match=r"must be lower than 1e\+12"):
        train(sample(shape), None, shape, [calm, wild])
