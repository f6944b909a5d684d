import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, ndtr
from torch.nn import functional as F

import kb.torch.structure.activation_functions as kt
from kb.autograd.tensor import Tensor, grad
from kb.structure.activation_functions import (
    NODES,
    gelu,
    gelu_slope,
    identity,
    leaky_relu,
    leaky_relu_slope,
    normal_cdf,
    relu,
    relu_slope,
    sigmoid,
    sigmoid_slope,
    silu,
    silu_slope,
    softplus,
    softplus_slope,
    swiglu,
    swiglu_backward,
    tanh,
    tanh_slope,
)
from tests.contract import Case, contract, gpu_contract

AROUND_ZERO = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
FAR = np.array([-1e4, -745.0, -89.0, -40.0, -17.0, 0.0, 17.0, 40.0, 89.0, 745.0, 1e4])
GATED = {"x": (2, 5, 4), "w_gate": (3, 4), "w_up": (3, 4), "w_down": (4, 3)}
SMOOTH = (identity, sigmoid, tanh, silu, softplus, normal_cdf, gelu)
KINKED = (relu, leaky_relu)
STEPS = (relu_slope, leaky_relu_slope)
SMOOTH_SLOPES = (sigmoid_slope, tanh_slope, silu_slope, softplus_slope, gelu_slope)
CASES = [
    *(Case(fn, x=(3, 4)) for fn in (*SMOOTH, *KINKED, *SMOOTH_SLOPES)),
    *(Case(fn, x=AROUND_ZERO) for fn in (*SMOOTH, *KINKED, *SMOOTH_SLOPES)),
    *(Case(fn, x=FAR) for fn in (*SMOOTH, *KINKED)),
    *(Case(fn, differentiable=False, x=x) for fn in STEPS for x in ((3, 4), AROUND_ZERO)),
    *(Case(fn, x=x, approximate="tanh") for fn in (gelu, gelu_slope) for x in ((3, 4), AROUND_ZERO)),
    *(Case(fn, x=AROUND_ZERO, beta=2.5, threshold=5) for fn in (softplus, softplus_slope)),
    Case(leaky_relu, x=AROUND_ZERO, negative_slope=0.2),
    Case(leaky_relu_slope, differentiable=False, x=AROUND_ZERO, negative_slope=0.2),
    Case(sigmoid, x=()),
    Case(gelu, x=()),
    Case(swiglu, **GATED),
    Case(swiglu, **{**GATED, "x": (4,)}),
    Case(swiglu_backward, grad=(2, 5, 4), **GATED),
    Case(swiglu_backward, grad=(4,), **{**GATED, "x": (4,)}),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def gelu_tanh(x):
    return gelu(x, "tanh")


def gelu_tanh_slope(x):
    return gelu_slope(x, "tanh")


def soft(x):
    return softplus(x, beta=2.5, threshold=5)


def soft_slope(x):
    return softplus_slope(x, beta=2.5, threshold=5)


# each function, its slope, and torch's own function, found without our twin
ZOO = [
    (sigmoid, sigmoid_slope, torch.sigmoid),
    (relu, relu_slope, torch.relu),
    (tanh, tanh_slope, torch.tanh),
    (leaky_relu, leaky_relu_slope, F.leaky_relu),
    (softplus, softplus_slope, F.softplus),
    (soft, soft_slope, lambda x: F.softplus(x, beta=2.5, threshold=5)),
    (silu, silu_slope, F.silu),
    (gelu, gelu_slope, F.gelu),
    (gelu_tanh, gelu_tanh_slope, lambda x: F.gelu(x, approximate="tanh")),
]
each_of_the_zoo = pytest.mark.parametrize(("fn", "slope", "theirs"), ZOO, ids=lambda fn: fn.__name__)
numbers = st.floats(-1e4, 1e4)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(numbers)
def test_sigmoid_is_scipys_to_the_last_digits_even_where_it_is_tiny(x):
    np.testing.assert_allclose(sigmoid(np.array([x])), expit(x), rtol=1e-14, atol=1e-307)  # expit ends at x = -709.8


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_of_the_zoo
def test_up_to_ten_thousand_there_is_no_warning_and_no_nan(fn, slope, theirs, dtype):
    """Warnings are errors in this suite. Far out every function is a straight line, as its slope and gradient say."""
    x = np.concatenate([FAR, np.linspace(-1e4, 1e4, 999)]).astype(dtype)
    leaf = Tensor(x)
    np.sum(fn(leaf)).backward()
    for values in (fn(x), slope(x), leaf.grad):
        assert values.dtype == dtype
        assert np.isfinite(values).all()
    far = abs(x) > 1000
    np.testing.assert_allclose(leaf.grad[far], slope(x)[far], atol=0)
    np.testing.assert_allclose(fn(x)[far], theirs(torch.tensor(x)).numpy()[far], rtol=0)


@given(st.floats(-37, 37))
def test_normal_cdf_is_scipys(x):
    """5e-16 absolute. To the left of 0 the relative error is that of e^(-x^2 / 2): x^2 / 2 roundings and a few more."""
    assert abs(normal_cdf(np.float64(x)) - ndtr(x)) <= 5e-16
    if -8 <= x < 0:
        assert normal_cdf(np.float64(x)) == pytest.approx(ndtr(x), rel=(x * x / 2 + 8) * 2.3e-16)


@given(st.floats(-37, 37))
def test_gelu_is_x_times_scipys_normal_distribution(x):
    assert gelu(np.float64(x)) == pytest.approx(x * ndtr(x), rel=1e-15, abs=2e-15)


def test_normal_cdf_in_float32_is_right_to_three_roundings():
    x = np.linspace(-12, 12, 20_001).astype(np.float32)
    np.testing.assert_allclose(normal_cdf(x), ndtr(x.astype(np.float64)), rtol=0, atol=3 * 2**-24)


@pytest.mark.parametrize("shape", [(3, 40_000), (2, 65_536), (65_537,), (2, 3, 70_000)])
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_a_large_array_is_that_of_its_parts_and_of_a_tensor(shape, approximate):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    whole = gelu(x, approximate)
    assert (whole.shape, whole.dtype) == (x.shape, x.dtype)
    np.testing.assert_allclose(np.ravel(whole)[-50:], gelu(np.ravel(x)[-50:], approximate), rtol=1e-6)
    np.testing.assert_allclose(whole, gelu(Tensor(x), approximate).data, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gelu(x.T, approximate), whole.T, rtol=1e-6, atol=1e-7)
    whole_numbers = np.arange(-3, x.size)
    np.testing.assert_allclose(gelu(whole_numbers, approximate)[:5], gelu(whole_numbers[:5], approximate))


def test_the_tanh_form_is_close_and_not_exact():
    x = np.linspace(-10, 10, 20_001)
    assert 4e-4 < abs(gelu(x) - gelu_tanh(x)).max() < 5e-4


@pytest.mark.parametrize(
    ("fn", "place", "least"), [(gelu, -0.7518, -0.1700), (gelu_tanh, -0.7525, -0.1700), (silu, -1.2785, -0.2785)]
)
def test_the_dip_below_zero(fn, place, least):
    found = minimize_scalar(
        lambda x: float(fn(np.float64(x))), bounds=(-3, 0), method="bounded", options={"xatol": 1e-9}
    )
    assert found.x == pytest.approx(place, abs=5e-5)
    assert found.fun == pytest.approx(least, abs=5e-5)


@pytest.mark.parametrize(
    ("slope", "least", "most"),
    [(gelu_slope, -0.1290, 1.1290), (gelu_tanh_slope, -0.1290, 1.1290), (silu_slope, -0.0998, 1.0998)],
)
def test_the_range_of_the_slopes_that_the_docstrings_give(slope, least, most):
    values = slope(np.linspace(-10, 10, 200_001))
    assert values.min() == pytest.approx(least, abs=1.05e-4)
    assert values.max() == pytest.approx(most, abs=1.05e-4)


@given(st.floats(-30, 30))
def test_softplus_of_x_and_of_minus_x_differ_by_x(x):
    assert softplus(np.float64(x)) - softplus(np.float64(-x)) == pytest.approx(x, abs=2.1e-9 + 1e-15)  # e^-20 above 20


def test_sharper_functions_come_close_to_the_relu():
    x = np.linspace(-3, 3, 601)
    for sharp in (10.0, 100.0):
        assert abs(softplus(x, beta=sharp) - relu(x)).max() <= np.log(2) / sharp * (1 + 1e-12)
        assert abs(gelu(sharp * x) / sharp - relu(x)).max() <= 0.17 / sharp
        assert abs(silu(sharp * x) / sharp - relu(x)).max() <= 0.2785 / sharp


# ---- mutations ---------------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_the_textbook_forms_overflow():
    x = np.array([-800.0, 800.0])
    assert np.isnan((np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))).all()
    assert np.isinf(np.log(1 + np.exp(x))[1])
    assert np.isnan(grad(lambda x: np.sum(1 / (1 + np.exp(-x))))(x)[0])


def test_without_the_pole_or_with_fewer_terms_the_normal_cdf_is_wrong(monkeypatch):
    x = np.linspace(-3, 3, 61)
    monkeypatch.setattr("kb.structure.activation_functions.NODES", NODES[:9])
    assert abs(normal_cdf(x) - ndtr(x)).max() > 1e-13
    monkeypatch.setattr("kb.structure.activation_functions.NODES", NODES)
    monkeypatch.setattr("kb.structure.activation_functions.sigmoid", lambda x: (x > 0).astype(x.dtype))
    assert abs(normal_cdf(x) - ndtr(x)).max() > 1e-3


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_values_by_hand():
    assert sigmoid(np.log(3.0)) == pytest.approx(3 / 4, rel=1e-15)  # 1 / (1 + 1/3)
    assert sigmoid_slope(np.log(3.0)) == pytest.approx(3 / 16, rel=1e-15)
    np.testing.assert_array_equal(relu(np.array([-2.0, 0.0, 3.5])), [0, 0, 3.5])
    np.testing.assert_array_equal(relu_slope(np.array([-2.0, 0.0, 3.5])), [0, 0, 1])
    assert (sigmoid(0.0), relu(-2.0), relu_slope(3.5), tanh(0.0), tanh_slope(0.0)) == (0.5, 0, 1, 0, 1)  # plain numbers
    assert tanh(np.log(2.0)) == pytest.approx(3 / 5, rel=1e-15)  # (2 - 1/2) / (2 + 1/2)
    assert tanh_slope(np.log(2.0)) == pytest.approx(16 / 25, rel=1e-15)
    np.testing.assert_array_equal(leaky_relu(np.array([-2.0, 0.0, 3.5])), [-0.02, 0, 3.5])
    np.testing.assert_array_equal(leaky_relu_slope(np.array([-2.0, 0.0, 3.5])), [0.01, 0.01, 1])
    assert softplus(np.float64(0)) == pytest.approx(np.log(2), rel=1e-15)
    assert softplus(np.log(3.0)) == pytest.approx(np.log(4), rel=1e-15)
    assert softplus_slope(np.log(3.0)) == pytest.approx(3 / 4, rel=1e-15)
    assert softplus(np.float64(20.5)) == 20.5
    assert silu(np.log(3.0)) == pytest.approx(np.log(3) * 3 / 4, rel=1e-15)
    assert silu_slope(np.log(3.0)) == pytest.approx(3 / 4 + np.log(3) * 3 / 16, rel=1e-15)


def test_gelu_by_hand():
    """68.27 % of normal numbers lie within 1 of the mean, so 84.13 % below 1 and 15.87 % below -1."""
    np.testing.assert_allclose(gelu(np.array([-1.0, 0.0, 1.0])), [-0.158655, 0, 0.841345], atol=5e-7)
    assert gelu_slope(np.float64(0)) == gelu_tanh_slope(np.float64(0)) == 0.5


def test_swiglu_by_hand():
    """Two hidden pairs: gates log 3 and 0 let through 3/4 log 3 and 0 of the offers 2 and 5."""
    w_gate, w_up, w_down = np.array([[np.log(3)], [0.0]]), np.array([[2.0], [5.0]]), np.array([[1.0, 7.0]])
    assert swiglu(np.array([1.0]), w_gate, w_up, w_down) == pytest.approx(2 * 3 / 4 * np.log(3), rel=1e-15)


# ---- errors ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fn", [gelu, gelu_slope, kt.gelu, kt.gelu_slope])
def test_an_unknown_form_of_gelu_is_refused(fn):
    with pytest.raises(ValueError, match='approximate is True, expected "none" or "tanh"'):
        fn(np.ones(2), True)


# ---- gradient ----------------------------------------------------------------------------------------------------
@each_of_the_zoo
def test_slope_is_the_finite_difference(fn, slope, theirs):
    x, h = np.array([-4.0, -1.1, -0.3, 0.2, 0.9, 1.9, 3.0]), 1e-5
    np.testing.assert_allclose(slope(x), (fn(x + h) - fn(x - h)) / (2 * h), atol=2e-10)  # h^2 and rounding / h


@each_of_the_zoo
def test_slope_is_what_the_computation_graph_finds_and_torch_too(fn, slope, theirs):
    """Where torch's GELU loses the small share to 1 + erf, it is off by a rounding times x and its slope."""
    x = np.concatenate([AROUND_ZERO, FAR, np.linspace(-6, 6, 25)])
    np.testing.assert_allclose(grad(lambda x: np.sum(fn(x)))(x), slope(x), rtol=1e-12, atol=1e-14)
    leaf = torch.tensor(x, requires_grad=True)
    theirs(leaf).sum().backward()
    np.testing.assert_allclose(slope(x), leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_swiglu_backward_is_what_the_computation_graph_finds():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((5, 4), (3, 4), (3, 4), (4, 3))]
    seed, leaves = rng.normal(size=(5, 4)), [Tensor(a) for a in arrays]
    swiglu(*leaves).backward(seed)
    for hand, leaf in zip(swiglu_backward(seed, *arrays), leaves, strict=True):
        np.testing.assert_allclose(hand, leaf.grad, rtol=1e-12, atol=1e-14)


def test_the_gradient_of_the_gradient_of_gelu_exists():
    """Its curvature at 0 is twice the height of the normal curve, 2 / sqrt(2 pi)."""
    assert grad(grad(gelu))(np.array(0.0)) == pytest.approx(2 / np.sqrt(2 * np.pi), rel=1e-12)
