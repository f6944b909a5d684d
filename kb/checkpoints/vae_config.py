"""The sizes of a variational autoencoder, and the name and shape of each weight in its file, as diffusers publishes it.

Source: https://huggingface.co/docs/diffusers/api/models/autoencoderkl
"""

import itertools
import math
from dataclasses import dataclass

from kb.checkpoints.hugging_face import Layout, check_fields

DOWN, UP = "DownEncoderBlock2D", "UpDecoderBlock2D"  # the only kinds of block that kb computes
MOST = 100  # blocks of one kind; more in a file's config is a mistake, and their names would fill the memory
VAE_LAYOUT = Layout(
    model_type="AutoencoderKL",
    prefix="",
    block=r"encoder\.down_blocks\.\d+\.",
    layers="num_sizes",
    constants="",
    head="",
    embedding="",
    fixed={"act_fn": "silu", "latents_mean": None, "latents_std": None, "quantization_config": None},
    kind="_class_name",
    file="diffusion_pytorch_model.safetensors",
    renamed=(  # the names of attention's matrices before 2023, which the files of Stable Diffusion 1 still have
        (r"(attentions\.\d+)\.query\.", r"\1.to_q."),
        (r"(attentions\.\d+)\.key\.", r"\1.to_k."),
        (r"(attentions\.\d+)\.value\.", r"\1.to_v."),
        (r"(attentions\.\d+)\.proj_attn\.", r"\1.to_out.0."),
    ),
)


@dataclass(frozen=True)
class VAEConfig:
    """The sizes of an autoencoder, with the names and defaults of diffusers' AutoencoderKL.

    Every entry of block_out_channels is a size of the image: each but the first has half the rows and columns of the
    one before. Raises ValueError for sizes that do not fit together.
    """

    in_channels: int = 3
    out_channels: int = 3
    down_block_types: tuple = (DOWN,)
    up_block_types: tuple = (UP,)
    block_out_channels: tuple = (64,)
    layers_per_block: int = 1
    latent_channels: int = 4
    norm_num_groups: int = 32
    sample_size: int | tuple | None = 32  # rows and columns it was trained on; it runs on others too
    scaling_factor: float = 0.18215  # latent * scaling_factor has a standard deviation of about 1
    shift_factor: float | None = None  # taken off the latent before it is scaled
    use_quant_conv: bool = True
    use_post_quant_conv: bool = True
    mid_block_add_attention: bool = True

    def __post_init__(self):
        for name in [name for name, value in vars(self).items() if isinstance(value, list)]:  # which is what JSON has
            object.__setattr__(self, name, tuple(getattr(self, name)))
        shift = self.shift_factor
        object.__setattr__(self, "shift_factor", None)  # the one size that may be 0 or below
        check_fields(self)
        object.__setattr__(self, "shift_factor", shift)
        if not isinstance(shift, float | int | None) or not math.isfinite(shift or 0):
            raise ValueError(f"VAEConfig: shift_factor is {shift!r}")
        _check_blocks(self)

    @property
    def num_sizes(self):
        """At how many resolutions it works."""
        return len(self.block_out_channels)

    @property
    def factor(self):
        """How many rows of the image become one of the latent."""
        return 2 ** (self.num_sizes - 1)

    def levels(self, half):
        """The channels (in, out) of the ResNet blocks at each size of "encoder" or "decoder", in the order of the pass.

        The decoder has one ResNet block more at each size.
        """
        outs = self.block_out_channels[:: 1 if half == "encoder" else -1]
        count = self.layers_per_block + (half == "decoder")
        return [((n, m), *[(m, m)] * (count - 1)) for n, m in itertools.pairwise((outs[0], *outs))]

    def shapes(self):
        """The shape of each weight by its published name."""
        z = self.latent_channels
        return {
            **_half_shapes("encoder", self.in_channels, 2 * z, self),
            **_half_shapes("decoder", z, self.out_channels, self),
            **(_layer("quant_conv", 2 * z, 2 * z, (1, 1)) if self.use_quant_conv else {}),
            **(_layer("post_quant_conv", z, z, (1, 1)) if self.use_post_quant_conv else {}),
        }


def _check_blocks(config):
    channels = config.block_out_channels
    for name, kind in (("down_block_types", DOWN), ("up_block_types", UP)):
        if getattr(config, name) != (kind,) * len(channels):
            shown = f"{name} is {getattr(config, name)}, expected {kind!r} for each of block_out_channels"
            raise ValueError(f"VAEConfig: {shown} {channels}")
    if not 0 < len(channels) <= MOST or config.layers_per_block > MOST:
        raise ValueError(f"VAEConfig: expected 1 to {MOST} sizes of up to {MOST} blocks")
    for n in channels:
        if type(n) is not int or n < 1 or n % config.norm_num_groups:
            raise ValueError(f"VAEConfig: norm_num_groups = {config.norm_num_groups} does not divide {n!r} channels")


def _half_shapes(half, n, m, config):
    """All that lies between the n channels that come in and the m that go out."""
    levels = config.levels(half)
    first, last, deepest = levels[0][0][0], levels[-1][-1][1], config.block_out_channels[-1]
    side, sampler = ("down", "downsamplers") if half == "encoder" else ("up", "upsamplers")
    shapes = _layer(f"{half}.conv_in", n, first, (3, 3))
    for i, level in enumerate(levels):
        for j, widths in enumerate(level):
            shapes |= _resnet(f"{half}.{side}_blocks.{i}.resnets.{j}", *widths)
        if i < len(levels) - 1:
            shapes |= _layer(f"{half}.{side}_blocks.{i}.{sampler}.0.conv", level[0][1], level[0][1], (3, 3))
    shapes |= _middle(f"{half}.mid_block", deepest, config.mid_block_add_attention)
    return shapes | _norm(f"{half}.conv_norm_out", last) | _layer(f"{half}.conv_out", last, m, (3, 3))


def _middle(name, d, attention):
    shapes = _resnet(f"{name}.resnets.0", d, d) | _resnet(f"{name}.resnets.1", d, d)
    if attention:
        shapes |= _norm(f"{name}.attentions.0.group_norm", d)
        for part in ("to_q", "to_k", "to_v", "to_out.0"):
            shapes |= _layer(f"{name}.attentions.0.{part}", d, d)
    return shapes


def _resnet(name, n, m):
    shapes = _norm(f"{name}.norm1", n) | _layer(f"{name}.conv1", n, m, (3, 3))
    shapes |= _norm(f"{name}.norm2", m) | _layer(f"{name}.conv2", m, m, (3, 3))
    return shapes | (_layer(f"{name}.conv_shortcut", n, m, (1, 1)) if n != m else {})


def _layer(name, n, m, size=()):
    return {f"{name}.weight": (m, n, *size), f"{name}.bias": (m,)}


def _norm(name, n):
    return {f"{name}.weight": (n,), f"{name}.bias": (n,)}


STABLE_DIFFUSION_VAE = VAEConfig(
    down_block_types=(DOWN,) * 4,
    up_block_types=(UP,) * 4,
    block_out_channels=(128, 256, 512, 512),
    layers_per_block=2,
    sample_size=512,
)
