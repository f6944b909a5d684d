"""What a convolution and a pool in NumPy cost, against torch's."""

import numpy as np
import torch
import torch.nn.functional as F

from bench.timing import Row
from kb.structure.convolutional_network import conv2d, max_pool2d

CHANNELS, PIXELS = 64, 64


def rows():
    """3 x 3 filters from 64 to 64 channels on 64 x 64 pixels, one image and eight; and a 2 x 2 pool of the eight."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
    images = rng.standard_normal((8, CHANNELS, PIXELS, PIXELS)).astype(np.float32)
    return [_convolution(images[:1], weight), _convolution(images, weight), _pool(images)]


def _convolution(x, weight):
    tensors = torch.from_numpy(x), torch.from_numpy(weight)
    return Row(
        key=f"conv2d_batch_{len(x)}",
        work=f"conv2d 3 x 3, {CHANNELS} to {CHANNELS} channels, {PIXELS} x {PIXELS}, batch {len(x)}, float32",
        peer="torch on the CPU",
        ours=lambda: conv2d(x, weight, padding=1),
        theirs=lambda: F.conv2d(*tensors, padding=1),
        at_most=2.3,
    )


def _pool(x):
    tensor = torch.from_numpy(x)
    return Row(
        key="max_pool2d",
        work=f"max_pool2d 2 x 2, {CHANNELS} channels, {PIXELS} x {PIXELS}, batch {len(x)}, float32",
        peer="torch on the CPU",
        ours=lambda: max_pool2d(x, 2),
        theirs=lambda: F.max_pool2d(tensor, 2),
    )
