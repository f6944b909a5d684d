"""Activation functions: what a neuron makes of its weighted sum. Without one, a stack of layers is a single layer.

Every function works element by element; its slope, the derivative, says how responsive the neuron is at that point.

Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", equation 2
(sigmoid), https://doi.org/10.1038/323533a0; Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann
machines" (ReLU), https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf; Maas, Hannun and Ng 2013, "Rectifier
nonlinearities improve neural network acoustic models" (leaky ReLU); Hendrycks and Gimpel 2016, "Gaussian error linear
units (GELUs)" (GELU and SiLU), https://arxiv.org/abs/1606.08415; Shazeer 2020, "GLU variants improve transformer"
(SwiGLU), https://arxiv.org/abs/2002.05202; Trefethen and Weideman 2014, "The exponentially convergent trapezoidal
rule", section 5 (`normal_cdf`), https://doi.org/10.1137/130932132
"""

import functools
import math

import numpy as np

from kb.protocol import overridable
from kb.shapes import checked

A, C = 0.044715, math.sqrt(2 / math.pi)  # GELU in its tanh form
BLOCK = 1 << 16  # entries of a large array that GELU handles at a time: 256 KiB in float32
STEP = 0.7  # between the nodes of the sum in `normal_cdf`, which are (u, e^(-u^2 / 2))
NODES = [(u, math.exp(-u * u / 2)) for u in (STEP * (k + 0.5) for k in range(11))]


@checked
def identity(x):
    """No activation: what the last layer uses when its scores are wanted as they are.

    x (...) -> (...)
    """
    return x


@checked
def sigmoid(x):
    """How far a neuron is switched on: 1 / (1 + e^-x), from 0 (off) over 1/2 at x = 0 to 1 (on).

    x (...) -> (...)

    Any finite x; the result lies in 0..1. It is the share of the score x against the score 0 in a softmax, and is
    computed that way: with the larger of the two subtracted, no power of e can overflow.
    """
    largest = np.maximum(x, 0)
    on = np.exp(x - largest)
    return on / (on + np.exp(-largest))


@checked
def sigmoid_slope(x):
    """How responsive a sigmoid is at x: at most 1/4 (at 0), and nearly 0 where it is saturated.

    x (...) -> (...)
    """
    a = sigmoid(x)
    return a * (1 - a)


@checked
def relu(x):
    """What is left of x when everything below zero is cut off.

    x (...) -> (...)

    The result is at least 0.
    """
    return np.maximum(x, 0)


@checked
def relu_slope(x):
    """How responsive a ReLU is at x: 1 where x > 0, else 0; at 0 itself, where it has a corner, 0 as in torch.

    x (...) -> (...)
    """
    return np.heaviside(x, 0.0)


@checked
def tanh(x):
    """A sigmoid stretched to -1..1, so that its results centre on 0: tanh(x) = 2 sigmoid(2x) - 1.

    x (...) -> (...)
    """
    return np.tanh(x)


@checked
def tanh_slope(x):
    """How responsive tanh is at x: 1 at 0, and nearly 0 where it is saturated.

    x (...) -> (...)
    """
    a = np.tanh(x)
    return 1 - a * a


# ---- relatives of the ReLU ---------------------------------------------------------------------------------------
@checked
def leaky_relu(x, negative_slope=0.01):
    """A ReLU that lets a little through below zero, so that a neuron that is switched off can still learn.

    x (...) -> (...)
    """
    return np.where(x > 0, x, negative_slope * x)


@checked
def leaky_relu_slope(x, negative_slope=0.01):
    """How responsive a leaky ReLU is at x: 1 where x > 0, else `negative_slope`, at 0 too, as in torch.

    x (...) -> (...)
    """
    return np.where(x > 0, 1, negative_slope).astype(x.dtype)


@checked
def softplus(x, beta=1, threshold=20):
    """A ReLU with a rounded corner: log(1 + e^(beta x)) / beta. Its slope is a sigmoid.

    x (...) -> (...)

    The larger `beta` > 0, the sharper the corner. Where beta x is above `threshold` the result is x itself, as in
    torch: there the two differ by less than e^-threshold / beta. The result is at least 0.
    """
    return np.where(beta * x > threshold, x, np.logaddexp(beta * x, 0) / beta)


@checked
def softplus_slope(x, beta=1, threshold=20):
    """How responsive softplus is at x: sigmoid(beta x), and 1 above the threshold.

    x (...) -> (...)
    """
    return np.where(beta * x > threshold, 1, sigmoid(beta * x))


@checked
def silu(x):
    """x times how far a sigmoid is switched on by that same x; also called swish.

    x (...) -> (...)

    The result is at least -0.2785 (at x = -1.278).
    """
    return x * sigmoid(x)


@checked
def silu_slope(x):
    """How responsive SiLU is at x: between -0.0998 and 1.0998, and 1/2 at 0.

    x (...) -> (...)
    """
    share = sigmoid(x)
    return share + x * share * (1 - share)


# ---- GELU --------------------------------------------------------------------------------------------------------
def _in_blocks(fn):
    """`fn` of a large array block by block, so that what it computes on the way stays in the cache: twice as fast.

    A Tensor comes through whole, since each block would be a branch of its graph.
    """

    @functools.wraps(fn)
    def blocked(x, *args, **kwargs):
        if not isinstance(x, np.ndarray) or x.size <= BLOCK:
            return fn(x, *args, **kwargs)
        flat, out = np.reshape(x, -1), np.empty(x.size, np.result_type(x.dtype, 0.0))
        for start in range(0, x.size, BLOCK):
            out[start : start + BLOCK] = fn(flat[start : start + BLOCK], *args, **kwargs)
        return np.reshape(out, x.shape)

    return blocked


@checked
def normal_cdf(x):
    """The share of standard normal numbers that lie below x: 0.5 (1 + erf(x / sqrt(2))).

    x (...) -> (...)

    NumPy has no erf, but for x > 0 the share above x is x / pi e^(-x^2 / 2) times the integral over u > 0 of
    e^(-u^2 / 2) / (u^2 + x^2). The midpoint rule with step s, plus what the pole at u = ix contributes, gives for all x

        Phi(x) = sigmoid(2 pi x / s) - s x / pi e^(-x^2 / 2) sum_k e^(-u_k^2 / 2) / (u_k^2 + x^2),  u_k = (k + 1/2) s

    with an error of the size e^(-2 pi^2 / s^2). For s = 0.7 and 11 terms only rounding is left: 5e-16 in float64, and
    relative to a small Phi(x) that of e^(-x^2 / 2), 1e-14 at x = -8.
    """
    total = sum(weight / (node * node + x * x) for node, weight in NODES)
    return sigmoid(2 * math.pi / STEP * x) - STEP / math.pi * x * np.exp(-0.5 * x * x) * total


@overridable  # its slope stands in the engine's table: one step of a graph, not nine
@checked
@_in_blocks
def gelu(x, approximate="none"):
    """x times the share of standard normal numbers below it: a ReLU whose switch is not sure near zero.

    x (...) -> (...)

    "none" is exact; "tanh" replaces the share by a fitted tanh, as GPT-2 does, and differs by less than 5e-4. The
    result is at least -0.1700 (at x = -0.7518). Raises ValueError for another `approximate`.
    """
    _check_form("gelu", approximate)
    if approximate == "none":
        return x * normal_cdf(x)
    inner = x * (C + C * A * (x * x))  # C (x + A x^3); NumPy takes fifty times as long for x ** 3 as for x * x * x
    return x * (0.5 + 0.5 * np.tanh(inner))


@checked
@_in_blocks
def gelu_slope(x, approximate="none"):
    """How responsive GELU is at x: between -0.129 and 1.129, and 1/2 at 0.

    x (...) -> (...)
    """
    _check_form("gelu_slope", approximate)
    if approximate == "none":
        return normal_cdf(x) + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    square = x * x
    share = 0.5 + 0.5 * np.tanh(x * (C + C * A * square))
    return share + x * share * (1 - share) * (2 * C + 6 * C * A * square)


def _check_form(name, approximate):
    if approximate not in ("none", "tanh"):
        raise ValueError(f'{name}: approximate is {approximate!r}, expected "none" or "tanh"')


# ---- a gated layer -----------------------------------------------------------------------------------------------
@checked
def swiglu(x, w_gate, w_up, w_down):
    """A layer whose hidden neurons are pairs: one makes an offer (up), its partner says how much of it passes (gate).

    x (..., d), w_gate (m, d), w_up (m, d), w_down (d, m) -> (..., d)

    The weights lie as in torch's linear layers, one row per neuron; there are no biases, as in LLaMA.
    """
    return (silu(x @ w_gate.T) * (x @ w_up.T)) @ w_down.T


@checked
def swiglu_backward(grad, x, w_gate, w_up, w_down):
    """The gradients of a cost with respect to x and the three matrices, from its gradient with respect to the result.

    grad (..., d), x (..., d), w_gate (m, d), w_up (m, d), w_down (d, m) -> (..., d), (m, d), (m, d), (d, m)

    The offer is scaled by the gate, the gate by the offer: each one's slope has the other as a factor.
    """
    gate, up = x @ w_gate.T, x @ w_up.T
    hidden = grad @ w_down  # what reaches each pair
    by_gate, by_up = hidden * up * silu_slope(gate), hidden * silu(gate)
    by_x = by_gate @ w_gate + by_up @ w_up
    return by_x, _over_inputs(by_gate, x), _over_inputs(by_up, x), _over_inputs(grad, silu(gate) * up)


def _over_inputs(blame, senders):
    """The gradient of a matrix that all inputs share: blame (..., m), senders (..., n) -> (m, n), a sum over inputs."""
    return np.reshape(blame, (-1, blame.shape[-1])).T @ np.reshape(senders, (-1, senders.shape[-1]))
