"""A U-Net taken step by step, so that what lies inside can be seen or taken away: shapes, skips, where words are read.

It calls the parts of kb.generation.unet in the order of `unet`; a test compares the two predictions.
"""

import functools
from typing import NamedTuple

import numpy as np

from kb.architecture.layer_normalization import group_norm, layer_norm
from kb.architecture.self_attention_vs_cross_attention import cross_attention_maps, self_attention
from kb.architecture.token_embedding import embedding
from kb.checkpoints.names import nest
from kb.generation.unet import downsample, resnet_block, timestep_embedding, transformer_2d, upsample
from kb.structure.activation_functions import silu
from kb.structure.convolutional_network import conv2d
from kb.structure.layers import linear


class Walk(NamedTuple):
    """What was met: the prediction, (step, result) in order, and the cross-attention maps by their block."""

    prediction: object
    steps: list
    maps: dict

    def shapes(self):
        """(step, (channels, rows, columns)) in order."""
        return [(name, result.shape[1:]) for name, result in self.steps]


def time_vector(tree, timestep, count, config, dtype, class_labels=None):
    """What the ResNet blocks are told, (b, 4 channels)."""
    clock = timestep_embedding(np.broadcast_to(timestep, (count,)), config.block_out_channels[0], dtype)
    layers = tree["time_embedding"]
    time = linear(silu(linear(clock, **layers["linear_1"])), **layers["linear_2"])
    return time if class_labels is None else time + embedding(class_labels, tree["class_embedding"]["weight"])


def walk(params, x, timestep, context, config, class_labels=None, skip=1.0):
    """One pass. What the way down kept is multiplied by `skip`, 1 or 0, before it is joined on on the way up."""
    tree, seen = nest(params), Walk(None, [], {})
    time = time_vector(tree, timestep, len(x), config, x.dtype, class_labels)
    run = functools.partial(_level, time=time, context=context, config=config, seen=seen, skip=skip)
    heads = {level.name: level.heads for level in config.levels()}
    kept = [conv2d(x, **tree["conv_in"], padding=1)]
    seen.steps.append(("conv_in", kept[0]))
    for i, weights in tree["down_blocks"].items():
        kept.extend(run(kept[-1], weights, f"down_blocks.{i}", heads))
    x = run(kept[-1], tree["mid_block"], "mid_block", heads)[-1]
    for i, weights in tree["up_blocks"].items():
        x = run(x, weights, f"up_blocks.{i}", heads, kept=kept)[-1]
    x = silu(group_norm(x, config.norm_num_groups, **tree["conv_norm_out"], eps=config.norm_eps))
    x = conv2d(x, **tree["conv_out"], padding=1)
    seen.steps.append(("conv_out", x))
    return seen._replace(prediction=x)


def _level(x, weights, name, heads, kept=None, *, time, context, config, seen, skip):
    results = []
    for j, block in weights["resnets"].items():
        if kept is not None:
            x = np.concatenate([x, skip * kept.pop()], axis=1)
            seen.steps.append((f"{name}.joined.{j}", x))
        x = resnet_block(x, time, block, config)
        if j in weights.get("attentions", {}):
            layer = weights["attentions"][j]
            seen.maps[f"{name}.attentions.{j}"] = maps(x, context, layer, heads[name], config)
            x = transformer_2d(x, context, layer, heads[name], config)
        results.append(x)
        seen.steps.append((f"{name}.resnets.{j}", x))
    if "downsamplers" in weights:
        results.append(downsample(x, **weights["downsamplers"]["0"]["conv"]))
        seen.steps.append((f"{name}.down", results[-1]))
    if "upsamplers" in weights:
        results.append(upsample(x, kept[-1], **weights["upsamplers"]["0"]["conv"]))
        seen.steps.append((f"{name}.up", results[-1]))
    return results


def maps(x, context, layer, heads, config):
    """Which word each place reads in the first block of a transformer, averaged over heads: (b, rows, cols, words)."""
    h = group_norm(x, config.norm_num_groups, **layer["norm"], eps=1e-6)
    places = np.swapaxes(np.reshape(h, (*h.shape[:2], -1)), 1, 2)
    weight, bias = layer["proj_in"]["weight"], layer["proj_in"]["bias"]
    h, block = linear(places, np.reshape(weight, weight.shape[:2]), bias), layer["transformer_blocks"]["0"]
    h = h + _self_attention(layer_norm(h, **block["norm1"]), block["attn1"], heads)
    q = layer_norm(h, **block["norm2"])
    shares = cross_attention_maps(q, context, *(block["attn2"][f"to_{w}"]["weight"] for w in "qk"), heads)
    return np.reshape(np.mean(shares, axis=1), (len(x), *x.shape[-2:], context.shape[1]))


def _self_attention(x, layer, heads):
    w_in = np.concatenate([layer[f"to_{w}"]["weight"] for w in "qkv"])
    out = layer["to_out"]["0"]
    return self_attention(x, w_in, np.zeros(len(w_in), x.dtype), out["weight"], out["bias"], heads)
