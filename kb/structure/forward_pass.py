"""The forward pass: each layer reads what the one before it wrote, a^(l+1) = phi(W a^(l) + b).

The weights are a flat dict with the names that `torch.nn.Sequential` gives to linear layers and activations in turn:
"0.weight", "0.bias", "2.weight", "2.bias", ... The odd numbers are the activations, which have no weights.

Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", equations 1 and 2,
https://doi.org/10.1038/323533a0
"""

from itertools import pairwise

from kb.shapes import checked
from kb.structure.layers import linear


def layer_names(params):
    """The names of the layers in the order in which an input meets them: ["0", "2", "4"].

    Numbers are compared as numbers ("10" comes after "2"), since a file need not keep the layers in order.
    """
    return sorted((name.removesuffix(".weight") for name in params if name.endswith(".weight")), key=int)


@checked
def forward(params, x, activation, output=None):
    """What the network answers to x.

    params {}, x (..., n) -> (..., m)

    `activation` follows every layer; `output`, if given, follows the last one instead.
    """
    for name, phi in _layers(params, activation, output):
        x = phi(linear(x, params[f"{name}.weight"], params.get(f"{name}.bias")))
    return x


@checked
def forward_all(params, x, activation, output=None):
    """Everything that the network computes on the way to its answer, which is the last entry.

    params {}, x (..., n) -> {}

    {"a0": x, "z1": W1 a0 + b1, "a1": phi(z1), "z2": ...}: computed anew for each input and forgotten, unlike the
    weights, which are learned and stay. Arguments as in `forward`.
    """
    record = {"a0": x}
    for i, (name, phi) in enumerate(_layers(params, activation, output), 1):
        record[f"z{i}"] = z = linear(x, params[f"{name}.weight"], params.get(f"{name}.bias"))
        record[f"a{i}"] = x = phi(z)
    return record


def _layers(params, activation, output):
    """Each layer's name with the function that follows it."""
    *hidden, last = layer_names(params)
    return [*((name, activation) for name in hidden), (last, output or activation)]


def forward_flops(*sizes, batch=1):
    """The additions and multiplications of a forward pass: two per weight and example.

    A neuron multiplies n times, adds n - 1 products and one bias: 2n. The activations, a few per neuron, are left out.
    """
    return 2 * batch * sum(n * m for n, m in pairwise(sizes))


def forward_bytes(*sizes, batch=1, itemsize=4):
    """The bytes that a forward pass reads or writes when each number moves once: weights, biases and activations.

    `itemsize` is the size of one number: 4 for float32.
    """
    return itemsize * (sum(n * m + m for n, m in pairwise(sizes)) + batch * sum(sizes))
