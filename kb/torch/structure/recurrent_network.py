"""Torch twin of `kb.structure.recurrent_network`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked
from kb.structure import recurrent_network as kb_rnn
from kb.structure.recurrent_network import layer_weights

WITHOUT_A_TWIN = {
    "layer_weights": "sorts names; the twin uses NumPy's",
    "count_recurrent_parameters": "counts; there is no array in it",
}
CELLS = {"tanh": torch.rnn_tanh_cell, "relu": torch.rnn_relu_cell}
LAYERS = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}


@checked
def rnn_cell(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None, nonlinearity="tanh"):
    """The next state.

    x (..., d), h (..., n), weight_ih (n, d), weight_hh (n, n), bias_ih (n), bias_hh (n) -> (..., n)
    """
    lead, (x, h) = _as_batch(x, h)
    return CELLS[nonlinearity](x, h, weight_ih, weight_hh, bias_ih, bias_hh).reshape(*lead, -1)


@checked
def lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """The next state and cell.

    x (..., d), h (..., n), c (..., n), weight_ih (4n, d), weight_hh (4n, n), bias_ih (4n), bias_hh (4n) -> (..., n), (..., n)
    """  # noqa: E501
    lead, (x, h, c) = _as_batch(x, h, c)
    h, c = torch.lstm_cell(x, (h, c), weight_ih, weight_hh, bias_ih, bias_hh)
    return h.reshape(*lead, -1), c.reshape(*lead, -1)


@checked
def gru_cell(x, h, weight_ih, weight_hh, bias_ih=None, bias_hh=None):
    """The next state.

    x (..., d), h (..., n), weight_ih (3n, d), weight_hh (3n, n), bias_ih (3n), bias_hh (3n) -> (..., n)
    """
    lead, (x, h) = _as_batch(x, h)
    return torch.gru_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh).reshape(*lead, -1)


def _as_batch(*arrays):
    """The free axes that the arrays share, and the arrays with all of them made one."""
    lead = torch.broadcast_shapes(*(a.shape[:-1] for a in arrays))
    return lead, [a.expand(*lead, -1).reshape(-1, a.shape[-1]) for a in arrays]


@checked
def rnn(params, x, h0=None, nonlinearity="tanh"):
    """The last layer's state after each element, and the state of every layer at the end.

    params {}, x (..., t, d), h0 (l, ..., n) -> (..., t, n), (l, ..., n)
    """
    return _run(LAYERS[nonlinearity], params, x, h0)


@checked
def lstm(params, x, h0=None, c0=None):
    """The last layer's state after each element, and the state and the cell of every layer at the end.

    params {}, x (..., t, d), h0 (l, ..., n), c0 (l, ..., n) -> (..., t, n), (l, ..., n), (l, ..., n)
    """
    return _run(torch.lstm, params, x, h0, c0)


@checked
def gru(params, x, h0=None):
    """The last layer's state after each element, and the state of every layer at the end.

    params {}, x (..., t, d), h0 (l, ..., n) -> (..., t, n), (l, ..., n)
    """
    return _run(torch.gru, params, x, h0)


def _run(fn, params, x, *start):
    """torch's fused loop over the sequence, which on a GPU is cuDNN's."""
    layers, lead = layer_weights(params), x.shape[:-2]
    batch, n = x.reshape(-1, *x.shape[-2:]), layers[0][1].shape[-1]
    zeros = x.new_zeros(len(layers), *lead, n)
    states = [(zeros if s is None else s).expand(-1, *lead, -1).reshape(len(layers), -1, n) for s in start]
    weights = [w for layer in layers for w in layer if w is not None]
    biased = layers[0][2] is not None
    settings = {"num_layers": len(layers), "dropout": 0.0, "train": True, "bidirectional": False, "batch_first": True}
    out, *ends = fn(batch, states[0] if len(states) == 1 else states, weights, biased, **settings)
    return out.reshape(*lead, *out.shape[1:]), *(end.reshape(len(layers), *lead, n) for end in ends)


@checked
def parity(x):
    """Whether the number of ones up to each bit is odd (1) or even (0).

    x (..., t, 1) -> (..., t)
    """
    params = {name: torch.as_tensor(value, dtype=x.dtype, device=x.device) for name, value in kb_rnn.PARITY.items()}
    states, _ = rnn(params, x, nonlinearity="relu")
    return states[..., 0] - 2 * states[..., 1]


@checked
def backward_through_time(grad, weight_hh, states):
    """The gradient with respect to every state, from that with respect to the last.

    grad (..., n), weight_hh (n, n), states (..., t, n) -> (..., t, n)
    """
    grads = [grad]
    for h in reversed(states.unbind(-2)[1:]):
        grads.append(grads[-1] * (1 - h * h) @ weight_hh)
    return torch.stack(grads[::-1], dim=-2)


@checked
def spectral_radius(weight):
    """The largest |eigenvalue| of a matrix.

    weight (n, n) -> ()
    """
    return torch.linalg.eigvals(weight).abs().max()


@checked
def with_spectral_radius(weight, radius):
    """The matrix, scaled so that its largest |eigenvalue| is `radius`.

    weight (n, n), radius () -> (n, n)
    """
    return weight * (radius / spectral_radius(weight))


def init_recurrent(kind, d, n, rng, layers=1, dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    params = kb_rnn.init_recurrent(kind, d, n, rng, layers, dtype)
    return {name: torch.from_numpy(value) for name, value in params.items()}
