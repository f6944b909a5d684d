"""The judge is judged: differences of known slopes, and derivatives that are wrong on purpose."""

import numpy as np
import pytest

from kb.autograd import rules
from kb.autograd.check import STEP, check_gradient, numerical_gradient
from kb.autograd.rules import VJP

x = np.random.default_rng(0).standard_normal((2, 3))


def test_numerical_gradient_of_known_functions():
    np.testing.assert_allclose(numerical_gradient(lambda x: np.sum(x * x), x), 2 * x, atol=1e-9)
    np.testing.assert_allclose(numerical_gradient(lambda x: np.sum(np.sin(x)), x), np.cos(x), atol=1e-9)
    assert numerical_gradient(np.exp, 0.0) == pytest.approx(1, abs=1e-9)


def test_the_error_falls_with_the_square_of_the_step():
    errors = [float(numerical_gradient(np.exp, 1.0, h)) - np.e for h in (1e-1, 1e-2, 1e-3)]
    np.testing.assert_allclose(errors, [np.e * h * h / 6 for h in (1e-1, 1e-2, 1e-3)], rtol=1e-3)


def test_it_computes_in_float64_and_changes_nothing():
    narrow = x.astype(np.float32)
    before = narrow.copy()
    gradient = numerical_gradient(lambda x: np.sum(x * x), narrow)
    assert gradient.dtype == np.float64
    np.testing.assert_array_equal(narrow, before)
    assert pytest.approx(np.finfo(float).eps) == STEP**3


def test_numerical_gradient_needs_one_number():
    with pytest.raises(ValueError, match=r"one number, not shape \(2, 3\)"):
        numerical_gradient(np.sin, x)


def test_check_gradient_returns_the_largest_error():
    assert 0 < check_gradient(np.tanh, x) < 1e-8
    assert check_gradient(lambda x, index: x[index], x, np.array([1, 1, 0])) < 1e-8  # integers are no variables


@pytest.mark.parametrize(
    ("func", "wrong"),
    [
        (np.tanh, lambda g, out, x: g * (1 - out)),
        (np.sin, lambda g, out, x: -g * np.cos(x)),
        (np.exp, lambda g, out, x: g * out * (1 + 1e-5)),
        (np.sqrt, lambda g, out, x: g * np.nan),
        (np.sum, lambda g, out, x, axis=None, *, keepdims=False: rules.mean_vjp(g, out, x, axis, keepdims=keepdims)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_rule_is_found(monkeypatch, func, wrong):
    check_gradient(func, np.abs(x))
    monkeypatch.setitem(VJP, func, (wrong,))
    with pytest.raises(AssertionError, match=r"argument 0: max relative error (\d\.\de|nan)"):
        check_gradient(func, np.abs(x))


def test_the_argument_and_the_place_are_named():
    def f(x, y):  # an engine that saw no y[1]: the value hides it behind a step function
        return np.sum(x) + np.sum(y[:1]) + np.sum(np.floor(y[1:] * 1e9)) / 1e9

    with pytest.raises(AssertionError, match=r"gradient of argument 1: max relative error 1.0e\+00 at index \(1,\)"):
        check_gradient(f, x, np.array([0.5, 0.25]))
