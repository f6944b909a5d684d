import math

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given
from hypothesis import strategies as st

import kb.foundations.gradient as kb
import kb.torch.foundations.gradient as kt
from kb.autograd import check
from kb.autograd.tensor import Tensor, grad
from kb.foundations.softmax import logsumexp, softmax
from kb.foundations.vectors_and_dot_products import dot, norm, normalize
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.cost_function import cost
from kb.structure.multilayer_perceptron import init_mlp, mlp
from tests.contract import Case, contract, gpu_contract

# h = 0.5 and 0.25: in float32 the two libraries' rounding of f, divided by a small h, would be too much
CASES = [
    Case(kb.numerical_gradient, f=logsumexp, x=(4,), h=0.5),
    Case(kb.numerical_gradient, f=logsumexp, x=(2, 3), h=0.25),
    Case(kb.numerical_gradient, f=logsumexp, x=(), h=0.5),
    Case(kb.one_sided_gradient, f=logsumexp, x=(2, 3), h=0.5),
    Case(kb.directional_derivative, f=logsumexp, x=(4,), direction=(4,), h=0.25),
    Case(kb.directional_derivative, f=logsumexp, x=(2, 3), direction=(2, 3), h=0.25),
    Case(kb.gradient_check, f=logsumexp, x=(2, 3), gradient=(2, 3), h=0.25),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

EPS = np.finfo(float).eps
numbers = st.floats(-2, 2)


def bowl(w):
    """The cost of the page: 1.5 w1^2 + 0.5 w2^2, with the gradient [3 w1, w2]."""
    return 1.5 * w[..., 0] * w[..., 0] + 0.5 * w[..., 1] * w[..., 1]


def wavy(x):
    return np.sum(np.exp(np.sin(x)))


def wavy_gradient(x):
    return np.exp(np.sin(x)) * np.cos(x)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(numbers, numbers, st.floats(0.001, 0.5))
def test_a_parabola_is_measured_exactly_from_both_sides(a, b, h):
    """The third derivative is 0, so only rounding is left: eps |f| / h, with |f| at most 12."""
    x = np.array([a, b])
    np.testing.assert_allclose(kb.numerical_gradient(bowl, x, h), [3 * a, b], rtol=0, atol=20 * EPS / h)
    one_sided = [3 * a + 1.5 * h, b + 0.5 * h]  # off by h / 2 times the second derivative, 3 and 1
    np.testing.assert_allclose(kb.one_sided_gradient(bowl, x, h), one_sided, rtol=0, atol=40 * EPS / h)


@given(numbers, st.floats(0.001, 0.5))
def test_the_error_on_a_cubic_is_h_squared(a, h):
    """((a + h)^3 - (a - h)^3) / 2h = 3 a^2 + h^2."""
    measured = kb.numerical_gradient(lambda x: np.sum(x * x * x), np.array([a]), h)
    np.testing.assert_allclose(measured, 3 * a * a + h * h, rtol=0, atol=60 * EPS / h)


def test_ten_times_smaller_steps_are_a_hundred_times_better_until_rounding_wins():
    x, true = np.array([1.0]), wavy_gradient(np.array([1.0]))[0]
    errors = [abs(kb.numerical_gradient(wavy, x, 10.0**-k)[0] - true) for k in range(1, 16)]
    for k in range(3):
        assert errors[k] / errors[k + 1] == pytest.approx(100, rel=0.02)
    best = int(np.argmin(errors))
    assert 10.0 ** -(best + 1) == pytest.approx(EPS ** (1 / 3), rel=9)  # the right power of ten, or its neighbour
    assert errors[-1] > 1e5 * errors[best]


def test_one_side_is_ten_times_better_for_ten_times_smaller_steps():
    x, true = np.array([1.0]), wavy_gradient(np.array([1.0]))[0]
    errors = [abs(kb.one_sided_gradient(wavy, x, 10.0**-k)[0] - true) for k in range(1, 7)]
    for k in range(1, 5):
        assert errors[k] / errors[k + 1] == pytest.approx(10, rel=0.02)
    assert abs(kb.one_sided_gradient(wavy, x)[0] - true) < 1e-7


@pytest.mark.parametrize(("dtype", "allowed"), [(np.float64, 1e-10), (np.float32, 3e-5)])
def test_the_default_step_suits_the_type(dtype, allowed):
    """eps^(2/3) is 4e-11 and 2.4e-5; f and its third derivative are of size 1."""
    x = np.random.default_rng(0).uniform(-1, 1, 5).astype(dtype)
    measured = kb.numerical_gradient(lambda v: np.sum(np.sin(v)), x)
    assert measured.dtype == dtype
    np.testing.assert_allclose(measured, np.cos(x), rtol=0, atol=allowed)


def test_the_gradient_of_logsumexp_is_softmax_by_every_route():
    x = np.random.default_rng(0).standard_normal((2, 3))
    expected = softmax(x, axis=(0, 1))
    np.testing.assert_allclose(kb.numerical_gradient(logsumexp, x), expected, atol=1e-10)
    np.testing.assert_allclose(check.numerical_gradient(logsumexp, x), expected, atol=1e-10)
    np.testing.assert_allclose(grad(logsumexp)(x), expected, rtol=1e-13)
    theirs = scipy.optimize.approx_fprime(x.ravel(), lambda v: logsumexp(v), 1.5e-8)
    np.testing.assert_allclose(theirs, expected.ravel(), atol=1e-7)


@given(st.integers(0, 1000))
def test_a_slope_is_the_dot_product_of_gradient_and_direction(seed):
    x, direction = np.random.default_rng(seed).standard_normal((2, 5))
    expected = math.fsum((wavy_gradient(x) * direction).tolist())
    assert kb.directional_derivative(wavy, x, direction) == pytest.approx(expected, abs=1e-8)


def test_no_direction_is_steeper_than_the_gradient():
    x = np.array([1.0, 1.0])
    gradient = np.array([3.0, 1.0])
    angles = np.linspace(0, 2 * np.pi, 721)
    slopes = [kb.directional_derivative(bowl, x, np.array([math.cos(a), math.sin(a)]), h=0.01) for a in angles]
    assert max(slopes) <= norm(gradient) + 1e-12
    steepest = angles[int(np.argmax(slopes))]
    assert steepest == pytest.approx(math.atan2(1, 3), abs=angles[1])
    assert kb.directional_derivative(bowl, x, normalize(gradient)) == pytest.approx(math.sqrt(10), abs=1e-9)
    assert kb.directional_derivative(bowl, x, -normalize(gradient)) == pytest.approx(-math.sqrt(10), abs=1e-9)
    assert kb.directional_derivative(bowl, x, np.array([-1.0, 3.0])) == pytest.approx(0, abs=1e-9)


def test_a_small_step_downhill_lowers_a_network_s_cost_as_the_gradient_says():
    """Cost change = -lr |gradient|^2 for small lr; the digit network's gradient comes from backpropagation."""
    rng = np.random.default_rng(0)
    params = init_mlp((6, 4, 3), rng, dtype="float64")
    x, y = rng.random((5, 6)), np.eye(3)[rng.integers(0, 3, 5)]
    before, grads = squared_error_gradients(params, x, y)
    lr = 1e-5
    after = cost(mlp({name: value - lr * grads[name] for name, value in params.items()}, x), y)
    squared = sum(float(dot(g.ravel(), g.ravel())) for g in grads.values())
    assert (after - before) / (-lr * squared) == pytest.approx(1, abs=1e-3)


# ---- gradient check ----------------------------------------------------------------------------------------------
def test_a_right_gradient_passes_and_wrong_ones_do_not():
    """The mutations: a lost factor, a lost sign in one place, two entries swapped."""
    x = np.random.default_rng(0).standard_normal(6)
    right = wavy_gradient(x)
    assert kb.gradient_check(wavy, x, right) < 1e-9
    one_sign = np.where(np.arange(6) == 4, -right, right)
    for wrong in (right / 2, one_sign, right[[1, 0, 2, 3, 4, 5]], np.zeros(6), right + 1e-4):
        assert kb.gradient_check(wavy, x, wrong) > 1e-5
    assert kb.gradient_check(wavy, x, right / 2) == pytest.approx(0.5, abs=1e-9)
    assert kb.gradient_check(wavy, x, np.zeros(6)) == 1


def test_a_flat_function_has_no_gradient_to_be_wrong_about():
    assert kb.gradient_check(lambda x: np.sum(0 * x), np.ones(3), np.zeros(3)) == 0


def test_a_whole_networks_backpropagation_passes():
    rng = np.random.default_rng(0)
    params = init_mlp((6, 4, 3), rng, dtype="float64")
    x, y = rng.random((5, 6)), np.eye(3)[rng.integers(0, 3, 5)]
    _, grads = squared_error_gradients(params, x, y)
    for name, value in params.items():
        error = kb.gradient_check(lambda w, n=name: cost(mlp({**params, n: w}, x), y), value, grads[name])
        assert error < 1e-8, name


def test_torch_agrees_with_its_own_autograd():
    x = torch.randn(5, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value = torch.logsumexp(x, 0)
    value.backward()
    assert kt.gradient_check(lambda v: torch.logsumexp(v, 0), x.detach(), x.grad) < 1e-9


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_the_bowl_by_hand():
    """At (1, 1) the cost is 2 and the gradient [3, 1]; a step of 0.1 down leads to (0.7, 0.9) and 1.14."""
    x = np.array([1.0, 1.0])
    assert bowl(x) == 2
    np.testing.assert_allclose(kb.numerical_gradient(bowl, x), [3, 1], atol=1e-9)
    assert bowl(x - 0.1 * np.array([3.0, 1.0])) == pytest.approx(1.14, rel=1e-14)
    assert bowl(x - np.array([3.0, 1.0])) == 6


def test_a_kink_by_hand():
    """Both sides of a ReLU's corner average to one half; no slope there is right."""
    at_zero = np.zeros(1)
    assert kb.numerical_gradient(lambda x: np.sum(np.maximum(x, 0)), at_zero) == 0.5
    assert kb.one_sided_gradient(lambda x: np.sum(np.maximum(x, 0)), at_zero) == 1


def test_the_gradient_of_a_measured_gradient():
    """A Tensor passes through: along its own direction, the slope of the bowl's slope is the second derivative, 3."""
    x = Tensor(np.array([1.0, 1.0]))
    kb.numerical_gradient(bowl, x, h=0.01)[0].backward()
    np.testing.assert_allclose(x.grad, [3, 0], atol=1e-12)


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("measure", [kb.numerical_gradient, kb.one_sided_gradient])
def test_a_function_of_one_number_is_needed(measure):
    with pytest.raises(ValueError, match=r"f must return one number, not an array of shape \(3,\)"):
        measure(np.sin, np.ones(3))
    with pytest.raises(ValueError, match="x holds int64"):
        measure(np.sum, np.arange(3))


def test_shapes_must_match():
    for call in (kb.directional_derivative, kb.gradient_check):
        with pytest.raises(ValueError, match=r"has shape \(2, 3\), expected that of x \(3,\)"):
            call(np.sum, np.ones(3), np.ones((2, 3)))
    with pytest.raises(ValueError, match="one number"):
        kb.directional_derivative(np.sin, np.ones(3), np.ones(3))
