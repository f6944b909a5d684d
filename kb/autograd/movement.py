"""Functions that only move numbers about: backwards, every number's gradient travels home the way the number came.

Reshaping, transposing, slicing, joining and cutting into windows are linear and compute nothing, so their derivative
is their *transpose*: the same journey in the other direction. Where a number was copied (`broadcast_to`, a row that is
looked up twice, a pixel seen by nine windows), the gradients of its copies add up; where a number was dropped, the
gradient is zero.

The rows of the table have the form ``function: (rule for argument 0, rule for argument 1, ...)`` and each rule is
``rule(g, out, *args, **kwargs) -> dL/d(that argument)``, with g = dL/d(out). Rules say it in NumPy functions, so a
rule can itself be differentiated (second derivatives).
"""

import functools
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kb.protocol import overridable


class ForEach:
    """A row of the table for a function of any number of arrays: one rule, which is told the argument's number."""

    def __init__(self, rule: Callable):
        self.rule = rule

    def __getitem__(self, i: int) -> Callable:
        return functools.partial(self.rule, i)

    def __len__(self) -> int:
        return sys.maxsize


# ---- look up and put back --------------------------------------------------------------------------------------------
BASIC_INDEX = (int, np.integer, slice, type(None), type(Ellipsis))


@overridable
def scatter(g, index, shape):
    """Add every element of `g` into zeros of `shape`, at the place that `x[index]` read it from."""
    out = np.zeros(shape, g.dtype)
    if all(isinstance(part, BASIC_INDEX) for part in (index if isinstance(index, tuple) else (index,))):
        out[index] = g  # slices never read an element twice
    else:
        np.add.at(out, index, g)  # an index array may: the row of a word that occurs three times
    return out


@overridable
def cast(x, dtype):
    """`x` in another floating-point type."""
    return x.astype(dtype)


# ---- join and pad ----------------------------------------------------------------------------------------------------
@overridable
def concatenate(axis, *arrays):
    """np.concatenate with the arrays as separate arguments, so that each can have its own gradient."""
    return np.concatenate(arrays, axis)


def concatenate_vjp(i, g, out, axis, *arrays):
    """Each array gets back the part of `g` that stands where it stood."""
    start = sum(np.shape(a)[axis] for a in arrays[: i - 1])
    stop = start + np.shape(arrays[i - 1])[axis]
    return g[(slice(None),) * (axis % out.ndim) + (slice(start, stop),)]


pad = overridable(np.pad)


def pad_vjp(g, out, x, pad_width, *, constant_values=0):
    """The border was constant: cut it off."""
    widths = np.broadcast_to(pad_width, (x.ndim, 2))
    return g[tuple(slice(int(before), int(before) + n) for (before, _), n in zip(widths, x.shape, strict=True))]


# ---- windows ---------------------------------------------------------------------------------------------------------
@overridable
def fold(g, shape, axes):
    """Add overlapping windows back into an array of `shape` (col2im): the transpose of `sliding_window_view`.

    g (..., *window), window sizes along `axes` -> shape
    """
    total = np.zeros(shape, g.dtype)
    for offset in np.ndindex(*g.shape[len(shape) :]):  # one step per place in the window, not per window
        start = [0] * len(shape)
        for axis, step in zip(axes, offset, strict=True):
            start[axis] += step
        where = tuple(slice(s, s + n) for s, n in zip(start, g.shape, strict=False))
        total[where] += g[(..., *offset)]
    return total


def sliding_window_vjp(g, out, x, window_shape, axis=None):
    """An element is seen by every window that covers it, so its gradients from all of them add up."""
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis) % x.ndim
    return fold(g, x.shape, tuple(int(a) for a in axes))


def fold_vjp(gg, out, g, shape, axes):
    """The transpose of the transpose: cut windows again."""
    return sliding_window_view(gg, g.shape[len(shape) :], axis=axes)


# ---- turn and sum along ----------------------------------------------------------------------------------------------
def transpose_vjp(g, out, x, axes=None):
    """Undo a permutation of the axes: argsort of a permutation is its inverse."""
    return np.transpose(g) if axes is None else np.transpose(g, np.argsort(np.mod(axes, x.ndim)))


def cumsum_vjp(g, out, x, axis=None):
    """Element i is in every running sum from i on, so its gradient is the running sum of `g` from the far end."""
    along = 0 if axis is None else axis  # without an axis NumPy flattens first
    return np.flip(np.cumsum(np.flip(g, along), along), along).reshape(x.shape)


MOVEMENT: dict[Callable, Any] = {
    # the same numbers under another shape
    np.reshape: (lambda g, out, x, shape: g.reshape(x.shape),),
    np.squeeze: (lambda g, out, x, axis=None: g.reshape(x.shape),),
    np.expand_dims: (lambda g, out, x, axis: g.reshape(x.shape),),
    np.broadcast_to: (lambda g, out, x, shape: g,),  # the engine adds the copies up, as it does for every function
    # the same numbers in another order
    np.transpose: (transpose_vjp,),
    np.swapaxes: (lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2),),
    np.moveaxis: (lambda g, out, x, source, destination: np.moveaxis(g, destination, source),),
    np.flip: (lambda g, out, x, axis=None: np.flip(g, axis),),
    np.roll: (lambda g, out, x, shift, axis=None: np.roll(g, np.negative(shift), axis),),
    # some of the numbers, the others dropped
    operator.getitem: (lambda g, out, x, index: scatter(g, index, x.shape),),
    scatter: (lambda gg, out, g, index, shape: gg[index],),
    np.tril: (lambda g, out, m, k=0: np.tril(g, k),),
    np.triu: (lambda g, out, m, k=0: np.triu(g, k),),
    # several arrays made one, a border added, windows cut
    concatenate: ForEach(concatenate_vjp),
    pad: (pad_vjp,),
    sliding_window_view: (sliding_window_vjp,),
    fold: (fold_vjp,),
    # linear, though it adds
    np.cumsum: (cumsum_vjp,),
    # the same numbers in another precision
    cast: (lambda g, out, x, dtype: cast(g, x.dtype),),
}
