"""The shipped U-Net on held-out codes: its loss at each level, what it does with a wrong level, what it reads."""

import functools
import math

import numpy as np

from figures.unet_walk import walk
from kb.checkpoints.scheduler_config import STABLE_DIFFUSION
from kb.checkpoints.shipped import digits_text_encoder, digits_unet, digits_vae
from kb.data.captions import DIGITS, WordTokenizer
from kb.generation.forward_diffusion import add_noise, alphas_cumprod
from kb.generation.latent_diffusion import draw_latent
from training.text_to_image import codes

ABAR = alphas_cumprod(STABLE_DIFFUSION.betas())
LEVELS = np.array([0, 50, *range(100, 1000, 100), 999])
TELLING = 3  # the channel of the codes that tells most about the digit


@functools.cache
def network():
    """The shipped U-Net."""
    return digits_unet()


@functools.cache
def latents(part=1):
    """Codes of 200 held-out digits (part 0: of all it learned from) as diffusion sees them, and which digits."""
    mean, logvar, labels, _ = (array[: 200 if part else None] for array in codes()[part])
    noise = np.random.default_rng(3).standard_normal(mean.shape).astype(np.float32)
    return draw_latent(mean, logvar, noise, digits_vae().config.scaling_factor).astype(np.float32), labels


@functools.cache
def states(prompts):
    """What the U-Net reads: the text encoder's vectors (n, words, 64) of a tuple of prompts."""
    return digits_text_encoder()(WordTokenizer().encode_all(prompts))


def told(labels, empty=False):
    """The vectors of a sentence about each digit, or of the empty prompt."""
    rows = states(tuple("" if empty else f"a photo of {'an' if d == 'eight' else 'a'} {d}" for d in DIGITS))
    return rows[labels]


# ---- other answers -----------------------------------------------------------------------------------------------
@functools.cache
def moments():
    """Mean (64) and covariance (64, 64) of the codes that it learned from."""
    z = latents(0)[0].reshape(-1, 64).astype(np.float64)
    return z.mean(axis=0), np.cov(z.T)


def linear_guess(x, t, mean, covariance, table):
    """The best guess of the noise in x (n, d) that is linear in x, for data of this mean and covariance."""
    left = float(table[t])
    spread = left * covariance + (1 - left) * np.eye(len(mean))
    return math.sqrt(1 - left) * np.linalg.solve(spread, (x - math.sqrt(left) * mean).T).T


# ---- measured ----------------------------------------------------------------------------------------------------
@functools.cache
def noisy(t):
    """Held-out codes with the noise of level t, and that noise; the same noise at every level."""
    z = latents()[0]
    noise = np.random.default_rng(4).standard_normal(z.shape).astype(np.float32)
    return add_noise(z, noise, int(t), ABAR), noise


@functools.cache
def errors(answer, t, level):
    """The mean squared error in each of the four channels; see `loss`."""
    (x, noise), labels = noisy(t), latents()[1]
    if answer == "zero":
        guess = 0 * x
    elif answer == "linear":
        guess = linear_guess(x.reshape(len(x), -1), t, *moments(), ABAR).reshape(x.shape)
    else:
        guess = network()(x, level, told(labels, answer == "empty"))
    return np.mean((guess - noise) ** 2, axis=(0, 2, 3))


def loss(answer, t, level=None, channel=None):
    """The mean squared error of an answer at level t: "network", "empty" (without words), "linear" or "zero".

    `level`: what the network is told instead of t. `channel`: only this one of the four counts.
    """
    found = errors(answer, int(t), int(t if level is None else level))
    return float(found.mean() if channel is None else found[channel])


def losses(answer, channel=None):
    """The loss at each of LEVELS."""
    return np.array([loss(answer, t, None, channel) for t in LEVELS])


def mean_loss_over_levels(answer, channel=None):
    """The loss averaged over all levels."""
    return float(np.trapezoid(losses(answer, channel), LEVELS) / (LEVELS[-1] - LEVELS[0]))


# ---- what is read ------------------------------------------------------------------------------------------------
@functools.cache
def reading(prompt, t=500, digit=None):
    """Which words are read where: {block: (rows, cols, words)}, averaged over the held-out codes of one digit, or all.

    Word 0 is the start of the text; the words follow, then its end, which also fills the text up.
    """
    (x, _), labels = noisy(t), latents()[1]
    some = np.flatnonzero(labels == digit) if digit is not None else np.arange(len(x))
    context = np.repeat(states((prompt,)), len(some), axis=0)
    found = walk(network().params, x[some], t, context, network().config).maps
    return {block: shares.mean(axis=0) for block, shares in found.items()}


def read_at_the_end(prompt, words, block="mid_block.attentions.0", t=400, digit=7):
    """The share of a block's attention that goes to the end of a text of so many words, and to what fills it up."""
    return float(reading(prompt, t, digit)[block].mean(axis=(0, 1))[words + 1 :].sum())
