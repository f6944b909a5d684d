"""What it costs that a recurrent network cannot begin a step before the last one has ended."""

import numpy as np

from bench.timing import Row
from kb.structure.layers import linear
from kb.structure.recurrent_network import init_recurrent, rnn

LENGTH, WIDTH = 512, 512


def rows():
    """One sequence step by step, against the same multiplications for all steps at once: not the same result."""
    rng = np.random.default_rng(0)
    params = init_recurrent("rnn", WIDTH, WIDTH, rng)
    x, h = rng.standard_normal((2, LENGTH, WIDTH)).astype(np.float32)

    def at_once():
        return np.tanh(
            linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
            + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
        )

    return [
        Row(
            key="rnn_step_by_step",
            work=f"rnn, one sequence of {LENGTH}, width {WIDTH}, float32",
            peer="the same multiplications for all steps at once",
            ours=lambda: rnn(params, x),
            theirs=at_once,
        )
    ]
