"""Stand-in of `gpt`, to be replaced by the owner's module: widen, activate, narrow."""

from functools import partial

from kb.shapes import checked
from kb.structure.activation_functions import gelu
from kb.structure.layers import linear

gelu_tanh = partial(gelu, approximate="tanh")


@checked
def mlp_block(x, w_up, b_up, w_down, b_down, activation=gelu_tanh):
    """What a block adds to one position's vector: down(activation(up(x))).

    x (..., d), w_up (m, d), b_up (m), w_down (d, m), b_down (d) -> (..., d)
    """
    return linear(activation(linear(x, w_up, b_up)), w_down, b_down)
