"""Torch twin of `kb.structure.activation_functions`: the same names and arguments; runs where its tensors live."""

import math

import torch
from torch.nn import functional as F

from kb.shapes import checked

A, C = 0.044715, math.sqrt(2 / math.pi)  # GELU in its tanh form


@checked
def identity(x):
    """No activation.

    x (...) -> (...)
    """
    return x


@checked
def sigmoid(x):
    """How far a neuron is switched on: 1 / (1 + e^-x).

    x (...) -> (...)
    """
    return torch.sigmoid(x)


@checked
def sigmoid_slope(x):
    """How responsive a sigmoid is at x.

    x (...) -> (...)
    """
    a = torch.sigmoid(x)
    return a * (1 - a)


@checked
def relu(x):
    """What is left of x when everything below zero is cut off.

    x (...) -> (...)
    """
    return torch.relu(x)


@checked
def relu_slope(x):
    """How responsive a ReLU is at x: 1 where x > 0, else 0.

    x (...) -> (...)
    """
    return torch.heaviside(x, x.new_zeros(()))


@checked
def tanh(x):
    """A sigmoid stretched to -1..1.

    x (...) -> (...)
    """
    return torch.tanh(x)


@checked
def tanh_slope(x):
    """How responsive tanh is at x.

    x (...) -> (...)
    """
    a = torch.tanh(x)
    return 1 - a * a


# ---- relatives of the ReLU ---------------------------------------------------------------------------------------
@checked
def leaky_relu(x, negative_slope=0.01):
    """A ReLU that lets a little through below zero.

    x (...) -> (...)
    """
    return F.leaky_relu(x, negative_slope)


@checked
def leaky_relu_slope(x, negative_slope=0.01):
    """How responsive a leaky ReLU is at x: 1 where x > 0, else `negative_slope`.

    x (...) -> (...)
    """
    return torch.full_like(x, negative_slope).masked_fill(x > 0, 1)


@checked
def softplus(x, beta=1, threshold=20):
    """A ReLU with a rounded corner.

    x (...) -> (...)
    """
    return F.softplus(x, beta, threshold)


@checked
def softplus_slope(x, beta=1, threshold=20):
    """How responsive softplus is at x: sigmoid(beta x), and 1 above the threshold.

    x (...) -> (...)
    """
    return torch.where(beta * x > threshold, 1.0, torch.sigmoid(beta * x))


@checked
def silu(x):
    """x times sigmoid(x).

    x (...) -> (...)
    """
    return F.silu(x)


@checked
def silu_slope(x):
    """How responsive SiLU is at x.

    x (...) -> (...)
    """
    share = torch.sigmoid(x)
    return share + x * share * (1 - share)


# ---- GELU --------------------------------------------------------------------------------------------------------
@checked
def normal_cdf(x):
    """The share of standard normal numbers that lie below x.

    x (...) -> (...)
    """
    return torch.special.ndtr(x)


@checked
def gelu(x, approximate="none"):
    """x times the share of standard normal numbers below it.

    x (...) -> (...)
    """
    _check_form("gelu", approximate)
    return F.gelu(x, approximate=approximate)


@checked
def gelu_slope(x, approximate="none"):
    """How responsive GELU is at x.

    x (...) -> (...)
    """
    _check_form("gelu_slope", approximate)
    if approximate == "none":
        return torch.special.ndtr(x) + x * torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    t = torch.tanh(x * (C + C * A * (x * x)))
    return 0.5 + 0.5 * t + 0.5 * x * (1 - t * t) * (C + 3 * C * A * (x * x))


def _check_form(name, approximate):
    if approximate not in ("none", "tanh"):
        raise ValueError(f'{name}: approximate is {approximate!r}, expected "none" or "tanh"')


# ---- a gated layer -----------------------------------------------------------------------------------------------
@checked
def swiglu(x, w_gate, w_up, w_down):
    """A layer whose hidden neurons are pairs: an offer (up) and a gate.

    x (..., d), w_gate (m, d), w_up (m, d), w_down (d, m) -> (..., d)
    """
    return F.linear(F.silu(F.linear(x, w_gate)) * F.linear(x, w_up), w_down)


@checked
def swiglu_backward(grad, x, w_gate, w_up, w_down):
    """The gradients with respect to x and the three matrices, from the gradient with respect to the result.

    grad (..., d), x (..., d), w_gate (m, d), w_up (m, d), w_down (d, m) -> (..., d), (m, d), (m, d), (d, m)
    """
    gate, up = F.linear(x, w_gate), F.linear(x, w_up)
    hidden = grad @ w_down
    by_gate, by_up = hidden * up * silu_slope(gate), hidden * F.silu(gate)
    by_x = by_gate @ w_gate + by_up @ w_up
    pairs = ((by_gate, x), (by_up, x), (grad, F.silu(gate) * up))
    return by_x, *(a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1]) for a, b in pairs)
