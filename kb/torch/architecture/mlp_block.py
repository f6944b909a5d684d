"""Torch twin of `kb.architecture.mlp_block`: the same names and arguments; runs where its tensors live."""

from torch.nn import functional as F

from kb.shapes import checked

WITHOUT_A_TWIN = {"count_parameters": "counts; there is nothing for torch to compute"}


@checked
def mlp_block(x, w_up, b_up, w_down, b_down, activation=None):
    """What the block adds to each position's vector.

    x (..., d), w_up (m, d), b_up (m), w_down (d, m), b_down (d) -> (..., d)
    """
    return F.linear(mlp_neurons(x, w_up, b_up, activation), w_down, b_down)


@checked
def mlp_neurons(x, w_up, b_up, activation=None):
    """How active each neuron is.

    x (..., d), w_up (m, d), b_up (m) -> (..., m)
    """
    z = F.linear(x, w_up, b_up)
    return F.gelu(z, approximate="tanh") if activation is None else activation(z)


@checked
def written_by_neurons(active, w_down):
    """What each neuron adds: its activation times its value.

    active (..., m), w_down (d, m) -> (..., m, d)
    """
    return active[..., None] * w_down.mT


@checked
def store_facts(keys, values):
    """One neuron per fact, IF all of its keys THEN add its value.

    keys (m, k, d), values (m, d) -> (m, d), (m), (d, m)
    """
    m, k, _ = keys.shape
    return keys.sum(1), keys.new_full((m,), 1 - k), values.mT
