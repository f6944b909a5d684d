import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

import kb.torch.structure.activation_functions as kt
from kb.autograd.tensor import Tensor, grad
from kb.structure.activation_functions import identity, relu, relu_slope, sigmoid, sigmoid_slope, tanh, tanh_slope
from tests.contract import Case, contract, gpu_contract

AROUND_ZERO = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
CASES = [
    *(Case(fn, x=(3, 4)) for fn in (identity, sigmoid, relu, tanh, sigmoid_slope, tanh_slope)),
    *(Case(fn, x=AROUND_ZERO) for fn in (identity, sigmoid, relu, tanh, sigmoid_slope, tanh_slope)),
    Case(sigmoid, x=()),
    Case(relu_slope, differentiable=False, x=(3, 4)),
    Case(relu_slope, differentiable=False, x=AROUND_ZERO),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

SLOPES = [(sigmoid, sigmoid_slope), (relu, relu_slope), (tanh, tanh_slope)]
numbers = st.floats(-1e4, 1e4)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(numbers)
def test_sigmoid_is_scipys_to_the_last_digits_even_where_it_is_tiny(x):
    np.testing.assert_allclose(sigmoid(np.array([x])), expit(x), rtol=1e-14)


@given(numbers)
def test_sigmoid_of_minus_x_is_the_rest_up_to_1(x):
    assert sigmoid(np.float64(x)) + sigmoid(np.float64(-x)) == pytest.approx(1, abs=1e-15)


@given(numbers)
def test_tanh_is_a_stretched_sigmoid(x):
    assert tanh(np.float64(x)) == pytest.approx(2 * sigmoid(np.float64(2 * x)) - 1, abs=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_and_its_gradient_at_the_extremes(dtype):
    """No warning (they are errors in this suite), no nan, for a Tensor too."""
    x = np.array([-1e4, 0, 1e4], dtype)
    np.testing.assert_array_equal(sigmoid(x), np.array([0, 0.5, 1], dtype))
    leaf = Tensor(x)
    np.sum(sigmoid(leaf)).backward()
    np.testing.assert_array_equal(leaf.grad, [0, 0.25, 0])


def test_no_slope_of_sigmoid_is_above_a_quarter():
    x = np.linspace(-10, 10, 2001)
    assert sigmoid_slope(x).max() == sigmoid_slope(np.float64(0)) == 0.25


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_values_by_hand():
    assert sigmoid(np.log(3.0)) == pytest.approx(3 / 4, rel=1e-15)  # 1 / (1 + 1/3)
    assert sigmoid_slope(np.log(3.0)) == pytest.approx(3 / 16, rel=1e-15)
    np.testing.assert_array_equal(relu(np.array([-2.0, 0.0, 3.5])), [0, 0, 3.5])
    np.testing.assert_array_equal(relu_slope(np.array([-2.0, 0.0, 3.5])), [0, 0, 1])
    assert (sigmoid(0.0), relu(-2.0), relu_slope(3.5), tanh(0.0), tanh_slope(0.0)) == (0.5, 0, 1, 0, 1)  # plain numbers
    assert tanh(np.log(2.0)) == pytest.approx(3 / 5, rel=1e-15)  # (2 - 1/2) / (2 + 1/2)
    assert tanh_slope(np.log(2.0)) == pytest.approx(16 / 25, rel=1e-15)


# ---- gradient ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("fn", "slope"), SLOPES)
def test_slope_is_the_finite_difference(fn, slope):
    x, h = np.array([-4.0, -1.1, -0.3, 0.2, 0.9, 3.0]), 1e-5
    np.testing.assert_allclose(slope(x), (fn(x + h) - fn(x - h)) / (2 * h), atol=1e-10)  # h^2 and rounding / h


@pytest.mark.parametrize(("fn", "slope"), SLOPES)
def test_slope_is_what_the_computation_graph_finds_and_torch_too(fn, slope):
    x = np.concatenate([AROUND_ZERO, np.linspace(-6, 6, 7)])
    np.testing.assert_allclose(grad(lambda x: np.sum(fn(x)))(x), slope(x), rtol=1e-12, atol=1e-15)
    leaf = torch.tensor(x, requires_grad=True)
    getattr(torch, fn.__name__)(leaf).sum().backward()
    np.testing.assert_allclose(slope(x), leaf.grad.numpy(), rtol=1e-12, atol=1e-15)
