"""Torch twin of `kb.generation.variational_autoencoder`: ordinary modules with the published names."""

import functools
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from kb.generation import variational_autoencoder as kb_vae
from kb.shapes import checked

WITHOUT_A_TWIN = {"count_parameters": "counts; there is no array in it"}
EPS, LEAST, MOST = kb_vae.EPS, kb_vae.LEAST, kb_vae.MOST


# ---- parts -------------------------------------------------------------------------------------------------------
class ResnetBlock(nn.Module):
    """Two convolutions, each behind a norm and SiLU, whose result is added to x."""

    def __init__(self, n, m, num_groups):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(num_groups, n, EPS), nn.GroupNorm(num_groups, m, EPS)
        self.conv1, self.conv2 = nn.Conv2d(n, m, 3, padding=1), nn.Conv2d(m, m, 3, padding=1)
        self.conv_shortcut = nn.Identity() if n == m else nn.Conv2d(n, m, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.conv_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class AttentionBlock(nn.Module):
    """Every place of the image looks at all places, with one head."""

    def __init__(self, d, num_groups):
        super().__init__()
        self.group_norm = nn.GroupNorm(num_groups, d, EPS)
        self.to_q, self.to_k, self.to_v = (nn.Linear(d, d) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(d, d)])

    def forward(self, x):
        places = self.group_norm(x).flatten(2).mT
        mixed = F.scaled_dot_product_attention(self.to_q(places), self.to_k(places), self.to_v(places))
        return x + self.to_out[0](mixed).mT.reshape(x.shape)


class Middle(nn.Module):
    """The blocks at the smallest size."""

    def __init__(self, config):
        super().__init__()
        d, groups = config.block_out_channels[-1], config.norm_num_groups
        self.resnets = nn.ModuleList(ResnetBlock(d, d, groups) for _ in range(2))
        self.attentions = nn.ModuleList([AttentionBlock(d, groups)] if config.mid_block_add_attention else [])

    def forward(self, x):
        x = self.resnets[0](x)
        for block in self.attentions:
            x = block(x)
        return self.resnets[1](x)


class Downsampler(nn.Module):
    """Half the rows and columns."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsampler(nn.Module):
    """Twice the rows and columns."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """The blocks at one size, and the way to the next."""

    def __init__(self, widths, num_groups, sampler=None):
        super().__init__()
        self.resnets = nn.ModuleList(ResnetBlock(n, m, num_groups) for n, m in widths)
        samplers = [] if sampler is None else [sampler(widths[-1][1])]
        self.downsamplers = nn.ModuleList(samplers if sampler is Downsampler else [])
        self.upsamplers = nn.ModuleList(samplers if sampler is Upsampler else [])

    def forward(self, x):
        for block in (*self.resnets, *self.downsamplers, *self.upsamplers):
            x = block(x)
        return x


def _levels(half, config):
    widths = config.levels(half)
    samplers = [Downsampler if half == "encoder" else Upsampler] * (len(widths) - 1) + [None]
    return nn.ModuleList(Level(w, config.norm_num_groups, s) for w, s in zip(widths, samplers, strict=True))


class Encoder(nn.Module):
    """From the image to mean and logvar, side by side as channels."""

    def __init__(self, config):
        super().__init__()
        channels = config.block_out_channels
        self.conv_in = nn.Conv2d(config.in_channels, channels[0], 3, padding=1)
        self.down_blocks, self.mid_block = _levels("encoder", config), Middle(config)
        self.conv_norm_out = nn.GroupNorm(config.norm_num_groups, channels[-1], EPS)
        self.conv_out = nn.Conv2d(channels[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for level in self.down_blocks:
            x = level(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    """From the code to the image."""

    def __init__(self, config):
        super().__init__()
        channels = config.block_out_channels
        self.conv_in = nn.Conv2d(config.latent_channels, channels[-1], 3, padding=1)
        self.up_blocks, self.mid_block = _levels("decoder", config), Middle(config)
        self.conv_norm_out = nn.GroupNorm(config.norm_num_groups, channels[0], EPS)
        self.conv_out = nn.Conv2d(channels[0], config.out_channels, 3, padding=1)

    def forward(self, z):
        x = self.mid_block(self.conv_in(z))
        for level in self.up_blocks:
            x = level(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


# ---- the model ---------------------------------------------------------------------------------------------------
class VAE(nn.Module):
    """An autoencoder with the names of `VAEConfig.shapes`: load_state_dict(strict=True) takes diffusers' weights."""

    def __init__(self, config):
        super().__init__()
        z = config.latent_channels
        self.config, self.encoder, self.decoder = config, Encoder(config), Decoder(config)
        self.quant_conv = nn.Conv2d(2 * z, 2 * z, 1) if config.use_quant_conv else nn.Identity()
        self.post_quant_conv = nn.Conv2d(z, z, 1) if config.use_post_quant_conv else nn.Identity()

    def encode(self, sample):
        """Mean and log-variance of the code."""
        mean, logvar = self.quant_conv(self.encoder(sample)).chunk(2, dim=1)
        return mean, logvar.clamp(LEAST, MOST)

    def decode(self, z):
        """The image of a code."""
        return self.decoder(self.post_quant_conv(z))

    def forward(self, x, part=None):
        if part is not None:
            return getattr(self, part)(x)
        return self.decode(self.encode(x)[0])


# ---- as functions of a dict of weights ---------------------------------------------------------------------------
@functools.cache
def _skeleton(module, *sizes):
    """A module without weights: functional_call gives it those of a dict."""
    with torch.device("meta"):
        return module(*sizes)


def _flat(tree):
    """The inverse of `nest`."""
    if not isinstance(tree, dict):
        return {"": tree}
    return {f"{name}.{rest}".rstrip("."): leaf for name, part in tree.items() for rest, leaf in _flat(part).items()}


def init_vae(config, rng, dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    return {name: torch.from_numpy(array) for name, array in kb_vae.init_vae(config, rng, dtype).items()}


@checked
def encode(params, sample, config):
    """The mean and the logarithm of the variance of each number of the code.

    params {}, sample (b, c, rows, cols) -> (b, m, rows_out, cols_out), (b, m, rows_out, cols_out)
    """
    return functional_call(_skeleton(VAE, config), params, (sample, "encode"), strict=True)


@checked
def decode(params, z, config):
    """The image that a code stands for.

    params {}, z (b, c, rows, cols) -> (b, m, rows_out, cols_out)
    """
    return functional_call(_skeleton(VAE, config), params, (z, "decode"), strict=True)


@checked
def resnet_block(x, layer, num_groups):
    """Two convolutions whose result is added to x.

    x (b, c, rows, cols), layer {} -> (b, m, rows, cols)
    """
    m, n = layer["conv1"]["weight"].shape[:2]
    return functional_call(_skeleton(ResnetBlock, n, m, num_groups), _flat(layer), (x,), strict=True)


@checked
def attention_block(x, layer, num_groups):
    """Every place of the image gathers from all places what matches its query.

    x (b, c, rows, cols), layer {} -> (b, c, rows, cols)
    """
    return functional_call(_skeleton(AttentionBlock, x.shape[1], num_groups), _flat(layer), (x,), strict=True)


@checked
def downsample(x, weight, bias):
    """Half the rows and columns.

    x (b, c, rows, cols), weight (c, c, p, q), bias (c) -> (b, c, rows_out, cols_out)
    """
    return F.conv2d(F.pad(x, (0, 1, 0, 1)), weight, bias, stride=2)


@checked
def upsample(x, weight, bias):
    """Twice the rows and columns.

    x (b, c, rows, cols), weight (c, c, p, q), bias (c) -> (b, c, 2rows, 2cols)
    """
    return F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), weight, bias, padding=1)


@checked
def reparameterise(mean, logvar, noise):
    """A draw from N(mean, exp(logvar)).

    mean (...), logvar (...), noise (...) -> (...)
    """
    return mean + torch.exp(0.5 * logvar) * noise


@checked
def kl_to_standard_normal(mean, logvar):
    """How far N(mean, exp(logvar)) is from N(0, 1), in nats.

    mean (n, ...), logvar (n, ...) -> (n)
    """
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).flatten(1).sum(1)


@checked
def log_likelihood(x, mean, std=1.0):
    """log p(x | z) of a normal distribution around the decoder's image.

    x (n, ...), mean (n, ...) -> (n)
    """
    return -0.5 * (((x - mean) / std).square() + math.log(2 * math.pi * std * std)).flatten(1).sum(1)


@checked
def elbo_parts(params, sample, noise, config, std=1.0):
    """log p(x | z) of one draw, and the KL divergence of the code's distribution from N(0, 1).

    params {}, sample (b, c, rows, cols), noise (b, m, rows_out, cols_out) -> (b), (b)
    """
    mean, logvar = encode(params, sample, config)
    decoded = decode(params, reparameterise(mean, logvar, noise), config)
    return log_likelihood(sample, decoded, std), kl_to_standard_normal(mean, logvar)
