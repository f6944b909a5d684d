"""What the engine knows about NumPy, in three tables: VJP, LOWER and CONSTANT.

VJP: "given g = dL/d(out), what is dL/d(argument)?", one rule per argument. The name is short for vector-Jacobian
product: for a function with Jacobian J = d(out)/d(argument), the rule computes g J without ever writing J down
(for an elementwise function of a million numbers, J would have 10^12 entries, all but a million of them zero).
LOWER (lowering.py): functions that are other functions in disguise. CONSTANT: functions that are flat almost everywhere
or answer a question about shapes; they see raw arrays and return raw arrays.

A rule is ``rule(g, out, *args, **kwargs)``; None in its place says that the argument has no gradient. Rules do not care
about broadcasting or precision: the engine brings every gradient home to the shape and dtype of its argument.

Source: A. G. Baydin et al., "Automatic differentiation in machine learning: a survey", JMLR 18 (2018), section 3.2,
https://arxiv.org/abs/1502.05767
"""

import math
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from kb.autograd.movement import MOVEMENT, ForEach
from kb.protocol import overridable
from kb.structure.activation_functions import gelu, gelu_slope

# np.maximum with a constant is another function than np.maximum of two variables: see `maximum` in lowering.py
larger, at_least = overridable(np.maximum), overridable(np.maximum)
smaller, at_most = overridable(np.minimum), overridable(np.minimum)
einsum, norm = overridable(np.einsum), overridable(np.linalg.norm)  # their arguments were checked in lowering.py


# ---- one number in, one number out: g times the slope ----------------------------------------------------------------
def power_base(g, out, x, y):
    """y x^(y-1). Where y is 0 the power is the constant 1, so take x^0 instead of x^(-1) and let y = 0 make it 0."""
    return g * (y * x ** (y - (y != 0)))


def power_exponent(g, out, x, y):
    """x^y log x; at x = 0 the limit 0 is taken. (The log of a Python number is a float64, hence the cast.)"""
    return g * (out * np.log(np.where(x == 0, 1, x)).astype(out.dtype))


def won(g, x, y):
    """All of `g` where x is the larger of two variables, none where it is smaller, half where they tie (as torch)."""
    return g * (x > y) + 0.5 * g * (x == y)


ELEMENTWISE: dict[Callable, Any] = {
    # two arguments: hold the other one still
    np.add: (lambda g, out, x, y: g, lambda g, out, x, y: g),
    np.subtract: (lambda g, out, x, y: g, lambda g, out, x, y: -g),
    np.multiply: (lambda g, out, x, y: g * y, lambda g, out, x, y: g * x),
    np.divide: (lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y),
    np.remainder: (lambda g, out, x, y: g, lambda g, out, x, y: -g * np.floor_divide(x, y)),
    np.power: (power_base, power_exponent),
    operator.pow: (power_base, power_exponent),
    np.hypot: (lambda g, out, x, y: g * (x / out), lambda g, out, x, y: g * (y / out)),
    np.arctan2: (lambda g, out, y, x: g * (x / (x * x + y * y)), lambda g, out, y, x: -g * (y / (x * x + y * y))),
    np.logaddexp: (lambda g, out, x, y: g * np.exp(x - out), lambda g, out, x, y: g * np.exp(y - out)),
    np.copysign: (lambda g, out, x, y: g * (np.sign(x) * np.sign(out)), None),
    # a choice: the gradient goes to the chosen one
    larger: (lambda g, out, x, y: won(g, x, y), lambda g, out, x, y: won(g, y, x)),
    smaller: (lambda g, out, x, y: won(g, y, x), lambda g, out, x, y: won(g, x, y)),
    at_least: (lambda g, out, x, floor: g * (x > floor),),  # relu: slope 0 at the kink
    at_most: (lambda g, out, x, ceiling: g * (x < ceiling),),
    np.where: (None, lambda g, out, c, x, y: np.where(c, g, 0), lambda g, out, c, x, y: np.where(c, 0, g)),
    np.clip: (lambda g, out, a, a_min=None, a_max=None, *, min=None, max=None: g * (a == out),),  # 1 on the bounds too
    np.absolute: (lambda g, out, x: g * np.sign(x),),  # slope 0 at the kink
    np.fabs: (lambda g, out, x: g * np.sign(x),),
    # powers and roots
    np.positive: (lambda g, out, x: g,),
    np.negative: (lambda g, out, x: -g,),
    np.square: (lambda g, out, x: g * (2 * x),),
    np.reciprocal: (lambda g, out, x: -g * out * out,),
    np.sqrt: (lambda g, out, x: g * (0.5 / out),),
    np.cbrt: (lambda g, out, x: g / (3 * out * out),),
    # exponentials and logarithms; where the slope can be said with `out`, it costs nothing to compute
    np.exp: (lambda g, out, x: g * out,),
    np.exp2: (lambda g, out, x: g * (out * math.log(2)),),
    np.expm1: (lambda g, out, x: g * (out + 1),),
    np.log: (lambda g, out, x: g / x,),
    np.log2: (lambda g, out, x: g / (x * math.log(2)),),
    np.log10: (lambda g, out, x: g / (x * math.log(10)),),
    np.log1p: (lambda g, out, x: g / (1 + x),),
    # circles and hyperbolas
    np.sin: (lambda g, out, x: g * np.cos(x),),
    np.cos: (lambda g, out, x: -g * np.sin(x),),
    np.tan: (lambda g, out, x: g * (1 + out * out),),
    np.arcsin: (lambda g, out, x: g / np.sqrt(1 - x * x),),
    np.arccos: (lambda g, out, x: -g / np.sqrt(1 - x * x),),
    np.arctan: (lambda g, out, x: g / (1 + x * x),),
    np.sinh: (lambda g, out, x: g * np.cosh(x),),
    np.cosh: (lambda g, out, x: g * np.sinh(x),),
    np.tanh: (lambda g, out, x: g * (1 - out * out),),
    # of kb: nine steps of a graph in one, and eight large arrays fewer to keep
    gelu: (lambda g, out, x, approximate="none": g * gelu_slope(x, approximate),),
}


# ---- many numbers in, one number out: every one of them gets g times its share ---------------------------------------
def restore(g, axis, keepdims):
    """Put the axes that a reduction removed back, of length 1: now `g` broadcasts against the argument."""
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def sum_vjp(g, out, x, axis=None, *, keepdims=False):
    """Every number has the slope 1: a copy of `g` for each."""
    return np.broadcast_to(restore(g, axis, keepdims), x.shape)


def mean_vjp(g, out, x, axis=None, *, keepdims=False):
    """Each of n numbers has the slope 1/n."""
    return np.broadcast_to(restore(g / (x.size / max(out.size, 1)), axis, keepdims), x.shape)


def var_vjp(g, out, x, axis=None, *, ddof=0, keepdims=False):
    """d/dx of the mean of (x - mean)^2 is 2 (x - mean) / n: what x does to the mean cancels."""
    n = x.size / max(out.size, 1) - ddof
    return (x - np.mean(x, axis=axis, keepdims=True)) * restore(g * (2 / n), axis, keepdims)


def std_vjp(g, out, x, axis=None, *, ddof=0, keepdims=False):
    """The chain rule through the root; where all numbers are equal (a kink) the slope 0 is taken, as torch does."""
    return var_vjp(g / (2 * np.where(out == 0, np.inf, out)), out, x, axis, ddof=ddof, keepdims=keepdims)


def norm_vjp(g, out, x, *, axis=None, keepdims=False):
    """The length grows fastest along x itself: the unit vector x / |x|, and 0 at the kink x = 0."""
    return x * restore(g / np.where(out == 0, np.inf, out), axis, keepdims)


def extreme_vjp(g, out, x, axis=None, *, keepdims=False):
    """Only the winner matters; winners that tie share alike (as torch.amax shares)."""
    hit = (x == restore(out, axis, keepdims)).astype(x.dtype)
    return hit * (restore(g, axis, keepdims) / hit.sum(axis=axis, keepdims=True))


REDUCTIONS: dict[Callable, Any] = {
    np.sum: (sum_vjp,),
    np.mean: (mean_vjp,),
    np.var: (var_vjp,),
    np.std: (std_vjp,),
    norm: (norm_vjp,),
    np.max: (extreme_vjp,),
    np.min: (extreme_vjp,),
    np.amax: (extreme_vjp,),
    np.amin: (extreme_vjp,),
}


# ---- products of matrices: the gradient times the other factor, with the axes crossed over ---------------------------
def as_matrices(g, a, b):
    """NumPy lets a vector stand for a matrix of one row (left) or one column (right): write that row or column out."""
    a, b = np.array(a) if isinstance(a, list) else a, np.array(b) if isinstance(b, list) else b
    if a.ndim == 1:
        a, g = np.expand_dims(a, 0), np.expand_dims(g, -1 if b.ndim == 1 else -2)
    if b.ndim == 1:
        b, g = np.expand_dims(b, 1), np.expand_dims(g, -1)
    return g, a, b


def matmul_left(g, out, a, b):
    """d(A B)/dA: g B^T.   g (..., m, n), b (..., k, n) -> (..., m, k)"""
    g, _, columns = as_matrices(g, a, b)
    if columns.ndim == 2 < g.ndim:  # one weight matrix for a whole batch: one large product, not many small ones
        return (g.reshape(-1, g.shape[-1]) @ columns.mT).reshape(*g.shape[:-1], -1)
    da = g @ columns.mT
    return da if a.ndim > 1 else np.squeeze(da, -2)


def matmul_right(g, out, a, b):
    """d(A B)/dB: A^T g.   a (..., m, k), g (..., m, n) -> (..., k, n)"""
    g, rows, _ = as_matrices(g, a, b)
    if b.ndim == 2 < rows.ndim:  # and here not many to add up
        rows, g = rows.reshape(-1, rows.shape[-1]), g.reshape(-1, g.shape[-1])
    db = rows.mT @ g
    return db if b.ndim > 1 else np.squeeze(db, -1)


def einsum_vjp(i, g, out, subscripts, *operands, optimize=False):
    """An einsum is a sum of products, so its derivative is an einsum of `g` with the other operands.

    For the first operand of "ij,jk->ik" that is "ik,jk->ij". A label that only this operand has was summed away alone:
    every number along it has the slope 1, so an array of ones takes its place.
    """
    inputs, result = subscripts.replace(" ", "").split("->")
    terms, others = inputs.split(","), list(operands)
    mine, x = terms.pop(i - 1), others.pop(i - 1)
    labels = re.findall(r"\.\.\.|\w", mine)
    if alone := [label for label in labels if label not in "".join([result, *terms])]:
        terms.append("".join(alone))
        others.append(np.ones([x.shape[labels.index(label) - len(labels)] for label in alone], g.dtype))
    return np.einsum(",".join([result, *terms]) + "->" + mine, g, *others, optimize=True)


PRODUCTS: dict[Callable, Any] = {
    np.matmul: (matmul_left, matmul_right),
    np.vecdot: (lambda g, out, a, b: np.expand_dims(g, -1) * b, lambda g, out, a, b: np.expand_dims(g, -1) * a),
    einsum: ForEach(einsum_vjp),
}

VJP: dict[Callable, Any] = {**ELEMENTWISE, **REDUCTIONS, **PRODUCTS, **MOVEMENT}

CONSTANT: set[Callable] = {
    # steps: flat between the jumps
    *(np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round, np.around, np.floor_divide, np.heaviside, np.signbit),
    # questions with the answer yes or no
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isclose, np.allclose),
    *(np.array_equal, np.isnan, np.isfinite, np.isinf, np.isneginf, np.isposinf),
    *(np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.all, np.any),
    # questions about places, counts and shapes
    *(np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nonzero, np.flatnonzero, np.count_nonzero),
    *(np.searchsorted, np.digitize, np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj),
    *(np.zeros_like, np.ones_like, np.empty_like),
}
