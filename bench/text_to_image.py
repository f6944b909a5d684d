"""One picture of the shipped text-to-image model: all in NumPy, against the same model in torch."""

import functools

import numpy as np
import torch

from bench.timing import Row
from bench.training import numpy_at_its_best, torch_threads
from bench.transformer import Seldom, seldom
from kb.checkpoints.shipped import digits_text_to_image
from kb.torch.generation.text_to_image import TextToImage

SETTINGS = {"steps": 20, "guidance_scale": 3.0}
PROMPT = ["a photo of a thick three"]


def rows():
    """From the prompt to the picture, 20 guided steps, for one picture and for eight."""
    return [_row(count) for count in (1, 8)]


def _row(count):
    return Row(
        key=f"text_to_image_{count}",
        work=f"{count} image{'s' * (count > 1)} of the shipped text-to-image model, 20 guided DDIM steps, float32",
        peer="the same weights in torch on the CPU",
        ours=Seldom(functools.partial(_ours, count), numpy_at_its_best(None).threads),
        theirs=Seldom(functools.partial(_theirs, count), torch_threads),
        at_most=2.5,
        measure=seldom,
    )


def _noise(count):
    return digits_text_to_image().noise(np.random.default_rng(0), count)


def _ours(count):
    return functools.partial(digits_text_to_image(), PROMPT * count, _noise(count), **SETTINGS)


def _theirs(count):
    model = TextToImage.of(digits_text_to_image())
    return functools.partial(model, PROMPT * count, torch.from_numpy(_noise(count)), **SETTINGS)
