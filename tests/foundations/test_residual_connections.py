"""Residual connections: what proves kb.foundations.residual_connections."""

import math

import numpy as np
import pytest

from kb.autograd.tensor import vjp
from kb.foundations import residual_connections as kb
from kb.structure.activation_functions import identity, relu, relu_slope, sigmoid, sigmoid_slope, tanh, tanh_slope
from kb.structure.layers import layer, linear
from kb.torch.foundations import residual_connections as kt
from tests.contract import Case, contract, gpu_contract

STACK = {"x": (5, 4), "weight": (3, 4, 4), "bias": (3, 4)}
CASES = [
    Case(kb.residual, x=(2, 4), f=tanh),
    Case(kb.residual, x=(4,), f=sigmoid),
    Case(kb.residual_backward, grad=(2, 5, 4), slope=(2, 5, 4), weight=(4, 4)),
    Case(kb.residual_backward, grad=(4,), slope=(4,), weight=(4, 4)),
    *(Case(kb.forward_stack, **STACK, activation=tanh, skip=skip) for skip in (True, False)),
    *(
        Case(kb.gradient_norms, differentiable=False, **STACK, grad=(5, 4), activation=phi, slope=slope, skip=skip)
        for phi, slope in ((tanh, tanh_slope), (sigmoid, sigmoid_slope), (relu, relu_slope))
        for skip in (True, False)
    ),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def deep(layers=100, width=64, batch=32, scale=0.1, dtype="float64"):
    """A stack, an input for it, and a gradient of length 1 at its end."""
    rng = np.random.default_rng(0)
    weight, bias = kb.init_stack(layers, width, rng, scale, dtype)
    grad = rng.standard_normal((batch, width))
    x = rng.standard_normal((batch, width))
    return x.astype(dtype), weight, bias, (grad / np.linalg.norm(grad)).astype(dtype)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_a_block_with_nothing_to_say_is_the_identity():
    x, weight, bias, grad = deep(layers=3)
    np.testing.assert_array_equal(kb.forward_stack(x, 0 * weight, bias, tanh), [x, x, x])
    np.testing.assert_allclose(kb.gradient_norms(x, 0 * weight, bias, grad, tanh, tanh_slope), [1, 1, 1], rtol=1e-14)
    assert not kb.forward_stack(x, 0 * weight, bias, tanh, skip=False).any()


def test_the_stack_is_its_blocks_one_after_the_other():
    x, weight, bias, _ = deep(layers=4)
    after = kb.forward_stack(x, weight, bias, tanh)
    for i in range(4):
        x = kb.residual(x, lambda x, i=i: layer(x, weight[i], bias[i], tanh))
        np.testing.assert_allclose(after[i], x, rtol=1e-14)


def test_the_output_is_the_input_plus_everything_that_was_said():
    x, weight, bias, _ = deep(layers=5)
    after = kb.forward_stack(x, weight, bias, tanh)
    before = [x, *after[:-1]]
    said = [layer(before[i], weight[i], bias[i], tanh) for i in range(5)]
    np.testing.assert_allclose(after[-1], x + sum(said), rtol=1e-12, atol=1e-14)


# ---- a hand-computed example -------------------------------------------------------------------------------------
def test_one_block_by_hand():
    """W = [[2, 0], [1, 1]], ReLU: x = (1, -2) gives z = (2, -1), said = (2, 0), so (3, -2); slopes (1, 0)."""
    x, weight = np.array([[1.0, -2.0]]), np.array([[2.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(kb.forward_stack(x, weight[None], np.zeros((1, 2)), relu)[0], [[3, -2]])
    back = kb.residual_backward(np.array([[10.0, 100.0]]), relu_slope(linear(x, weight)), weight)
    np.testing.assert_array_equal(back, [[10 + 20, 100]])
    norms = kb.gradient_norms(x, weight[None], np.zeros((1, 2)), np.array([[30.0, 40.0]]), relu, relu_slope)
    np.testing.assert_allclose(norms, [math.hypot(90, 40)])


def test_through_100_layers_the_gradient_keeps_its_length_with_the_identity_path_only():
    """Expected square: (1 + scale^2)^100 = e with scale 1/10, so a length of about sqrt(e) = 1.65; without: 0.1^100."""
    x, weight, bias, grad = deep()
    with_skip = kb.gradient_norms(x, weight, bias, grad, tanh, tanh_slope)
    assert len(with_skip) == 100
    assert with_skip.min() > 0.95
    assert with_skip.max() < 1.75
    assert with_skip[0] == pytest.approx(math.sqrt(1.01**100), rel=0.1)  # tanh flattens, 2,048 entries scatter
    without = kb.gradient_norms(x, weight, bias, grad, tanh, tanh_slope, skip=False)
    assert 1e-103 < without[0] < 1e-98
    assert np.all(np.diff(np.log(without)) > 0)  # every layer costs


def test_in_float32_the_plain_stack_has_no_gradient_left():
    x, weight, bias, grad = deep(dtype="float32")
    assert kb.gradient_norms(x, weight, bias, grad, tanh, tanh_slope, skip=False)[0] == 0
    assert kb.gradient_norms(x, weight, bias, grad, tanh, tanh_slope)[0] > 1


def test_a_branch_as_large_as_its_input_makes_the_gradient_grow():
    """He's weights behind a ReLU: each block multiplies the expected square by 2, 100 blocks by 2^100."""
    x, weight, bias, grad = deep(scale=math.sqrt(2))
    norms = kb.gradient_norms(x, weight, bias, grad, relu, relu_slope)
    assert 2**50 < norms[0] < 2**80


def test_a_random_matrix_of_init_stack_lengthens_by_its_scale():
    weight, bias = kb.init_stack(50, 64, np.random.default_rng(1), 0.3)
    assert weight.shape == (50, 64, 64)
    assert weight.dtype == np.float32
    assert not bias.any()
    v = np.random.default_rng(2).standard_normal(64)
    gain = np.mean([np.sum((w @ v) ** 2) for w in weight]) / np.sum(v * v)
    assert math.sqrt(gain) == pytest.approx(
        0.3, rel=0.05
    )  # 50 * 64 squared entries: a spread of sqrt(2 / 3200) = 2.5 %


# ---- error messages ----------------------------------------------------------------------------------------------
def test_a_branch_must_keep_the_shape():
    with pytest.raises(ValueError, match=r"residual: f\(x\) has shape \(2, 1\), expected that of x \(2, 4\)"):
        kb.residual(np.ones((2, 4)), lambda x: x[:, :1])


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_the_backward_step_is_that_of_the_engine():
    x, weight, bias, grad = deep(layers=1, width=6, batch=4, scale=1.0)
    _, pullback = vjp(lambda x: kb.residual(x, lambda x: layer(x, weight[0], bias[0], tanh)), x)
    ours = kb.residual_backward(grad, tanh_slope(linear(x, weight[0], bias[0])), weight[0])
    np.testing.assert_allclose(ours, pullback(grad), rtol=1e-12)
    doubled = kb.residual_backward(grad, np.ones_like(x), np.eye(6))
    np.testing.assert_allclose(doubled, 2 * grad)
    np.testing.assert_allclose(vjp(lambda x: kb.residual(x, identity), x)[1](grad), doubled)
