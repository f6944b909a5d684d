"""What a convolution in NumPy costs, against torch's, and what a pool does."""

import numpy as np
import torch
import torch.nn.functional as F

from bench.timing import Row
from kb.structure.convolutional_network import conv2d, max_pool2d

CHANNELS, PIXELS = 64, 64


def rows():
    """3 x 3 filters, 64 to 64 channels, 64 x 64 pixels, float32; one image and eight."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
    found = [_row(rng.standard_normal((b, CHANNELS, PIXELS, PIXELS)).astype(np.float32), weight) for b in (1, 8)]
    x = rng.standard_normal((8, CHANNELS, PIXELS, PIXELS)).astype(np.float32)
    pool = Row(
        key="max_pool2d",
        work=f"max_pool2d 2 x 2, {x.shape}, float32",
        peer="torch on the CPU",
        ours=lambda: max_pool2d(x, 2),
        theirs=lambda x=torch.from_numpy(x): F.max_pool2d(x, 2),
    )
    return [*found, pool]


def _row(x, weight):
    return Row(
        key=f"conv2d_batch_{len(x)}",
        work=f"conv2d 3 x 3, {CHANNELS} to {CHANNELS} channels, {PIXELS} x {PIXELS}, batch {len(x)}, float32",
        peer="torch on the CPU",
        ours=lambda: conv2d(x, weight, padding=1),
        theirs=lambda x=torch.from_numpy(x), weight=torch.from_numpy(weight): F.conv2d(x, weight, padding=1),
        at_most=2.3,
    )
