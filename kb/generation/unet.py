"""The U-Net: an image is made small and deep, then large again, and each size hands its features across to its twin.

    down: ResNet blocks at one size, then half the rows and columns; the result of every step is kept
    middle: the same at the smallest size
    up: the last kept result is joined on as further channels, ResNet block; then twice the rows and columns

In diffusion it predicts the noise in an image. Each ResNet block is told the timestep; behind it, self-attention lets
the places of the image look at each other, and cross-attention lets them read the prompt. Layout, config and names are
those of diffusers' UNet2DConditionModel; weights are a flat dict.

Source: Ronneberger, Fischer and Brox 2015, "U-Net", figure 1, https://arxiv.org/abs/1505.04597; Ho, Jain and Abbeel
2020, "Denoising diffusion probabilistic models", appendix B, https://arxiv.org/abs/2006.11239; Rombach et al. 2022,
"High-resolution image synthesis with latent diffusion models", section 3.3, https://arxiv.org/abs/2112.10752
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from kb.architecture.layer_normalization import group_norm, layer_norm
from kb.architecture.self_attention_vs_cross_attention import cross_attention
from kb.architecture.token_embedding import embedding
from kb.checkpoints.hugging_face import UNET_LAYOUT, load_pretrained
from kb.checkpoints.names import check_weights, nest
from kb.checkpoints.unet_config import UNetConfig
from kb.shapes import checked
from kb.structure.activation_functions import gelu, silu
from kb.structure.convolutional_network import conv2d
from kb.structure.layers import linear

SLOWEST = 10000  # the last hand of the clock turns by almost 1 / 10000 radian per timestep


# ---- where training starts -----------------------------------------------------------------------------------------
def count_parameters(config):
    """How many numbers training can change, counted from the sizes alone."""
    return sum(math.prod(shape) for shape in config.shapes().values())


def init_unet(config, rng, dtype="float32"):
    """Weights to start training from: normal noise of variance 1 / inputs, biases 0, norms 1.

    The layers that end a branch or the network, conv2, proj_out and conv_out, are 0 as in the code of Ho et al.: at
    first each block changes nothing, and the prediction is 0.
    """
    params = {}
    for name, shape in config.shapes().items():
        if len(shape) > 1 and not any(last in name for last in ("conv2", "proj_out", "conv_out")):
            params[name] = (rng.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))).astype(dtype)
        else:
            params[name] = (np.ones if "norm" in name and name.endswith("weight") else np.zeros)(shape, dtype)
    return params


# ---- the model ---------------------------------------------------------------------------------------------------
@checked
def unet(params, sample, timestep, encoder_hidden_states, config, class_labels=None):
    """The noise in an image, as predicted from the image, how noisy it is, and what it is said to show.

    params {}, sample (b, c, rows, cols), encoder_hidden_states (b, s, d), class_labels (b) -> (b, m, rows, cols)

    timestep: a number, or one for each image (b). encoder_hidden_states: the vectors of the prompt's tokens; None where
    the config has no attention. class_labels: whole numbers, where the config has num_class_embeds. c and m are
    in_channels and out_channels. Rows and columns may be odd: they are halved upwards, 7 to 4, and cut on the way back.
    Raises ValueError for weights that do not fit the config, and for a prompt or labels that are missing or unused.
    """
    check_weights(params, _shapes(config))
    _check_conditions(config, encoder_hidden_states, class_labels)
    tree, levels = nest(params), _levels(config)
    time = _time_vector(tree, sample, timestep, class_labels, config)
    run = functools.partial(_run_level, time=time, context=encoder_hidden_states, config=config)
    kept = [conv2d(sample, **tree["conv_in"], padding=1)]
    for i, weights in enumerate(tree["down_blocks"].values()):
        kept.extend(run(kept[-1], weights, levels[i].heads))
    x = run(kept[-1], tree["mid_block"], levels[len(levels) // 2].heads)[-1]
    for i, weights in enumerate(tree["up_blocks"].values(), len(levels) // 2 + 1):
        x = run(x, weights, levels[i].heads, kept)[-1]
    x = silu(group_norm(x, config.norm_num_groups, **tree["conv_norm_out"], eps=config.norm_eps))
    return conv2d(x, **tree["conv_out"], padding=1)


_shapes = functools.lru_cache(UNetConfig.shapes)
_levels = functools.lru_cache(UNetConfig.levels)


def _check_conditions(config, context, labels):
    for name, given, wanted in (
        ("encoder_hidden_states", context, any(level.heads for level in _levels(config))),
        ("class_labels", labels, config.num_class_embeds is not None),
    ):
        if (given is not None) != bool(wanted):
            raise ValueError(f"unet: the config {'needs' if wanted else 'has no use for'} {name}")


def _time_vector(tree, sample, timestep, class_labels, config):
    """(b, 4 channels): the clock's hands through two layers, plus the vector of the class."""
    count = len(sample)
    if np.shape(timestep) not in ((), (count,)):
        raise ValueError(f"unet: timestep {np.shape(timestep)} is neither a number nor one for each of {count} images")
    timestep = np.broadcast_to(timestep, (count,))
    clock = timestep_embedding(timestep, config.block_out_channels[0], sample.dtype)
    first, second = tree["time_embedding"]["linear_1"], tree["time_embedding"]["linear_2"]
    time = linear(silu(linear(clock, **first)), **second)
    return time if class_labels is None else time + embedding(class_labels, tree["class_embedding"]["weight"])


def _run_level(x, weights, heads, kept=None, *, time, context, config):
    """The result of every step at one size. On the way up, each step takes the last image off the pile `kept`."""
    results = []
    for j, block in weights["resnets"].items():
        x = x if kept is None else np.concatenate([x, kept.pop()], axis=1)
        x = resnet_block(x, time, block, config)
        if j in weights.get("attentions", {}):
            x = transformer_2d(x, context, weights["attentions"][j], heads, config)
        results.append(x)
    if "downsamplers" in weights:
        results.append(downsample(x, **weights["downsamplers"]["0"]["conv"]))
    if "upsamplers" in weights:
        results.append(upsample(x, kept[-1], **weights["upsamplers"]["0"]["conv"]))
    return results


@checked
def timestep_embedding(timestep, width, dtype="float32"):
    """How noisy the image is, as the hands of width / 2 clocks, each slower than the one before it.

    timestep (b), width () -> (b, d)

    The cosines of timestep / 10000^(2i / width) come first, then the sines: the order of Stable Diffusion. Raises
    ValueError for an odd width.
    """
    if width % 2:
        raise ValueError(f"timestep_embedding: a cosine and a sine come in pairs, width is {width}")
    angles = timestep[:, None] * SLOWEST ** (-np.arange(0, width, 2) / width)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(dtype)


@checked
def resnet_block(x, time, layer, config):
    """Two convolutions whose result is added to x; between them every pixel is told the timestep.

    x (b, c, rows, cols), time (b, d), layer {} -> (b, m, rows, cols)

    `layer` is the part of the weights under one resnets.<j>, nested. Where m differs from c, x passes through a 1 x 1
    convolution on its way to the sum.
    """
    norm = functools.partial(group_norm, num_groups=config.norm_num_groups, eps=config.norm_eps)
    told = linear(silu(time), **layer["time_emb_proj"])  # (b, m), the same for all pixels
    h = conv2d(silu(norm(x, **layer["norm1"])), **layer["conv1"], padding=1) + told[:, :, None, None]
    h = conv2d(silu(norm(h, **layer["norm2"])), **layer["conv2"], padding=1)
    return h + (conv2d(x, **layer["conv_shortcut"]) if "conv_shortcut" in layer else x)


@checked
def transformer_2d(x, context, layer, num_heads, config):
    """The places of the image as a sequence: they look at each other, then at the prompt, then each works alone.

    x (b, c, rows, cols), context (b, s, d), layer {} -> (b, c, rows, cols)

    `layer` is the part of the weights under one attentions.<j>, nested.
    """
    h = group_norm(x, config.norm_num_groups, **layer["norm"], eps=1e-6)
    h = _per_place(np.swapaxes(np.reshape(h, (*h.shape[:2], -1)), 1, 2), **layer["proj_in"])  # (b, rows cols, c)
    for block in layer["transformer_blocks"].values():
        normed = layer_norm(h, **block["norm1"])
        h = h + _attend(normed, normed, block["attn1"], num_heads)
        h = h + _attend(layer_norm(h, **block["norm2"]), context, block["attn2"], num_heads)
        h = h + geglu(layer_norm(h, **block["norm3"]), block["ff"])
    return x + np.reshape(np.swapaxes(_per_place(h, **layer["proj_out"]), 1, 2), x.shape)


@checked
def geglu(x, layer):
    """An MLP whose hidden neurons are pairs: one makes an offer, GELU of its partner says how much of it passes.

    x (..., d), layer {} -> (..., d)

    `layer` is the part of the weights under one ff, nested. The first half of the rows of net.0.proj makes the offers.
    Source: Shazeer 2020, "GLU variants improve transformer", equation 5, https://arxiv.org/abs/2002.05202
    """
    offer, gate = np.split(linear(x, **layer["net"]["0"]["proj"]), 2, axis=-1)
    return linear(offer * gelu(gate), **layer["net"]["2"])


@checked
def downsample(x, weight, bias):
    """Half the rows and columns, by a convolution that takes every second position.

    x (b, c, rows, cols), weight (c, c, p, q), bias (c) -> (b, c, rows_out, cols_out)
    """
    return conv2d(x, weight, bias, stride=2, padding=1)


@checked
def upsample(x, like, weight, bias):
    """Each pixel becomes four, cut to the rows and columns of `like`, and a convolution smooths the steps.

    x (b, c, rows, cols), like (b, k, rows_out, cols_out), weight (c, c, p, q), bias (c) -> (b, c, rows_out, cols_out)
    """
    rows, cols = like.shape[-2:]
    large = np.repeat(np.repeat(x, 2, axis=-2), 2, axis=-1)
    return conv2d(large[..., :rows, :cols], weight, bias, padding=1)


def _attend(x, context, layer, num_heads):
    w_q, w_k, w_v = (layer[name]["weight"] for name in ("to_q", "to_k", "to_v"))
    out = layer["to_out"]["0"]
    return cross_attention(x, context, w_q, w_k, w_v, out["weight"], out["bias"], num_heads)


def _per_place(x, weight, bias):
    """A 1 x 1 convolution, (m, n, 1, 1), or the matrix that does the same, at each place of a sequence."""
    return linear(x, np.reshape(weight, weight.shape[:2]), bias)


@dataclass(frozen=True)
class UNet:
    """A U-Net: its sizes and its weights. Called with images, timesteps and a prompt it gives the predicted noise."""

    config: UNetConfig
    params: dict

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder that holds config.json and diffusion_pytorch_model.safetensors, as diffusers has it."""
        return cls(*load_pretrained(folder, UNetConfig, UNET_LAYOUT))

    def __call__(self, sample, timestep, encoder_hidden_states=None, class_labels=None):
        return unet(self.params, sample, timestep, encoder_hidden_states, self.config, class_labels)
