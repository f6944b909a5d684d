"""NumPy's protocol, for functions of kb: a Tensor among the arguments takes the call over, as it does with np.exp.

Without it a Tensor goes through such a function step by step, and each step is one more in its graph. With it, and with
a row in kb/autograd/rules.py, the function is a single step whose derivative is known.

Source: NumPy, "Dispatch mechanism for NumPy's high level array functions", NEP 18,
https://numpy.org/neps/nep-0018-array-function-protocol.html
"""

import functools
from collections.abc import Callable

import numpy as np


class Traced:
    """What the rules know of a Tensor: that NumPy hands its functions over to it (so they need not import Tensor)."""

    __slots__ = ()
    __array_function__: Callable
    data: np.ndarray
    _order: int


def overridable(func: Callable) -> Callable:
    """A twin of `func` with the door that NumPy's own functions have: a Tensor among the arguments takes the call."""

    @functools.wraps(func)
    def door(*args, **kwargs):
        for a in args:
            if isinstance(a, Traced):
                return a.__array_function__(door, (type(a),), args, kwargs)
        return func(*args, **kwargs)

    return door
