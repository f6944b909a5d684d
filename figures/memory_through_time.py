"""How much the last state of a recurrent network still depends on each element that it has read: measured."""

import functools

import numpy as np

from kb.autograd.tensor import vjp
from kb.structure.recurrent_network import (
    backward_through_time,
    gru,
    init_recurrent,
    lstm,
    rnn,
    with_spectral_radius,
)

LENGTH, INPUTS, STATE = 100, 8, 64
CELLS = {"rnn": rnn, "gru": gru, "lstm": lstm}


@functools.cache
def random_sequence():
    """A sequence of 100 vectors of 8 normal numbers."""
    return np.random.default_rng(0).standard_normal((LENGTH, INPUTS))


@functools.cache
def blame_by_radius(radius, inputs=0.0):
    """The length of the gradient at each of 100 states, from a blame of length 1 at the last: index -1 is the last.

    A plain network of 64 neurons with random W_hh of this spectral radius; `inputs` is the spread of W_ih x. With 0 the
    state rests at 0, where tanh has the slope 1.
    """
    rng = np.random.default_rng(1)
    weight_hh = with_spectral_radius(rng.standard_normal((STATE, STATE)), radius)
    weight_ih = inputs / np.sqrt(INPUTS) * rng.standard_normal((STATE, INPUTS))
    states = rnn({"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh}, random_sequence())[0]
    blame = backward_through_time(np.ones(STATE) / np.sqrt(STATE), weight_hh, states)
    return np.sqrt(np.sum(blame * blame, axis=-1))


@functools.cache
def blame_by_cell(kind, forget_bias=None):
    """The length of the gradient of the last state's sum at each of 100 inputs, relative to that at the last input.

    Weights as torch draws them; forget_bias, if given, replaces the LSTM's bias of the forget gates.
    """
    params = init_recurrent(kind, INPUTS, STATE, np.random.default_rng(1), dtype="float64")
    if forget_bias is not None:
        gate = np.arange(4 * STATE) // STATE  # 0 i, 1 f, 2 g, 3 o
        params = params | {"bias_ih_l0": np.where(gate == 1, forget_bias, params["bias_ih_l0"])}
    _, pullback = vjp(lambda x: CELLS[kind](params, x)[0][-1], random_sequence())
    slopes = pullback(np.ones(STATE))
    lengths = np.sqrt(np.sum(slopes * slopes, axis=-1))
    return lengths / lengths[-1]
