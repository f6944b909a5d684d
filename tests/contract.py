"""What every public function of kb promises, tested the same way for all of them.

A test file lists its calls once:

    CASES = [Case(kb.softmax, x=(2, 5)), Case(kb.softmax, x=(2, 5), axis=0)]
    test_contract = contract(CASES, kt)        # kt: the torch twin of the module

A tuple of integers stands for a normal random array of that shape; anything else is passed as it is. Then, for
each case: the result has the shape that the docstring says; float32 in gives float32 out; the inputs are unchanged;
a wrong shape or a list is refused with a ValueError that names the argument and both shapes; the torch twin has the
same signature, value, dtype, shape and gradients; on a GPU too, where there is one.
"""

import copy
import inspect
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.autograd.tensor import Tensor
from kb.shapes import shape_line

EPS32 = float(np.finfo(np.float32).eps)


@dataclass
class Case:
    """One call: the function and its arguments by name.

    `differentiable` is True (by all floating-point arguments), False, or a list of those by which it is.
    """

    fn: object
    differentiable: bool | list
    given: dict

    def __init__(self, fn, /, differentiable=True, **given):
        self.fn, self.differentiable, self.given = fn, differentiable, given

    def arguments(self, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)
        return {name: self._make(value, rng, dtype) for name, value in self.given.items()}

    @staticmethod
    def _make(value, rng, dtype):
        if isinstance(value, dict):
            return {name: Case._make(entry, rng, dtype) for name, entry in value.items()}
        if isinstance(value, np.random.Generator):
            return copy.deepcopy(value)
        if isinstance(value, tuple) and all(type(n) is int for n in value):
            return rng.standard_normal(value).astype(dtype)[()] if value else np.asarray(rng.standard_normal(), dtype)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return value.astype(dtype)
        return value

    def __repr__(self):
        return f"{self.fn.__name__}({', '.join(f'{k}={self._show(v)}' for k, v in self.given.items())})"

    @staticmethod
    def _show(value):
        if isinstance(value, dict):
            return "{...}"
        return value.shape if isinstance(value, np.ndarray) else getattr(value, "__name__", value)


def parts(value):
    """The arrays of a result or an argument, which is one array or a tuple or dict of them."""
    if isinstance(value, dict):
        value = tuple(value.values())
    return [array for entry in value for array in parts(entry)] if isinstance(value, tuple) else [value]


def is_float(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def float_arrays(arguments):
    """The names of the arguments that are, or hold, floating-point arrays."""
    return [k for k, v in arguments.items() if any(is_float(array) for array in parts(v))]


def to_tensor(value):
    """Float arrays, those in a dict too, as leaves of kb's computation graph."""
    if isinstance(value, dict):
        return {k: to_tensor(v) for k, v in value.items()}
    return Tensor(value) if is_float(value) else value


# ---- the promises ------------------------------------------------------------------------------------------------
def has_the_documented_shape(case, twins):
    arguments, line = case.arguments(), shape_line(case.fn)
    assert line is not None, f"{case.fn.__name__}: no shape line"
    lengths, lead = {}, ()
    for name, axes in line[0]:
        if getattr(arguments.get(name), "shape", None) is not None:
            lead = np.broadcast_shapes(lead, bind(axes, arguments[name].shape, lengths))
    if reduces(case.fn):
        return
    result = case.fn(**arguments)
    for axes, part in zip(line[1], result if isinstance(result, tuple) else (result,), strict=True):
        if axes == "{}":
            assert isinstance(part, dict), f"{case}: {type(part).__name__} is not a dict"
            continue
        assert bind(axes, np.shape(part), lengths) == (lead if "..." in axes else ()), f"{case}: {np.shape(part)}"


def bind(axes, shape, lengths):
    """An oracle for `kb.shapes` written differently: fill `...` up with axes, return the lengths it stood for."""
    free = len(shape) - len(axes) + 1 if "..." in axes else 0
    filled = [name for axis in axes for name in (["..."] * free if axis == "..." else [axis])]
    assert len(filled) == len(shape), f"{shape} does not have the axes {axes}"
    for axis, n in zip(filled, shape, strict=True):
        factor, letter, one = (1, "", False) if axis == "..." else axis
        if letter and not (one and n == 1):
            assert lengths.setdefault(letter, n / factor) == n / factor, f"{letter} is {n / factor} and {lengths}"
    return tuple(n for axis, n in zip(filled, shape, strict=True) if axis == "...")


def reduces(fn):
    """Functions with an axis, keepdims or reduction argument choose their result's axes at run time."""
    return {"keepdims", "reduction"} & set(inspect.signature(fn).parameters)


def keeps_float32(case, twins):
    arguments = case.arguments(np.float32)
    if float_arrays(arguments):
        for part in parts(case.fn(**arguments)):
            assert part.dtype.kind != "f" or part.dtype == np.float32, f"{case}: float32 became {part.dtype}"


def leaves_inputs_unchanged(case, twins):
    arguments, before = case.arguments(), case.arguments()
    case.fn(**arguments)
    for name in arguments:
        if not isinstance(arguments[name], np.random.Generator):  # which is there to be drawn from
            np.testing.assert_equal(arguments[name], before[name])


def refuses_wrong_shapes(case, twins):
    """Hypothesis breaks one axis of one argument: the error names the argument, its shape and the other's."""
    line, good = shape_line(case.fn), case.arguments()
    given_axes = [(name, axes) for name, axes in line[0] if isinstance(good.get(name), np.ndarray)]
    shared = shared_axes(given_axes)

    @settings(max_examples=20, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def broken(data):
        name, axis, others = data.draw(st.sampled_from(shared))
        shape = list(good[name].shape)
        shape[axis] += data.draw(st.integers(1, 3))
        bad = np.ones(shape, good[name].dtype)
        with pytest.raises(ValueError, match=rf"\b({'|'.join([name, *others])})\b") as caught:
            case.fn(**{**good, name: bad})
        assert str(bad.shape) in str(caught.value), caught.value
        assert any(str(good[other].shape) in str(caught.value) for other in others), caught.value

    if shared:
        broken()
    for name, axes in given_axes:
        with pytest.raises(ValueError, match=rf"\b{name}\b"):
            case.fn(**{**good, name: good[name].tolist() if good[name].ndim else "a number"})
        if fixed := named(axes):
            with pytest.raises(ValueError, match=rf"\b{name}\b"):
                case.fn(**{**good, name: good[name][(0,) * (good[name].ndim - len(fixed) + 1)]})


def named(axes):
    return [axis for axis in axes if axis != "..."]


def shared_axes(given_axes):
    """(argument, axis, the other arguments with the same letter): what can be broken for sure."""
    found = []
    for name, axes in given_axes:
        front = axes.index("...") if "..." in axes else len(axes)
        for k, (_, letter, one) in enumerate(named(axes)):
            place = k if k < front else k - len(named(axes))  # behind `...` counted from the end
            same = [
                n for n, other in given_axes if any(a[1] == letter and not a[2] for a in named(other)) and n != name
            ]
            if letter and same and not one:
                found.append((name, place, same))
    return found


def twin_of(case, twins):
    twin = getattr(twins, case.fn.__name__, None)
    assert twin is not None, f"{twins.__name__} has no {case.fn.__name__}"
    return twin


def has_a_twin_with_the_same_signature(case, twins):
    assert inspect.signature(case.fn) == inspect.signature(twin_of(case, twins))


def to_torch(value, device="cpu", grad=False):
    import torch

    if isinstance(value, (np.ndarray, np.generic)):
        out = torch.tensor(np.array(value), device=device)
        return out.requires_grad_() if grad and out.is_floating_point() else out
    if isinstance(value, dict):
        return {k: to_torch(v, device, grad) for k, v in value.items()}
    if callable(value):  # an activation handed to a neuron: the twin's function of the same name
        module = __import__(value.__module__.replace("kb.", "kb.torch.", 1), fromlist=["_"])
        return getattr(module, value.__name__)
    return value


def gives_the_same_as_torch(case, twins, device="cpu"):
    """Value, dtype and shape, in float64 and in float32 (there to 64 roundings of the largest entry)."""
    for dtype, eps in ((np.float64, 1e-12), (np.float32, 64 * EPS32)):
        arguments = case.arguments(dtype)
        ours = parts(case.fn(**arguments))
        theirs = parts(twin_of(case, twins)(**{k: to_torch(v, device) for k, v in case.arguments(dtype).items()}))
        for a, b in zip(ours, theirs, strict=True):
            b = b.detach().cpu().numpy() if hasattr(b, "detach") else np.asarray(b)
            assert np.shape(a) == b.shape, f"{case}: {np.shape(a)} and torch {b.shape}"
            assert np.asarray(a).dtype == b.dtype, f"{case}: {np.asarray(a).dtype} and torch {b.dtype}"
            scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=1.0)) if b.dtype.kind == "f" else 1.0
            np.testing.assert_allclose(a, b, rtol=eps, atol=eps * scale)


def has_the_gradients_of_torch(case, twins):
    arguments = case.arguments()
    names = float_arrays(arguments) if case.differentiable is True else case.differentiable or []
    if not names:
        return
    ours = {k: to_tensor(v) if k in names else v for k, v in arguments.items()}
    theirs = {k: to_torch(v, grad=k in names) for k, v in case.arguments().items()}
    for out, ref in zip(parts(case.fn(**ours)), parts(twin_of(case, twins)(**theirs)), strict=True):
        seed = np.random.default_rng(1).standard_normal(out.shape)
        out.backward(seed)
        ref.backward(to_torch(seed), retain_graph=True)
    for name in names:
        for leaf, twin in zip(parts(ours[name]), parts(theirs[name]), strict=True):
            expected = np.zeros(twin.shape) if twin.grad is None else twin.grad.numpy()
            got = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10, err_msg=f"{case}: gradient of {name}")


PROMISES = [
    has_the_documented_shape,
    keeps_float32,
    leaves_inputs_unchanged,
    refuses_wrong_shapes,
    has_a_twin_with_the_same_signature,
    gives_the_same_as_torch,
    has_the_gradients_of_torch,
]


def contract(cases, twins):
    """A parametrised test: every promise for every case. (A test for each promise would cost more than the promise.)"""

    @pytest.mark.parametrize("case", cases, ids=repr)
    def test_contract(case):
        for promise in PROMISES:
            try:
                promise(case, twins)
            except Exception as error:
                error.add_note(f"{case} broke the promise {promise.__name__}")
                raise

    return test_contract


def gpu_contract(cases, twins):
    """The torch twin on a GPU gives what NumPy gives."""

    @pytest.mark.gpu
    @pytest.mark.parametrize("case", cases, ids=repr)
    def test_on_gpu(case):
        gives_the_same_as_torch(case, twins, device="cuda")

    return test_on_gpu
