"""One pass of a small U-Net over an image, against one over its code, which has an eighth of rows and columns."""

import dataclasses
import functools

import numpy as np

from bench.timing import Row
from bench.training import numpy_at_its_best
from bench.transformer import Seldom, seldom
from kb.generation.unet import UNet, UNetConfig, init_unet

LATENT = UNetConfig(
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    block_out_channels=(32, 64, 64),
    layers_per_block=1,
    norm_num_groups=8,
    cross_attention_dim=32,
    attention_head_dim=4,
)
PIXELS = dataclasses.replace(LATENT, in_channels=3, out_channels=3)
SIDE, FACTOR, WORDS, BATCH = 64, 8, 8, 4


def rows():
    """Four images of 64 x 64 x 3 against four codes of 8 x 8 x 4."""
    works = (PIXELS, SIDE), (LATENT, SIDE // FACTOR)
    ours, theirs = (numpy_at_its_best(functools.partial(_pass, *work)) for work in works)
    return [
        Row(
            key="unet_pixels_over_latents",
            work=f"small U-Net on {BATCH} images of {SIDE} x {SIDE} x 3",
            peer=f"the same on codes of {SIDE // FACTOR} x {SIDE // FACTOR} x 4",
            ours=Seldom(ours.make, ours.threads),
            theirs=Short(theirs.make, theirs.threads),
            measure=seldom,
        )
    ]


class Short(Seldom):
    """Work of milliseconds beside work of seconds: the least of twenty calls stands for one."""

    def once(self, count):
        return min(super(Short, self).once(count) for _ in range(20))


def _pass(config, side):
    rng = np.random.default_rng(0)
    model = UNet(config, init_unet(config, rng))
    images = rng.standard_normal((BATCH, config.in_channels, side, side), np.float32)
    words = rng.standard_normal((BATCH, WORDS, config.cross_attention_dim), np.float32)
    return functools.partial(model, images, 500, words)
