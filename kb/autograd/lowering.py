"""Functions that are other functions in disguise: LOWER says them with functions that have a derivative rule.

Where a function is a composition, the chain rule already knows its derivative: `np.stack` is `np.concatenate` of arrays
with a new axis, `np.trace` is the sum of a diagonal, sorting is looking the numbers up in another order. A function
here is ordinary NumPy code. It takes the arguments of its namesake that it can honour and no others, so that the engine
refuses the rest (``order=``, ``dtype=``, ``where=``, ...) instead of ignoring them.
"""

import re
from collections.abc import Callable

import numpy as np

from kb.autograd import movement, rules
from kb.protocol import Traced


# ---- a variable against a constant -----------------------------------------------------------------------------------
def maximum(x, y):
    """Two variables that tie share the gradient; a variable that ties with a constant gets none: relu'(0) = 0."""
    if isinstance(x, Traced) and isinstance(y, Traced):
        return rules.larger(x, y)
    return rules.at_least(x, y) if isinstance(x, Traced) else rules.at_least(y, x)


def minimum(x, y):
    """The mirror image of `maximum`."""
    if isinstance(x, Traced) and isinstance(y, Traced):
        return rules.smaller(x, y)
    return rules.at_most(x, y) if isinstance(x, Traced) else rules.at_most(y, x)


# ---- join and split --------------------------------------------------------------------------------------------------
def concatenate(arrays, axis=0):
    """Join along an axis that is there; without one, the flattened arrays."""
    if axis is None:
        return movement.concatenate(0, *(np.ravel(a) for a in arrays))
    return movement.concatenate(axis, *arrays)


def stack(arrays, axis=0):
    """Join along a new axis."""
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis)


def split(ary, indices_or_sections, axis=0):
    """One slice for each part."""
    n, cuts = ary.shape[axis], indices_or_sections
    if isinstance(cuts, (int, np.integer)):
        if n % cuts:
            raise ValueError(f"np.split: an axis of length {n} does not divide into {cuts} equal parts")
        cuts = range(n // cuts, n, n // cuts)
    lead = (slice(None),) * (axis % ary.ndim)
    return [ary[(*lead, slice(a, b))] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]


def repeat(a, repeats, axis=None):
    """A new axis of copies behind the old one, and the two made one."""
    if np.ndim(repeats):
        raise TypeError("np.repeat on a Tensor takes one number of repeats for all elements")
    if axis is None:
        a, axis = np.ravel(a), 0
    axis, shape = axis % a.ndim + 1, list(a.shape)
    copies = np.broadcast_to(np.expand_dims(a, axis), [*shape[:axis], repeats, *shape[axis:]])
    return np.reshape(copies, [*shape[: axis - 1], shape[axis - 1] * repeats, *shape[axis:]])


def tile(a, reps):
    """A new axis of copies before every old one, and the two made one."""
    reps = np.atleast_1d(reps).tolist()
    reps, shape = [1] * (a.ndim - len(reps)) + reps, [1] * (len(reps) - a.ndim) + list(a.shape)
    pairs = np.reshape(a, [n for length in shape for n in (1, length)])
    copies = np.broadcast_to(pairs, [n for pair in zip(reps, shape, strict=True) for n in pair])
    return np.reshape(copies, [r * n for r, n in zip(reps, shape, strict=True)])


def pad(array, pad_width, mode="constant", *, constant_values=0):
    """Only a border of constants: the other modes copy numbers from inside."""
    if mode != "constant":
        raise TypeError(f"np.pad on a Tensor has no rule for mode={mode!r}: build the border with np.concatenate")
    return movement.pad(array, pad_width, constant_values=constant_values)


# ---- look up ---------------------------------------------------------------------------------------------------------
def take(a, indices, axis=None):
    """Indexing, said as a function."""
    return np.ravel(a)[indices] if axis is None else a[(slice(None),) * (axis % a.ndim) + (indices,)]


def take_along_axis(arr, indices, axis=-1):
    """Indexing in which every other axis runs along with its own position."""
    if axis is None:
        return np.ravel(arr)[indices]
    positions = np.ogrid[tuple(slice(n) for n in arr.shape)]
    return arr[tuple(indices if d == axis % arr.ndim else p for d, p in enumerate(positions))]


def sort(a, axis=-1):
    """A permutation, found by argsort and held still."""
    return take_along_axis(a, np.argsort(a, axis=axis), axis)


def diagonal(a, offset=0, axis1=0, axis2=1):
    """The elements (i, i + offset)."""
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = a.shape[-2:]
    i = np.arange(max(0, -offset), min(rows, columns - offset))
    return a[..., i, i + offset]


def diag(v, k=0):
    """A matrix with `v` on diagonal k; of a matrix, its diagonal k."""
    if v.ndim == 2:
        return diagonal(v, k)
    line = np.pad(v, (abs(k), 0))  # (n,): v at the columns that hold it, or at the rows where k < 0
    return np.where(np.eye(len(line), k=k, dtype=bool), line if k >= 0 else line[:, None], 0)


# ---- sums and products -----------------------------------------------------------------------------------------------
def dot(a, b):
    """The matrix product; beyond two axes np.dot pairs axes in a way that nobody expects."""
    if not 1 <= np.ndim(a) <= 2 or not 1 <= np.ndim(b) <= 2:
        raise TypeError(f"np.dot of shapes {np.shape(a)} and {np.shape(b)} on a Tensor: use *, np.matmul or np.einsum")
    return np.matmul(a, b)


def norm(x, ord=None, axis=None, keepdims=False):
    """The length sqrt(sum x^2), of vectors or of all entries together."""
    if ord is not None and (ord != 2 or (x.ndim != 1 if axis is None else np.ndim(axis))):
        raise TypeError(f"np.linalg.norm on a Tensor has a rule for the length only, not for ord={ord!r} here")
    return rules.norm(x, axis=axis, keepdims=keepdims)


def prod(a, axis=None, *, keepdims=False):
    """A tree of multiplications, halves with halves: no division by the factors, so a factor of zero does no harm."""
    shape = np.shape(np.sum(np.zeros(a.shape), axis=axis, keepdims=keepdims))
    axes = range(a.ndim) if axis is None else np.atleast_1d(axis) % a.ndim
    rest = [d for d in range(a.ndim) if d not in axes]
    x = np.reshape(np.transpose(a, [*axes, *rest]), (-1, *(a.shape[d] for d in rest)))  # (n, ...): factors first
    while len(x) > 1:
        half = len(x) // 2
        x = np.concatenate([x[:half] * x[half : 2 * half], x[2 * half :]])
    return np.reshape(x, shape)


def diff(a, n=1, axis=-1):
    """Each element minus the one before it, n times."""
    lead = (slice(None),) * (axis % a.ndim)
    for _ in range(n):
        a = a[(*lead, slice(1, None))] - a[(*lead, slice(None, -1))]
    return a


def einsum(subscripts, *operands, optimize=False):
    """Refuse what the derivative rule does not cover: it needs a label once per operand, and of one size."""
    if not isinstance(subscripts, str) or "->" not in subscripts:
        raise TypeError(f"np.einsum on a Tensor needs a string that names its result, 'ij,jk->ik', not {subscripts!r}")
    terms = re.split(",|->", subscripts.replace(" ", ""))
    for term in terms:
        if not re.fullmatch(r"(\.\.\.)?[A-Za-z]*", term) or len(set(term) - {"."}) < len(term.removeprefix("...")):
            raise TypeError(f"np.einsum({subscripts!r}) on a Tensor: '...' comes first, and a label once per operand")
    sizes: dict[str, int] = {}
    for term, x in zip(terms[:-1], operands, strict=True):
        letters = term.removeprefix("...")
        for letter, size in zip(letters, np.shape(x)[np.ndim(x) - len(letters) :], strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"np.einsum({subscripts!r}): {letter!r} is {sizes[letter]} long and {size} long")
    return rules.einsum(subscripts, *operands, optimize=optimize)


LOWER: dict[Callable, Callable] = {
    np.maximum: maximum,
    np.minimum: minimum,
    np.concatenate: concatenate,
    np.stack: stack,
    np.split: split,
    np.repeat: repeat,
    np.tile: tile,
    np.pad: pad,
    np.ravel: lambda a: np.reshape(a, -1),
    np.matrix_transpose: lambda x: np.swapaxes(x, -1, -2),
    np.copy: lambda a: np.positive(a),
    np.full_like: lambda a, fill_value: np.full(a.shape, fill_value, a.dtype),
    np.take: take,
    np.take_along_axis: take_along_axis,
    np.sort: sort,
    np.diagonal: diagonal,
    np.diag: diag,
    np.trace: lambda a, offset=0, axis1=0, axis2=1: np.sum(diagonal(a, offset, axis1, axis2), axis=-1),
    np.dot: dot,
    np.vdot: lambda a, b: np.matmul(np.ravel(a), np.ravel(b)),
    np.outer: lambda a, b: np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1)),
    np.linalg.norm: norm,
    np.prod: prod,
    np.diff: diff,
    np.einsum: einsum,
}
