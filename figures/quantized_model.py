"""The digit network of 13,002 numbers with its weights rounded to few bits: how much worse, and how much smaller."""

import functools

import numpy as np

from kb.architecture.quantization import dequantize, quantize, round_to_bf16, round_to_fp16
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.learning.cost_function import cost
from kb.structure.multilayer_perceptron import mlp

FIRST = "0.weight"  # the matrix of the first layer, a row for each neuron


@functools.cache
def held_out():
    """Images (n, 784) and labels (n) that the network was not trained on."""
    digits = split(load_digits(28))[1]
    return digits.images.reshape(-1, 784), digits.labels


@functools.cache
def each_matrix(bits, per, symmetric):
    """The trained weights, every matrix rounded; biases as they are. And the bytes that they take up."""
    params, size = {}, 0.0
    for name, weight in digits_mlp().items():
        params[name], size = weight, size + weight.nbytes
        if weight.ndim == 2:
            codes, scale, zero_point = quantize(weight, bits, per, symmetric)
            params[name] = dequantize(codes, scale, zero_point)
            size += codes.size * bits / 8 + 2 * scale.size - weight.nbytes  # scales in 16 bits
    return params, size


def quantized(bits=32, per="channel", symmetric=True):
    """(the weights, their bytes); 32 bits: as trained."""
    if bits == 32:
        return digits_mlp(), float(sum(weight.nbytes for weight in digits_mlp().values()))
    return each_matrix(bits, per, symmetric)


def error(bits=32, per="channel", symmetric=True):
    """The cost on held-out digits: squared error of the ten outputs, averaged over the digits."""
    images, labels = held_out()
    return float(cost(mlp(quantized(bits, per, symmetric)[0], images), np.eye(10, dtype=np.float32)[labels]))


def share_right(bits=32, per="channel", symmetric=True):
    """The share of held-out digits that it reads rightly."""
    images, labels = held_out()
    return float(np.mean(mlp(quantized(bits, per, symmetric)[0], images).argmax(axis=1) == labels))


def kilobytes(bits=32, per="channel"):
    """What the whole network takes up."""
    return quantized(bits, per)[1] / 1000


def share_right_in_half_precision(name):
    """With all matrices rounded to "bf16" or "fp16"."""
    images, labels = held_out()
    cast = {"bf16": round_to_bf16, "fp16": round_to_fp16}[name]
    return float(np.mean(mlp({k: cast(w) for k, w in digits_mlp().items()}, images).argmax(axis=1) == labels))
