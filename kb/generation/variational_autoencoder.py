"""The variational autoencoder: an image becomes a small code that is normal noise around a mean, and an image again.

    encode:   mean, logvar = encoder(x)                     (b, latent channels, rows / f, cols / f) each
    sample:   z = mean + exp(logvar / 2) * noise            noise from N(0, 1): the gradient passes beside the dice
    decode:   decoder(z) is the mean of a normal distribution of images

    log p(x) >= ELBO = E[log p(x | z)] - KL(N(mean, exp(logvar)) || N(0, 1))

The first part wants images to come back as they were, the second wants all codes together to look like N(0, 1). Layout,
config and names are those of diffusers' AutoencoderKL, the autoencoder of Stable Diffusion; weights are a flat dict.

Source: Kingma and Welling 2014, "Auto-encoding variational Bayes", equations 3, 4 and 10 and appendix B,
https://arxiv.org/abs/1312.6114; Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models",
section 3.1, https://arxiv.org/abs/2112.10752
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from kb.checkpoints.hugging_face import load_pretrained
from kb.checkpoints.names import check_weights, nest
from kb.checkpoints.vae_config import VAE_LAYOUT, VAEConfig
from kb.foundations.softmax import softmax
from kb.shapes import checked
from kb.structure.activation_functions import silu
from kb.structure.convolutional_network import conv2d
from kb.structure.layers import linear

EPS = 1e-6  # of every group norm in it
LEAST, MOST = -30.0, 20.0  # where logvar is cut, so that its exponential stays a float


# ---- where training starts ---------------------------------------------------------------------------------------
def count_parameters(config):
    """How many numbers training can change, counted from the sizes alone."""
    return sum(math.prod(shape) for shape in config.shapes().values())


def init_vae(config, rng, dtype="float32"):
    """Weights to start training from: normal noise of variance 1 / inputs, biases 0, norms 1.

    The layers that end a branch, conv2 and to_out, are 0: at first each block hands its input on unchanged.
    """
    params = {}
    for name, shape in config.shapes().items():
        if len(shape) > 1 and not any(last in name for last in ("conv2", "to_out")):
            params[name] = (rng.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))).astype(dtype)
        else:
            params[name] = (np.ones if "norm" in name and name.endswith("weight") else np.zeros)(shape, dtype)
    return params


# ---- the two halves ----------------------------------------------------------------------------------------------
@checked
def encode(params, sample, config):
    """Where the code of an image may lie: the mean and the logarithm of the variance of each of its numbers.

    params {}, sample (b, c, rows, cols) -> (b, m, rows_out, cols_out), (b, m, rows_out, cols_out)

    logvar is cut to -30..20. Raises ValueError for weights that do not fit the config, and where an image is too small
    to be halved so often.
    """
    check_weights(params, _shapes(config))
    tree = nest(params)
    x = conv2d(sample, **tree["encoder"]["conv_in"], padding=1)
    for level in tree["encoder"]["down_blocks"].values():
        x = _blocks(x, level, config)
        x = downsample(x, **level["downsamplers"]["0"]["conv"]) if "downsamplers" in level else x
    x = _out(_middle(x, tree["encoder"]["mid_block"], config), tree["encoder"], config)
    mean, logvar = np.split(conv2d(x, **tree["quant_conv"]) if "quant_conv" in tree else x, 2, axis=1)
    return mean, np.clip(logvar, LEAST, MOST)


@checked
def decode(params, z, config):
    """The image that a code stands for.

    params {}, z (b, c, rows, cols) -> (b, m, rows_out, cols_out)

    Raises ValueError for weights that do not fit the config.
    """
    check_weights(params, _shapes(config))
    tree = nest(params)
    x = conv2d(z, **tree["post_quant_conv"]) if "post_quant_conv" in tree else z
    x = _middle(conv2d(x, **tree["decoder"]["conv_in"], padding=1), tree["decoder"]["mid_block"], config)
    for level in tree["decoder"]["up_blocks"].values():
        x = _blocks(x, level, config)
        x = upsample(x, **level["upsamplers"]["0"]["conv"]) if "upsamplers" in level else x
    return _out(x, tree["decoder"], config)


_shapes = functools.lru_cache(VAEConfig.shapes)


def _blocks(x, level, config):
    for layer in level["resnets"].values():
        x = resnet_block(x, layer, config.norm_num_groups)
    return x


def _middle(x, level, config):
    x = resnet_block(x, level["resnets"]["0"], config.norm_num_groups)
    x = attention_block(x, level["attentions"]["0"], config.norm_num_groups) if "attentions" in level else x
    return resnet_block(x, level["resnets"]["1"], config.norm_num_groups)


def _out(x, half, config):
    x = silu(_group_norm(x, config.norm_num_groups, **half["conv_norm_out"]))
    return conv2d(x, **half["conv_out"], padding=1)


@checked
def resnet_block(x, layer, num_groups):
    """Two convolutions, each behind a norm and SiLU, whose result is added to x.

    x (b, c, rows, cols), layer {} -> (b, m, rows, cols)

    `layer` is the part of the weights under one resnets.<j>, nested. Where m differs from c, x passes through a 1 x 1
    convolution on its way to the sum.
    """
    h = conv2d(silu(_group_norm(x, num_groups, **layer["norm1"])), **layer["conv1"], padding=1)
    h = conv2d(silu(_group_norm(h, num_groups, **layer["norm2"])), **layer["conv2"], padding=1)
    return h + (conv2d(x, **layer["conv_shortcut"]) if "conv_shortcut" in layer else x)


@checked
def attention_block(x, layer, num_groups):
    """Every place of the image gathers from all places what matches its query; with one head, added to x.

    x (b, c, rows, cols), layer {} -> (b, c, rows, cols)

    `layer` is the part of the weights under one attentions.<j>, nested.
    """
    h = _group_norm(x, num_groups, **layer["group_norm"])
    places = np.swapaxes(np.reshape(h, (*h.shape[:2], -1)), 1, 2)  # (b, rows cols, c)
    q, k, v = (linear(places, **layer[name]) for name in ("to_q", "to_k", "to_v"))
    mixed = softmax(q @ np.swapaxes(k, 1, 2) / math.sqrt(q.shape[-1])) @ v
    return x + np.reshape(np.swapaxes(linear(mixed, **layer["to_out"]["0"]), 1, 2), x.shape)


@checked
def downsample(x, weight, bias):
    """Half the rows and columns, by a convolution that takes every second position.

    x (b, c, rows, cols), weight (c, c, p, q), bias (c) -> (b, c, rows_out, cols_out)

    The zeros are put below and to the right only.
    """
    return conv2d(np.pad(x, [(0, 0), (0, 0), (0, 1), (0, 1)]), weight, bias, stride=2)


@checked
def upsample(x, weight, bias):
    """Twice the rows and columns: each pixel becomes four, and a convolution smooths the steps.

    x (b, c, rows, cols), weight (c, c, p, q), bias (c) -> (b, c, 2rows, 2cols)
    """
    return conv2d(np.repeat(np.repeat(x, 2, axis=-2), 2, axis=-1), weight, bias, padding=1)


def _group_norm(x, num_groups, weight, bias):
    """Each group of channels of an image with mean 0 and variance 1, then scaled and shifted channel by channel."""
    rows = np.reshape(x, (x.shape[0], num_groups, -1))
    centred = rows - np.mean(rows, axis=-1, keepdims=True)
    normal = centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + EPS)
    return np.reshape(normal, x.shape) * weight[:, None, None] + bias[:, None, None]


# ---- the code as a random number ---------------------------------------------------------------------------------
@checked
def reparameterise(mean, logvar, noise):
    """A draw from N(mean, exp(logvar)) as a function of its parameters: the dice were cast before, as N(0, 1).

    mean (...), logvar (...), noise (...) -> (...)

    So the draw has a derivative with respect to the mean (1) and the standard deviation (the noise).
    """
    return mean + np.exp(0.5 * logvar) * noise


@checked
def kl_to_standard_normal(mean, logvar):
    """How far N(mean, exp(logvar)) is from N(0, 1), in nats: 0 where they agree, above 0 elsewhere.

    mean (n, ...), logvar (n, ...) -> (n)

    Per example, summed over the numbers of its code: half of mean^2 + variance - 1 - logvar of each.
    """
    return 0.5 * _per_example(mean * mean + np.exp(logvar) - 1 - logvar)


@checked
def log_likelihood(x, mean, std=1.0):
    """log p(x | z) where the decoder's image is the mean of a normal distribution of this standard deviation.

    x (n, ...), mean (n, ...) -> (n)

    In nats per example, all its numbers together: minus the squared error over 2 std^2, and a constant.
    """
    z = (x - mean) / std
    return -0.5 * _per_example(z * z + math.log(2 * math.pi * std * std))


@checked
def elbo_parts(params, sample, noise, config, std=1.0):
    """What training weighs against each other: how well the image comes back, and what its code costs, in nats.

    params {}, sample (b, c, rows, cols), noise (b, m, rows_out, cols_out) -> (b), (b)

    log p(x | z) of one draw z, and the KL divergence of the code's distribution from N(0, 1). The first minus the
    second is an estimate of the ELBO, whose mean over the noise is at most log p(x).
    """
    mean, logvar = encode(params, sample, config)
    decoded = decode(params, reparameterise(mean, logvar, noise), config)
    return log_likelihood(sample, decoded, std), kl_to_standard_normal(mean, logvar)


def _per_example(x):
    return np.sum(np.reshape(x, (x.shape[0], -1)), axis=1)


# ---- the model ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class VAE:
    """An autoencoder: its sizes and its weights. Called with images it gives them back through the mean of the code."""

    config: VAEConfig
    params: dict

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder that holds config.json and diffusion_pytorch_model.safetensors, as diffusers has it."""
        return cls(*load_pretrained(folder, VAEConfig, VAE_LAYOUT))

    def encode(self, sample):
        """Mean and log-variance of the code."""
        return encode(self.params, sample, self.config)

    def decode(self, z):
        """The image of a code."""
        return decode(self.params, z, self.config)

    def scaled(self, z):
        """A code as a diffusion model works on it: shifted and scaled to a standard deviation of about 1."""
        return (z - (self.config.shift_factor or 0.0)) * self.config.scaling_factor

    def unscaled(self, z):
        """The inverse of `scaled`."""
        return z / self.config.scaling_factor + (self.config.shift_factor or 0.0)

    def __call__(self, sample):
        return self.decode(self.encode(sample)[0])
