"""Text to image: a sentence goes in, and a picture comes out of noise.

    states = text encoder(tokens of the prompt)                       (b, t, d), and those of the negative prompt
    x = normal noise                                                  (b, c, rows / f, cols / f)
    at each level: x = DDIM step(guided noise(x, level, states))      the U-Net, asked with and without the prompt
    image = decoder(x / scaling factor)                               from -1..1 to 0..1

Parts, file layout and numbers are those of diffusers' StableDiffusionPipeline. Nothing is new in this module: it only
puts together what the other pages of the arc explain.

Source: Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models", section 3.3 and appendix
D.1, https://arxiv.org/abs/2112.10752; the folder: https://huggingface.co/docs/diffusers/using-diffusers/loading
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kb.checkpoints.clip_tokenizer import CLIPTokenizer
from kb.checkpoints.hugging_face import read_json
from kb.checkpoints.scheduler_config import STABLE_DIFFUSION, SchedulerConfig, read_scheduler
from kb.generation.classifier_free_guidance import guided_model
from kb.generation.clip import CLIPText
from kb.generation.forward_diffusion import alphas_cumprod
from kb.generation.reverse_diffusion import ddim_step
from kb.generation.unet import UNet
from kb.generation.variational_autoencoder import VAE
from kb.shapes import checked

PARTS = {  # what model_index.json must say of each part that counts
    "text_encoder": "CLIPTextModel",
    "tokenizer": "CLIPTokenizer",
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
}


def denoise(model, x, steps, scheduler):
    """Walks from noise to data and yields x (b, c, rows, cols) after each step: the last one is the result.

    model: a function (x_t, t) -> answer. x: standard normal. steps: how often it is asked.
    """
    table = alphas_cumprod(scheduler.betas())
    how = {"prediction_type": scheduler.prediction_type, "clip_sample": scheduler.bound}
    for t, t_prev in scheduler.levels(steps):
        x = ddim_step(model(x, t), t, t_prev, x, table, **how)
        yield x


def prompted(model, states, negative, guidance_scale, guidance_rescale=0.0):
    """A U-Net (x_t, t, states) made a model of (x_t, t): guided away from `negative`, or plain where the scale is 1.

    states, negative (b, t, d): the text encoder's vectors. Guided, both questions go through in one batch, that of
    `negative` first.
    """
    if guidance_scale == 1:
        return lambda x, t: model(x, t, states)
    return guided_model(model, states, negative, guidance_scale, guidance_rescale)


@checked
def to_pixels(x):
    """An image as the decoder gives it, about -1..1, as brightness from 0 to 1: what lies beyond is cut.

    x (...) -> (...)
    """
    return np.clip(x / 2 + 0.5, 0, 1)


@dataclass(frozen=True)
class TextToImage:
    """The parts of a text-to-image model. Called with a prompt and a generator of noise it draws."""

    tokenizer: Any  # has encode_all(texts) -> numbers (b, t)
    text_encoder: CLIPText
    unet: UNet
    vae: VAE
    scheduler: SchedulerConfig = STABLE_DIFFUSION

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder as diffusers has it: model_index.json and a folder for each part.

        Raises ValueError, with the file and the reason, for another kind of pipeline and as the parts do.
        """
        folder = Path(folder)
        check_index(folder / "model_index.json")
        return cls(
            CLIPTokenizer.from_pretrained(folder / "tokenizer"),
            CLIPText.from_pretrained(folder / "text_encoder"),
            UNet.from_pretrained(folder / "unet"),
            VAE.from_pretrained(folder / "vae"),
            read_scheduler(folder / "scheduler" / "scheduler_config.json"),
        )

    def states(self, prompts):
        """What the U-Net reads: a vector for each token of each prompt, (b, t, d)."""
        return self.text_encoder(self.tokenizer.encode_all(prompts))

    def noise(self, rng, count):
        """Where the walk starts: standard normal latents (count, c, rows, cols) of the size it was trained on."""
        size = np.broadcast_to(np.array(self.unet.config.sample_size), 2)
        return rng.standard_normal((count, self.unet.config.in_channels, *size)).astype(np.float32)

    def walk(self, prompts, latents, *, negative_prompts=None, steps=50, guidance_scale=7.5, guidance_rescale=0.0):
        """Yields the latents (b, c, rows, cols) after each step; `decode` makes any of them an image.

        prompts: a list of b; negative_prompts: as many, or None for empty ones. latents: standard normal. The names
        and defaults are diffusers'. Raises ValueError unless there are as many latents as prompts.
        """
        negative = [""] * len(prompts) if negative_prompts is None else negative_prompts
        if not len(prompts) == len(negative) == len(latents):
            counts = f"{len(prompts)} prompts, {len(negative)} negative ones and {len(latents)} latents"
            raise ValueError(f"walk: {counts}; there must be one of each for every image")
        model = prompted(self.unet, self.states(prompts), self.states(negative), guidance_scale, guidance_rescale)
        return denoise(model, latents, steps, self.scheduler)

    def decode(self, latents):
        """The images (b, m, rows, cols) of latents, from 0 to 1."""
        return to_pixels(self.vae.decode(self.vae.unscaled(latents)))

    def __call__(self, prompts, latents, **settings):
        """The images (b, m, rows, cols) of a list of prompts, from 0 to 1. Settings as in `walk`."""
        *_, last = self.walk(prompts, latents, **settings)
        return self.decode(last)


def check_index(path):
    """Raises ValueError where a model_index.json is not that of a pipeline that kb puts together."""
    index = read_json(path)
    if index.get("_class_name") != "StableDiffusionPipeline":
        raise ValueError(f"{path}: _class_name is {index.get('_class_name')!r}, expected 'StableDiffusionPipeline'")
    for part, kind in PARTS.items():
        found = index.get(part)
        if not isinstance(found, list) or found[-1:] != [kind]:
            raise ValueError(f"{path}: {part} is {found!r}, expected {kind}")
