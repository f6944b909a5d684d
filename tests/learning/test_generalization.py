import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

import kb.torch.learning.generalization as kt
from kb.autograd.tensor import value_and_grad
from kb.data.digits import load_digits
from kb.learning.cost_function import cost
from kb.learning.generalization import (
    dropout,
    early_stopping,
    move,
    random_labels,
    standard_error,
    train_validation_test,
    weight_decay,
    weight_penalty,
)
from kb.learning.gradient_descent import step
from kb.structure.multilayer_perceptron import init_mlp, mlp
from tests.contract import Case, contract, gpu_contract
from training import generalization as measured

SMALL = init_mlp((6, 5, 3), np.random.default_rng(0), "normal", "float64")
GRADS = {name: np.cos(value) for name, value in SMALL.items()}
NOISE = np.random.default_rng(3).random((4, 5))
TURNS, STEPS = np.array([0.3, -1.2]), np.array([0.5, -2.0])
CASES = [
    Case(random_labels, differentiable=False, labels=np.arange(7), share=1.0, rng=np.random.default_rng(0)),
    Case(random_labels, differentiable=False, labels=np.arange(7), share=0.4, rng=np.random.default_rng(1)),
    Case(weight_penalty, params=SMALL, decay=0.1),
    Case(weight_decay, params=SMALL, grads=GRADS, decay=0.1),
    Case(dropout, differentiable=["x"], x=(4, 5), p=0.4, noise=NOISE),
    Case(dropout, differentiable=["x"], x=(4, 5), p=0.0, noise=NOISE),
    Case(dropout, differentiable=["x"], x=(4, 5), p=1.0, noise=NOISE),
    Case(move, differentiable=["images"], images=(2, 8, 8), angle=TURNS, down=STEPS, right=STEPS[::-1].copy()),
    Case(move, differentiable=["images"], images=(2, 5, 9), angle=TURNS, down=STEPS, right=STEPS),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

STILL = np.zeros(3)


def images(b=3, rows=8, cols=8):
    return np.random.default_rng(0).random((b, rows, cols))


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.integers(3, 100), st.data(), st.integers(0, 2**32))
def test_every_example_is_in_exactly_one_part(n, data, seed):
    validation = data.draw(st.integers(1, n - 2))
    test = data.draw(st.integers(1, n - validation - 1))
    parts = train_validation_test(n, validation, test, np.random.default_rng(seed))
    assert [len(part) for part in parts] == [n - validation - test, validation, test]
    assert sorted(np.concatenate(parts)) == list(range(n))


def test_the_standard_error_is_the_spread_of_many_measurements():
    """10,000 binomial draws know their standard deviation to 0.7 %; four times that."""
    draws = np.random.default_rng(0).binomial(360, 0.9, 10_000) / 360
    assert standard_error(0.9, 360) == pytest.approx(draws.std(), rel=0.03)


@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 2**32))
def test_random_labels_move_only_their_share_and_keep_the_counts(n, share, seed):
    labels = np.random.default_rng(seed).integers(0, 10, n)
    new = random_labels(labels, share, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.bincount(new, minlength=10), np.bincount(labels, minlength=10))
    assert (new != labels).sum() <= round(share * n)


def test_random_labels_say_nothing_about_the_old_ones():
    """Of 100,000 labels of ten classes a tenth is right by chance, to 5 standard errors."""
    labels = np.random.default_rng(0).integers(0, 10, 100_000)
    agree = (random_labels(labels, 1.0, np.random.default_rng(1)) == labels).mean()
    assert agree == pytest.approx(0.1, abs=5 * standard_error(0.1, len(labels)))


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9])
def test_dropout_is_torchs_with_the_same_numbers_dropped(p):
    torch.manual_seed(0)
    x = torch.rand(300, 200, dtype=torch.float64) + 1
    theirs = F.dropout(x, p)
    noise = np.where(theirs.numpy() == 0, 0.0, 1.0) if p else np.ones(x.shape)
    np.testing.assert_allclose(dropout(x.numpy(), p, noise), theirs.numpy(), rtol=1e-15)


def test_dropout_keeps_the_mean():
    """A number x is 0 or x / (1 - p): the mean is x, the variance x^2 p / (1 - p). Five standard errors."""
    noise = np.random.default_rng(0).random(200_000)
    for p in (0.1, 0.5, 0.8):
        dropped = dropout(np.full(len(noise), 3.0), p, noise)
        assert dropped.mean() == pytest.approx(3, abs=5 * 3 * math.sqrt(p / (1 - p) / len(noise)))
        assert (dropped == 0).mean() == pytest.approx(p, abs=5 * standard_error(p, len(noise)))


def test_weight_decay_is_the_gradient_of_the_penalty():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 6)), rng.random((7, 3))
    _, plain = value_and_grad(lambda p: cost(mlp(p, x), y))(SMALL)
    _, whole = value_and_grad(lambda p: cost(mlp(p, x), y) + weight_penalty(p, 0.3))(SMALL)
    for name, grad in weight_decay(SMALL, plain, 0.3).items():
        np.testing.assert_allclose(grad, whole[name], rtol=1e-12, atol=1e-15)


def test_a_step_with_weight_decay_is_that_of_torchs_sgd():
    ours = step(SMALL, weight_decay(SMALL, GRADS, 0.3), 0.1)
    theirs = {name: nn.Parameter(torch.tensor(value)) for name, value in SMALL.items()}
    for name, value in theirs.items():
        value.grad = torch.tensor(GRADS[name])
    groups = [
        {"params": [v for n, v in theirs.items() if n.endswith("weight")], "weight_decay": 0.3},
        {"params": [v for n, v in theirs.items() if n.endswith("bias")], "weight_decay": 0.0},
    ]
    torch.optim.SGD(groups, lr=0.1).step()
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value.detach().numpy(), rtol=1e-14)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.integers(1, 5))
def test_stopping_is_what_a_loop_with_a_counter_finds(losses, patience):
    best, waited = 0, 0
    for i in range(1, len(losses)):
        best, waited = (i, 0) if losses[i] < losses[best] else (best, waited + 1)
    assert early_stopping(losses, patience) == (best, waited >= patience)


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0, math.pi / 2])
def test_a_turn_is_scipys(angle):
    turned = move(images(), np.full(3, angle), STILL, STILL)
    expected = ndimage.rotate(images(), math.degrees(angle), (2, 1), reshape=False, order=1, mode="grid-constant")
    np.testing.assert_allclose(turned, expected, atol=1e-12)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -2), (3, 2), (0.5, -1.25)])
def test_a_move_is_scipys(down, right):
    moved = move(images(), STILL, np.full(3, down), np.full(3, right))
    expected = ndimage.shift(images(), (0, down, right), order=1, mode="grid-constant")
    np.testing.assert_allclose(moved, expected, atol=1e-12)


def test_images_are_moved_one_by_one():
    angle, down, right = np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0, -1.0]), np.array([0.0, 2.0, 0.5])
    alone = [move(images()[i : i + 1], angle[i : i + 1], down[i : i + 1], right[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(move(images(), angle, down, right), alone, rtol=1e-14)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_dropout_by_hand():
    x, noise = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.1, 0.5, 0.49, 0.9])
    np.testing.assert_array_equal(dropout(x, 0.5, noise), [0, 4, 0, 8])
    np.testing.assert_array_equal(dropout(x, 1.0, noise), 0)


def test_penalty_by_hand():
    params, grads = {"0.weight": np.array([[3.0, 4.0]]), "0.bias": np.array([5.0])}, {}
    assert weight_penalty(params, 0.1) == pytest.approx(0.05 * 25)
    grads = weight_decay(params, {"0.weight": np.array([[1.0, 1.0]]), "0.bias": np.array([1.0])}, 0.1)
    np.testing.assert_allclose(grads["0.weight"], [[1.3, 1.4]])
    np.testing.assert_array_equal(grads["0.bias"], 1)


def test_a_quarter_turn_and_a_whole_step_move_pixels_without_mixing_them():
    quarter = np.full(3, math.pi / 2)
    np.testing.assert_allclose(move(images(), quarter, STILL, STILL), np.rot90(images(), axes=(1, 2)), atol=1e-14)
    down = move(images(), STILL, np.ones(3), STILL)
    np.testing.assert_array_equal(down[:, 1:], images()[:, :-1])
    np.testing.assert_array_equal(down[:, 0], 0)
    np.testing.assert_array_equal(move(images(), STILL, STILL, STILL), images())


def test_stopping_by_hand():
    losses = [3.0, 2.0, 2.5, 2.2, 2.1]
    assert early_stopping(losses[:4], 3) == (1, False)
    assert early_stopping(losses, 3) == (1, True)
    assert early_stopping([2.0, math.nan, 1.0], 3) == (2, False)
    assert early_stopping([2.0, math.nan, math.nan], 2) == (0, True)


def test_standard_error_by_hand():
    assert standard_error(0.5, 100) == 0.05


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("validation", "test"), [(0, 5), (5, 0), (5, 5), (9, 9)])
def test_no_part_may_be_empty(validation, test):
    with pytest.raises(ValueError, match=f"{validation} and {test} of 10 leave a part without an example"):
        train_validation_test(10, validation, test, np.random.default_rng(0))


def test_errors():
    for module, x in ((dropout, np.ones(3)), (kt.dropout, torch.ones(3))):
        for p in (-0.1, 1.1, math.nan):
            with pytest.raises(ValueError, match=f"p is {p}, expected 0..1"):
                module(x, p, x)
    for module, labels in ((random_labels, np.arange(3)), (kt.random_labels, torch.arange(3))):
        with pytest.raises(ValueError, match=r"share is 2, expected 0\.\.1"):
            module(labels, 2, np.random.default_rng(0))
    for losses, patience in (([], 1), ([1.0], 0)):
        with pytest.raises(ValueError, match=f"{len(losses)} losses and patience {patience}"):
            early_stopping(losses, patience)


# ---- what the page reports ---------------------------------------------------------------------------------------
def test_the_record_has_every_remedy_for_every_draw():
    record = measured.read()
    for labels in measured.NOISE:
        assert set(record["remedies"][labels]) == {*measured.REMEDIES, "early stopping"}
        assert all(len(runs) == measured.DRAWS for runs in record["remedies"][labels].values())
        assert np.shape(record["curves"][labels]) == (3, measured.EPOCHS, 2)
    np.testing.assert_allclose(
        measured.gain("right labels", "dropout")[0],
        measured.accuracies("right labels", "dropout").mean() - measured.accuracies("right labels", "nothing").mean(),
    )


def test_one_recorded_run_again():
    """Other machines round differently, and 800 steps later a few of the 1,397 test digits change sides."""
    again = measured.fit(0, 0.3)
    assert again["train"] == pytest.approx(measured.accuracies("30 % random labels", "nothing", "train")[0], abs=0.03)
    assert again["test"] == pytest.approx(measured.accuracies("30 % random labels", "nothing")[0], abs=0.03)


@pytest.mark.slow
def test_a_whole_draw_again():
    again, _ = measured.remedies(0, 0.3)
    for name, (_, test) in again.items():
        assert test == pytest.approx(measured.accuracies("30 % random labels", name)[0], abs=0.03), name


@pytest.mark.slow
def test_shuffled_labels_are_learned_by_heart_again():
    train, held_out = measured.by_heart(1.0)[-1]
    assert train == 1.0
    assert held_out < 0.2


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_without_the_factor_a_network_with_dropout_sees_smaller_sums_in_training():
    x, noise = load_digits().images.reshape(-1, 64)[:500], np.random.default_rng(0).random((500, 64))
    without = np.where(noise < 0.5, 0, x)
    assert without.sum() < 0.55 * x.sum()
    assert dropout(x, 0.5, noise).sum() == pytest.approx(x.sum(), rel=0.03)
