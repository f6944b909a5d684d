"""What the page on text-to-image draws and claims: walks of the shipped model, its record, Stable Diffusion's sizes."""

import functools
import math

import numpy as np

from kb.checkpoints.clip_config import CLIPTextConfig
from kb.checkpoints.shipped import digits_text_to_image
from kb.checkpoints.unet_config import UNetConfig
from kb.checkpoints.vae_config import STABLE_DIFFUSION_VAE
from training.text_to_image import BEST, DDIM_STEPS, recorded

PROMPT = "a photo of a thick three"
SD_TEXT = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_attention_heads=12)
SD_UNET, SD_VAE = UNetConfig(cross_attention_dim=768), STABLE_DIFFUSION_VAE


@functools.cache
def pipeline():
    """The shipped model."""
    return digits_text_to_image()


def exact_weights():
    """The U-Net's weights in float64, for comparisons to many digits."""
    return {name: weight.astype(np.float64) for name, weight in pipeline().unet.params.items()}


def prompt_ids():
    """The token numbers of the prompt: (12)."""
    return pipeline().tokenizer.encode(PROMPT)


def prompt_states():
    """What the text encoder makes of it: (1, 12, 64)."""
    return pipeline().states([PROMPT])


@functools.cache
def walk(prompt=PROMPT, seed=5, scale=BEST, steps=DDIM_STEPS):
    """The latents of a walk, noise first: (steps + 1, 4, 4, 4)."""
    noise = pipeline().noise(np.random.default_rng(seed), 1)
    return np.concatenate([noise, *pipeline().walk([prompt], noise, steps=steps, guidance_scale=scale)])


@functools.cache
def drawn(prompts, seed, scale=BEST):
    """A drawing for each prompt, from 0 to 1, each from noise of its own: (n, 16, 16)."""
    noise = pipeline().noise(np.random.default_rng(seed), len(prompts))
    return pipeline()(list(prompts), noise, steps=DDIM_STEPS, guidance_scale=scale)[:, 0]


def measured_at(name, scale):
    """One measurement of the record."""
    return recorded()["guided"][name][recorded()["scales"].index(scale)]


def obeyed_at(word, scale=BEST):
    """The share of drawings of which a word is true, asked for with it and without."""
    return recorded()["obeyed"][str(scale)][word]


def size_of(config):
    """How many weights a model of these sizes has."""
    return sum(math.prod(shape) for shape in config.shapes().values())
