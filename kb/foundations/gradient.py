"""The gradient: how a function answers to each of its inputs. It points where the function rises fastest.

    f(x + s) = f(x) + gradient . s + ...        for small steps s: the slope along s is a dot product

This file measures gradients, by nudging one input at a time. Networks compute theirs (see backpropagation); measuring
is how one finds out whether the computed ones are right.

Source: Press et al. 2007, "Numerical Recipes", 3rd ed., section 5.7, equations 5.7.5 to 5.7.9, https://numerical.recipes/
"""

import numpy as np

from kb.shapes import checked


@checked
def numerical_gradient(f, x, h=None):
    """The slope of f along each coordinate of x, measured: nudge it by h either way, and divide the rise by 2h.

    x (...) -> (...)

    `f` takes an array like x and returns one number. The error is h^2/6 times the third derivative, plus about eps |f|
    / h for the digits that cancel in the subtraction. The default h = eps^(1/3) balances the two where f, x and the
    derivatives are of size 1: 6e-6 in float64, with an error of some 1e-11; 5e-3 in float32, with 1e-5.
    Two calls of f for every number in x. Raises ValueError if f does not return one number.
    """
    h = _eps(x) ** (1 / 3) if h is None else h
    slopes = [(_number(f(x + nudge)) - _number(f(x - nudge))) / (2 * h) for nudge in _nudges(x, h)]
    return np.reshape(np.stack(slopes), x.shape).astype(x.dtype)


@checked
def one_sided_gradient(f, x, h=None):
    """The same from one side only: nudge each coordinate up, and divide the rise by h.

    x (...) -> (...)

    Half the calls of f, and far less exact: the error is h/2 times the second derivative. The default h = eps^(1/2)
    leaves 1e-8 in float64. Raises ValueError if f does not return one number.
    """
    h = _eps(x) ** (1 / 2) if h is None else h
    here = _number(f(x))
    slopes = [(_number(f(x + nudge)) - here) / h for nudge in _nudges(x, h)]
    return np.reshape(np.stack(slopes), x.shape).astype(x.dtype)


@checked
def directional_derivative(f, x, direction, h=None):
    """How fast f rises on the way from x along `direction`: the dot product of the gradient with it, in two calls of f.

    x (...), direction (...) -> ()

    For a direction of length 1 it is the slope; for another it is so many times the slope. `h` as in
    numerical_gradient. Raises ValueError when the shapes differ, or if f does not return one number.
    """
    if x.shape != direction.shape:
        raise ValueError(f"directional_derivative: direction has shape {direction.shape}, expected that of x {x.shape}")
    h = _eps(x) ** (1 / 3) if h is None else h
    return ((_number(f(x + h * direction)) - _number(f(x - h * direction))) / (2 * h)).astype(x.dtype)


@checked
def gradient_check(f, x, gradient, h=None):
    """How wrong a computed gradient of f at x is: the largest difference to the measured one, over the largest slope.

    x (...), gradient (...) -> ()

    In float64 a right gradient of a smooth function gives 1e-9 or less, a wrong formula usually more than 1e-3; in
    float32 rounding hides small mistakes. Raises ValueError when the shapes differ.
    """
    if x.shape != gradient.shape:
        raise ValueError(f"gradient_check: gradient has shape {gradient.shape}, expected that of x {x.shape}")
    measured = numerical_gradient(f, x, h)
    largest = np.maximum(np.max(np.abs(measured)), np.max(np.abs(gradient)))
    return np.max(np.abs(gradient - measured)) / np.where(largest > 0, largest, 1).astype(x.dtype)


def _eps(x):
    """The distance from 1 to the next float. Raises ValueError for arrays of integers, which cannot be nudged."""
    if x.dtype.kind != "f":
        raise ValueError(f"x holds {x.dtype}, expected floating-point numbers such as float64")
    return float(np.finfo(x.dtype).eps)


def _nudges(x, h):
    """For each number in x: zeros, with h in its place."""
    for place in np.ndindex(x.shape):
        nudge = np.zeros(x.shape, x.dtype)
        nudge[place] = h
        yield nudge


def _number(result):
    if np.size(result) != 1:
        raise ValueError(f"f must return one number, not an array of shape {np.shape(result)}")
    return np.reshape(result, ())
