import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Perceptron

import kb.torch.structure.neuron as kt
from kb.autograd.tensor import Tensor
from kb.structure.activation_functions import relu, sigmoid, sigmoid_slope
from kb.structure.neuron import (
    distance_to_boundary,
    neuron,
    neuron_backward,
    perceptron,
    perceptron_update,
    pre_activation,
    step,
    train_perceptron,
)
from tests.contract import Case, contract, gpu_contract

YES_NO = np.array([1, 0, 1, 1, 0, 0])
CASES = [
    Case(pre_activation, x=(5, 4), weight=(4,), bias=()),
    Case(pre_activation, x=(4,), weight=(4,), bias=()),
    Case(neuron, x=(2, 5, 4), weight=(4,), bias=(), activation=sigmoid),
    Case(neuron, x=(4,), weight=(4,), bias=(), activation=relu),
    Case(neuron_backward, grad=(2, 5), x=(2, 5, 4), weight=(4,), slope=(2, 5)),
    Case(neuron_backward, grad=(), x=(4,), weight=(4,), slope=()),
    Case(step, differentiable=False, x=(3, 4)),
    Case(step, differentiable=False, x=np.array([-1.0, 0.0, 1.0])),
    Case(perceptron, differentiable=False, x=(5, 4), weight=(4,), bias=()),
    Case(perceptron_update, differentiable=False, x=(4,), y=np.array(1), weight=(4,), bias=()),
    Case(perceptron_update, differentiable=False, x=(4,), y=np.array(0), weight=(4,), bias=()),
    Case(train_perceptron, differentiable=False, x=(6, 4), y=YES_NO, weight=(4,), bias=()),
    Case(train_perceptron, differentiable=False, x=(6, 4), y=YES_NO, weight=(4,), bias=(), passes=2),
    Case(distance_to_boundary, x=(5, 4), weight=(4,), bias=()),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

numbers = st.floats(-100, 100)
ZERO = np.zeros(2), np.float64(0)


def separable(n=60, seed=0):
    """Points of the plane with labels from a known line, none closer to it than 0.2."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (10 * n, 2))
    side = (x @ [0.6, -0.8]) + 0.3
    x, side = x[abs(side) > 0.2][:n], side[abs(side) > 0.2][:n]
    return x, (side > 0).astype(int)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8), numbers)
def test_pre_activation_is_the_sum_over_a_loop(pairs, bias):
    x, weight = np.array(pairs).T
    z = bias
    for xi, wi in pairs:
        z += xi * wi
    scale = abs(bias) + np.sum(abs(x * weight)) + 1
    assert pre_activation(x, weight, bias) == pytest.approx(z, abs=8 * 2.3e-16 * len(pairs) * scale)


def test_training_stops_at_a_line_that_separates():
    x, y = separable()
    weight, bias, mistakes = train_perceptron(x, y, *ZERO)
    assert mistakes[-1] == 0
    assert (mistakes[:-1] > 0).all()
    np.testing.assert_array_equal(perceptron(x, weight, bias), y)


@pytest.mark.parametrize("seed", range(5))
def test_training_makes_no_more_mistakes_than_the_bound(seed):
    x, y = separable(seed=seed)
    _, _, mistakes = train_perceptron(x, y, *ZERO)
    longest = np.sqrt((x * x).sum(-1) + 1).max()
    known = np.array([0.6, -0.8, 0.3]) / np.sqrt(1.09)  # a separating line, not the best one: its bound is larger
    margin = np.min((2 * y - 1) * (np.c_[x, np.ones(len(x))] @ known))
    assert 0 < mistakes.sum() <= (longest / margin) ** 2


def test_xor_is_never_learned():
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    _, _, mistakes = train_perceptron(x, y, *ZERO, passes=50)
    assert len(mistakes) == 50
    assert (mistakes > 0).all()


def test_training_follows_scikit_learns_perceptron():
    """The same rule in the same order. Theirs says yes above 0 and ours at 0: a start off 0 avoids the tie."""
    x, y = separable()
    start, passes = (np.array([0.1, 0.2]), np.float64(0.3)), 3
    ours = train_perceptron(x, y, *start, passes=passes)
    theirs = Perceptron(shuffle=False, tol=None, max_iter=passes, eta0=1.0)
    theirs.fit(x, y, coef_init=start[0][None].copy(), intercept_init=np.array([0.3]))
    np.testing.assert_allclose(theirs.coef_[0], ours[0], rtol=1e-12)
    np.testing.assert_allclose(theirs.intercept_[0], ours[1], rtol=1e-12)


def test_a_point_moved_by_its_distance_lies_on_the_boundary():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(7, 3)), rng.normal(size=3), np.float64(0.7)
    distance = distance_to_boundary(x, weight, bias)
    on_boundary = x - distance[:, None] * weight / np.linalg.norm(weight)
    np.testing.assert_allclose(pre_activation(on_boundary, weight, bias), 0, atol=1e-14)
    np.testing.assert_array_equal(distance >= 0, perceptron(x, weight, bias) == 1)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_two_neurons_by_hand():
    """0.5 * 2 + 0.2 * 3 + 1 = 2.6; 0.5 * 2 + 1.5 + 1 = 3.5, which ReLU leaves as it is."""
    z = pre_activation(np.array([2.0, 3.0]), np.array([0.5, 0.2]), 1.0)
    assert z == pytest.approx(2.6, rel=1e-15)
    assert neuron(np.array([2.0, -1.0]), np.array([0.5, -1.5]), 1.0, relu) == 3.5


def test_a_unit_fires_when_the_threshold_is_just_reached():
    np.testing.assert_array_equal(step(np.array([-1e-300, 0.0, 1e-300])), [0, 1, 1])


def test_updates_by_hand():
    x, weight, bias = np.array([2.0, -1.0]), np.array([1.0, 1.0]), np.float64(0.5)  # z = 1.5: it says yes
    for y, expected in ((1, ([1, 1], 0.5)), (0, ([-1, 2], -0.5))):
        new_weight, new_bias = perceptron_update(x, y, weight, bias)
        np.testing.assert_array_equal(new_weight, expected[0])
        assert new_bias == expected[1]


def test_distance_by_hand():
    """The line 3 x + 4 y - 10 = 0 passes the origin at distance 2."""
    assert distance_to_boundary(np.zeros(2), np.array([3.0, 4.0]), -10.0) == -2


# ---- errors ------------------------------------------------------------------------------------------------------
def test_a_boundary_needs_a_weight():
    with pytest.raises(ValueError, match="every weight is 0"):
        distance_to_boundary(np.ones(2), np.zeros(2), 1.0)


def test_one_upstream_gradient_per_input():
    with pytest.raises(ValueError, match=r"grad has shape \(\), .* \(5, 4\)"):
        neuron_backward(np.float64(1), np.ones((5, 4)), np.ones(4), np.float64(1))


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_backward_is_the_gradient_that_graph_and_torch_find():
    rng = np.random.default_rng(0)
    x, weight, bias, seed = rng.normal(size=(6, 4)), rng.normal(size=4), np.array(0.3), rng.normal(size=6)
    ours = neuron_backward(seed, x, weight, sigmoid_slope(pre_activation(x, weight, bias)))

    leaves = [Tensor(a) for a in (x, weight, bias)]
    neuron(*leaves, sigmoid).backward(seed)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, weight, bias)]
    torch.sigmoid(tensors[0] @ tensors[1] + tensors[2]).backward(torch.tensor(seed))
    for hand, leaf, tensor in zip(ours, leaves, tensors, strict=True):
        np.testing.assert_allclose(hand, leaf.grad, rtol=1e-12)
        np.testing.assert_allclose(hand, tensor.grad.numpy(), rtol=1e-12)


def test_backward_is_the_finite_difference():
    rng = np.random.default_rng(1)
    x, weight, h = rng.normal(size=3), rng.normal(size=3), 1e-5
    _, by_weight, by_bias = neuron_backward(np.float64(1), x, weight, sigmoid_slope(pre_activation(x, weight, 0.3)))
    for k, nudge in enumerate(h * np.eye(3)):
        up, down = neuron(x, weight + nudge, 0.3, sigmoid), neuron(x, weight - nudge, 0.3, sigmoid)
        assert by_weight[k] == pytest.approx((up - down) / (2 * h), abs=1e-10)
    up, down = neuron(x, weight, 0.3 + h, sigmoid), neuron(x, weight, 0.3 - h, sigmoid)
    assert by_bias == pytest.approx((up - down) / (2 * h), abs=1e-10)
