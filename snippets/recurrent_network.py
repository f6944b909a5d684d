"""Two neurons that count modulo 2, an LSTM, and what is left of a gradient after a hundred steps."""

import numpy as np

from kb.structure.recurrent_network import (
    backward_through_time,
    count_recurrent_parameters,
    init_recurrent,
    lstm,
    parity,
    with_spectral_radius,
)

# Is the number of ones so far odd? The same two neurons answer after any number of bits.
bits = np.array([1.0, 0, 1, 1, 0, 1])
print(parity(bits[:, None]))
#> [1. 1. 0. 1. 1. 0.]
rng = np.random.default_rng(0)
many = rng.integers(0, 2, 10_000).astype(float)
print(np.array_equal(parity(many[:, None]), np.cumsum(many) % 2))
#> True

# An LSTM reads a batch of two sequences; its state is all that it keeps of them.
params = init_recurrent("lstm", 8, 64, rng)
output, h, c = lstm(params, rng.standard_normal((2, 100, 8)).astype(np.float32))
print(output.shape, h.shape, c.shape, [count_recurrent_parameters(kind, 8, 64) for kind in ("rnn", "gru", "lstm")])
#> (2, 100, 64) (1, 2, 64) (1, 2, 64) [4736, 14208, 18944]

# The gradient on its way back through a hundred steps, with the state at rest.
for radius in (0.9, 1.0, 1.1):
    weight_hh = with_spectral_radius(rng.standard_normal((64, 64)), radius)
    blame = backward_through_time(np.ones(64) / 8, weight_hh, np.zeros((100, 64)))
    print(f"{radius}: {np.linalg.norm(blame[0]):.0e}")
    #> 0.9: 6e-08
    #> 1.0: 5e-01
    #> 1.1: 4e+03
