"""Where the parameters of Stable Diffusion 1.5's U-Net are, and what a pass costs, counted from its config."""

import math
from collections import Counter

from kb.checkpoints.unet_config import STABLE_DIFFUSION_UNET

WORDS = 77  # tokens of a prompt, as CLIP pads it
KINDS = {
    "3 x 3 convolutions": ("conv1.", "conv2.", "conv_in.", "conv_out.", "samplers."),
    "shortcuts": ("conv_shortcut.",),
    "self-attention": ("attn1.",),
    "cross-attention": ("attn2.",),
    "MLPs": ("ff.",),
    "into and out of attention": ("proj_in.", "proj_out."),
    "timestep": ("time_emb",),
    "norms": ("norm",),
}


def kind_of(name):
    """Which of KINDS a weight belongs to, by its name; the first that fits."""
    return next(kind for kind, parts in KINDS.items() if any(part in name for part in parts))


def by_kind(config=STABLE_DIFFUSION_UNET):
    """How many parameters each of KINDS has."""
    found = Counter(dict.fromkeys(KINDS, 0))
    for name, shape in config.shapes().items():
        found[kind_of(name)] += math.prod(shape)
    return dict(found)


def by_level(config=STABLE_DIFFUSION_UNET):
    """How many parameters of each of KINDS each level has, in the order of the pass."""
    found = {level.name: Counter(dict.fromkeys(KINDS, 0)) for level in config.levels()}
    for name, shape in config.shapes().items():
        level = next((level for level in found if name.startswith(f"{level}.")), None)
        if level:
            found[level][kind_of(name)] += math.prod(shape)
    return {level: dict(kinds) for level, kinds in found.items()}


def share(kind):
    """The share of a kind in all parameters."""
    return by_kind()[kind] / sum(by_kind().values())


def going_up():
    """The share of all parameters on the way up."""
    up = sum(sum(kinds.values()) for level, kinds in by_level().items() if level.startswith("up"))
    return up / sum(by_kind().values())
