"""Torch twin of `kb.structure.convolutional_network`: the same names and arguments; runs where its tensors live."""

import torch
import torch.nn.functional as F
from torch import nn

from kb.shapes import checked
from kb.structure import convolutional_network as kb_cnn

WITHOUT_A_TWIN = {
    "output_size": "counts; there is no array in it",
    "conv_parameters": "counts; there is no array in it",
    "dense_parameters": "counts; there is no array in it",
}


class CNN(nn.Sequential):
    """The network as torch writes it; its state dict has the names of `init_cnn`, so load_state_dict takes them."""

    def __init__(self, channels=(1, 8, 16), size=8, classes=10):
        c, first, second = channels
        super().__init__(
            *(nn.Conv2d(c, first, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(first, second, 3, padding=1), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(second * (size // 2) ** 2, classes)),
        )


@checked
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """How well the image matches each filter at each position.

    x (..., c, rows, cols), weight (m, g, p, q), bias (m) -> (..., m, rows_out, cols_out)
    """
    return _as_batch(lambda x: F.conv2d(x, weight, bias, stride, padding, dilation, groups), x)


@checked
def max_pool2d(x, kernel_size, stride=None, padding=0):
    """The strongest match in each window.

    x (..., rows, cols) -> (..., rows_out, cols_out)
    """
    return _as_batch(lambda x: F.max_pool2d(x, kernel_size, stride, padding), x)


@checked
def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """The mean of each window.

    x (..., rows, cols) -> (..., rows_out, cols_out)
    """
    return _as_batch(lambda x: F.avg_pool2d(x, kernel_size, stride, padding), x)


def _as_batch(fn, x):
    """`fn` of a batch of images with channels, for any leading axes."""
    missing = max(0, 3 - x.ndim)
    x = x[(None,) * missing]
    out = fn(x.reshape(-1, *x.shape[-3:]))
    return out.reshape(*x.shape[:-3], *out.shape[1:])[(0,) * missing]


@checked
def sobel(x):
    """How fast an image brightens to the right and downwards, and how steeply in all.

    x (..., rows, cols) -> (..., rows_out, cols_out), (..., rows_out, cols_out), (..., rows_out, cols_out)
    """
    filters = [torch.as_tensor(f, dtype=x.dtype, device=x.device) for f in (kb_cnn.SOBEL_X, kb_cnn.SOBEL_Y)]
    right, down = conv2d(x.unsqueeze(-3), torch.stack(filters)[:, None]).unbind(-3)
    return right, down, torch.hypot(right, down)


@checked
def shift(x, down, right):
    """The image moved by whole pixels; zeros come in.

    x (..., rows, cols) -> (..., rows, cols)
    """
    rows, cols = x.shape[-2:]
    down, right = max(-rows, min(down, rows)), max(-cols, min(right, cols))
    return F.pad(x, (right, -right, down, -down))


@checked
def as_matrix(weight, rows, cols):
    """The dense layer that does the same as one filter on an image of rows x cols pixels.

    weight (p, q), rows (), cols () -> (m, n)
    """
    pixels = torch.eye(rows * cols, dtype=weight.dtype, device=weight.device).reshape(-1, 1, rows, cols)
    return F.conv2d(pixels, weight[None, None]).reshape(rows * cols, -1).T


def init_cnn(rng, channels=(1, 8, 16), size=8, classes=10, dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    return {name: torch.from_numpy(a) for name, a in kb_cnn.init_cnn(rng, channels, size, classes, dtype).items()}


@checked
def feature_maps(params, x):
    """What the filters of both convolutions see in an image.

    params {}, x (b, c, rows, cols) -> (b, m, rows, cols), (b, k, rows, cols)
    """
    first = F.relu(F.conv2d(x, params["0.weight"], params["0.bias"], padding=1))
    return first, F.relu(F.conv2d(first, params["2.weight"], params["2.bias"], padding=1))


@checked
def cnn_logits(params, x):
    """The scores of a small convolutional network.

    params {}, x (b, c, rows, cols) -> (b, v)
    """
    pooled = F.max_pool2d(feature_maps(params, x)[1], 2)
    return F.linear(pooled.flatten(1), params["6.weight"], params["6.bias"])
