from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from torch import nn

import kb.torch.structure.nonlinearity as kt
from kb.structure.activation_functions import gelu, identity, leaky_relu, relu, sigmoid, silu, softplus, swiglu, tanh
from kb.structure.layers import linear
from kb.structure.neuron import perceptron
from kb.structure.nonlinearity import best_linear_fit, collapse, fit_hidden_layer, merge, xor_network
from tests.contract import Case, contract, gpu_contract

QUESTIONS, XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
X = np.linspace(0, 1, 1001)
CURVE = np.sin(5 * X) + 0.4 * np.cos(14 * X)
CASES = [
    Case(merge, weight1=(3, 4), bias1=(3,), weight2=(2, 3), bias2=(2,)),
    Case(xor_network, x=(2, 5, 2), activation=relu),
    Case(xor_network, x=(2,), activation=sigmoid),
    Case(xor_network, x=QUESTIONS, activation=identity),
    Case(best_linear_fit, differentiable=False, x=(7, 3), y=(7,)),
    Case(best_linear_fit, differentiable=False, x=QUESTIONS, y=XOR),
    Case(fit_hidden_layer, differentiable=False, x=(20,), y=(20,), width=3, activation=relu),
    Case(fit_hidden_layer, differentiable=False, x=(20,), y=(20,), width=4, activation=identity),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def square(x):
    return x * x


def cube(x):
    return x * x * x


def largest_error(width, activation):
    return abs(fit_hidden_layer(X, CURVE, width, activation) - CURVE).max()


def stack(depth, width=16, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((width, width)) / np.sqrt(width), rng.standard_normal(width)) for _ in range(depth)]


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_two_layers_with_nothing_between_are_one(n, d, m, seed):
    rng = np.random.default_rng(seed)
    w1, b1, w2, b2 = (rng.normal(size=shape) for shape in ((d, n), (d,), (m, d), (m,)))
    x = rng.normal(size=(6, n))
    np.testing.assert_allclose(linear(x, *merge(w1, b1, w2, b2)), linear(linear(x, w1, b1), w2, b2), atol=1e-12)


def test_a_hundred_linear_layers_are_one_matrix_as_torch_finds_too():
    layers, x = stack(100), np.random.default_rng(1).standard_normal((5, 16))
    model = nn.Sequential(*(nn.Linear(16, 16) for _ in layers)).double()
    for part, (weight, bias) in zip(model, layers, strict=True):
        part.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
    weight, bias = collapse(layers)
    assert weight.shape == (16, 16)
    np.testing.assert_allclose(linear(x, weight, bias), model(torch.tensor(x)).detach().numpy(), rtol=1e-11)
    twin = kt.collapse([(torch.tensor(weight), torch.tensor(bias)) for weight, bias in layers])
    np.testing.assert_allclose(weight, twin[0].numpy(), rtol=1e-11, atol=1e-15)


def test_the_best_linear_fit_is_scikit_learns():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)) + 5, rng.normal(size=30)
    theirs = LinearRegression().fit(x, y)
    weight, bias = best_linear_fit(x, y)
    np.testing.assert_allclose(weight, theirs.coef_, rtol=1e-12)
    assert bias == pytest.approx(theirs.intercept_, rel=1e-12)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_no_line_comes_closer_to_xor_than_one_half(numbers):
    """The squared errors of one half are four quarters; whatever (w1, w2, b) is tried, the sum is at least 1."""
    errors = QUESTIONS @ numbers[:2] + numbers[2] - XOR
    assert errors @ errors >= 1 - 1e-12


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5))
def test_no_single_neuron_computes_xor(w1, w2, b):
    assert not np.array_equal(perceptron(QUESTIONS, np.array([w1, w2]), np.float64(b)), XOR)


@pytest.mark.parametrize("activation", [relu, leaky_relu, sigmoid, tanh, softplus, silu, gelu])
def test_a_wider_hidden_layer_comes_closer_if_its_activation_is_no_polynomial(activation):
    errors = [largest_error(width, activation) for width in (4, 16, 64, 256)]
    assert all(after < before / 2 for before, after in pairwise(errors))
    assert errors[-1] < 0.01


def test_relu_errors_fall_with_the_square_of_the_width():
    """A chord of length h misses a curve by at most h^2 / 8 times its curvature; the fit is within twice that."""
    curvature = abs(25 * np.sin(5 * X) + 0.4 * 196 * np.cos(14 * X)).max()
    for width in (16, 32, 64, 128):
        assert largest_error(width, relu) < 2 * curvature / width**2 / 8
        assert 3 < largest_error(width, relu) / largest_error(2 * width, relu) < 5


def test_relu_hits_a_line_with_as_many_corners_as_neurons():
    corners = np.array([0.0, 1, -1, 2, 0.5])
    y = np.interp(X, np.linspace(0, 1, 5), corners)
    np.testing.assert_allclose(fit_hidden_layer(X, y, 4, relu), y, atol=1e-12)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_the_collapse_by_hand():
    """2 * 1 + 0.5 = 2.5, 3 * 2.5 + 0.1 = 7.6; 3 * 2 = 6 and 3 * 0.5 + 0.1 = 1.6."""
    first, second = (np.array([[2.0]]), np.array([0.5])), (np.array([[3.0]]), np.array([0.1]))
    hidden = linear(np.array([1.0]), *first)
    assert hidden == 2.5
    assert linear(hidden, *second) == pytest.approx(7.6, rel=1e-15)
    weight, bias = merge(*first, *second)
    assert weight == 6
    assert bias == pytest.approx(1.6, rel=1e-15)


def test_xor_by_hand():
    np.testing.assert_array_equal(xor_network(QUESTIONS, relu), [0, 1, 1, 0])
    weight, bias = best_linear_fit(QUESTIONS, XOR)
    np.testing.assert_allclose(QUESTIONS @ weight + bias, 0.5, rtol=1e-15)


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_xor_without_its_relu():
    """The same weights say 2 - x1 - x2."""
    np.testing.assert_array_equal(xor_network(QUESTIONS, identity), [2, 1, 1, 0])


@pytest.mark.parametrize(("activation", "degree"), [(identity, 1), (square, 2), (cube, 3)])
def test_a_polynomial_activation_stays_at_its_degree_whatever_the_width(activation, degree):
    best = np.polynomial.Polynomial.fit(X, CURVE, degree)(X)
    for width in (4, 16, 64):
        np.testing.assert_allclose(fit_hidden_layer(X, CURVE, width, activation), best, atol=1e-9)


def test_a_gate_is_a_nonlinearity_too():
    """A product of two linear maps does not collapse: twice the input is not twice the output."""
    rng = np.random.default_rng(0)
    x, gate, up, down = (rng.normal(size=shape) for shape in ((4,), (3, 4), (3, 4), (4, 3)))
    assert abs(swiglu(2 * x, gate, up, down) - 2 * swiglu(x, gate, up, down)).max() > 0.1


# ---- errors ------------------------------------------------------------------------------------------------------
def test_layers_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match=r"weight2 has shape \(2, 4\).* d = 3 from weight1 \(3, 5\)"):
        merge(np.ones((3, 5)), np.ones(3), np.ones((2, 4)), np.ones(2))
