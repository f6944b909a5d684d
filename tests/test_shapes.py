"""The shape line is what every module relies on: what it must refuse, and that remembering shapes lets nothing slip."""

import inspect

import numpy as np
import pytest
import torch

from kb.shapes import checked, shape_line, show_axes


@checked
def f(x, weight=None, bias=None, scale=1.0):
    """Anything.

    x (..., n), weight (m, n), bias (m|1) -> (..., m)
    """
    return x, weight, bias, scale


@checked
def heads(qkv, x):
    """Three times d, and free axes at the end.

    qkv (t, 3d), x (d, 2, ...) -> (t)
    """
    return qkv, x


@checked
def named(params, x):
    """A dict.

    params {}, x () -> {}, ()
    """
    return params, x


def ones(*shape):
    return np.ones(shape)


# ---- what fits ---------------------------------------------------------------------------------------------------
def test_what_fits_passes_through_unchanged():
    x, weight, bias = ones(5, 4), ones(3, 4), ones(3)
    assert all(a is b for a, b in zip(f(x, weight, bias, 2.0), (x, weight, bias, 2.0), strict=True))
    for args in ((ones(4),), (ones(2, 5, 4), ones(3, 4)), (ones(5, 4), ones(3, 4), ones(1)), (ones(4), None, ones(3))):
        assert f(*args)[0] is args[0]
    assert f(x=x, bias=bias, weight=weight)[1] is weight
    heads(ones(7, 12), ones(4, 2))
    heads(ones(7, 12), ones(4, 2, 5, 6))
    named({"w": x}, 1.0)
    named({}, np.float32(1))
    f(torch.ones(5, 4), torch.ones(3, 4))


def test_the_line_is_read_as_written():
    arguments, results = shape_line(heads)
    assert arguments == [("qkv", [(1, "t", False), (3, "d", False)]), ("x", [(1, "d", False), (2, "", False), "..."])]
    assert results == [[(1, "t", False)]]
    for axes, text in ((arguments[0][1], "(t, 3d)"), (arguments[1][1], "(d, 2, ...)"), ("{}", "{}"), ([], "()")):
        assert show_axes(axes) == text


# ---- what does not -----------------------------------------------------------------------------------------------
REFUSED = [
    (f, (ones(5, 4), ones(3, 5)), r"f: weight has shape \(3, 5\), expected \(m, n\) with n = 4 from x \(5, 4\)"),
    (f, (ones(5, 4), ones(3, 4), ones(2)), r"bias has shape \(2,\), expected \(m\|1\) with m = 3 from weight \(3, 4\)"),
    (f, (ones(5, 4), ones(3, 4, 1)), r"weight has shape \(3, 4, 1\), expected \(m, n\)"),
    (f, (np.float64(1),), r"x has shape \(\), expected \(\.\.\., n\)"),
    (f, ([1.0, 2.0],), "x must be an array, not list"),
    (f, (ones(4), {}), "weight must be an array, not dict"),
    (heads, (ones(7, 11), ones(4, 2)), r"qkv has shape \(7, 11\), expected \(t, 3d\)"),
    (
        heads,
        (ones(7, 12), ones(3, 2)),
        r"x has shape \(3, 2\), expected \(d, 2, \.\.\.\) with d = 4 from qkv \(7, 12\)",
    ),
    (heads, (ones(7, 12), ones(4, 3, 5)), r"x has shape \(4, 3, 5\), expected \(d, 2, \.\.\.\)"),
    (heads, (ones(7, 12), ones(4)), r"x has shape \(4,\), expected \(d, 2, \.\.\.\)"),
    (named, ([1, 2], 1.0), "params must be a dict of arrays by name, not list"),
    (named, ({}, ones(1)), r"x has shape \(1,\), expected \(\)"),
]


@pytest.mark.parametrize(("fn", "args", "message"), REFUSED)
def test_what_does_not_fit_is_refused(fn, args, message):
    with pytest.raises(ValueError, match=message):
        fn(*args)
    with pytest.raises(ValueError, match=message):
        fn(**dict(zip(inspect.signature(fn).parameters, args, strict=False)))


def test_free_axes_must_broadcast():
    @checked
    def both(a, b):
        """Two.

        a (..., n), b (..., n) -> (..., n)
        """

    both(ones(5, 1, 4), ones(3, 4))
    both(ones(4), ones(3, 4))
    with pytest.raises(ValueError, match=r"the free axes of b \(3, 4\) do not broadcast with those of a \(5, 4\)"):
        both(ones(5, 4), ones(3, 4))


def test_what_was_right_once_does_not_excuse_what_is_wrong_now():
    """A call is remembered by the shapes of all its arguments: the same ones in another place are looked at again."""
    f(ones(5, 4), ones(3, 4), ones(3))
    f(ones(5, 4), None, ones(3))
    for args in (
        (ones(5, 4), ones(4, 3), ones(3)),
        (ones(3), ones(3, 4), ones(5, 4)),
        (ones(5, 4), [0], ones(3)),
        (ones(5, 4), ones(3, 4), "bias"),
    ):
        with pytest.raises(ValueError, match=r"f: (weight|bias|x)"):
            f(*args)
    with pytest.raises(ValueError, match="bias has shape"):
        f(ones(5, 4), ones(3, 4), bias=ones(2))


# ---- lines that cannot be read -----------------------------------------------------------------------------------
def test_a_function_without_a_line_cannot_be_checked():
    def silent(x):
        """No line."""

    def odd(x):
        """An axis in capitals.

        x (N) -> (n)
        """

    with pytest.raises(ValueError, match="silent: the docstring has no shape line"):
        checked(silent)
    with pytest.raises(ValueError, match="cannot read the axis 'N'"):
        checked(odd)
