"""A pass of a small U-Net in NumPy against diffusers, and the convolution that most of Stable Diffusion's work is."""

import functools

import numpy as np
import torch
import torch.nn.functional as F

from bench.timing import Row
from bench.training import AtItsBest, alone, numpy_at_its_best, torch_threads
from bench.transformer import Seldom, seldom
from kb.generation.unet import UNet, UNetConfig, init_unet
from kb.structure.convolutional_network import conv2d

SMALL = UNetConfig(
    in_channels=3,
    out_channels=3,
    down_block_types=("DownBlock2D",) * 3,
    up_block_types=("UpBlock2D",) * 3,
    block_out_channels=(64, 128, 128),
    layers_per_block=1,
    cross_attention_dim=64,
    attention_head_dim=4,
)
WORDS = 8
WIDE, PIXELS = 320, 64


def rows():
    """A U-Net on one image and on eight; one 3 x 3 convolution at the widest size of Stable Diffusion 1.5."""
    return [_forward(1, 2.3), _forward(8, 2.8), _convolution()]


def _forward(batch, at_most):
    ours = numpy_at_its_best(functools.partial(_ours, batch))
    theirs = AtItsBest(functools.partial(_theirs, batch), torch_threads)
    if batch > 1:
        ours, theirs = (Seldom(side.make, side.threads) for side in (ours, theirs))
    return Row(
        key=f"unet_forward_batch_{batch}",
        work=f"U-Net of 64, 128, 128 channels, attention in the middle, 32 x 32, batch {batch}, float32",
        peer="diffusers on the CPU, the same weights",
        ours=ours,
        theirs=theirs,
        at_most=at_most,
        measure=seldom if batch > 1 else alone,
    )


@functools.cache
def _params():
    """Weights of which none are zero: noise takes the place of the zeros that training starts from."""
    rng = np.random.default_rng(0)
    params = init_unet(SMALL, rng)
    noise = {name: 0.02 * rng.standard_normal(p.shape, np.float32) for name, p in params.items() if not np.any(p)}
    return params | noise


def _inputs(batch):
    rng = np.random.default_rng(1)
    images, prompts = (
        rng.standard_normal((batch, *shape), np.float32) for shape in ((3, 32, 32), (WORDS, SMALL.cross_attention_dim))
    )
    return images, np.arange(batch) * 100, prompts


def _ours(batch):
    return functools.partial(UNet(SMALL, _params()), *_inputs(batch))


def _theirs(batch):
    from diffusers import UNet2DConditionModel

    model = UNet2DConditionModel(**vars(SMALL)).eval()
    model.load_state_dict({name: torch.from_numpy(p) for name, p in _params().items()}, strict=True)
    inputs = [torch.from_numpy(array) for array in _inputs(batch)]
    return torch.no_grad()(lambda: model(*inputs).sample)


def _convolution():
    return Row(
        key="conv2d_unet",
        work=f"conv2d 3 x 3, {WIDE} to {WIDE} channels, {PIXELS} x {PIXELS}, float32",
        peer="torch on the CPU",
        ours=numpy_at_its_best(lambda: functools.partial(conv2d, *_wide(), padding=1)),
        theirs=AtItsBest(_their_convolution, torch_threads),
        at_most=2.2,
        measure=alone,
    )


@functools.cache
def _wide():
    rng = np.random.default_rng(0)
    shapes = (1, WIDE, PIXELS, PIXELS), (WIDE, WIDE, 3, 3)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def _their_convolution():
    tensors = [torch.from_numpy(array) for array in _wide()]
    return functools.partial(F.conv2d, *tensors, padding=1)
