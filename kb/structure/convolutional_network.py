"""The convolutional network: small filters slide over an image, the same few weights at every position.

What deep learning calls convolution is a cross-correlation: the filter is not flipped. All images are
(..., channels, rows, columns), as in torch. A window of p x q pixels is handled as p q shifted copies of the image, one
per place in the window; filters and pools differ only in what they do with the copies.

Source: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition", section II,
https://doi.org/10.1109/5.726791; Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning",
relationship 6 (the sizes), https://arxiv.org/abs/1603.07285; Sobel and Feldman 1968, "An isotropic 3x3 image gradient
operator", https://doi.org/10.13140/RG.2.1.1912.4965
"""

import functools
import math

import numpy as np

from kb.shapes import checked
from kb.structure.activation_functions import relu
from kb.structure.layers import linear

# How fast an image brightens to the right and downwards: 8 times the slope per pixel, smoothed across.
SOBEL_X = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
SOBEL_Y = SOBEL_X.T
MANY = 2**23  # numbers: patches beyond 32 MB are fresh memory at each call, and fetching it costs more than the product


# ---- filters and pools -------------------------------------------------------------------------------------------
@checked
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """How well the image matches each filter at each position: the dot product of the filter and the patch under it.

    x (..., c, rows, cols), weight (m, g, p, q), bias (m) -> (..., m, rows_out, cols_out)

    stride, padding and dilation are an int or a pair (rows, columns): how far the filter moves between two outputs, the
    zeros around the image, and the distance of neighbouring filter entries. With groups, m / groups filters read each
    of the groups of g = c / groups channels. The patches are laid out as columns (im2col), so that all filters at all
    positions are one matrix product: (m, g p q) times (g p q, positions). A large batch is done image by image.

    Raises ValueError where channels and groups do not fit together, or where the filter does not fit into the image.
    """
    stride, padding, dilation = _pair("stride", stride), _pair("padding", padding, 0), _pair("dilation", dilation)
    (m, g, *size), lead = weight.shape, x.shape[:-3]
    if groups < 1 or m % groups or g * groups != x.shape[-3]:
        shapes = f"weight {weight.shape} and {groups} groups do not fit x {x.shape}"
        raise ValueError(f"conv2d: {shapes}: it needs m divisible by groups, and g * groups = c")
    if lead and isinstance(x, np.ndarray) and x.size * math.prod(size) > MANY:
        return np.stack([conv2d(image, weight, bias, stride, padding, dilation, groups) for image in x])
    seen = np.stack(_shifted_copies(_pad(x, padding, 0), size, stride, dilation), axis=-3)  # (..., c, p q, rows, cols)
    columns = np.reshape(seen, (*lead, groups, g * math.prod(size), math.prod(seen.shape[-2:])))
    out = np.reshape(weight, (groups, m // groups, -1)) @ columns
    out = np.reshape(out, (*lead, m, *seen.shape[-2:]))
    return out if bias is None else out + np.reshape(bias, (m, 1, 1))


@checked
def max_pool2d(x, kernel_size, stride=None, padding=0):
    """The strongest match in each window, wherever in the window it is.

    x (..., rows, cols) -> (..., rows_out, cols_out)

    kernel_size, stride (None: the kernel's size) and padding are an int or a pair (rows, columns). The padding is -inf
    and never wins. Of equal values the first one, in the order of reading, gets the gradient; nan wins, as in torch.
    Raises ValueError for a padding of more than half the window, and where the window does not fit into the image.
    """
    return functools.reduce(_larger, _pooled(x, kernel_size, stride, padding, -np.inf))


@checked
def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """The mean of each window.

    x (..., rows, cols) -> (..., rows_out, cols_out)

    Arguments as in max_pool2d, but the padding is 0 and counts as pixels, as in torch. Raises: as max_pool2d.
    """
    return sum(_pooled(x, kernel_size, stride, padding, 0)) / math.prod(_pair("kernel_size", kernel_size))


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """The rows (or columns) of the result: how many positions a window has along an axis of `size` pixels.

    Relationship 6 of Dumoulin and Visin; a dilated window spans dilation * (kernel_size - 1) + 1 pixels.
    """
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def _shifted_copies(x, size, stride, dilation):
    """What each place of the window sees at all the window's positions: p q arrays (..., rows_out, cols_out)."""
    out = [output_size(n, k, s, 0, d) for n, k, s, d in zip(x.shape[-2:], size, stride, dilation, strict=True)]
    if min(out) < 1:
        raise ValueError(f"a window {tuple(size)}, dilation {dilation}, does not fit into x padded to {x.shape}")
    places = (np.multiply(place, dilation) for place in np.ndindex(*size))
    return [
        x[..., i : i + stride[0] * (out[0] - 1) + 1 : stride[0], j : j + stride[1] * (out[1] - 1) + 1 : stride[1]]
        for i, j in places
    ]


def _pooled(x, kernel_size, stride, padding, border):
    """The shifted copies under a pooling window."""
    size, padding = _pair("kernel_size", kernel_size), _pair("padding", padding, 0)
    if any(2 * p > k for p, k in zip(padding, size, strict=True)):
        raise ValueError(f"pooling: padding is {padding}, expected at most half of kernel_size {size}")
    stride = size if stride is None else _pair("stride", stride)
    return _shifted_copies(_pad(x, padding, border), size, stride, (1, 1))


def _larger(best, x):
    """The larger of two, the first where they tie. (np.maximum would share the gradient of a tie.)"""
    return np.where((x > best) | np.isnan(x), x, best)


def _pad(x, padding, border):
    if padding == (0, 0):
        return x
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(n, n) for n in padding], constant_values=border)


def _pair(name, value, least=1):
    """(rows, columns) of an int or a pair."""
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(isinstance(n, (int, np.integer)) and n >= least for n in pair):
        raise ValueError(f"{name} is {value!r}, expected an int or a pair of ints, at least {least}")
    return pair


# ---- filters by hand ---------------------------------------------------------------------------------------------
@checked
def sobel(x):
    """How fast an image brightens to the right and downwards, and how steeply in all: the strength of an edge.

    x (..., rows, cols) -> (..., rows_out, cols_out), (..., rows_out, cols_out), (..., rows_out, cols_out)

    The results lack the outermost pixels, where the 3 x 3 filters have no whole patch. On a ramp that brightens by 1
    per pixel each filter answers 8.
    """
    filters = np.stack([SOBEL_X, SOBEL_Y])[:, None].astype(x.dtype)
    slopes = conv2d(np.expand_dims(x, -3), filters)
    right, down = slopes[..., 0, :, :], slopes[..., 1, :, :]
    return right, down, np.hypot(right, down)


@checked
def shift(x, down, right):
    """The image moved by whole pixels; what leaves the frame is lost, and zeros come in on the other side.

    x (..., rows, cols) -> (..., rows, cols)

    Negative numbers move it up and left.
    """
    rows, cols = x.shape[-2:]
    border = [(0, 0)] * (x.ndim - 2) + [(max(n, 0), max(-n, 0)) for n in (down, right)]
    wide = np.pad(x, border)
    return wide[..., max(-down, 0) :, max(-right, 0) :][..., :rows, :cols]


@checked
def as_matrix(weight, rows, cols):
    """The dense layer that does the same as one filter on an image of rows x cols pixels: a matrix, mostly zeros.

    weight (p, q), rows (), cols () -> (m, n)

    Row i holds the filter, moved to position i of the output; n = rows * cols, m is the number of positions. Without
    padding, with stride 1.
    """
    pixels = np.reshape(np.eye(rows * cols, dtype=weight.dtype), (-1, 1, rows, cols))  # each pixel alone, once
    return np.reshape(conv2d(pixels, weight[None, None]), (rows * cols, -1)).T


# ---- how many parameters -----------------------------------------------------------------------------------------
def conv_parameters(in_channels, out_channels, kernel_size, groups=1):
    """The numbers that training can change in a convolution; the size of the image does not matter.

    One small filter over in_channels / groups channels, and one bias, for each output channel.
    """
    return out_channels * (in_channels // groups * math.prod(_pair("kernel_size", kernel_size)) + 1)


def dense_parameters(in_shape, out_shape):
    """The same for a dense layer in its place: every output number has a weight for every input number, and a bias."""
    return math.prod(out_shape) * (math.prod(in_shape) + 1)


# ---- a small network ---------------------------------------------------------------------------------------------
def init_cnn(rng, channels=(1, 8, 16), size=8, classes=10, dtype="float32"):
    """Weights to start training from, after He: two convolutions of 3 x 3 and one dense layer, with torch's names.

    "0.weight" (8, 1, 3, 3), "2.weight" (16, 8, 3, 3), "6.weight" (10, 256), and their biases of 0: the numbers are the
    places in nn.Sequential(conv, ReLU, conv, ReLU, pool, flatten, linear).
    """
    c, first, second = channels
    shapes = {"0": (first, c, 3, 3), "2": (second, first, 3, 3), "6": (classes, second * (size // 2) ** 2)}
    params = {}
    for name, shape in shapes.items():
        width = math.sqrt(2 / math.prod(shape[1:]))
        params[f"{name}.weight"] = (width * rng.standard_normal(shape)).astype(dtype)
        params[f"{name}.bias"] = np.zeros(shape[0], dtype)
    return params


@checked
def feature_maps(params, x):
    """What the filters of both convolutions see in an image: one map per filter, bright where its pattern is.

    params {}, x (b, c, rows, cols) -> (b, m, rows, cols), (b, k, rows, cols)

    Weights as in init_cnn. ReLU leaves nothing below 0. The second convolution reads the first one's maps, so each of
    its numbers depends on 5 x 5 pixels.
    """
    first = relu(conv2d(x, params["0.weight"], params["0.bias"], padding=1))
    return first, relu(conv2d(first, params["2.weight"], params["2.bias"], padding=1))


@checked
def cnn_logits(params, x):
    """The scores of a small convolutional network: filters twice, one pool that halves rows and columns, a dense layer.

    params {}, x (b, c, rows, cols) -> (b, v)

    Weights as in init_cnn.
    """
    pooled = max_pool2d(feature_maps(params, x)[1], 2)
    return linear(np.reshape(pooled, (len(x), -1)), params["6.weight"], params["6.bias"])
