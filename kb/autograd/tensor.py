"""Reverse-mode automatic differentiation for plain NumPy functions: hand them a Tensor and they become differentiable.

A `Tensor` is an ndarray that remembers which function made it and from what. NumPy itself hands over the call: ufuncs
(np.exp, +, @) through `__array_ufunc__`, every other public function through `__array_function__`. The function runs on
the raw arrays, and the result is recorded: that record is the computation graph. Plain arrays never come here.

    slope = grad(f)                                          # the derivative as a function, as in JAX
    loss, gradients = value_and_grad(f)(params, x, y)        # params: an array or a dict of arrays
    w = Tensor(array); np.sum(np.tanh(w)).backward(); w.grad  # as in micrograd and PyTorch

An operation that would hide a number from the graph raises TypeError, because a wrong gradient is worse than none:
unknown functions and keywords, ``out=``, ``t += x``, ``t[i] = x``, ``np.asarray(t)``, ``float(t)``. The one thing that
cannot be caught is changing an array under a Tensor between the forward and the backward pass: do not.

Source: S. Hoyer et al., NEP 18, https://numpy.org/neps/nep-0018-array-function-protocol.html; N. J. Smith et al.,
NEP 13, https://numpy.org/neps/nep-0013-ufunc-overrides.html
"""

import functools
import inspect
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kb.autograd.backward import backpropagate, tape
from kb.autograd.lowering import LOWER
from kb.autograd.movement import cast
from kb.autograd.rules import CONSTANT, VJP
from kb.protocol import Traced

_clock = itertools.count()  # a function's inputs exist before its output: creation order is a topological order
# np.add.reduce is np.sum, and so on
_REDUCE: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


# ---- recording: the forward pass -------------------------------------------------------------------------------------
def value(x: Any) -> Any:
    """The raw array behind `x`, also inside lists and tuples; anything that is not a Tensor as it is."""
    if isinstance(x, Tensor):
        return x.data
    return type(x)(map(value, x)) if type(x) in (list, tuple) else x


def record(func: Callable, args: Sequence, kwargs: dict) -> "Tensor":
    """Call `func` on the raw arrays and keep what the backward pass needs: the function and its arguments."""
    raw = [a.data if isinstance(a, Tensor) else a for a in args]
    return Tensor(func(*raw, **kwargs), (func, args, raw, kwargs))


def dispatch(func: Callable, args: Sequence, kwargs: dict) -> Any:
    """What happens when NumPy meets a Tensor: look the function up in the three tables, or refuse."""
    if kwargs and Tensor in map(type, kwargs.values()):
        raise TypeError(f"{label(func)}: pass Tensors by position, not as keywords")
    if func in VJP:
        if kwargs or len(args) != len(VJP[func]):
            check_call(func, None, tuple(map(type, args)), tuple(kwargs))
        return record(func, args, kwargs)
    if func in LOWER:
        if kwargs:
            check_call(func, LOWER[func], tuple(map(type, args)), tuple(kwargs))
        return LOWER[func](*args, **kwargs)
    if func in CONSTANT:
        return func(*value(tuple(args)), **kwargs)
    raise TypeError(
        f"no derivative rule for {label(func)}: say it with functions that have one, take t.data where no gradient "
        "should flow, or add a row to kb/autograd/rules.py"
    )


@functools.cache  # once per way of calling: the answer depends on nothing else
def check_call(func: Callable, lowered: Callable | None, types: tuple[type, ...], keywords: tuple[str, ...]) -> None:
    """Refuse arguments that the rule does not know: NumPy would honour them and the gradient would not."""
    rule, leading = (lowered, ()) if lowered else (VJP[func][0] or VJP[func][1], ("g", "out"))
    try:
        inspect.signature(rule).bind(*leading, *types, **dict.fromkeys(keywords))
    except TypeError as error:
        raise TypeError(f"{label(func)} on a Tensor: {error}; this argument has no derivative rule") from None
    if not lowered and Tensor in types[len(VJP[func]) :]:
        raise TypeError(f"{label(func)}: only the first {len(VJP[func])} arguments have a derivative rule; give t.data")


def label(func: Callable) -> str:
    """The function as one writes it: np.linalg.norm."""
    return f"{getattr(func, '__module__', '')}.{func.__name__}".replace("numpy", "np", 1).lstrip("._")


def _method(func: Callable) -> Any:
    return lambda self, *args, **kwargs: dispatch(func, (self, *args), kwargs)


def _in_place(self, *_):
    raise TypeError("changing a Tensor in place (t += x, t[i] = x) hides it from the graph: t = t + x, or np.where")


def _operators(func: Callable) -> tuple[Any, Any, Any]:
    """t + x, x + t, and the refusal of t += x."""
    return (lambda t, x: dispatch(func, (t, x), {})), (lambda t, x: dispatch(func, (x, t), {})), _in_place


class Tensor(Traced):
    """An ndarray that remembers which function made it (`op`) and from which Tensors (`parents`).

    `data` is the array, of any shape, and `grad` is what `backward` found: d(result)/d(self), for leaves only. A leaf
    is a Tensor that you made yourself. Gradients exist for floating-point leaves; indices and labels stay plain arrays.
    Raises: TypeError for data that are not numbers or are complex.
    """

    __slots__ = ("__weakref__", "_args", "_func", "_kwargs", "_order", "_raw", "data", "grad")
    data: np.ndarray
    grad: np.ndarray | None
    _func: Callable | None

    # No field points from an argument to a result, so there are no reference cycles: dropping the result frees it all.
    def __init__(self, data, _made_by=(None, (), (), {})):
        self.data = data if type(data) is np.ndarray else np.asarray(data)
        if self.data.dtype.kind not in "fiub":
            raise TypeError(f"a Tensor holds real numbers, not {self.data.dtype}")
        self.grad = None
        self._func, self._args, self._raw, self._kwargs = _made_by  # _raw: _args with arrays in place of Tensors
        self._order = next(_clock)

    # what NumPy calls
    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        if out is not None:
            raise TypeError(f"{label(ufunc)}: writing a Tensor into an array (out=, a += t) hides it: a = a + t")
        if method == "reduce" and ufunc in _REDUCE:
            return dispatch(_REDUCE[ufunc], inputs, {"axis": 0, **kwargs})
        if method != "__call__":
            raise TypeError(f"{label(ufunc)}.{method} has no derivative rule")
        return dispatch(ufunc, inputs, kwargs)

    def __array_function__(self, func, types, args, kwargs):
        return dispatch(func, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "a Tensor was about to become an ndarray without a word (np.asarray, np.array([t]), a[i] = t): "
            "use np.stack for a list of Tensors, np.where for assignment, t.data where no gradient should flow"
        )

    def __float__(self):
        raise TypeError("float(t) leaves the graph: use np.sqrt for math.sqrt, or t.item() where no gradient is wanted")

    __int__ = __float__

    # who made it
    op = property(lambda self: self._func and self._func.__name__, doc="Name of the function that made it, or None.")
    parents = property(
        lambda self: tuple(a for a in self._args if isinstance(a, Tensor)), doc="The Tensors that it was made from."
    )

    # what an ndarray has
    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)
    T = property(lambda self: dispatch(np.transpose, (self,), {}))
    mT = property(lambda self: dispatch(np.swapaxes, (self, -1, -2), {}))
    sum, mean, var, std = _method(np.sum), _method(np.mean), _method(np.var), _method(np.std)
    max, min, argmax, argmin = _method(np.max), _method(np.min), _method(np.argmax), _method(np.argmin)
    swapaxes, squeeze, repeat = _method(np.swapaxes), _method(np.squeeze), _method(np.repeat)
    ravel, flatten = _method(np.ravel), _method(np.ravel)
    cumsum, clip, prod, copy = _method(np.cumsum), _method(np.clip), _method(np.prod), _method(np.copy)
    __add__, __radd__, __iadd__ = _operators(np.add)
    __sub__, __rsub__, __isub__ = _operators(np.subtract)
    __mul__, __rmul__, __imul__ = _operators(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _operators(np.divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _operators(np.floor_divide)
    __mod__, __rmod__, __imod__ = _operators(np.remainder)
    __pow__, __rpow__, __ipow__ = _operators(operator.pow)  # ndarray's own **, which knows a square when it sees one
    __matmul__, __rmatmul__, __imatmul__ = _operators(np.matmul)
    __neg__, __pos__, __abs__ = _method(np.negative), _method(np.positive), _method(np.absolute)
    __lt__, __le__, __gt__ = _method(np.less), _method(np.less_equal), _method(np.greater)
    __ge__, __eq__, __ne__ = _method(np.greater_equal), _method(np.equal), _method(np.not_equal)
    __hash__, __setitem__ = object.__hash__, _in_place

    def __bool__(self):  # a question, like a comparison: `while step > 0.1` needs no gradient
        return bool(self.data)

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        return record(operator.getitem, (self, value(index)), {})

    def __repr__(self):
        return f"Tensor({self.data!r}" + (f", op={self.op!r})" if self.op else ")")

    def reshape(self, *shape):
        return dispatch(np.reshape, (self, shape[0] if len(shape) == 1 else shape), {})

    def transpose(self, *axes):
        return dispatch(np.transpose, (self, (axes[0] if len(axes) == 1 else axes) or None), {})

    def astype(self, dtype, copy=True):
        """In another floating-point type; integers and booleans are steps, so they come back as a plain array."""
        return record(cast, (self, dtype), {}) if np.dtype(dtype).kind == "f" else self.data.astype(dtype)

    def item(self):
        return self.data.item()

    def backward(self, seed=None) -> None:
        """Add d(self)/d(leaf) to the `.grad` of every leaf that `self` was made from.

        seed: dL/d(self), in the shape of self; may be left out (1) where self is a single number.
        Raises: ValueError for a seed of another shape; TypeError for a leaf that is not floating-point.
        """
        if seed is None and self.size != 1:
            raise ValueError(f"backward() of a Tensor of shape {self.shape} needs a seed of that shape")
        nodes = tape(self)
        for leaf in (t for t in nodes if t._func is None):
            require_float(leaf)
        for t, g in backpropagate(nodes, np.ones_like(self.data) if seed is None else value(seed)):
            if t._func is None:
                t.grad = np.array(g if t.grad is None else t.grad + g)  # a copy: two leaves never share one array


# ---- functions in, functions out -------------------------------------------------------------------------------------
def require_float(x: Any) -> None:
    """Raises: TypeError for integers, between which there is nothing to take a derivative along."""
    if x.dtype.kind != "f":
        raise TypeError(f"no gradient with respect to {x.dtype} values: use floating-point ones, x.astype(float)")


def variable(x: Any) -> Tensor:
    """A new Tensor to differentiate by.

    In a nested derivative it is a new name for the outer variable: the inner derivative is taken with respect to the
    new name only, and the outer one passes through it (so x * d(x y)/dy does not take the first x for the y).
    """
    t = record(np.positive, (x,), {}) if isinstance(x, Tensor) else Tensor(x)
    require_float(t)
    return t


def vjp(f: Callable, x: Any) -> tuple[Any, Callable]:
    """The value y = f(x), and the function that carries dL/dy back to dL/dx.

    x: an array or a dict of arrays; y: an array. y, pullback = vjp(f, x); pullback(g) has the structure of x.
    Raises: TypeError where x is not floating-point; ValueError (pullback) for a g of another shape than y.
    """
    leaves = {k: variable(a) for k, a in x.items()} if isinstance(x, dict) else {None: variable(x)}
    y = f(leaves if isinstance(x, dict) else leaves[None])
    if not isinstance(y, Tensor | np.ndarray | np.generic | float | int):
        raise TypeError(f"a function to differentiate returns one array, not a {type(y).__name__}")
    wanted, since = {id(t) for t in leaves.values()}, min((t._order for t in leaves.values()), default=0)
    nodes = tape(y, since) if isinstance(y, Tensor) else []
    # y may also depend on older Tensors: then this is an inner derivative, and an outer one needs the graph of it
    inner = bool(nodes) and nodes[-1]._order < since
    nodes = [t for t in nodes if t._order >= since] if inner else nodes

    def pullback(g):
        found = {id(t): d for t, d in backpropagate(nodes, g, again=inner) if id(t) in wanted} if nodes else {}
        result = {k: found[id(t)] if id(t) in found else np.zeros_like(t.data) for k, t in leaves.items()}
        result = {k: d if isinstance(d, Tensor) else np.array(d)[()] for k, d in result.items()}
        return result if isinstance(x, dict) else result[None]

    return y if inner or not isinstance(y, Tensor) else y.data[()], pullback


def value_and_grad(f: Callable) -> Callable:
    """The function (x, ...) -> (f(x, ...), df/dx): value and gradient in one pass, for an array or a dict of arrays x.

    Raises: ValueError if f does not return a single number.
    """

    def both(x, *args, **kwargs):
        y, pullback = vjp(lambda x: f(x, *args, **kwargs), x)
        if np.size(y) != 1:
            raise ValueError(f"a gradient needs one number, f returned shape {np.shape(y)}: np.sum it, or use vjp")
        return y, pullback(np.ones(np.shape(y), np.result_type(y)))

    return both


def grad(f: Callable, argnum: int = 0) -> Callable:
    """The derivative of f as a function: grad(f)(x) is df/dx at x, of the shape of x, and grad(grad(f)) works.

    argnum: the argument to differentiate by.   Raises: ValueError if f does not return a single number.
    """

    def derivative(*args, **kwargs):
        def of_one(x):
            return f(*(x if i == argnum % len(args) else a for i, a in enumerate(args)), **kwargs)

        return value_and_grad(of_one)(args[argnum])[1]

    return derivative
