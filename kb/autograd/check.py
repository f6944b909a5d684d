"""Is a derivative right? Compare it with the slope between two points very close together.

The central difference (f(x + h) - f(x - h)) / 2h misses the true slope by h^2 f'''/6 (the curve between the two points)
and by about eps |f| / h (the digits that cancel in the subtraction), eps = 2.2e-16 in float64. Both are of the size
eps^(2/3) = 4e-11 at h = eps^(1/3), which is the step taken here.

Source: W. H. Press et al., "Numerical Recipes", 3rd ed. (2007), section 5.7, equations 5.7.5 to 5.7.9
"""

from collections.abc import Callable

import numpy as np

from kb.autograd.tensor import vjp

STEP = 2.0 ** (-52 / 3)  # eps^(1/3), 6e-6


def numerical_gradient(f: Callable, x: np.ndarray, h: float = STEP) -> np.ndarray:
    """The slope of f along every coordinate of x, measured from h on either side, in float64.

    f: array -> one number. x (...) -> (...). The cost is two calls of f for every number in x.
    Raises: ValueError if f does not return one number.
    """
    x = np.array(x, np.float64)
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        rise = np.subtract(f(x + step), f(x - step))
        if rise.size != 1:
            raise ValueError(f"numerical_gradient needs a function that returns one number, not shape {rise.shape}")
        gradient[i] = rise.item() / (2 * h)
    return gradient


def check_gradient(f: Callable, *args, rtol: float = 1e-6) -> float:
    """Raise AssertionError unless the engine and central differences agree about f at every floating-point argument.

    f: arrays -> array. The result is weighted with random numbers from 1 to 2 and summed, so that every entry counts.
    Everything runs in float64. Returns the largest error, relative to max(1, |slope|). The default rtol leaves the
    4e-11 of the method four orders of magnitude for the size of f and of its third derivative.
    """
    args = tuple(np.array(a, np.float64) if np.asarray(a).dtype.kind == "f" else a for a in args)
    weights = np.random.default_rng(0).uniform(1, 2, np.shape(f(*args)))
    worst = 0.0
    for i, x in enumerate(args):
        if np.asarray(x).dtype.kind != "f":
            continue

        def of_one(x, i=i):
            return f(*args[:i], x, *args[i + 1 :])

        slope = numerical_gradient(lambda x, f=of_one: np.sum(weights * f(x)), x)
        error = np.abs(vjp(of_one, x)[1](weights) - slope) / np.maximum(1, np.abs(slope))
        largest = float(np.max(error, initial=0.0))
        if not largest <= rtol:  # also true for nan
            where = tuple(map(int, np.unravel_index(np.argmax(error), x.shape)))
            raise AssertionError(
                f"gradient of argument {i}: max relative error {largest:.1e} at index {where}, more than {rtol:.0e}"
            )
        worst = max(worst, largest)
    return worst
