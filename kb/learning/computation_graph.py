"""The computation graph: a record of the operations that led to a number; walked backward, it gives every derivative.

Here the nodes are single numbers, small enough to be drawn. `kb.autograd.Tensor` records the same for whole arrays.

    a, b = Value(2.0), Value(-3.0)
    y = (a + b) * b + a            # recorded while it is computed
    gradients(y)[b]                # -4.0: the sum over all paths from b to y

Each Value knows its parents, from which it was made, and its slopes, how it answers to each of them. A parent knows
nothing of what was made from it, so there are no reference cycles: dropping the result frees the whole record.
`Dual` goes the other way: it carries a slope along with the number and records nothing.

Source: Wengert 1964, "A simple automatic derivative evaluation program", https://doi.org/10.1145/355586.364791 (forward
mode); Baydin et al. 2018, "Automatic differentiation in machine learning: a survey", section 3,
https://arxiv.org/abs/1502.05767
"""

import math
import operator
from collections.abc import Callable

import numpy as np

from kb.shapes import checked

# What an operation computes, and its slope by each of its arguments: the only calculus in this file.
RULES: dict[str, tuple[Callable, Callable]] = {
    "add": (operator.add, lambda out, x, y: (1.0, 1.0)),
    "subtract": (operator.sub, lambda out, x, y: (1.0, -1.0)),
    "multiply": (operator.mul, lambda out, x, y: (y, x)),
    "divide": (operator.truediv, lambda out, x, y: (1 / y, -out / y)),
    "power": (operator.pow, lambda out, x, y: (y * x ** (y - 1), out * math.log(x) if x > 0 else math.nan)),
    "exp": (math.exp, lambda out, x: (out,)),
    "log": (math.log, lambda out, x: (1 / x,)),
    "tanh": (math.tanh, lambda out, x: (1 - out * out,)),
    "sigmoid": (lambda x: (1 + math.tanh(x / 2)) / 2, lambda out, x: (out * (1 - out),)),
    "relu": (lambda x: max(x, 0.0), lambda out, x: (float(x > 0),)),
}


# ---- numbers that notice what is done to them --------------------------------------------------------------------
def _two(op):
    """x + y and y + x: one of the two may be a plain number."""
    return lambda x, y: x.made_by(op, x, y), lambda x, y: x.made_by(op, y, x)


def _one(op):
    return lambda x: x.made_by(op, x)


class Number:
    """The operators and functions of RULES; `made_by` says what becomes of a result."""

    __slots__ = ()
    data: float
    __add__, __radd__ = _two("add")
    __sub__, __rsub__ = _two("subtract")
    __mul__, __rmul__ = _two("multiply")
    __truediv__, __rtruediv__ = _two("divide")
    __pow__, __rpow__ = _two("power")
    exp, log, tanh, sigmoid, relu = map(_one, ("exp", "log", "tanh", "sigmoid", "relu"))

    def __neg__(self):
        return 0.0 - self

    @classmethod
    def evaluate(cls, op, args):
        """The result as a plain number, and [(argument, slope)] for the arguments that are not constants."""
        function, rule = RULES[op]
        plain = [a.data if isinstance(a, cls) else a for a in args]
        out = function(*plain)
        return out, [(a, s) for a, s in zip(args, rule(out, *plain), strict=True) if isinstance(a, cls)]


class Value(Number):
    """A number that remembers the operation that made it (`op`) and from what (`parents`), for reverse mode.

    `slopes` holds d(self)/d(parent) for each parent and `grad` what `backward` added up; `depth` is the number of
    operations on the longest way from a leaf to it, so a Value is always deeper than its parents.
    """

    __slots__ = ("data", "depth", "grad", "op", "parents", "slopes")

    def __init__(self, data, op="", parents=(), slopes=()):
        self.data, self.grad = data, 0.0
        self.op, self.parents, self.slopes = op, parents, slopes
        self.depth = 1 + max([parent.depth for parent in parents], default=-1)

    @classmethod
    def made_by(cls, op, *args):
        out, steps = cls.evaluate(op, args)
        return cls(out, op, *zip(*steps, strict=True))

    def backward(self):
        """Add d(self)/d(value) to the `grad` of every Value that self was made from."""
        for value, gradient in gradients(self).items():
            value.grad += gradient

    def __repr__(self):
        return f"Value({self.data:g}" + (f", {self.op!r})" if self.op else ")")


class Dual(Number):
    """A number and its slope along one input, which every operation carries forward: nothing is recorded."""

    __slots__ = ("data", "slope")

    def __init__(self, data, slope=0.0):
        self.data, self.slope = data, slope

    @classmethod
    def made_by(cls, op, *args):
        out, steps = cls.evaluate(op, args)
        return cls(out, sum(slope * a.slope for a, slope in steps))

    def __repr__(self):
        return f"Dual({self.data:g}, {self.slope:g})"


# ---- reverse mode: walk back from the result ---------------------------------------------------------------------
def tape(root):
    """Every Value that `root` was made from, deepest first: each comes after all that was made from it.

    A loop and a sort, not a recursion: a sum of a thousand terms is deeper than Python's stack.
    """
    seen, waiting = {root: None}, [root]  # a dict keeps the order of arrival, so every run adds in the same order
    while waiting:
        new = [parent for parent in waiting.pop().parents if parent not in seen]
        seen.update(dict.fromkeys(new))
        waiting.extend(dict.fromkeys(new))
    return sorted(seen, key=lambda value: -value.depth)


def gradients(root):
    """d(root)/d(value) for every Value that `root` was made from, in one walk back.

    When a Value's turn comes, all that was made from it has had its turn, so its own gradient is complete. It passes
    the gradient on to each parent, times its slope; what a parent receives adds up.
    """
    found = dict.fromkeys(tape(root), 0.0)
    found[root] = 1.0
    for value, gradient in found.items():
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            found[parent] += gradient * slope
    return found


# ---- both modes, for functions of several numbers ----------------------------------------------------------------
@checked
def jacobian_forward(f, x):
    """How each result of f answers to each of its inputs, one pass per input: a pass fills a column.

    x (n) -> (m, n)

    `f` takes a list of numbers and returns a list of numbers made from them.
    """
    columns = []
    for j in range(len(x)):
        out = f([Dual(number, float(i == j)) for i, number in enumerate(x.tolist())])
        columns.append([y.slope for y in out])
    return np.array(columns, x.dtype).T


@checked
def jacobian_reverse(f, x):
    """How each result of f answers to each of its inputs, one walk back per result: a walk fills a row.

    x (n) -> (m, n)

    `f` takes a list of numbers and returns a list of numbers made from them. It is called once.
    """
    inputs, rows = [Value(number) for number in x.tolist()], []
    for y in f(inputs):
        found = gradients(y)
        rows.append([found.get(value, 0.0) for value in inputs])
    return np.array(rows, x.dtype)


def values(array):
    """An array of Values, one leaf per number: NumPy's @, + and * then record every single product and sum."""
    return np.frompyfunc(Value, 1, 1)(array)
