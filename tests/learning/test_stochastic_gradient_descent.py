"""Mini-batches: right on average, wrong by as much as statistics says, and good enough to train the digit network."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

import kb.torch.learning.stochastic_gradient_descent as kt
from kb.checkpoints.safetensors import load_file, read_header
from kb.learning.backpropagation import cross_entropy_gradients, squared_error_gradients
from kb.learning.gradient_descent import step
from kb.learning.stochastic_gradient_descent import gradient_noise, minibatches, sgd_step, standard_error, train
from kb.structure.multilayer_perceptron import init_mlp, mlp
from kb.torch.structure.multilayer_perceptron import MLP
from tests.contract import Case, contract, gpu_contract
from training import digits

SMALL = init_mlp((6, 5, 3), np.random.default_rng(0), "normal", "float64")
TARGET = np.array([0, 2, 1, 1, 0, 2, 2])
CASES = [
    Case(
        train,
        differentiable=False,
        gradients=gradients,
        params=SMALL,
        x=(7, 6),
        y=y,
        lr=0.3,
        epochs=3,
        batch_size=2,
        rng=np.random.default_rng(1),
    )
    for gradients, y in ((squared_error_gradients, (7, 3)), (cross_entropy_gradients, TARGET))
] + [
    Case(
        gradient_noise,
        differentiable=False,
        gradients=squared_error_gradients,
        params=SMALL,
        x=(7, 6),
        y=(7, 3),
        batches=minibatches(7, 2, np.random.default_rng(3)),
    ),
    Case(sgd_step, differentiable=False, params=SMALL, x=(7, 6), y=(7, 3), lr=0.3),
    Case(standard_error, spread=(), batch_size=10),
    Case(standard_error, spread=np.array(2.0), batch_size=10, n=50),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 2**32))
def test_an_epoch_has_each_example_once(n, batch_size, seed):
    batches = minibatches(n, batch_size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(n))
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= batch_size


def test_the_order_is_random_but_the_seeds():
    one, same, other = (np.concatenate(minibatches(100, 10, np.random.default_rng(seed))) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != np.arange(100)).any()


def test_the_batches_of_an_epoch_average_to_the_whole_gradient():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 6)), rng.normal(size=(12, 3))
    _, whole = squared_error_gradients(SMALL, x, y)
    batches = [squared_error_gradients(SMALL, x[b], y[b])[1] for b in minibatches(12, 4, rng)]
    for name, grad in whole.items():
        np.testing.assert_allclose(np.mean([b[name] for b in batches], axis=0), grad, rtol=1e-11, atol=1e-14)


def test_every_example_is_equally_likely_in_every_batch():
    """20,000 epochs of 6 examples: each is in the first batch of 2 in a third of them, within 5 standard errors."""
    rng = np.random.default_rng(0)
    counts = sum(np.bincount(minibatches(6, 2, rng)[0], minlength=6) for _ in range(20_000))
    assert np.all(np.abs(counts / 20_000 - 1 / 3) < 5 * math.sqrt(1 / 3 * 2 / 3 / 20_000))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 10, 11])
def test_over_all_batches_that_can_be_drawn_the_average_is_the_whole_gradient(batch_size):
    """Every one of the up to 462 batches of 11 examples. Their spread is that of the formula, exactly."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(11, 6)), rng.random((11, 3))

    def gradient_of(batch):
        return np.concatenate(
            [g.ravel() for g in squared_error_gradients(SMALL, x[list(batch)], y[list(batch)])[1].values()]
        )

    whole = gradient_of(range(11))
    every = np.array([gradient_of(batch) for batch in itertools.combinations(range(11), batch_size)])
    np.testing.assert_allclose(every.mean(0), whole, atol=1e-14)
    spread = math.sqrt(np.mean([np.sum((gradient_of([i]) - whole) ** 2) for i in range(11)]))
    measured = math.sqrt(np.mean(np.sum((every - whole) ** 2, axis=1)))
    assert measured == pytest.approx(standard_error(spread, batch_size, 11), rel=1e-10, abs=1e-14)
    batches = [np.array(batch) for batch in itertools.combinations(range(11), batch_size)]
    noise = gradient_noise(squared_error_gradients, SMALL, x, y, batches)
    assert noise == pytest.approx(measured / np.linalg.norm(whole), rel=1e-10, abs=1e-14)


def test_the_noise_of_the_digit_network_falls_with_the_root_of_the_batch():
    """Four times the batch, half the noise. 200 batches of each size measure it to 1 / sqrt(2 * 200) = 5 %."""
    (x, labels), _ = digits.load()
    y, params, rng = (
        np.eye(10, dtype=np.float32)[labels],
        init_mlp(digits.SIZES, np.random.default_rng(0)),
        np.random.default_rng(1),
    )
    noise = []
    for batch_size in (4, 16, 64):
        batches = [rng.choice(len(x), batch_size) for _ in range(200)]  # with repetition: the plain formula
        noise.append(gradient_noise(squared_error_gradients, params, x, y, batches))
    assert noise[0] / noise[1] == pytest.approx(2, rel=0.1)
    assert noise[1] / noise[2] == pytest.approx(2, rel=0.1)


def test_epochs_one_at_a_time_are_epochs_in_a_row():
    """So that one may look at the network after each."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(11, 6)), rng.random((11, 3))
    together, costs = train(squared_error_gradients, SMALL, x, y, 0.5, 3, 4, np.random.default_rng(0))
    params, rng, parts = SMALL, np.random.default_rng(0), []
    for _ in range(3):
        params, part = train(squared_error_gradients, params, x, y, 0.5, 1, 4, rng)
        parts.extend(part)
    np.testing.assert_array_equal(costs, parts)
    np.testing.assert_equal(params, together)


def test_training_is_torchs_training_step_by_step():
    """Same start, same batches: nn.Module, autograd and optim.SGD end at the same weights."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 6)), rng.random((20, 3))
    params, costs = train(squared_error_gradients, SMALL, x, y, 0.5, 4, 6, np.random.default_rng(1))

    model, batches = MLP(6, 5, 3).double(), np.random.default_rng(1)
    model.load_state_dict({name: torch.tensor(value) for name, value in SMALL.items()}, strict=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    expected = []
    for _ in range(4):
        for batch in minibatches(20, 6, batches):
            optimizer.zero_grad()
            loss = 3 * F.mse_loss(model(torch.tensor(x[batch])), torch.tensor(y[batch]))
            loss.backward()
            optimizer.step()
            expected.append(loss.item())
    np.testing.assert_allclose(costs, expected, rtol=1e-11)
    for name, value in model.named_parameters():
        np.testing.assert_allclose(params[name], value.detach().numpy(), rtol=1e-10)


def test_the_step_in_one_place_is_the_step_in_parts():
    """Also for neurons that are saturated, and beyond: the sigmoid is written another way there."""
    rng = np.random.default_rng(0)
    for scale in (1, 100, 1e5):
        x, y = scale * rng.normal(size=(20, 6)), rng.random((20, 3))
        value, grads = squared_error_gradients(SMALL, x, y)
        stepped, cost = sgd_step(SMALL, x, y, 0.5)
        assert cost == pytest.approx(value, rel=1e-12)
        for name, p in step(SMALL, grads, 0.5).items():
            np.testing.assert_allclose(stepped[name], p, rtol=1e-11, atol=1e-12)


def test_one_batch_of_everything_is_gradient_descent():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 6)), rng.random((8, 3))
    params, _ = train(squared_error_gradients, SMALL, x, y, 0.5, 2, 100, rng)
    expected = SMALL
    for _ in range(2):
        expected = step(expected, squared_error_gradients(expected, x, y)[1], 0.5)
    for name, value in expected.items():
        np.testing.assert_allclose(params[name], value, rtol=1e-12)


def test_progress_sees_every_step():
    seen = []

    def watch(steps):
        for one in steps:
            seen.append(len(one))
            yield one

    x, y = np.ones((7, 6)), np.ones((7, 3))
    _, costs = train(squared_error_gradients, SMALL, x, y, 0.1, 2, 3, np.random.default_rng(0), watch)
    assert seen == [3, 3, 1, 3, 3, 1]
    assert costs.shape == (6,)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_a_parabola_by_hand():
    """C = (w - y)^2 on one example at a time: w goes half of the way to each target, 0 -> 4 -> 2 for y = 8, 0."""
    gradients = lambda params, x, y: ((params["w"] - y[0]) ** 2, {"w": 2 * (params["w"] - y[0])})  # noqa: E731
    y = np.array([8.0, 0.0])
    order = np.random.default_rng(0).permutation(2)
    params, costs = train(
        gradients, {"w": np.array(0.0)}, np.zeros((2, 1)), y[np.argsort(order)], 0.25, 1, 1, np.random.default_rng(0)
    )
    assert params["w"] == 2
    np.testing.assert_array_equal(costs, [64, 16])


def test_standard_error_by_hand():
    assert standard_error(6.0, 9) == 2
    assert standard_error(6.0, 9, 10) == pytest.approx(6 / 9, rel=1e-15)
    assert standard_error(6.0, 10, 10) == 0


# ---- errors ------------------------------------------------------------------------------------------------------
def test_a_batch_needs_an_example():
    with pytest.raises(ValueError, match="batch_size is 0"):
        minibatches(10, 0, np.random.default_rng(0))


# ---- the digit network -------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_digit_network_reads_95_percent_of_held_out_digits(tmp_path):
    """The whole of `python -m training.digits`' first half: about a second."""
    (x, labels), held_out = digits.load()
    params, costs = digits.fit(squared_error_gradients, x, labels)
    assert digits.accuracy(params, *held_out) >= 0.95
    assert costs[-45:].mean() < 0.02 < 0.5 < costs[:45].mean()
    digits.save(params, digits.accuracy(params, *held_out), tmp_path / "weights.safetensors")
    again, shipped = load_file(tmp_path / "weights.safetensors"), load_file(digits.PATH)
    for name, value in shipped.items():  # 9,000 steps of rounding in another order on another machine
        np.testing.assert_allclose(again[name], value, atol=1e-2)


def test_the_shipped_weights_reach_the_accuracy_that_they_claim():
    shipped, metadata = load_file(digits.PATH), read_header(digits.PATH).metadata
    (x, labels), held_out = digits.load()
    assert {value.dtype for value in shipped.values()} == {np.dtype(np.float32)}
    assert {name: value.shape for name, value in shipped.items()} == {
        name: tuple(value.shape) for name, value in MLP(*digits.SIZES).state_dict().items()
    }
    assert metadata["sizes"] == "784 16 16 10"
    reached = digits.accuracy(shipped, *held_out)
    assert reached == pytest.approx(float(metadata["held_out_accuracy"]), abs=1.5 / len(held_out[1]))  # one tie
    assert reached >= 0.95
    assert digits.accuracy(shipped, x, labels) >= 0.99


def test_the_held_out_digits_were_not_seen_in_training():
    (x, _), (held_out, _) = digits.load()
    seen = {row.tobytes() for row in x}
    assert len(x) + len(held_out) == 1797
    assert sum(row.tobytes() in seen for row in held_out) == 0


class InOrder:
    """A generator that does not shuffle."""

    def permutation(self, n):
        return np.arange(n)


def test_without_shuffling_the_network_learns_little():
    """The mutation: 20 epochs of the same digits sorted by label, so that each batch holds one digit only."""
    (x, labels), held_out = digits.load()
    order = np.argsort(labels, kind="stable")
    y, reached = np.eye(10, dtype=np.float32)[labels], []
    for rng in (np.random.default_rng(1), InOrder()):
        params = init_mlp(digits.SIZES, np.random.default_rng(0))
        params, _ = train(squared_error_gradients, params, x[order], y[order], 1.0, 20, 32, rng)
        reached.append(digits.accuracy(params, *held_out))
    assert reached[0] > 0.85
    assert reached[1] < 0.5


def test_by_hand_and_by_graph_the_network_learns_the_same():
    (x, labels), held_out = digits.load()
    by_hand, costs = digits.fit(squared_error_gradients, x, labels, epochs=5)
    by_graph, same_costs = digits.fit(digits.graph_gradients, x, labels, epochs=5)
    np.testing.assert_allclose(costs, same_costs, rtol=1e-4)
    for name, value in by_hand.items():
        np.testing.assert_allclose(by_graph[name], value, atol=1e-4)
    assert mlp(by_graph, held_out[0]).dtype == np.float32
