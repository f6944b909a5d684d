"""Latent diffusion: noise becomes a small code, step by step, and the code becomes a picture once, at the end.

    to learn:     z = scaled(encode(image))          diffusion sees z, never the image
    to generate:  noise -> z, many passes of a U-Net on 64 x 64 x 4 numbers; decode(unscaled(z)), one pass

With it the arithmetic that makes it worthwhile: how many multiply-adds one pass of a U-Net or of half an autoencoder
takes. Every weight of a layer is used once at each place it works on, so a layer costs its weights times its places;
only the products of attention come on top: each place is compared with each place, or with each word.

Source: Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models", sections 3.1 to 3.3 and
appendix G, https://arxiv.org/abs/2112.10752
"""

import math
import re
from collections import Counter

from kb.generation.reverse_diffusion import generate
from kb.generation.variational_autoencoder import reparameterise
from kb.shapes import checked

KINDS = ("convolution", "linear", "self-attention", "cross-attention")


# ---- there and back ----------------------------------------------------------------------------------------------
@checked
def draw_latent(mean, logvar, noise, scaling_factor, shift_factor=0.0):
    """What a latent diffusion model is trained on: a draw of an image's code, with a standard deviation of about 1.

    mean (...), logvar (...), noise (...) -> (...)

    mean and logvar: from the encoder. scaling_factor: 1 over the standard deviation of all codes together.
    """
    return (reparameterise(mean, logvar, noise) - shift_factor) * scaling_factor


@checked
def generate_image(model, decode, noise, steps, betas, scaling_factor, shift_factor=0.0, method="ddim", rng=None):
    """Noise of the size of a code becomes a picture: all steps on codes, then the decoder, once.

    noise (b, c, rows, cols), betas (i) -> (b, m, rows_out, cols_out)

    model: (z, t) -> the noise in z. decode: a code of the autoencoder -> an image. steps, betas, method and rng as in
    kb.generation.reverse_diffusion.generate.
    """
    z = generate(model, noise, steps, betas, method, rng)
    return decode(z / scaling_factor + shift_factor)


# ---- what a pass costs -------------------------------------------------------------------------------------------
def unet_cost(config, sample_size, tokens):
    """The multiply-adds of one pass for one image, {kind: number} for each of KINDS.

    sample_size: rows and columns of what it works on, one number or two. tokens: how many words of the prompt it
    reads. Counted: every product of a weight or of attention. Left out: biases, norms, activations and softmax.
    Raises ValueError for sizes below 1 and fewer than 0 words.
    """
    sizes = _halvings("unet_cost", sample_size, config.num_sizes)
    where, cost = _places_by_level(config, sizes), Counter(dict.fromkeys(KINDS, 0))
    if tokens < 0:
        raise ValueError(f"unet_cost: tokens is {tokens}, expected at least 0")
    for name, shape in config.shapes().items():
        if len(shape) > 1:
            places = tokens if re.search(r"attn2\.to_[kv]", name) else _places(name, where)
            cost["linear" if _is_linear(name) else "convolution"] += math.prod(shape) * places
        if name.endswith("to_q.weight"):
            places, kind = _places(name, where), "self-attention" if "attn1" in name else "cross-attention"
            cost[kind] += 2 * places * (places if "attn1" in name else tokens) * shape[0]  # scores, and their mix
    return dict(cost)


def vae_cost(config, sample_size, half="decoder"):
    """The multiply-adds of one pass of an autoencoder's half, {kind: number}; sample_size is that of the image.

    half: "encoder" or "decoder". Counted as in `unet_cost`. Raises ValueError for another half, and for an image whose
    rows or columns cannot be halved so often.
    """
    if half not in ("encoder", "decoder"):
        raise ValueError(f"vae_cost: half is {half!r}, expected 'encoder' or 'decoder'")
    if any(n % config.factor for n in _pair(sample_size)):
        raise ValueError(f"vae_cost: {sample_size} cannot be divided by {config.factor}")
    sizes = _halvings("vae_cost", sample_size, config.num_sizes)
    where, cost = _places_of_half(half, sizes), Counter(dict.fromkeys(KINDS, 0))
    extra = "quant_conv" if half == "encoder" else "post_quant_conv"
    for name, shape in config.shapes().items():
        if len(shape) > 1 and name.startswith((f"{half}.", f"{extra}.")):
            linear = "attentions" in name
            cost["linear" if linear else "convolution"] += math.prod(shape) * _places(name, where)
        if name == f"{half}.mid_block.attentions.0.to_q.weight":
            cost["self-attention"] += 2 * sizes[-1] ** 2 * shape[0]
    return dict(cost)


def _pair(sample_size):
    return (sample_size, sample_size) if isinstance(sample_size, int) else tuple(sample_size)


def _halvings(name, sample_size, count):
    """How many places there are at each size; rows and columns are halved upwards."""
    rows, cols = _pair(sample_size)
    if min(rows, cols) < 1:
        raise ValueError(f"{name}: sample_size is {sample_size}, expected at least 1")
    return [-(-rows // 2**i) * -(-cols // 2**i) for i in range(count)]


def _places_by_level(config, sizes):
    """How often a weight is used, by the beginning of its name; the longest beginning that fits counts."""
    last, where = len(sizes) - 1, {"": sizes[0], "mid_block.": sizes[-1], "time_embedding.": 1}
    for i, places in enumerate(sizes):
        where[f"down_blocks.{i}."] = places
        where[f"down_blocks.{i}.downsamplers."] = sizes[min(i + 1, last)]
        where[f"up_blocks.{last - i}."] = places
        where[f"up_blocks.{last - i}.upsamplers."] = sizes[max(i - 1, 0)]
    return where


def _places_of_half(half, sizes):
    """The same for an encoder or a decoder."""
    last, encoding = len(sizes) - 1, half == "encoder"
    where = {"": sizes[-1], f"{half}.": sizes[-1], f"{half}.conv_{'in' if encoding else 'out'}.": sizes[0]}
    for i, places in enumerate(sizes):
        level = f"{half}.down_blocks.{i}." if encoding else f"{half}.up_blocks.{last - i}."
        where[level] = places
        where[f"{level}downsamplers."], where[f"{level}upsamplers."] = sizes[min(i + 1, last)], sizes[max(i - 1, 0)]
    return where


def _places(name, where):
    if "time_emb_proj" in name or "class_embedding" in name:
        return 1 if "time_emb_proj" in name else 0  # a class is looked up, not multiplied
    return where[max((start for start in where if name.startswith(start)), key=len)]


def _is_linear(name):
    """The layers of transformers and those of the timestep; proj_in is stored as a 1 x 1 convolution by some."""
    return "attentions" in name or "time_emb" in name
