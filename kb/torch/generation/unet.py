"""Torch twin of `kb.generation.unet`: ordinary modules with the published names, so load_state_dict fits."""

import functools
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from kb.generation import unet as kb_unet
from kb.shapes import checked
from kb.torch.architecture.multi_head_attention import merge_heads, split_heads

WITHOUT_A_TWIN = {"count_parameters": "counts; there is no array in it"}


# ---- parts -------------------------------------------------------------------------------------------------------
class ResnetBlock(nn.Module):
    """Two convolutions whose result is added to x; between them every pixel is told the timestep."""

    def __init__(self, n, m, config):
        super().__init__()
        groups, eps = config.norm_num_groups, config.norm_eps
        self.norm1, self.norm2 = nn.GroupNorm(groups, n, eps), nn.GroupNorm(groups, m, eps)
        self.conv1, self.conv2 = nn.Conv2d(n, m, 3, padding=1), nn.Conv2d(m, m, 3, padding=1)
        self.time_emb_proj = nn.Linear(config.time_width, m)
        self.conv_shortcut = nn.Identity() if n == m else nn.Conv2d(n, m, 1)

    def forward(self, x, time):
        h = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(time))[:, :, None, None]
        return self.conv_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    """Queries from x, keys and values from the context."""

    def __init__(self, d, context, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(d, d, bias=False)
        self.to_k, self.to_v = (nn.Linear(context, d, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(d, d)])

    def forward(self, x, context):
        parts = self.to_q(x), self.to_k(context), self.to_v(context)
        return self.to_out[0](
            merge_heads(F.scaled_dot_product_attention(*(split_heads(p, self.num_heads) for p in parts)))
        )


class Offer(nn.Module):
    """The first layer of `geglu`."""

    def __init__(self, d):
        super().__init__()
        self.proj = nn.Linear(d, 8 * d)

    def forward(self, x):
        offer, gate = self.proj(x).chunk(2, -1)
        return offer * F.gelu(gate)


class GEGLU(nn.Module):
    """An MLP with a gate; the place between its two layers is where diffusers has dropout."""

    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(Offer(d), nn.Identity(), nn.Linear(4 * d, d))

    def forward(self, x):
        return self.net(x)


class TransformerBlock(nn.Module):
    """Self-attention, cross-attention and an MLP, each behind a norm; all add to x."""

    def __init__(self, d, context, num_heads):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d) for _ in range(3))
        self.attn1, self.attn2 = Attention(d, d, num_heads), Attention(d, context, num_heads)
        self.ff = GEGLU(d)

    def forward(self, x, context):
        normed = self.norm1(x)
        x = x + self.attn1(normed, normed)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer2D(nn.Module):
    """The places of the image as a sequence."""

    def __init__(self, d, num_heads, config):
        super().__init__()
        place = nn.Linear if config.use_linear_projection else functools.partial(nn.Conv2d, kernel_size=1)
        self.norm = nn.GroupNorm(config.norm_num_groups, d, 1e-6)
        self.proj_in, self.proj_out = place(d, d), place(d, d)
        blocks = range(config.transformer_layers_per_block)
        self.transformer_blocks = nn.ModuleList(
            TransformerBlock(d, config.cross_attention_dim, num_heads) for _ in blocks
        )

    def forward(self, x, context):
        h = _per_place(self.norm(x).flatten(2).mT, self.proj_in)
        for block in self.transformer_blocks:
            h = block(h, context)
        return x + _per_place(h, self.proj_out).mT.reshape(x.shape)


def _per_place(x, layer):
    return F.linear(x, layer.weight.flatten(1), layer.bias)


class Sampler(nn.Module):
    """The way to the next size."""

    def __init__(self, channels, stride):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride, padding=1)

    def forward(self, x, like=None):
        return self.conv(x if like is None else F.interpolate(x, like.shape[-2:], mode="nearest"))


class Level(nn.Module):
    """The blocks at one size."""

    def __init__(self, level, config):
        super().__init__()
        width = level.widths[-1][1]
        self.resnets = nn.ModuleList(ResnetBlock(n, m, config) for n, m in level.widths)
        count = len(level.widths) - (level.name == "mid_block") if level.heads else 0
        self.attentions = nn.ModuleList(Transformer2D(width, level.heads, config) for _ in range(count))
        self.downsamplers = nn.ModuleList([Sampler(width, 2)] if level.sampler == "downsamplers" else [])
        self.upsamplers = nn.ModuleList([Sampler(width, 1)] if level.sampler == "upsamplers" else [])

    def forward(self, x, time, context, kept=None):
        """The result of every step; on the way up each step takes the last image off the pile `kept`."""
        results = []
        for j, block in enumerate(self.resnets):
            x = block(x if kept is None else torch.cat([x, kept.pop()], 1), time)
            x = self.attentions[j](x, context) if j < len(self.attentions) else x
            results.append(x)
        results += [sampler(x) for sampler in self.downsamplers]
        return results + [sampler(x, kept[-1]) for sampler in self.upsamplers]


class TimeEmbedding(nn.Module):
    """Two layers behind the clock's hands."""

    def __init__(self, config):
        super().__init__()
        self.linear_1 = nn.Linear(config.block_out_channels[0], config.time_width)
        self.linear_2 = nn.Linear(config.time_width, config.time_width)

    def forward(self, clock):
        return self.linear_2(F.silu(self.linear_1(clock)))


# ---- the model ---------------------------------------------------------------------------------------------------
class UNet(nn.Module):
    """A U-Net with the names of `UNetConfig.shapes`: load_state_dict(strict=True) takes diffusers' weights."""

    def __init__(self, config):
        super().__init__()
        first, levels = config.block_out_channels[0], config.levels()
        middle = len(levels) // 2
        self.config = config
        self.conv_in = nn.Conv2d(config.in_channels, first, 3, padding=1)
        self.time_embedding = TimeEmbedding(config)
        if config.num_class_embeds is not None:
            self.class_embedding = nn.Embedding(config.num_class_embeds, config.time_width)
        self.down_blocks = nn.ModuleList(Level(level, config) for level in levels[:middle])
        self.mid_block = Level(levels[middle], config)
        self.up_blocks = nn.ModuleList(Level(level, config) for level in levels[middle + 1 :])
        self.conv_norm_out = nn.GroupNorm(config.norm_num_groups, first, config.norm_eps)
        self.conv_out = nn.Conv2d(first, config.out_channels, 3, padding=1)

    def forward(self, sample, timestep, encoder_hidden_states=None, class_labels=None):
        time, context = self.time_vector(sample, timestep, class_labels), encoder_hidden_states
        kept = [self.conv_in(sample)]
        for level in self.down_blocks:
            kept.extend(level(kept[-1], time, context))
        x = self.mid_block(kept[-1], time, context)[-1]
        for level in self.up_blocks:
            x = level(x, time, context, kept)[-1]
        return self.conv_out(F.silu(self.conv_norm_out(x)))

    def time_vector(self, sample, timestep, class_labels):
        """The clock's hands through two layers, plus the vector of the class."""
        timestep = torch.as_tensor(timestep, device=sample.device).expand(len(sample))
        clock = timestep_embedding(timestep, self.config.block_out_channels[0], _name(sample.dtype))
        time = self.time_embedding(clock)
        return time if class_labels is None else time + self.class_embedding(class_labels)


# ---- as functions of a dict of weights ---------------------------------------------------------------------------
@functools.cache
def _skeleton(module, *sizes):
    """A module without weights: functional_call gives it those of a dict."""
    with torch.device("meta"):
        return module(*sizes)


def _call(module, sizes, params, inputs):
    return functional_call(_skeleton(module, *sizes), params, inputs, strict=True)


def _flat(tree):
    """The inverse of `nest`."""
    if not isinstance(tree, dict):
        return {"": tree}
    return {f"{name}.{rest}".rstrip("."): leaf for name, part in tree.items() for rest, leaf in _flat(part).items()}


def _name(dtype):
    return str(dtype).removeprefix("torch.")


def init_unet(config, rng, dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    return {name: torch.from_numpy(array) for name, array in kb_unet.init_unet(config, rng, dtype).items()}


@checked
def unet(params, sample, timestep, encoder_hidden_states, config, class_labels=None):
    """The noise in an image, as predicted from the image, how noisy it is, and what it is said to show.

    params {}, sample (b, c, rows, cols), encoder_hidden_states (b, s, d), class_labels (b) -> (b, m, rows, cols)
    """
    return _call(UNet, (config,), params, (sample, timestep, encoder_hidden_states, class_labels))


@checked
def timestep_embedding(timestep, width, dtype="float32"):
    """How noisy the image is, as the hands of width / 2 clocks.

    timestep (b), width () -> (b, d)
    """
    exponents = torch.arange(0, width, 2, dtype=torch.float64, device=timestep.device) / width
    angles = timestep[:, None] * torch.exp(-math.log(kb_unet.SLOWEST) * exponents)
    return torch.cat([torch.cos(angles), torch.sin(angles)], 1).to(getattr(torch, dtype))


@checked
def resnet_block(x, time, layer, config):
    """Two convolutions whose result is added to x; between them every pixel is told the timestep.

    x (b, c, rows, cols), time (b, d), layer {} -> (b, m, rows, cols)
    """
    m, n = layer["conv1"]["weight"].shape[:2]
    return _call(ResnetBlock, (n, m, config), _flat(layer), (x, time))


@checked
def transformer_2d(x, context, layer, num_heads, config):
    """The places of the image as a sequence: they look at each other, then at the prompt, then each works alone.

    x (b, c, rows, cols), context (b, s, d), layer {} -> (b, c, rows, cols)
    """
    return _call(Transformer2D, (x.shape[1], num_heads, config), _flat(layer), (x, context))


@checked
def geglu(x, layer):
    """An MLP whose hidden neurons are pairs, an offer and a gate.

    x (..., d), layer {} -> (..., d)
    """
    return _call(GEGLU, (x.shape[-1],), _flat(layer), (x,))


@checked
def downsample(x, weight, bias):
    """Half the rows and columns.

    x (b, c, rows, cols), weight (c, c, p, q), bias (c) -> (b, c, rows_out, cols_out)
    """
    return F.conv2d(x, weight, bias, stride=2, padding=1)


@checked
def upsample(x, like, weight, bias):
    """Each pixel becomes four, cut to the rows and columns of `like`, and a convolution smooths the steps.

    x (b, c, rows, cols), like (b, k, rows_out, cols_out), weight (c, c, p, q), bias (c) -> (b, c, rows_out, cols_out)
    """
    return F.conv2d(F.interpolate(x, like.shape[-2:], mode="nearest"), weight, bias, padding=1)
