"""Superposition: what proves kb.architecture.superposition and the record of the trained models."""

import itertools
import math

import numpy as np
import pytest
import torch

from kb.architecture import superposition as kb
from kb.autograd.check import check_gradient
from kb.autograd.tensor import value_and_grad
from kb.learning.optimizers import Adam
from kb.torch.architecture import superposition as kt
from tests.contract import Case, contract, gpu_contract
from training import superposition as training

RNG = np.random.default_rng(0)
SIZE, CHANCE = RNG.random((3, 4, 5)), RNG.random((3, 4, 5))
DENSITY, IMPORTANCE = np.array([0.2, 0.5, 1.0]), np.array([1.0, 0.9, 0.8, 0.7, 0.6])
CASES = [
    Case(kb.sparse_features, size=SIZE, chance=CHANCE, density=DENSITY, differentiable=["size"]),
    Case(kb.sparse_features, size=SIZE[0], chance=CHANCE[0], density=0.3, differentiable=["size"]),
    Case(kb.compress, x=(6, 5), weight=(2, 5)),
    Case(kb.compress, x=(3, 6, 5), weight=(3, 2, 5)),
    Case(kb.reconstruct, x=(6, 5), weight=(2, 5), bias=(5,)),
    Case(kb.reconstruct, x=(3, 6, 5), weight=(3, 2, 5), bias=(3, 5)),
    Case(kb.reconstruction_loss, x=(6, 5), weight=(2, 5), bias=(5,), importance=IMPORTANCE),
    Case(kb.reconstruction_loss, x=(3, 6, 5), weight=(3, 2, 5), bias=(3, 5), importance=IMPORTANCE),
    Case(kb.feature_norms, weight=(2, 5)),
    Case(kb.interference, weight=(3, 2, 5)),
    Case(kb.dimensionality, weight=(2, 5)),
    Case(kb.strategy_losses, density=DENSITY, importance=np.array([0.5, 1.0, 2.0])),
    Case(kb.sae_codes, h=(6, 2), w_enc=(5, 2), b_enc=(5,)),
    Case(kb.sae_loss, h=(6, 2), w_enc=(5, 2), b_enc=(5,), w_dec=(2, 5), l1=0.1),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def polygon(n):
    angles = 2 * math.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)])


# ---- invariants --------------------------------------------------------------------------------------------------
def test_density_is_the_share_of_examples_that_have_a_feature():
    """A share p of N has the standard deviation sqrt(p (1 - p) / N): five of them."""
    rng, n = np.random.default_rng(0), 100_000
    x = kb.sparse_features(rng.random((3, n, 1)), rng.random((3, n, 1)), DENSITY)
    share = np.mean(x > 0, axis=(1, 2))
    np.testing.assert_allclose(share, DENSITY, atol=5 * math.sqrt(0.25 / n))
    assert x.max() < 1
    assert x[2].mean() == pytest.approx(0.5, abs=5 * math.sqrt(1 / 12 / n))


def test_a_turned_model_reads_the_same_features():
    """W^T W does not change when all directions turn together: no axis, no neuron of h, is special."""
    rng = np.random.default_rng(0)
    weight, bias, x = rng.standard_normal((4, 7)), rng.standard_normal(7), rng.random((9, 7))
    turn, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    np.testing.assert_allclose(kb.reconstruct(x, turn @ weight, bias), kb.reconstruct(x, weight, bias), atol=1e-12)
    assert np.abs(kb.compress(x, turn @ weight) - kb.compress(x, weight)).max() > 0.5


def test_many_models_are_as_many_single_ones():
    rng = np.random.default_rng(0)
    params, x = kb.init_toy(5, 2, rng, (3,)), rng.random((3, 8, 5))
    together = kb.reconstruction_loss(x, params["weight"], params["bias"] + 0.1, IMPORTANCE)
    for k in range(3):
        alone = kb.reconstruction_loss(x[k], params["weight"][k], params["bias"][k] + 0.1, IMPORTANCE)
        assert together[k] == pytest.approx(alone, rel=1e-14)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_the_features_of_a_regular_polygon_share_two_dimensions_evenly(n):
    """Unit vectors at equal angles: sum of cos^2 = n/2 for n > 2, so each has 2/n of a dimension, 1/2 for a pair."""
    shares = kb.dimensionality(polygon(n))
    np.testing.assert_allclose(shares, 0.5 if n == 2 else 2 / n, rtol=1e-12)
    np.testing.assert_allclose(kb.interference(polygon(n)), 1 / shares - 1, rtol=1e-9)


def test_the_shares_add_up_to_at_most_the_dimensions():
    for seed in range(20):
        weight = np.random.default_rng(seed).standard_normal((3, 9))
        assert kb.dimensionality(weight).sum() <= 3 + 1e-9


@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
def test_the_strategies_cost_what_a_loop_over_examples_finds(density):
    """500,000 examples of a loss in 0..1: its mean over N has an error of at most 0.5 / sqrt(N); five of them."""
    rng, n = np.random.default_rng(0), 500_000
    x = kb.sparse_features(rng.random((n, 2)), rng.random((n, 2)), density)
    importance = np.array([1.0, 1.5])
    first = (1 * np.array([[1.0, 0.0]]), np.array([0.0, density / 2]))
    second = (1 * np.array([[0.0, 1.0]]), np.array([density / 2, 0.0]))
    opposite = (np.array([[1.0, -1.0]]), np.zeros(2))
    for (weight, bias), expected in zip(
        (first, second, opposite), kb.strategy_losses(np.float64(density), np.float64(1.5)), strict=True
    ):
        measured = kb.reconstruction_loss(x, weight, bias, importance)
        assert measured == pytest.approx(expected, abs=5 * 0.5 / math.sqrt(n))


def test_code_that_is_put_together_rightly_costs_only_its_length():
    w_dec = polygon(5)
    h = 0.7 * w_dec[:, :1].T
    w_enc, b_enc = w_dec.T / (1 - math.cos(2 * math.pi / 5)), np.full(5, 0.0)
    b_enc -= 0.7 * math.cos(2 * math.pi / 5) / (1 - math.cos(2 * math.pi / 5))  # neighbours fall to 0
    codes = kb.sae_codes(h, w_enc, b_enc)
    np.testing.assert_allclose(codes, [[0.7, 0, 0, 0, 0]], atol=1e-12)
    assert kb.sae_loss(h, w_enc, b_enc, 3 * w_dec, 0.1) == pytest.approx(0.07, rel=1e-12)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_two_opposites_by_hand():
    """x = (0.5, 0) is read back rightly; (0.5, 0.2) as (0.3, 0), an error of 0.2 in both."""
    weight, bias = np.array([[1.0, -1.0]]), np.zeros(2)
    x = np.array([[0.5, 0.0], [0.5, 0.2]])
    np.testing.assert_allclose(kb.compress(x, weight), [[0.5], [0.3]])
    np.testing.assert_allclose(kb.reconstruct(x, weight, bias), [[0.5, 0], [0.3, 0]])
    assert kb.reconstruction_loss(x, weight, bias, np.array([1.0, 2.0])) == pytest.approx((0 + 0.04 + 2 * 0.04) / 2)


def test_strategies_by_hand():
    """p = 1: a variance of 1/12; p = 4/7 is where opposites start to pay for equal features."""
    np.testing.assert_allclose(kb.strategy_losses(np.array(1.0), np.array(1.0)), [1 / 12, 1 / 12, 1 / 3])
    one, _, opposite = kb.strategy_losses(np.array(4 / 7), np.array(1.0))
    assert one == pytest.approx(opposite, rel=1e-14)


def test_the_share_of_a_feature_that_is_not_kept_is_0():
    np.testing.assert_array_equal(kb.dimensionality(np.array([[1.0, 0.0]])), [1, 0])
    np.testing.assert_array_equal(kb.feature_norms(np.array([[3.0, 0.0], [4.0, 0.0]])), [5, 0])


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_gradient():
    rng = np.random.default_rng(0)
    x, bias, weight = rng.random((6, 5)), rng.standard_normal(5), rng.standard_normal((2, 5))
    check_gradient(lambda w: kb.reconstruction_loss(x, w, bias, IMPORTANCE), weight)


def test_the_same_training_in_torch():
    """50 steps of Adam through kb's computation graph and through torch's."""
    rng = np.random.default_rng(0)
    params = kb.init_toy(5, 2, rng)
    batches = list(itertools.islice(training.batches(0.2, (64, 5), rng), 50))
    twin = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    ours, theirs = Adam(params, 0.01), torch.optim.Adam(twin.values(), 0.01)
    loss_of = value_and_grad(lambda p, x: kb.reconstruction_loss(x, p["weight"], p["bias"], IMPORTANCE))
    for x in batches:
        loss, grads = loss_of(params, x)
        params = ours.step(grads)
        theirs.zero_grad()
        expected = kt.reconstruction_loss(torch.tensor(x), twin["weight"], twin["bias"], torch.tensor(IMPORTANCE))
        expected.backward()
        theirs.step()
        assert float(loss) == pytest.approx(expected.item(), rel=1e-8)


# ---- what the page reports ---------------------------------------------------------------------------------------
def test_the_five_models_of_the_record():
    weight = training.read()["five_weight"]
    kept = [(kb.feature_norms(w) > 0.5).sum() for w in weight]
    assert kept == [2, 4, 5]
    np.testing.assert_allclose(kb.dimensionality(weight[2]), 2 / 5, atol=0.04)
    angles = np.sort(np.arctan2(weight[2][1], weight[2][0]))
    gaps = np.diff([*angles, angles[0] + 2 * math.pi])
    np.testing.assert_allclose(np.degrees(gaps), 72, atol=4)


def test_a_shortened_run_again():
    """The grid's training on four of its corners, with fewer steps: the same phases as in the record."""
    densities, importances = training.GRID["densities"], training.GRID["importances"]
    weight, _ = training.two_in_one(300, [densities[0], densities[-1]], [importances[0], importances[-1]])
    recorded = training.read()["grid_weight"][[0, -1]][:, [0, -1]]
    np.testing.assert_array_equal(np.abs(weight) > 0.5, np.abs(recorded) > 0.5)


def test_the_grid_does_what_was_computed_by_hand():
    """Where both features meet often enough for the loss to be measured; opposites can be improved a little."""
    assert training.phase_agreement() > 0.95
    density, importance = np.meshgrid(training.GRID["densities"], training.GRID["importances"], indexing="ij")
    ratio = training.read()["grid_loss"] / np.min(kb.strategy_losses(density, importance), axis=0)
    assert np.all(np.abs(ratio[density > 0.2] - 1) < 0.2)


def test_the_sparse_autoencoder_found_the_five_directions():
    weight, found = training.read()["five_weight"][2], training.read()["sae"]
    cosine = (weight / np.linalg.norm(weight, axis=0)).T @ (found / np.linalg.norm(found, axis=0))
    assert np.sort(cosine.argmax(axis=1)).tolist() == [0, 1, 2, 3, 4]
    assert cosine.max(axis=1).min() > 0.95


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_without_relu_there_is_no_superposition():
    """A linear model keeps the two most important features and nothing else, however rare they are: it is PCA."""
    rng = np.random.default_rng(0)
    params, importance = kb.init_toy(5, 2, rng), 0.8 ** np.arange(5.0)

    def loss(p, x):
        error = kb.compress(x, p["weight"]) @ p["weight"] + p["bias"] - x
        return np.mean(np.sum(importance * error * error, axis=-1))

    optimizer = Adam(params, 0.03)
    for x in itertools.islice(training.batches(0.05, (512, 5), rng), 600):
        params = optimizer.step(value_and_grad(loss)(params, x)[1])
    assert (kb.feature_norms(params["weight"]) > 0.5).sum() == 2
