"""Torch twin of `kb.generation.text_to_image`: the same pipeline of modules; it runs where its weights are."""

import torch
from torch import nn

from kb.checkpoints.scheduler_config import STABLE_DIFFUSION
from kb.generation import text_to_image as kb_text_to_image
from kb.shapes import checked
from kb.torch.generation.classifier_free_guidance import guided_model
from kb.torch.generation.clip import TextTower
from kb.torch.generation.forward_diffusion import alphas_cumprod
from kb.torch.generation.reverse_diffusion import ddim_step
from kb.torch.generation.unet import UNet
from kb.torch.generation.variational_autoencoder import VAE

WITHOUT_A_TWIN = {"check_index": "reads a file"}


def denoise(model, x, steps, scheduler):
    """Walks from noise to data and yields x (b, c, rows, cols) after each step."""
    table = alphas_cumprod(torch.from_numpy(scheduler.betas()))
    how = {"prediction_type": scheduler.prediction_type, "clip_sample": scheduler.bound}
    for t, t_prev in scheduler.levels(steps):
        x = ddim_step(model(x, t), t, t_prev, x, table, **how)
        yield x


def prompted(model, states, negative, guidance_scale, guidance_rescale=0.0):
    """A U-Net (x_t, t, states) made into a model of (x_t, t), guided away from `negative`."""
    if guidance_scale == 1:
        return lambda x, t: model(x, t, states)
    return guided_model(model, states, negative, guidance_scale, guidance_rescale)


@checked
def to_pixels(x):
    """An image as the decoder gives it, about -1..1, as brightness from 0 to 1.

    x (...) -> (...)
    """
    return (x / 2 + 0.5).clamp(0, 1)


class TextToImage(nn.Module):
    """The parts of a text-to-image model as modules."""

    def __init__(self, tokenizer, text_encoder, unet, vae, scheduler=STABLE_DIFFUSION):
        super().__init__()
        self.tokenizer, self.text_encoder, self.unet, self.vae = tokenizer, text_encoder, unet, vae
        self.scheduler = scheduler

    @classmethod
    def of(cls, model):
        """The twin of a `kb.generation.text_to_image.TextToImage`, with the same weights."""
        pairs = (TextTower, model.text_encoder), (UNet, model.unet), (VAE, model.vae)
        text_encoder, unet, vae = (_filled(module(part.config), part.params) for module, part in pairs)
        return cls(model.tokenizer, text_encoder, unet, vae, model.scheduler)

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder as diffusers has it."""
        return cls.of(kb_text_to_image.TextToImage.from_pretrained(folder))

    def states(self, prompts):
        """What the U-Net reads: a vector for each token of each prompt, (b, t, d)."""
        ids = torch.from_numpy(self.tokenizer.encode_all(prompts))
        return self.text_encoder(ids.to(self.unet.conv_in.weight.device))

    def walk(self, prompts, latents, *, negative_prompts=None, steps=50, guidance_scale=7.5, guidance_rescale=0.0):
        """Yields the latents (b, c, rows, cols) after each step."""
        negative = [""] * len(prompts) if negative_prompts is None else negative_prompts
        if not len(prompts) == len(negative) == len(latents):
            counts = f"{len(prompts)} prompts, {len(negative)} negative ones and {len(latents)} latents"
            raise ValueError(f"walk: {counts}; there must be one of each for every image")
        model = prompted(self.unet, self.states(prompts), self.states(negative), guidance_scale, guidance_rescale)
        return denoise(model, latents, steps, self.scheduler)

    def decode(self, latents):
        """The images (b, m, rows, cols) of latents, from 0 to 1."""
        config = self.vae.config
        return to_pixels(self.vae.decode(latents / config.scaling_factor + (config.shift_factor or 0.0)))

    @torch.no_grad()
    def forward(self, prompts, latents, **settings):
        """The images (b, m, rows, cols) of a list of prompts, from 0 to 1."""
        *_, last = self.walk(prompts, latents, **settings)
        return self.decode(last)


def _filled(module, params):
    module.load_state_dict({name: torch.from_numpy(p) for name, p in params.items()}, strict=True)
    return module.eval().requires_grad_(False)
