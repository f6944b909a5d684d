import dataclasses
import functools
import json

import numpy as np
import pytest

import kb.generation.unet as kb
import kb.torch.generation.unet as kt
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.names import nest
from kb.checkpoints.safetensors import load_file, save_file
from kb.checkpoints.unet_config import Level
from tests.contract import Case, contract, gpu_contract

TEXT = kb.UNetConfig(
    in_channels=3,
    out_channels=2,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(4, 8),
    layers_per_block=1,
    norm_num_groups=2,
    cross_attention_dim=5,
    attention_head_dim=2,
)
PLAIN = dataclasses.replace(
    TEXT,
    down_block_types=("DownBlock2D",) * 2,
    mid_block_type="UNetMidBlock2D",
    up_block_types=("UpBlock2D",) * 2,
    layers_per_block=2,
    num_class_embeds=3,
)
DEEP = dataclasses.replace(
    TEXT,
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(4, 6, 8),
    transformer_layers_per_block=2,
    attention_head_dim=(1, 3, 2),
    use_linear_projection=True,
    norm_eps=1e-3,
    num_class_embeds=3,
)
CONFIGS = {"text": TEXT, "plain": PLAIN, "deep": DEEP}
LABELS = np.array([2, 0])
each_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=[*CONFIGS])


def weights(config, seed=0, dtype=np.float64):
    """Random weights of about the size that lets every part have its say."""
    rng = np.random.default_rng(seed)
    params = {}
    for name, shape in config.shapes().items():
        noise = rng.standard_normal(shape) / (np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 4)
        params[name] = (noise + ("norm" in name and name.endswith("weight"))).astype(dtype)
    return params


def inputs(config, size=(6, 6), dtype=np.float64, seed=1):
    """An image, a timestep for each, the prompt where there is attention, and the labels where there are classes."""
    rng = np.random.default_rng(seed)
    attends = any(level.heads for level in config.levels())
    context = rng.standard_normal((2, 3, config.cross_attention_dim)).astype(dtype) if attends else None
    labels = None if config.num_class_embeds is None else LABELS
    return rng.standard_normal((2, config.in_channels, *size)).astype(dtype), np.array([7, 950]), context, labels


def predicted(config, params=None, **changes):
    x, t, context, labels = inputs(config, **changes)
    return kb.unet(weights(config) if params is None else params, x, t, context, config, labels)


def part(config, path):
    return functools.reduce(dict.__getitem__, path.split("/"), nest(weights(config)))


SAMPLER = {"weight": (4, 4, 3, 3), "bias": (4,)}
CASES = [
    Case(kb.unet, params=weights(TEXT), sample=(2, 3, 4, 6), timestep=31, encoder_hidden_states=(2, 3, 5), config=TEXT),
    Case(
        kb.unet,
        params=weights(PLAIN),
        sample=(2, 3, 4, 4),
        timestep=np.array([3, 900]),
        encoder_hidden_states=None,
        config=PLAIN,
        class_labels=LABELS,
    ),
    Case(kb.timestep_embedding, timestep=np.array([0, 1, 999]), width=6, dtype="float32"),
    Case(kb.resnet_block, x=(2, 12, 3, 4), time=(2, 16), layer=part(TEXT, "up_blocks/1/resnets/0"), config=TEXT),
    Case(kb.resnet_block, x=(2, 8, 3, 3), time=(2, 16), layer=part(TEXT, "mid_block/resnets/0"), config=TEXT),
    Case(
        kb.transformer_2d,
        x=(2, 8, 3, 2),
        context=(2, 3, 5),
        layer=part(TEXT, "mid_block/attentions/0"),
        num_heads=2,
        config=TEXT,
    ),
    Case(
        kb.geglu,
        x=(2, 3, 8),
        layer=part(TEXT, "mid_block/attentions/0/transformer_blocks/0/ff"),
    ),
    Case(kb.downsample, x=(2, 4, 5, 6), **SAMPLER),
    Case(kb.upsample, x=(2, 4, 3, 3), like=(2, 1, 5, 6), differentiable=["x", "weight", "bias"], **SAMPLER),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)
