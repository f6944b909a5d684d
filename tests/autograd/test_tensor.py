"""The Tensor itself: what it records, what `backward` leaves behind, and what it refuses."""

import gc
import math
import weakref

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kb.autograd import tensor
from kb.autograd.backward import backpropagate, tape, unbroadcast
from kb.autograd.rules import VJP
from kb.autograd.tensor import Tensor


def leaf(*numbers, dtype=float):
    return Tensor(np.array(numbers, dtype))


# ---- what is recorded ------------------------------------------------------------------------------------------------
def test_a_tensor_tells_what_made_it():
    w, x = leaf(1.0, 2.0), np.array([3.0, 4.0])
    product = w * x
    loss = np.sum(product)
    assert (w.op, w.parents) == (None, ())
    assert (product.op, product.parents) == ("multiply", (w,))
    assert (loss.op, loss.parents) == ("sum", (product,))
    assert (w @ w).parents == (w, w)
    assert [t.op for t in (w + w, w**2, w[0], np.maximum(w, 0))] == ["add", "pow", "getitem", "maximum"]
    assert np.concatenate([w, x, w]).op == "concatenate"
    assert np.concatenate([w, x, w]).parents == (w, w)
    assert repr(loss) == "Tensor(array(11.), op='sum')"
    assert repr(w) == "Tensor(array([1., 2.]))"


def test_the_tape_holds_every_tensor_once_and_the_newest_first():
    a = leaf(2.0)
    b = a * a
    c = b + a
    assert tape(c) == [c, b, a]


def test_the_gradient_of_every_tensor_can_be_watched():
    x = leaf(3.0)
    y = x * x  # 9
    z = y + x  # 12, dz/dx = 2 x + 1
    seen = {t: g.item() for t, g in backpropagate(tape(z), np.ones(1))}
    assert seen == {z: 1, y: 1, x: 7}


# ---- backward, by hand -----------------------------------------------------------------------------------------------
def test_a_small_expression_by_hand():
    x, y = Tensor(2.0), Tensor(-3.0)
    z = x * y + np.maximum(y, 0) + x / y  # dz/dx = y + 1/y; dz/dy = x + 0 - x/y^2
    z.backward()
    assert z.item() == pytest.approx(-6 - 2 / 3)
    assert x.grad.item() == pytest.approx(-3 - 1 / 3)
    assert y.grad.item() == pytest.approx(2 - 2 / 9)


def test_calling_backward_twice_adds_the_gradient_twice():
    # micrograd issue 102: there the sums of the first pass, left behind in the middle of the graph, are counted again
    x = leaf(3.0)
    y = x * x
    z = y * x  # x^3, slope 27
    z.backward()
    assert x.grad.tolist() == [27]
    z.backward()
    assert x.grad.tolist() == [54]
    y.backward()  # another result of the same graph: + 2 x
    assert x.grad.tolist() == [60]
    assert y.grad is None


def test_leaves_never_share_one_gradient_array():
    a, b, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), np.ones(2)
    (a + b).backward(seed)
    a.grad *= 10
    assert b.grad.tolist() == [1, 1]
    assert seed.tolist() == [1, 1]
    np.sum(b).backward()
    b.grad *= 2  # writable, though the gradient of a sum is a broadcast view


def test_a_seed_weights_the_outputs():
    x = leaf(1.0, 2.0)
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [2, 40]
    with pytest.raises(ValueError, match=r"shape \(2,\) needs a seed"):
        (x * x).backward()
    with pytest.raises(ValueError, match=r"shape \(3,\), the result \(2,\)"):
        (x * x).backward(np.ones(3))


def test_constants_get_no_gradient():
    x, steps = leaf(1.0, -2.0), np.array([1, 2])
    loss = np.sum(x * steps + np.sign(x) * x + (x > 0) * x)
    loss.backward()
    assert x.grad.tolist() == [3, 1]  # step + sign + (1 where positive)


# ---- dtypes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_python_numbers_and_integer_arrays_keep_the_dtype(dtype):
    x = leaf(0.5, 2.0, dtype=dtype)
    y = (
        2 * x**2
        + x / 3.0
        - np.maximum(x, 0) * 0.1
        + x * np.array([1, 2], np.int8)
        + math.sqrt(2) * np.where(x > 1, x, 0)
    )
    assert y.dtype == dtype
    np.mean(y).backward()
    assert x.grad.dtype == dtype


def test_a_float64_constant_widens_the_result_but_not_the_gradient():
    x = leaf(0.5, 2.0, dtype=np.float32)
    y = np.sum(np.array([1.0, 2.0]) * x)
    assert y.dtype == np.float64
    y.backward()
    assert x.grad.dtype == np.float32


def test_casts():
    x = leaf(1.5, -2.5, dtype=np.float32)
    np.sum(x.astype(np.float64) * 3).backward()
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [3, 3]
    assert isinstance(x.astype(int), np.ndarray)  # a step function: a constant
    assert x.astype(int).tolist() == [1, -2]


def test_an_integer_leaf_is_refused_where_a_gradient_is_asked():
    weight, index = leaf(1.0, 2.0), Tensor(np.array([0, 1, 1]))
    np.sum(weight[index]).backward()  # as an index it is no variable
    assert weight.grad.tolist() == [1, 2]
    with pytest.raises(TypeError, match=r"no gradient with respect to int64 .* x.astype\(float\)"):
        np.sum(weight * Tensor(np.array([1, 2]))).backward()
    with pytest.raises(TypeError, match="real numbers, not complex128"):
        Tensor(np.array([1j]))
    with pytest.raises(TypeError, match="real numbers, not <U1"):
        Tensor("a")
    with pytest.raises(TypeError, match="complex"):
        weight * np.array([1j, 2])


# ---- like an ndarray -------------------------------------------------------------------------------------------------
def test_it_has_the_attributes_and_methods_of_an_ndarray():
    array = np.random.default_rng(0).standard_normal((2, 3, 4))
    t = Tensor(array)
    assert (t.shape, t.ndim, t.size, t.dtype, len(t)) == ((2, 3, 4), 3, 24, np.float64, 2)
    assert Tensor(2.5).item() == 2.5
    calls = [
        *(lambda x: x.T, lambda x: x.mT, lambda x: x.sum(), lambda x: x.sum(axis=(0, 1)), lambda x: x.mean(1)),
        *(lambda x: x.max(axis=-1, keepdims=True), lambda x: x.min(0), lambda x: x.var(axis=1), lambda x: x.std()),
        *(lambda x: x.reshape(6, 4), lambda x: x.reshape((4, -1)), lambda x: x.reshape(-1), lambda x: x.ravel()),
        *(
            lambda x: x.transpose(),
            lambda x: x.transpose(2, 0, 1),
            lambda x: x.transpose((1, 0, 2)),
            lambda x: x.copy(),
        ),
        *(lambda x: x.swapaxes(0, 1), lambda x: x[:1].squeeze(0), lambda x: x.repeat(2, axis=1), lambda x: x.flatten()),
        *(
            lambda x: x.cumsum(axis=2),
            lambda x: x.clip(-1, 1),
            lambda x: x.prod(axis=0),
            lambda x: x.astype(np.float32),
        ),
        *(lambda x: x[0], lambda x: x[..., None], lambda x: sum(list(x)), lambda x: -x, lambda x: +x, lambda x: abs(x)),
        *(lambda x: 2 - x, lambda x: 2 / (3 + x * x), lambda x: 2**x, lambda x: x % 2, lambda x: x @ array[0].T),
        *(lambda x: array * x, lambda x: np.float64(2) * x),
    ]
    for call in calls:
        assert isinstance(call(t), Tensor)
        np.testing.assert_array_equal(call(t).data, call(array))
    for call in (lambda x: x.argmax(), lambda x: x.argmin(axis=0), lambda x: x // 1, lambda x: 1 // (x + 9)):
        assert not isinstance(call(t), Tensor)
        np.testing.assert_array_equal(call(t), call(array))
    for call in (
        lambda x: x < 0,
        lambda x: x <= 0,
        lambda x: x > 0,
        lambda x: np.zeros(4) >= x,
        lambda x: x == x,
        lambda x: x != x,
    ):
        assert type(call(t)) is np.ndarray
        np.testing.assert_array_equal(call(t), call(array))
    assert bool(Tensor(1.0) > 0.5)
    assert not Tensor(0.0)  # the truth of a number, not the length of an array
    with pytest.raises(ValueError, match="ambiguous"):
        bool(t)


# ---- refusals --------------------------------------------------------------------------------------------------------
def at(x, i, v):
    x[i] = v


def added(x, y):
    x += y
    return x


ones = np.ones(3)
REFUSED = {
    # leaving the graph
    "np.asarray": (lambda t: np.asarray(t), "without a word"),
    "np.array of a list": (lambda t: np.array([t, t]), "np.stack"),
    "float": (lambda t: float(t[0]), "t.item()"),
    "int": (lambda t: int(t[0]), "t.item()"),
    "math.sqrt": (lambda t: math.sqrt(t[0]), "np.sqrt for math.sqrt"),
    "as an index": (lambda t: ones[t], "t.data"),
    "assigned into an array": (lambda t: at(np.zeros(3), 0, t[0]), "."),
    "a slice assigned into an array": (lambda t: at(np.zeros(3), slice(None), t), "np.where for assignment"),
    "np.full": (lambda t: np.full(3, t[0]), "."),
    "np.full_like": (lambda t: np.full_like(t, t[0]), "."),
    "rng.choice": (lambda t: np.random.default_rng(0).choice(3, p=t), "t.data"),
    "ndarray.dot": (lambda t: np.ones((2, 3)).dot(t), "t.data"),
    # in place
    "t[i] = x": (lambda t: at(t, 0, 1.0), "in place"),
    "t += x": (lambda t: added(t, 1), r"t = t \+ x"),
    "t **= x": (lambda t: t.__ipow__(2), "in place"),
    "array += t": (lambda t: added(np.zeros(3), t), r"a = a \+ t"),
    "out=": (lambda t: np.add(t, 1, out=np.zeros(3)), "np.add: writing"),
    "out= of a function": (lambda t: np.sum(t, out=np.zeros(())), "np.sum on a Tensor: .* 'out'"),
    "np.add.at": (lambda t: np.add.at(t, 0, 1), "np.add.at has no derivative rule"),
    "np.copyto": (lambda t: np.copyto(np.zeros(3), t), "no derivative rule for np.copyto"),
    # unknown functions
    "np.fft.fft": (lambda t: np.fft.fft(t), "no derivative rule for np.fft.fft: say it with"),
    "np.median": (lambda t: np.median(t), "no derivative rule for np.median"),
    "np.spacing": (lambda t: np.spacing(t), "no derivative rule for np.spacing"),
    "np.vectorize": (lambda t: np.vectorize(math.erf)(t), "."),
    "accumulate": (lambda t: np.multiply.accumulate(t), "np.multiply.accumulate has no derivative rule"),
    "outer": (lambda t: np.add.outer(t, t), "np.add.outer has no derivative rule"),
    # known functions, unknown arguments
    "dtype=": (lambda t: np.sum(t, dtype=np.float32), "np.sum on a Tensor: got an unexpected keyword argument 'dtype'"),
    "where=": (lambda t: np.sum(t, where=[True, False, True]), "'where'"),
    "where= of a ufunc": (lambda t: np.exp(t, where=np.array([True, False, True])), "np.exp on a Tensor: .* 'where'"),
    "initial=": (lambda t: np.max(t, initial=0.5), "'initial'"),
    "initial= of a reduction": (lambda t: np.add.reduce(t, initial=0.5), "'initial'"),
    "order=": (lambda t: np.reshape(t, (3, 1), order="F"), "'order'"),
    "order= of a method": (lambda t: t.reshape((3, 1), order="F"), "'order'"),
    "ord": (lambda t: np.linalg.norm(t, 1), "np.linalg.norm on a Tensor has a rule for the length only, not for ord=1"),
    "ord of a matrix": (lambda t: np.linalg.norm(t[None], 2), "ord=2"),
    "correction=": (lambda t: np.var(t, correction=1), "'correction'"),
    "casting=": (lambda t: np.add(t, 1, casting="unsafe"), "'casting'"),
    "mode= of np.take": (lambda t: np.take(t, [5], mode="clip"), "'mode'"),
    "mode= of np.pad": (lambda t: np.pad(t, 1, mode="edge"), "mode='edge'"),
    "prepend=": (lambda t: np.diff(t, prepend=0), "'prepend'"),
    "writeable=": (lambda t: sliding_window_view(t, 2, writeable=True), "'writeable'"),
    "np.where(t)": (lambda t: np.where(t), "np.where on a Tensor: missing a required argument"),
    "too many arguments": (lambda t: np.sum(t, 0, np.float32), "too many positional arguments"),
    "too many arguments of np.split": (lambda t: np.stack([t], 0, None), "positional arguments"),
    "a number for each repeat": (lambda t: np.repeat(t, [1, 2, 3]), "one number of repeats"),
    "np.dot of many axes": (lambda t: np.dot(t, np.ones((2, 3, 2))), "np.matmul or np.einsum"),
    "np.dot of numbers": (lambda t: np.dot(t, 2.0), r"use \*"),
    "einsum without a result": (lambda t: np.einsum("i,i", t, t), "names its result"),
    "einsum of index lists": (lambda t: np.einsum(t, [0], [0]), "names its result"),
    "einsum of a diagonal": (lambda t: np.einsum("ii->i", t * np.ones((3, 1))), "a label once per operand"),
    "einsum with trailing dots": (lambda t: np.einsum("i...->...", t), "'...' comes first"),
    "einsum with dots behind": (lambda t: np.einsum("...i->i...", t), "'...' comes first"),
    "einsum that broadcasts": (lambda t: np.einsum("i,i->i", t, np.ones(1)), "'i' is 3 long and 1 long"),
    # Tensors where no rule expects them
    "a Tensor as keyword": (lambda t: np.sum(a=t), "np.sum: pass Tensors by position"),
    "a bound as keyword": (lambda t: np.clip(ones, a_min=t, a_max=2), "pass Tensors by position"),
    "a bound": (lambda t: np.clip(ones, t, 2.0), "np.clip: only the first 1 arguments have a derivative rule"),
    "a shift": (lambda t: np.roll(t, t), "np.roll: only the first 1 arguments"),
    "an uneven split": (lambda t: np.split(t, 2), "does not divide into 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_loudly(name):
    call, message = REFUSED[name]
    with pytest.raises((TypeError, ValueError), match=message):
        call(Tensor(np.ones(3) / 3))


def test_a_rule_that_returns_the_wrong_shape_is_caught(monkeypatch):
    x = Tensor(np.ones((2, 3)))
    monkeypatch.setitem(VJP, np.exp, (lambda g, out, x: (g * out).T,))
    with pytest.raises(RuntimeError, match=r"returned shape \(3, 2\) for an argument of shape \(2, 3\)"):
        np.sum(np.exp(x)).backward()
    with pytest.raises(RuntimeError, match="returned shape"):
        unbroadcast(np.ones(1), (3,))


# ---- memory ----------------------------------------------------------------------------------------------------------
def test_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0, 3.0)
        middle = np.exp(x * 2.0)
        loss = np.sum(np.concatenate([middle, x])[1:] ** 2)
        array, node = weakref.ref(middle.data), weakref.ref(middle)
        loss.backward()
        del middle
        assert node() is not None  # held by the graph
        del loss
        assert node() is None  # reference counting alone freed it
        assert array() is None
    finally:
        gc.enable()


def test_derivatives_leave_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        nodes = []

        def f(x):
            y = np.sum(np.sin(x) * x)
            nodes.append(weakref.ref(y))
            return y

        tensor.value_and_grad(f)(np.ones(3))
        tensor.grad(lambda x: np.sum(tensor.grad(f)(x)))(np.ones(3))
        assert [node() for node in nodes] == [None, None]
    finally:
        gc.enable()


def test_a_very_deep_graph():
    x = leaf(1.0)
    y = x
    for _ in range(20_000):  # twenty times Python's recursion limit
        y = y + 0.5
    y.backward()
    assert x.grad.tolist() == [1]
    del y  # taking the chain down again must not overflow the stack either


def test_plain_arrays_never_touch_the_engine(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("the engine ran on plain arrays")

    def everything(x):
        x = np.maximum(x @ np.swapaxes(x, -1, -2), 0)
        x = np.concatenate([x, np.pad(x, 1)[1:-1, 1:-1]], axis=-1) / np.linalg.norm(x, axis=-1, keepdims=True)
        return np.sum(np.einsum("ij,ij->i", x, np.tanh(x)) + np.repeat(x, 2, axis=0)[::2, 0])

    expected = everything(np.eye(3)).tolist()
    for name in ("record", "dispatch", "check_call"):
        monkeypatch.setattr(tensor, name, forbidden)
    assert everything(np.eye(3)).tolist() == expected
    with pytest.raises(AssertionError, match="the engine ran"):
        everything(Tensor(np.eye(3)))
