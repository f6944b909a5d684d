"""The sizes of a U-Net, and from them the name and shape of each weight in its file, as diffusers publishes it.

Source: https://huggingface.co/docs/diffusers/api/models/unet2d-cond
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

from kb.checkpoints.hugging_face import check_fields

DOWN = {"DownBlock2D": False, "CrossAttnDownBlock2D": True}  # True: with attention
MIDDLE = {"UNetMidBlock2D": False, "UNetMidBlock2DCrossAttn": True}
UP = {"UpBlock2D": False, "CrossAttnUpBlock2D": True}
MOST = 100  # blocks of one kind; more in a file's config is a mistake, and their names would fill the memory


class Level(NamedTuple):
    """One size of the image on the way down or up, or the middle."""

    name: str
    widths: tuple  # (channels in, channels out) of each ResNet block
    heads: int  # of the attention behind the ResNet blocks; 0: none
    sampler: str  # "downsamplers", "upsamplers" or "": how the next size is reached


@dataclass(frozen=True)
class UNetConfig:
    """The sizes of a U-Net, with the names and defaults of diffusers.

    UNetConfig(cross_attention_dim=768) is Stable Diffusion 1.5's. Raises ValueError for sizes that do not fit together.
    """

    sample_size: int | tuple | None = None  # rows and columns it was trained on; it runs on others too
    in_channels: int = 4
    out_channels: int = 4
    down_block_types: tuple = ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
    mid_block_type: str = "UNetMidBlock2DCrossAttn"
    up_block_types: tuple = ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")
    block_out_channels: tuple = (320, 640, 1280, 1280)
    layers_per_block: int = 2
    norm_num_groups: int = 32
    norm_eps: float = 1e-5
    cross_attention_dim: int = 1280  # the width of the prompt's vectors
    transformer_layers_per_block: int = 1
    attention_head_dim: int | tuple = 8  # the number of heads; the name was a mistake that stayed in the files
    use_linear_projection: bool = False  # True: matrices are stored where 1 x 1 convolutions would do the same
    num_class_embeds: int | None = None  # None: no class labels

    def __post_init__(self):
        for name in [name for name, value in vars(self).items() if isinstance(value, list)]:  # which is what JSON has
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_fields(self)
        _check_kinds(self)
        _check_counts(self)
        for level in self.levels():
            _check_level(self, level)

    @property
    def num_sizes(self):
        """At how many resolutions it works; each but the first has half the rows and columns of the one before."""
        return len(self.block_out_channels)

    @property
    def time_width(self):
        """The width of the vector that tells every ResNet block the timestep."""
        return 4 * self.block_out_channels[0]

    def levels(self):
        """The blocks in the order of the pass. On the way up each ResNet block also gets what one step down kept."""
        channels, n = self.block_out_channels, self.layers_per_block
        last, x, kept = len(channels) - 1, channels[0], [channels[0]]
        levels = []
        for i, (m, kind) in enumerate(zip(channels, self.down_block_types, strict=True)):
            sampler = "downsamplers" if i < last else ""
            levels.append(Level(f"down_blocks.{i}", ((x, m), *[(m, m)] * (n - 1)), DOWN[kind] * self.heads(i), sampler))
            x, kept = m, kept + [m] * (n + (i < last))
        attends = MIDDLE[self.mid_block_type]
        levels.append(Level("mid_block", ((x, x),) * (1 + attends), attends * self.heads(last), ""))
        for i, (m, kind) in enumerate(zip(channels[::-1], self.up_block_types, strict=True)):
            widths = tuple((x + kept.pop() if j == 0 else m + kept.pop(), m) for j in range(n + 1))
            sampler = "upsamplers" if i < last else ""
            levels.append(Level(f"up_blocks.{i}", widths, UP[kind] * self.heads(last - i), sampler))
            x = m
        return levels

    def heads(self, i):
        """How many heads attention has at the i-th size."""
        return self.attention_head_dim[i] if isinstance(self.attention_head_dim, tuple) else self.attention_head_dim

    def shapes(self):
        """The shape of each weight by its published name."""
        first, time = self.block_out_channels[0], self.time_width
        classes = {} if self.num_class_embeds is None else {"class_embedding.weight": (self.num_class_embeds, time)}
        return {
            **_layer("conv_in", self.in_channels, first, (3, 3)),
            **_layer("time_embedding.linear_1", first, time),
            **_layer("time_embedding.linear_2", time, time),
            **classes,
            **{name: shape for level in self.levels() for name, shape in _level_shapes(level, self).items()},
            **_norm("conv_norm_out", first),
            **_layer("conv_out", first, self.out_channels, (3, 3)),
        }


def _check_kinds(config):
    for name, known in (("down_block_types", DOWN), ("mid_block_type", MIDDLE), ("up_block_types", UP)):
        value = getattr(config, name)
        if unknown := [kind for kind in (value if isinstance(value, tuple) else (value,)) if kind not in known]:
            raise ValueError(f"UNetConfig: {name} has {unknown}; kb computes {[*known]}")


def _check_counts(config):
    sizes = config.num_sizes
    for name in ("down_block_types", "up_block_types", "attention_head_dim"):
        value = getattr(config, name)
        if isinstance(value, tuple) and len(value) != sizes:
            raise ValueError(f"UNetConfig: {name} has {len(value)} entries, block_out_channels has {sizes}")
    for name in ("block_out_channels", "attention_head_dim"):
        value = getattr(config, name)
        if isinstance(value, tuple) and not (value and all(type(n) is int and n > 0 for n in value)):
            raise ValueError(f"UNetConfig: {name} is {value}")
    for name, value in (
        ("layers_per_block", config.layers_per_block),
        ("transformer_layers_per_block", config.transformer_layers_per_block),
        ("block_out_channels' length", sizes),
    ):
        if value > MOST:
            raise ValueError(f"UNetConfig: {name} is {value}, expected at most {MOST}")


def _check_level(config, level):
    for channels in itertools.chain(*level.widths):
        if channels % config.norm_num_groups:
            raise ValueError(f"UNetConfig: norm_num_groups = {config.norm_num_groups} does not divide {channels}")
    if level.heads and level.widths[-1][1] % level.heads:
        where = f"the {level.widths[-1][1]} channels of {level.name}"
        raise ValueError(f"UNetConfig: attention_head_dim = {level.heads} does not divide {where}")


def _level_shapes(level, config):
    shapes: dict[str, tuple] = {}
    for j, (n, m) in enumerate(level.widths):
        name = f"{level.name}.resnets.{j}"
        shapes |= {**_norm(f"{name}.norm1", n), **_layer(f"{name}.conv1", n, m, (3, 3))}
        shapes |= {**_layer(f"{name}.time_emb_proj", config.time_width, m), **_norm(f"{name}.norm2", m)}
        shapes |= _layer(f"{name}.conv2", m, m, (3, 3))
        shapes |= _layer(f"{name}.conv_shortcut", n, m, (1, 1)) if n != m else {}
    width = level.widths[-1][1]
    behind = len(level.widths) - (level.name == "mid_block")  # the middle ends with a ResNet block
    for j in range(behind if level.heads else 0):
        shapes |= _transformer_shapes(f"{level.name}.attentions.{j}", width, config)
    return shapes | (_layer(f"{level.name}.{level.sampler}.0.conv", width, width, (3, 3)) if level.sampler else {})


def _transformer_shapes(name, d, config):
    size = () if config.use_linear_projection else (1, 1)
    shapes = {**_norm(f"{name}.norm", d), **_layer(f"{name}.proj_in", d, d, size)}
    for k in range(config.transformer_layers_per_block):
        part = f"{name}.transformer_blocks.{k}"
        for i, width in ((1, d), (2, config.cross_attention_dim)):
            shapes |= {**_norm(f"{part}.norm{i}", d), f"{part}.attn{i}.to_q.weight": (d, d)}
            shapes |= {f"{part}.attn{i}.to_{which}.weight": (d, width) for which in "kv"}
            shapes |= _layer(f"{part}.attn{i}.to_out.0", d, d)
        shapes |= {**_norm(f"{part}.norm3", d), **_layer(f"{part}.ff.net.0.proj", d, 8 * d)}  # offers and gates
        shapes |= _layer(f"{part}.ff.net.2", 4 * d, d)
    return shapes | _layer(f"{name}.proj_out", d, d, size)


def _layer(name, n, m, size=()):
    return {f"{name}.weight": (m, n, *size), f"{name}.bias": (m,)}


def _norm(name, n):
    return {f"{name}.weight": (n,), f"{name}.bias": (n,)}


STABLE_DIFFUSION_UNET = UNetConfig(sample_size=64, cross_attention_dim=768)  # of the versions 1.1 to 1.5
