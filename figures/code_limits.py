"""What a decoder cannot draw, what a pass costs, and what the scale of the codes does to the levels of noise."""

import dataclasses
import functools
import json

import numpy as np

from figures.digit_codes import codes, held_out, vae
from kb.checkpoints.unet_config import STABLE_DIFFUSION_UNET, UNetConfig
from kb.checkpoints.vae_config import STABLE_DIFFUSION_VAE
from kb.generation.forward_diffusion import alphas_cumprod
from kb.generation.latent_diffusion import unet_cost, vae_cost
from training.latent_diffusion import BETAS, PATH

MEASURED = json.loads(PATH.read_text(encoding="utf-8"))
PIXELS = dataclasses.replace(STABLE_DIFFUSION_UNET, in_channels=3, out_channels=3)
WORDS = 77  # tokens of a prompt, as CLIP pads it
ABAR = alphas_cumprod(BETAS)


@functools.cache
def pixel_cost(side):
    """The multiply-adds of a pass, by kind, if Stable Diffusion's U-Net worked on images of this side."""
    return unet_cost(PIXELS, side, WORDS)


@functools.cache
def latent_cost():
    """The multiply-adds of a pass over its latent of 64 x 64, all kinds together."""
    return sum(unet_cost(STABLE_DIFFUSION_UNET, 64, WORDS).values())


@functools.cache
def decoded():
    """What comes back of the held-out digits."""
    return vae().decode(codes()[0])


@functools.cache
def bands(count=7):
    """Which share of the images' variance is lost, by how many periods a wave has across the image: 0, 1, ..."""
    images = held_out()[0]
    lost, there = (_power(part, count) for part in (decoded() - images, images - images.mean(axis=0)))
    return lost / there


def _power(images, count):
    waves = np.abs(np.fft.fft2(images[:, 0])) ** 2
    periods = np.fft.fftfreq(images.shape[-1], 1 / images.shape[-1])
    radius = np.hypot(periods[:, None], periods).astype(int)
    return np.array([waves[:, radius == k].sum() for k in range(count)])


# ---- the scale of the codes --------------------------------------------------------------------------------------
def noise_share(scale):
    """How much of the variance of noisy codes is noise, at each level, for codes of this standard deviation."""
    return (1 - ABAR) / (ABAR * scale**2 + 1 - ABAR)


def half_noise(scale):
    """The first level at which half of the variance is noise."""
    return int(np.argmax(noise_share(scale) >= 0.5))


def drawn_at(scale, what):
    """What was measured on codes drawn by a perfect network where all codes had this scale."""
    return MEASURED["drawn"][MEASURED["scales"].index(scale)][what]


# ---- costs -------------------------------------------------------------------------------------------------------
TINY = UNetConfig(  # one size, and attention behind every ResNet block
    down_block_types=("CrossAttnDownBlock2D",),
    up_block_types=("CrossAttnUpBlock2D",),
    block_out_channels=(8,),
    layers_per_block=1,
    norm_num_groups=4,
    cross_attention_dim=6,
    attention_head_dim=2,
)


def times(kind=None):
    """How many times as much a pass costs on pixels as on the latent, for one kind or for all together."""
    pixels, latent = pixel_cost(512), pixel_cost(64)
    return pixels[kind] / latent[kind] if kind else sum(pixels.values()) / sum(latent.values())


def decoder_cost():
    """The multiply-adds of decoding one latent of 64 x 64 to 512 x 512 pixels."""
    return sum(vae_cost(STABLE_DIFFUSION_VAE, 512).values())


def small_pair():
    """How many times as much the images of bench/latent_diffusion.py cost as their codes, counted."""
    from bench import latent_diffusion as small  # which imports torch

    pixels = unet_cost(small.PIXELS, small.SIDE, small.WORDS)
    codes = unet_cost(small.LATENT, small.SIDE // small.FACTOR, small.WORDS)
    return sum(pixels.values()) / sum(codes.values())
