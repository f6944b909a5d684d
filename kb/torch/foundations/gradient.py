"""Torch twin of `kb.foundations.gradient`: the same measurements for functions of tensors, on any device."""

import numpy as np
import torch

from kb.shapes import checked


@checked
def numerical_gradient(f, x, h=None):
    """The slope of f along each coordinate of x, measured from both sides.

    x (...) -> (...)
    """
    h = torch.finfo(x.dtype).eps ** (1 / 3) if h is None else h
    return torch.stack([(f(x + nudge) - f(x - nudge)).reshape(()) / (2 * h) for nudge in _nudges(x, h)]).reshape(
        x.shape
    )


@checked
def one_sided_gradient(f, x, h=None):
    """The same from one side only.

    x (...) -> (...)
    """
    h = torch.finfo(x.dtype).eps ** (1 / 2) if h is None else h
    here = f(x)
    return torch.stack([(f(x + nudge) - here).reshape(()) / h for nudge in _nudges(x, h)]).reshape(x.shape)


@checked
def directional_derivative(f, x, direction, h=None):
    """How fast f rises on the way from x along `direction`.

    x (...), direction (...) -> ()
    """
    h = torch.finfo(x.dtype).eps ** (1 / 3) if h is None else h
    return (f(x + h * direction) - f(x - h * direction)).reshape(()) / (2 * h)


@checked
def gradient_check(f, x, gradient, h=None):
    """How wrong a computed gradient of f at x is, over the largest slope.

    x (...), gradient (...) -> ()
    """
    measured = numerical_gradient(f, x, h)
    largest = torch.maximum(measured.abs().max(), gradient.abs().max())
    return (gradient - measured).abs().max() / torch.where(largest > 0, largest, 1.0)


def _nudges(x, h):
    for place in np.ndindex(tuple(x.shape)):
        nudge = torch.zeros_like(x)
        nudge[place] = h
        yield nudge
