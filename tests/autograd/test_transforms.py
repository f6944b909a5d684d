"""grad, value_and_grad and vjp: functions that make derivatives of functions, and derivatives of derivatives."""

import math

import numpy as np
import pytest
import torch

from kb.autograd.check import check_gradient, numerical_gradient
from kb.autograd.tensor import Tensor, grad, value_and_grad, vjp

rng = np.random.default_rng(0)


def wave(x):
    return np.sum(np.sin(x) * x * x)


# ---- by hand ---------------------------------------------------------------------------------------------------------
def test_grad_of_a_number():
    assert grad(np.sin)(0.0) == 1.0
    assert grad(lambda x: x**3)(2.0) == 12.0
    assert isinstance(grad(np.sin)(0.0), np.float64)


def test_all_derivatives_of_a_sine():
    f, x = np.sin, 0.7
    for expected in (math.cos(x), -math.sin(x), -math.cos(x), math.sin(x), math.cos(x)):
        f = grad(f)
        assert f(x) == pytest.approx(expected, rel=1e-12)


def test_argnum_and_the_other_arguments():
    def f(x, y, scale=1.0):
        return np.sum(x * y * y) * scale

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert grad(f)(x, y).tolist() == [9, 16]
    assert grad(f, argnum=1)(x, y).tolist() == [6, 16]
    assert grad(f, argnum=-1)(x, y, scale=10.0).tolist() == [60, 160]


def test_value_and_grad_of_an_array_and_of_a_dict():
    def loss(params, x):
        return np.sum((x * params["weight"] + params["bias"]) ** 2)

    params = {"weight": np.array([1.0, 2.0]), "bias": np.array(0.5), "unused": np.ones((2, 3))}
    value, gradients = value_and_grad(loss)(params, np.array([1.0, -1.0]))  # residuals 1.5, -1.5
    assert value == 4.5
    assert type(value) is np.float64
    assert {k: g.tolist() for k, g in gradients.items()} == {
        "weight": [3.0, 3.0],
        "bias": 0.0,
        "unused": np.zeros((2, 3)).tolist(),
    }
    value, gradient = value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
    assert value == 5
    assert gradient.tolist() == [2, 4]
    assert value_and_grad(lambda params: np.float64(1.0))({}) == (1.0, {})


def test_gradients_are_writable_and_do_not_alias():
    gradients = value_and_grad(lambda p: np.sum(p["a"] + p["b"]))({"a": np.ones(2), "b": np.ones(2)})[1]
    gradients["a"] *= 3
    assert gradients["b"].tolist() == [1, 1]


def test_vjp_by_hand():
    y, pullback = vjp(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    assert y.tolist() == [1, 4, 9]
    assert pullback(np.array([1.0, 0.0, 0.0])).tolist() == [2, 0, 0]  # one row of the Jacobian
    assert pullback([0, 1, 1]).tolist() == [0, 4, 6]  # as often as one likes
    y, pullback = vjp(lambda p: p["a"] * p["b"], {"a": np.array(2.0), "b": np.array(5.0)})
    assert pullback(1.0) == {"a": 5.0, "b": 2.0}


def test_a_function_that_ignores_its_argument_has_gradient_zero():
    assert grad(lambda x: 3.0)(np.ones(2)).tolist() == [0, 0]
    assert grad(lambda x: np.sum(np.sign(x)))(np.ones(2)).tolist() == [0, 0]
    assert grad(lambda x: x * grad(lambda y: 3.0)(x))(2.0) == 0


# ---- derivatives of derivatives --------------------------------------------------------------------------------------
def test_gradient_of_the_gradient_of_a_vector_function():
    x = rng.standard_normal(5)
    squared_slope = grad(lambda x: np.sum(grad(wave)(x) ** 2))
    slope = 2 * x * np.sin(x) + x * x * np.cos(x)
    curvature = 2 * np.sin(x) + 4 * x * np.cos(x) - x * x * np.sin(x)
    np.testing.assert_allclose(squared_slope(x), 2 * slope * curvature, rtol=1e-12)


def softmax_energy(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.sum((e / np.sum(e, axis=-1, keepdims=True))[2:] * np.tanh(x)[2:])


def test_hessian_vector_product_against_torch():
    x, v = rng.standard_normal(6), rng.standard_normal(6)
    ours = grad(lambda x: np.sum(grad(softmax_energy)(x) * v))(x)

    def twin(t):
        return (torch.softmax(t, -1)[2:] * torch.tanh(t)[2:]).sum()

    theirs = torch.autograd.functional.hvp(twin, torch.tensor(x), torch.tensor(v))[1]
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-12)


def test_hessian_is_symmetric_and_equals_the_differences_of_the_gradient():
    x = rng.standard_normal(4)
    hessian = np.stack([grad(lambda x, row=row: np.sum(grad(softmax_energy)(x) * row))(x) for row in np.eye(4)])
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-14)
    columns = [numerical_gradient(lambda x, i=i: grad(softmax_energy)(x)[i], x) for i in range(4)]
    np.testing.assert_allclose(hessian, columns, atol=1e-8)


def test_forward_mode_is_the_derivative_of_the_pullback():
    # the pullback is linear in g, J^T g; its own pullback is J v
    x, v = rng.standard_normal(3), rng.standard_normal(3)
    pullback = vjp(lambda x: np.sin(x) * x[0], x)[1]
    ours = vjp(pullback, np.zeros(3))[1](v)
    jacobian = np.diag(np.cos(x)) * x[0] + np.outer(np.sin(x), [1, 0, 0])
    np.testing.assert_allclose(ours, jacobian @ v, rtol=1e-12)


def test_inner_and_outer_variables_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0  # d/dx (x x), though the inner y is x too
    assert grad(lambda x: grad(lambda y: x * x * y)(1.0))(3.0) == 6.0  # the outer variable only in the closure
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(2.0) == 1.0  # the classic: x * d(x + y)/dy = x
    assert grad(grad(lambda x: x * value_and_grad(lambda y: y * y)(x)[0]))(2.0) == 12.0  # (x^3)'' through the value


def test_inner_derivatives_of_dicts_and_of_vjp():
    def penalty(params):  # the squared length of an inner gradient, as gradient penalties have it
        inner = value_and_grad(lambda p: np.sum(p["a"] ** 3 * p["b"]))(params)[1]
        return np.sum(inner["a"] ** 2) + vjp(lambda x: x * params["b"], params["a"])[1](np.ones(2))[0]

    params = {"a": np.array([1.0, 2.0]), "b": np.array([0.5, -1.0])}
    check_gradient(lambda a, b: penalty({"a": a, "b": b}), *params.values())
    gradient = grad(penalty)(params)  # inner a = 3 a^2 b: d/da of its square is 36 a^3 b^2
    np.testing.assert_allclose(gradient["a"], 36 * params["a"] ** 3 * params["b"] ** 2, rtol=1e-12)


def test_tensors_outside_get_their_gradient_through_an_inner_derivative():
    w = Tensor(np.array([2.0, 3.0]))
    slope = grad(lambda x: np.sum(w * x * x))(np.array([1.0, 10.0]))  # 2 w x
    assert isinstance(slope, Tensor)
    np.sum(slope).backward()
    assert w.grad.tolist() == [2, 20]


def test_a_plain_call_returns_plain_arrays():
    assert type(grad(wave)(np.ones(3))) is np.ndarray
    assert type(vjp(np.sin, np.ones(3))[0]) is np.ndarray


# ---- float32, errors -------------------------------------------------------------------------------------------------
def test_float32_stays_float32_in_nested_derivatives():
    x = np.ones(3, np.float32)
    assert grad(wave)(x).dtype == np.float32
    assert grad(lambda x: np.sum(grad(wave)(x) ** 2))(x).dtype == np.float32
    assert vjp(np.sin, x)[1](np.ones(3)).dtype == np.float32


def test_errors_say_what_to_do():
    with pytest.raises(TypeError, match=r"no gradient with respect to int64 .* x.astype\(float\)"):
        grad(wave)(np.arange(3))
    with pytest.raises(TypeError, match="floating-point"):
        grad(lambda x: x * x)(3)
    with pytest.raises(ValueError, match=r"f returned shape \(3,\): np.sum it, or use vjp"):
        grad(np.sin)(np.ones(3))
    with pytest.raises(TypeError, match="returns one array, not a tuple"):
        value_and_grad(lambda x: (np.sum(x), x))(np.ones(3))
    with pytest.raises(ValueError, match=r"has shape \(2,\), the result \(3,\)"):
        vjp(np.sin, np.ones(3))[1](np.ones(2))
