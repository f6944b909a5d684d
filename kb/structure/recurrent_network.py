"""The recurrent network: it reads a sequence element by element, with the same weights at each step, into one state.

    h_t = phi(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)

Three cells, plain, LSTM and GRU, each with the layout of torch's weights: the gates are stacked along the first axis
of each matrix, in the order i, f, g, o (LSTM) and r, z, n (GRU). A network is a flat dict with torch's names,
weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0; a second layer, l1, reads the states of the first.

Source: Elman 1990, "Finding structure in time", https://doi.org/10.1207/s15516709cog1402_1; Hochreiter and Schmidhuber
1997, "Long short-term memory", https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of Gers, Schmidhuber
and Cummins 2000, "Learning to forget", https://doi.org/10.1162/089976600300015015; Cho et al. 2014, "Learning phrase
representations using RNN encoder-decoder", equations 5 to 8, https://arxiv.org/abs/1406.1078; Pascanu, Mikolov and
Bengio 2013, "On the difficulty of training recurrent neural networks", equation 5, https://arxiv.org/abs/1211.5063
"""

import math

import numpy as np

from kb.shapes import checked
from kb.structure.activation_functions import relu, sigmoid, tanh
from kb.structure.layers import linear

PHI = {"tanh": tanh, "relu": relu}
GATES = {"rnn": 1, "gru": 3, "lstm": 4}

# Two neurons that know whether the number of ones so far is odd. It is u - 2v, for u = relu(odd + x) and
# v = relu(odd + x - 1): the network that computes XOR, fed with its own last answer.
PARITY = {
    "weight_ih_l0": np.array([[1.0], [1.0]]),
    "weight_hh_l0": np.array([[1.0, -2.0], [1.0, -2.0]]),
    "bias_ih_l0": np.array([0.0, -1.0]),
    "bias_hh_l0": np.zeros(2),
}


# ---- one step ----------------------------------------------------------------------------------------------------
@checked
def rnn_cell(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None, nonlinearity="tanh"):
    """The next state: one dense layer that reads the input and the last state together.

    x (..., d), h (..., n), weight_ih (n, d), weight_hh (n, n), bias_ih (n), bias_hh (n) -> (..., n)

    nonlinearity: "tanh", which keeps every entry between -1 and 1, or "relu". Raises ValueError for another.
    """
    if nonlinearity not in PHI:
        raise ValueError(f"rnn_cell: nonlinearity is {nonlinearity!r}, expected one of {', '.join(PHI)}")
    return PHI[nonlinearity](linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh))


@checked
def lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """The next state and cell: keep a share f of every memory, add a share i of what is new, show a share o of it.

    x (..., d), h (..., n), c (..., n), weight_ih (4n, d), weight_hh (4n, n), bias_ih (4n), bias_hh (4n) -> (..., n), (..., n)

    The gates i, f and o lie in 0..1 and the proposal g in -1..1. From c to c the path is a product with f: no matrix
    and no squashing in between.
    """  # noqa: E501
    gates = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)
    i, f, g, o = np.split(gates, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


@checked
def gru_cell(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """The next state: a mixture of the last one, share z, and a proposal, share 1 - z, for each entry.

    x (..., d), h (..., n), weight_ih (3n, d), weight_hh (3n, n), bias_ih (3n), bias_hh (3n) -> (..., n)

    The reset gate r says how much of the last state the proposal sees. As in torch it acts behind the matrix and the
    bias, tanh(W x + b + r * (U h + b')); in the published equation it acts before, tanh(W x + U (r * h)).
    """
    r_x, z_x, n_x = np.split(linear(x, weight_ih, bias_ih), 3, axis=-1)
    r_h, z_h, n_h = np.split(linear(h, weight_hh, bias_hh), 3, axis=-1)
    z = sigmoid(z_x + z_h)
    proposal = tanh(n_x + sigmoid(r_x + r_h) * n_h)
    return (1 - z) * proposal + z * h


# ---- a whole sequence --------------------------------------------------------------------------------------------
@checked
def rnn(params, x, h0=None, nonlinearity="tanh"):
    """The last layer's state after each element, and the state of every layer at the end.

    params {}, x (..., t, d), h0 (l, ..., n) -> (..., t, n), (l, ..., n)

    The sequence is axis -2 of x (torch's batch_first=True). h0 is the state before the first element, zeros if None.
    Raises ValueError for an empty sequence and for weights that are missing or of a bidirectional network.
    """

    def cell(x, h, *weights):
        return (rnn_cell(x, h, *weights, nonlinearity),)

    return _run(cell, params, x, h0)


@checked
def lstm(params, x, h0=None, c0=None):
    """The last layer's state after each element, and the state and the cell of every layer at the end.

    params {}, x (..., t, d), h0 (l, ..., n), c0 (l, ..., n) -> (..., t, n), (l, ..., n), (l, ..., n)

    As rnn; torch packs the last two results, and h0 with c0, into pairs.
    """
    return _run(lstm_cell, params, x, h0, c0)


@checked
def gru(params, x, h0=None):
    """The last layer's state after each element, and the state of every layer at the end.

    params {}, x (..., t, d), h0 (l, ..., n) -> (..., t, n), (l, ..., n)

    As rnn.
    """
    return _run(lambda *args: (gru_cell(*args),), params, x, h0)


def _run(cell, params, x, *start):
    """Step after step, layer after layer: no step can begin before the last one has ended."""
    if x.shape[-2] == 0:
        raise ValueError(f"x has shape {x.shape}: a sequence has at least one element, axis -2")
    ends = []
    for layer, weights in enumerate(layer_weights(params)):
        zeros = np.zeros((*x.shape[:-2], weights[1].shape[-1]), x.dtype)
        state = [zeros if s is None else s[layer] for s in start]
        outputs = []
        for t in range(x.shape[-2]):
            state = cell(x[..., t, :], *state, *weights)
            outputs.append(state[0])
        x = np.stack(outputs, axis=-2)  # (..., t, n): the next layer reads it
        ends.append(state)
    return x, *(np.stack(column) for column in zip(*ends, strict=True))


def layer_weights(params):
    """The weights of each layer in the order of a cell's arguments: weight_ih, weight_hh, bias_ih, bias_hh (or None).

    Raises ValueError where a layer lacks a matrix, and for names that this network does not have.
    """
    layers = range(sum(name.startswith("weight_ih_l") for name in params))
    names = [[f"{kind}_l{n}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")] for n in layers]
    expected = {name for group in names for name in group}
    missing = [name for group in names or [["weight_ih_l0"]] for name in group[:2] if name not in params]
    if missing or set(params) - expected:
        raise ValueError(f"params has {sorted(params)}; missing {missing}, unknown {sorted(set(params) - expected)}")
    return [[params.get(name) for name in group] for group in names]


@checked
def parity(x):
    """Whether the number of ones up to each bit is odd (1) or even (0), by the two neurons of PARITY.

    x (..., t, 1) -> (..., t)

    Bits are 0 or 1; the sequence may have any length, the network has eight weights and biases that are not 0.
    """
    states, _ = rnn({name: value.astype(x.dtype) for name, value in PARITY.items()}, x, nonlinearity="relu")
    return states[..., 0] - 2 * states[..., 1]


# ---- the gradient through time -----------------------------------------------------------------------------------
@checked
def backward_through_time(grad, weight_hh, states):
    """What the last state's blame becomes on its way back: the gradient with respect to every state.

    grad (..., n), weight_hh (n, n), states (..., t, n) -> (..., t, n)

    `states` is the first result of `rnn` (one layer, tanh) and `grad` the slope of a cost with respect to its last
    entry; the last entry of the result is `grad` itself. Each step back is the chain rule through one step:
    multiply by tanh'(z) = 1 - h^2, then by the transpose of W_hh, the same matrix each time.
    """
    grads = [grad]
    for t in range(states.shape[-2] - 1, 0, -1):
        h = states[..., t, :]
        grads.append(grads[-1] * (1 - h * h) @ weight_hh)
    return np.stack(grads[::-1], axis=-2)


@checked
def spectral_radius(weight):
    """By how much a matrix stretches vectors per step when it is applied again and again: its largest |eigenvalue|.

    weight (n, n) -> ()

    A single application may stretch more, up to the largest singular value.
    """
    return np.max(np.abs(np.linalg.eigvals(weight)))


@checked
def with_spectral_radius(weight, radius):
    """The matrix, scaled so that its largest |eigenvalue| is `radius`.

    weight (n, n), radius () -> (n, n)
    """
    return weight * (radius / spectral_radius(weight))


# ---- weights -----------------------------------------------------------------------------------------------------
def init_recurrent(kind, d, n, rng, layers=1, dtype="float32"):
    """Weights to start training from, as torch draws them: uniform between -1 / sqrt(n) and 1 / sqrt(n).

    kind: "rnn", "gru" or "lstm"; d inputs, n entries of the state. The result is a flat dict with torch's names.
    """
    bound, gates, params = 1 / math.sqrt(n), GATES[kind], {}
    for layer in range(layers):
        shapes = {"weight_ih": (gates * n, n if layer else d), "weight_hh": (gates * n, n)}
        for name, shape in (shapes | {"bias_ih": (gates * n,), "bias_hh": (gates * n,)}).items():
            params[f"{name}_l{layer}"] = rng.uniform(-bound, bound, shape).astype(dtype)
    return params


def count_recurrent_parameters(kind, d, n, layers=1):
    """The numbers that training can change; the length of the sequences does not matter.

    Each gate is a dense layer from d + n numbers to n; torch gives it two biases.
    """
    return GATES[kind] * n * sum((n if layer else d) + n + 2 for layer in range(layers))
