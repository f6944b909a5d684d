"""Every row of the tables VJP and LOWER, one example or more each: a row without an example fails.

For each example: the value is what NumPy gives; the gradient is the central difference; so is the gradient of the
gradient; float32 stays float32. Kinks and ties have tests of their own.
"""

import operator

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kb.autograd import backward, movement, rules
from kb.autograd.backward import bring_home
from kb.autograd.check import check_gradient
from kb.autograd.lowering import LOWER
from kb.autograd.rules import VJP
from kb.autograd.tensor import Tensor, grad, label, value_and_grad
from kb.structure.activation_functions import gelu

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape)


def positive(*shape):
    return rng.uniform(0.5, 2.0, shape)


def between(low, high, *shape):
    return rng.uniform(low, high, shape)


WORDS = np.array([[0, 2, 2], [1, 1, 1]])  # the same row is looked up several times
CHOICE = rng.random((3, 4)) < 0.5
SIGNS = np.sign(normal(3, 4))

# function of the table -> [(call, its arguments), ...]
EXAMPLES = {
    np.add: [(np.add, normal(3, 4), normal(4)), (lambda x: 2 + x + np.ones((3, 1)), normal(4))],
    np.subtract: [(np.subtract, normal(3, 4), normal(3, 1)), (lambda x: 1.5 - x, normal(2))],
    np.multiply: [(np.multiply, normal(2, 3, 4), normal(3, 1)), (lambda x: x * x, normal(3))],
    np.divide: [(np.divide, normal(3, 4), positive(4)), (lambda x: 1 / x, positive(3))],
    np.remainder: [(np.remainder, between(4.1, 5.9, 3), between(1.5, 2.0, 3)), (lambda x: x % 2, between(4.1, 5.9, 3))],
    np.power: [(np.power, positive(3, 4), normal(4)), (lambda x: np.power(x, 3), normal(4))],
    operator.pow: [(lambda x, y: x**y, positive(3), normal(3)), (lambda x: 2**x + x**2 + x**-1.0, positive(4))],
    np.hypot: [(np.hypot, normal(3), normal(3))],
    np.arctan2: [(np.arctan2, normal(3), normal(3))],
    np.logaddexp: [(np.logaddexp, normal(3, 4), normal(4)), (lambda x: np.logaddexp(0, x), 30 * normal(4))],
    np.copysign: [(lambda x: np.copysign(x, SIGNS), normal(3, 4))],
    np.maximum: [(np.maximum, normal(3, 4), normal(4)), (lambda x: np.maximum(x, 0), normal(3, 4))],
    np.minimum: [(np.minimum, normal(3, 4), normal(4)), (lambda x: np.minimum(0.5, x), normal(3, 4))],
    np.where: [
        (lambda x, y: np.where(CHOICE, x, y), normal(3, 4), normal(4)),
        (lambda x: np.where(x > 0, x, 0.1 * x), normal(5)),
    ],
    np.clip: [
        (lambda x: np.clip(x, -0.5, 0.5), normal(3, 4)),
        (lambda x: np.clip(x, None, 0.5), normal(3)),
        (lambda x: np.clip(x, min=-0.5), normal(3)),
        (lambda x: np.clip(x, a_min=0, a_max=None), normal(3)),
    ],
    np.absolute: [(np.absolute, normal(3, 4))],
    np.fabs: [(np.fabs, normal(3))],
    np.positive: [(np.positive, normal(3))],
    np.negative: [(np.negative, normal(3))],
    np.square: [(np.square, normal(3))],
    np.reciprocal: [(np.reciprocal, positive(3))],
    np.sqrt: [(np.sqrt, positive(3))],
    np.cbrt: [(np.cbrt, positive(3))],
    np.exp: [(np.exp, normal(3, 4))],
    np.exp2: [(np.exp2, normal(3))],
    np.expm1: [(np.expm1, normal(3))],
    np.log: [(np.log, positive(3))],
    np.log2: [(np.log2, positive(3))],
    np.log10: [(np.log10, positive(3))],
    np.log1p: [(np.log1p, positive(3))],
    np.sin: [(np.sin, normal(3))],
    np.cos: [(np.cos, normal(3))],
    np.tan: [(np.tan, between(-1, 1, 3))],
    np.arcsin: [(np.arcsin, between(-0.9, 0.9, 3))],
    np.arccos: [(np.arccos, between(-0.9, 0.9, 3))],
    np.arctan: [(np.arctan, normal(3))],
    np.sinh: [(np.sinh, normal(3))],
    np.cosh: [(np.cosh, normal(3))],
    np.tanh: [(np.tanh, normal(3))],
    gelu: [(gelu, normal(3)), (lambda x: gelu(x, approximate="tanh"), normal(2, 3))],
    # reductions
    np.sum: [
        (np.sum, normal(3, 4)),
        (lambda x: np.sum(x, axis=1), normal(3, 4)),
        (lambda x: np.sum(x, axis=(0, -1), keepdims=True), normal(2, 3, 4)),
        (lambda x: np.add.reduce(x), normal(3, 4)),
    ],
    np.mean: [(np.mean, normal(3, 4)), (lambda x: np.mean(x, axis=(0, 2), keepdims=True), normal(2, 3, 4))],
    np.var: [
        (np.var, normal(3, 4)),
        (lambda x: np.var(x, axis=-1, keepdims=True), normal(3, 5)),
        (lambda x: np.var(x, axis=0, ddof=1), normal(4, 3)),
    ],
    np.std: [(np.std, normal(3, 4)), (lambda x: np.std(x, axis=(0, 1)), normal(2, 3, 4))],
    np.linalg.norm: [
        (np.linalg.norm, normal(3, 4)),
        (lambda x: np.linalg.norm(x, axis=-1, keepdims=True), normal(3, 4)),
        (lambda x: np.linalg.norm(x, axis=(0, 2)), normal(2, 3, 2)),
        (lambda x: np.linalg.norm(x, ord=2, axis=-1), normal(3, 4)),
        (lambda x: np.linalg.norm(x, 2), normal(4)),
    ],
    np.max: [(np.max, normal(3, 4)), (lambda x: np.max(x, axis=1), normal(3, 5))],
    np.min: [(np.min, normal(3, 4)), (lambda x: np.min(x, axis=(0, 2), keepdims=True), normal(2, 3, 2))],
    np.amax: [(lambda x: np.amax(x, axis=0), normal(3, 4))],
    np.amin: [(lambda x: np.amin(x, axis=0), normal(3, 4))],
    np.prod: [
        (np.prod, normal(5)),
        (lambda x: np.prod(x, axis=1), normal(2, 5, 3)),
        (lambda x: np.prod(x, axis=(0, -1), keepdims=True), normal(2, 3, 2)),
        (np.prod, np.array([0.0, 2.0, 3.0])),  # a zero: its own slope is 6, the others have 0
        (np.prod, np.array([0.0, 0.0, 3.0])),
        (np.prod, np.array(1.5)),
    ],
    # products
    np.matmul: [
        (np.matmul, normal(3, 4), normal(4, 2)),
        (np.matmul, normal(3, 4), normal(4)),
        (np.matmul, normal(3), normal(3, 4)),
        (np.matmul, normal(4), normal(4)),
        (np.matmul, normal(2, 3, 4), normal(4)),
        (np.matmul, normal(4), normal(2, 4, 3)),
        (np.matmul, normal(2, 1, 3, 4), normal(3, 4, 2)),
        (np.matmul, normal(2, 3, 4), normal(4, 2)),
        (np.matmul, normal(3, 4), normal(2, 4, 2)),
        (lambda x: [[1.0, 2.0], [3.0, 4.0]] @ x @ [1.0, 2.0], normal(2, 2)),
    ],
    np.vecdot: [(np.vecdot, normal(3, 4), normal(4)), (np.vecdot, normal(4), normal(4))],
    np.dot: [
        (np.dot, normal(3, 4), normal(4, 2)),
        (np.dot, normal(3), normal(3)),
        (np.dot, normal(3, 4), normal(4)),
    ],
    np.vdot: [(np.vdot, normal(2, 3), normal(2, 3))],
    np.outer: [(np.outer, normal(3), normal(2, 2))],
    np.einsum: [
        (lambda a, b: np.einsum("bhqd,bhkd->bhqk", a, b), normal(2, 2, 3, 2), normal(2, 2, 2, 2)),
        (lambda a, b: np.einsum("...ij,jk->...ik", a, b, optimize=True), normal(2, 3, 4), normal(4, 2)),
        (lambda a, b: np.einsum("...i,...i->...", a, b), normal(3), normal(2, 3)),
        (lambda a, b: np.einsum("ij, k -> k", a, b), normal(2, 3), normal(4)),  # i and j are summed away alone
        (lambda a: np.einsum("...ijk->...k", a), normal(2, 3, 2, 2)),
        (lambda a, b, c: np.einsum("ij,jk,kl->il", a, b, c), normal(2, 3), normal(3, 2), normal(2, 2)),
    ],
    # movement
    np.reshape: [(lambda x: np.reshape(x, (4, -1)), normal(2, 6)), (lambda x: x.reshape(3, 4), normal(2, 6))],
    np.ravel: [(np.ravel, normal(2, 3))],
    np.squeeze: [(np.squeeze, normal(1, 3, 1)), (lambda x: np.squeeze(x, axis=0), normal(1, 3, 1))],
    np.expand_dims: [(lambda x: np.expand_dims(x, (0, -1)), normal(2, 3))],
    np.broadcast_to: [(lambda x: np.broadcast_to(x, (5, 3, 4)), normal(3, 1))],
    np.transpose: [(np.transpose, normal(2, 3, 4)), (lambda x: np.transpose(x, (2, 0, -2)), normal(2, 3, 4))],
    np.swapaxes: [(lambda x: np.swapaxes(x, 0, -1), normal(2, 3, 4))],
    np.matrix_transpose: [(np.matrix_transpose, normal(2, 3, 4))],
    np.moveaxis: [(lambda x: np.moveaxis(x, (0, 1), (-1, 0)), normal(2, 3, 4))],
    np.flip: [(np.flip, normal(2, 3)), (lambda x: np.flip(x, axis=(0, -1)), normal(2, 3, 4))],
    np.roll: [(lambda x: np.roll(x, 2), normal(2, 3)), (lambda x: np.roll(x, (1, -1), axis=(0, 1)), normal(3, 4))],
    operator.getitem: [
        (lambda x: x[:, ::2, None, -1], normal(2, 5, 3)),
        (lambda x: x[..., ::-1], normal(2, 3)),
        (lambda x: x[WORDS], normal(4, 3)),
        (lambda x: x[[0, 0, 2]], normal(4, 3)),
        (lambda x: x[np.array([True, False, True])], normal(3, 4)),
        (lambda x: x[np.arange(3), np.array([0, 0, 1])], normal(3, 4)),
    ],
    np.take: [(lambda x: np.take(x, WORDS, axis=1), normal(2, 4)), (lambda x: np.take(x, [5, 5]), normal(2, 3))],
    np.take_along_axis: [
        (lambda x: np.take_along_axis(x, np.array([[0, 0], [2, 1]]), axis=1), normal(2, 3)),
        (lambda x: np.take_along_axis(x, np.array([[1]]), axis=0), normal(2, 3)),
        (lambda x: np.take_along_axis(x, np.array([4, 4]), axis=None), normal(2, 3)),
    ],
    np.sort: [(np.sort, normal(2, 5)), (lambda x: np.sort(x, axis=0), normal(5, 2))],
    np.diagonal: [(np.diagonal, normal(3, 4)), (lambda x: np.diagonal(x, -1, 0, 2), normal(3, 2, 4))],
    np.diag: [(np.diag, normal(3)), (lambda x: np.diag(x, 2), normal(3)), (lambda x: np.diag(x, -1), normal(3, 2))],
    np.trace: [(np.trace, normal(3, 3)), (lambda x: np.trace(x, offset=1, axis1=1, axis2=2), normal(2, 3, 4))],
    np.tril: [(np.tril, normal(4, 4))],
    np.triu: [(lambda x: np.triu(x, k=1), normal(2, 3, 4))],
    np.concatenate: [
        (lambda x, y: np.concatenate([x, y, x], axis=-1), normal(3, 4), normal(3, 2)),
        (lambda x: np.concatenate([np.ones((3, 1)), x], axis=1), normal(3, 4)),
        (lambda x, y: np.concatenate([x, y], axis=None), normal(2, 2), normal(3)),
    ],
    np.stack: [(lambda x, y: np.stack([x, y], axis=1), normal(3, 4), normal(3, 4))],
    np.split: [
        (lambda x: np.split(x, 3, axis=-1)[1], normal(2, 6)),
        (lambda x: np.split(x, [1, 3], axis=0)[1] * np.split(x, 2)[0], normal(4, 2)),
    ],
    np.repeat: [(lambda x: np.repeat(x, 2, axis=-2), normal(2, 3, 4)), (lambda x: np.repeat(x, 3), normal(2, 2))],
    np.tile: [(lambda x: np.tile(x, 3), normal(2, 3)), (lambda x: np.tile(x, (2, 1, 3)), normal(2, 3))],
    np.pad: [
        (lambda x: np.pad(x, 1), normal(2, 3)),
        (lambda x: np.pad(x, ((1, 2), (0, 1)), mode="constant", constant_values=7), normal(2, 3)),
    ],
    sliding_window_view: [
        (lambda x: sliding_window_view(x, (2, 3), axis=(1, 2)), normal(2, 4, 5)),
        (lambda x: sliding_window_view(x, 2, axis=-1)[:, ::2], normal(2, 6)),
        (lambda x: sliding_window_view(x, (2, 2)), normal(3, 3)),
    ],
    np.cumsum: [(lambda x: np.cumsum(x, axis=-1), normal(2, 5)), (np.cumsum, normal(2, 3))],
    np.diff: [(np.diff, normal(2, 5)), (lambda x: np.diff(x, n=2, axis=0), normal(5, 2))],
    np.copy: [(np.copy, normal(3))],
    np.full_like: [(lambda x: x * np.full_like(x, 0.5), normal(3))],
    # the engine's own functions
    rules.larger: [(rules.larger, normal(3), normal(3))],
    rules.smaller: [(rules.smaller, normal(3), normal(3))],
    rules.at_least: [(lambda x: rules.at_least(x, 0.0), normal(4))],
    rules.at_most: [(lambda x: rules.at_most(x, 0.0), normal(4))],
    rules.norm: [(rules.norm, normal(3))],
    rules.einsum: [(lambda x, y: rules.einsum("i,j->ij", x, y), normal(2), normal(3))],
    movement.scatter: [
        (lambda g: movement.scatter(g, WORDS, (4, 2)), normal(2, 3, 2)),
        (lambda g: movement.scatter(g, (slice(None), -1), (3, 2)), normal(3)),
    ],
    movement.fold: [(lambda g: movement.fold(g, (4, 5), (0, 1)), normal(3, 4, 2, 2))],
    movement.concatenate: [(lambda x, y: movement.concatenate(0, x, y), normal(2), normal(3))],
    movement.pad: [(lambda x: movement.pad(x, (1, 2)), normal(2))],
    movement.cast: [(lambda x: x.astype(x.dtype), normal(2))],
}
CASES = [
    pytest.param(func, call, arrays, id=f"{label(func)}-{k}")
    for func, examples in EXAMPLES.items()
    for k, (call, *arrays) in enumerate(examples)
]
each_example = pytest.mark.parametrize(("func", "call", "arrays"), CASES)


def test_every_row_of_the_tables_has_an_example():
    assert set(EXAMPLES) == set(VJP) | set(LOWER)


@each_example
def test_the_value_is_numpys(func, call, arrays):
    ours, plain = call(*map(Tensor, arrays)), call(*arrays)
    assert isinstance(ours, Tensor)
    assert isinstance(plain, np.ndarray | np.generic)
    assert ours.shape == np.shape(plain)
    if func is np.prod:  # a tree of products rounds differently than a chain: one rounding per factor
        np.testing.assert_allclose(ours.data, plain, rtol=8 * 2.0**-52)
    else:
        np.testing.assert_array_equal(ours.data, plain)


@each_example
def test_the_gradient_is_the_central_difference(func, call, arrays):
    check_gradient(call, *arrays)


@each_example
def test_the_gradient_has_a_gradient(func, call, arrays):
    # a sine behind the function, so that a linear function has a second derivative too
    check_gradient(grad(lambda *args: np.sum(np.sin(call(*args)))), *arrays)


@each_example
def test_float32_stays_float32(monkeypatch, func, call, arrays):
    def loss(params):
        return np.sum(np.sin(call(*params.values())))

    def strict(g, x):
        assert g.dtype == x.dtype, f"the rule turned {x.dtype} into {g.dtype}"
        return bring_home(g, x)

    params = dict(enumerate(arrays))
    narrow = {i: a.astype(np.float32) for i, a in params.items()}
    if call(*narrow.values()).dtype == np.float32:  # no float64 constant among the arguments
        monkeypatch.setattr(backward, "bring_home", strict)
    value, gradients = value_and_grad(loss)(narrow)
    monkeypatch.undo()
    assert value.dtype == call(*narrow.values()).dtype
    for i, expected in value_and_grad(loss)(params)[1].items():
        assert gradients[i].dtype == np.float32
        np.testing.assert_allclose(gradients[i], expected, rtol=1e-3, atol=1e-4)


# ---- computed by hand ------------------------------------------------------------------------------------------------
def gradient_of_sum(f, *arrays):
    leaves = [Tensor(np.array(a, float)) for a in arrays]
    np.sum(f(*leaves)).backward()
    return [leaf.grad.tolist() for leaf in leaves]


def test_a_broadcast_argument_gets_the_sum_over_its_copies():
    row, column = gradient_of_sum(lambda x, y: x * y, [[1, 2, 3]], [[10], [20]])
    assert row == [[30, 30, 30]]
    assert column == [[6], [6]]


def test_a_row_that_is_looked_up_twice_gets_both_gradients():
    assert gradient_of_sum(lambda x: x[np.array([0, 2, 2])] * np.array([1, 10, 100]), [1, 1, 1]) == [[1, 0, 110]]


def test_windows_add_up_where_they_overlap():
    assert gradient_of_sum(lambda x: sliding_window_view(x, 3), [0, 0, 0, 0, 0]) == [[1, 2, 3, 2, 1]]


def test_matrix_product():
    a, b = gradient_of_sum(np.matmul, [[1, 2], [3, 4]], [[5, 6], [7, 8]])
    assert a == [[11, 15], [11, 15]]  # the row sums of b
    assert b == [[4, 4], [6, 6]]  # the column sums of a


# ---- kinks and ties --------------------------------------------------------------------------------------------------
def test_a_tie_with_a_constant_has_slope_zero_and_two_variables_share():
    assert gradient_of_sum(lambda x: np.maximum(x, 0), [-1, 0, 1]) == [[0, 0, 1]]
    assert gradient_of_sum(lambda x: np.maximum(np.zeros(3), x), [-1, 0, 1]) == [[0, 0, 1]]
    assert gradient_of_sum(lambda x: np.minimum(x, 0), [-1, 0, 1]) == [[1, 0, 0]]
    assert gradient_of_sum(np.maximum, [1, 2, 3], [2, 2, 2]) == [[0, 0.5, 1], [1, 0.5, 0]]
    assert gradient_of_sum(np.minimum, [1, 2, 3], [2, 2, 2]) == [[1, 0.5, 0], [0, 0.5, 1]]


def test_clip_has_slope_one_on_its_bounds():
    assert gradient_of_sum(lambda x: np.clip(x, -1, 1), [-2, -1, 0, 1, 2]) == [[0, 1, 1, 1, 0]]


def test_ties_of_a_maximum_over_an_axis_share():
    assert gradient_of_sum(np.max, [1, 2, 2]) == [[0, 0.5, 0.5]]
    assert gradient_of_sum(lambda x: np.min(x, axis=1), [[1, 1], [3, 2]]) == [[[0.5, 0.5], [0, 1]]]


def test_kinks_at_zero_have_slope_zero():
    assert gradient_of_sum(np.abs, [-1, 0, 1]) == [[-1, 0, 1]]
    assert gradient_of_sum(np.linalg.norm, [0, 0]) == [[0, 0]]
    assert gradient_of_sum(np.std, [2, 2]) == [[0, 0]]


def test_powers_at_zero():
    assert gradient_of_sum(lambda x: x**2, [0, 3]) == [[0, 6]]
    assert gradient_of_sum(lambda x: x**1, [0, 3]) == [[1, 1]]
    assert gradient_of_sum(lambda x: x**0, [0, 3]) == [[0, 0]]
    assert gradient_of_sum(np.power, [0, 0, 0], [0, 1, 2]) == [[0, 1, 0], [0, 0, 0]]


# ---- one table at a time ---------------------------------------------------------------------------------------------
def test_the_tables_do_not_overlap():
    assert not set(VJP) & set(LOWER)
    assert not (set(VJP) | set(LOWER)) & rules.CONSTANT


QUESTIONS = {
    np.round: lambda x: np.round(x, 1),
    np.around: lambda x: np.around(x, 1),
    np.argpartition: lambda x: np.argpartition(x, 1),
    np.searchsorted: lambda x: np.searchsorted(np.arange(3.0), x),
    np.digitize: lambda x: np.digitize(x, np.arange(3.0)),
}
TWO = {np.floor_divide, np.heaviside, np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal}
TWO |= {np.isclose, np.allclose, np.array_equal, np.logical_and, np.logical_or, np.logical_xor}


@pytest.mark.parametrize("func", sorted(rules.CONSTANT, key=label), ids=label)
def test_constant_functions_give_plain_answers(func):
    x = np.array([1.4, -0.6, 1.4])
    call = QUESTIONS.get(func, (lambda t: func(t, 0.5)) if func in TWO else func)
    ours, plain = call(Tensor(x)), call(x)
    assert not isinstance(ours, Tensor)
    if func is not np.empty_like:
        np.testing.assert_equal(ours, plain)
