"""The vision transformer: an image cut into patches, each patch a token, and a transformer without the causal mask.

    x = [class token, patch embeddings] + positions            (..., t, d), t = patches + 1
    x = x + attention(norm(x)); x = x + mlp(norm(x))           as in a GPT-2, but everybody may look at everybody
    logits = norm(x)[class token] W^T + b                      (..., v)

Images are (..., channels, rows, columns), as in torch. Weights are a flat dict with the names of the published
checkpoints (`google/vit-base-patch32-224-in21k` and others), without the leading `vit.`.

Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words", section 3.1, https://arxiv.org/abs/2010.11929
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from kb.architecture.attention import attention_weights, scaled_dot_product_attention
from kb.architecture.layer_normalization import layer_norm
from kb.architecture.mlp_block import mlp_block
from kb.architecture.multi_head_attention import merge_heads, split_heads
from kb.architecture.transformer import ACTIVATIONS
from kb.checkpoints.hugging_face import Layout, check_divides, check_fields, load_pretrained, with_biases
from kb.checkpoints.names import check_weights, nest
from kb.shapes import checked
from kb.structure.layers import linear


# ---- sizes -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ViTConfig:
    """The sizes of a vision transformer, with the names of its config.json; the defaults are ViT-B/16 at 224 pixels."""

    image_size: int = 224  # rows, and columns, of the image
    patch_size: int = 16
    num_channels: int = 3
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    num_labels: int | None = None  # classes of the head; None: no head

    def __post_init__(self):
        check_fields(self)
        check_divides(self, "num_attention_heads", "hidden_size")
        check_divides(self, "patch_size", "image_size")
        if self.hidden_act not in ACTIVATIONS:
            raise ValueError(f"ViTConfig: hidden_act {self.hidden_act!r} is not in {[*ACTIVATIONS]}")

    def tokens(self):
        """The length of the sequence: a token per patch, and the class token."""
        return (self.image_size // self.patch_size) ** 2 + 1

    def shapes(self):
        """The shape of each weight by its published name."""
        d, m, p = self.hidden_size, self.intermediate_size, self.patch_size
        block: dict[str, tuple] = {"layernorm_before": (d,), "layernorm_after": (d,)}
        block |= {f"attention.attention.{name}": (d, d) for name in ("query", "key", "value")}
        block |= {"attention.output.dense": (d, d), "intermediate.dense": (m, d), "output.dense": (d, m)}
        layers = {f"encoder.layer.{i}.{name}": s for i in range(self.num_hidden_layers) for name, s in block.items()}
        head = {} if self.num_labels is None else {"classifier": (self.num_labels, d)}
        patch = {"embeddings.patch_embeddings.projection": (d, self.num_channels, p, p)}
        alone = {"embeddings.cls_token": (1, 1, d), "embeddings.position_embeddings": (1, self.tokens(), d)}
        return alone | with_biases({**patch, **layers, "layernorm": (d,), **head})


def init_vit(config, rng, dtype="float32"):
    """Weights to start training from: normal noise, standard deviation 0.02; biases 0, scales of the norms 1.

    The filters of the patches get 1 / sqrt(numbers in a patch), so that a patch's vector is as large as the patch.
    """
    params = {}
    for name, shape in config.shapes().items():
        deviation = 1 / math.sqrt(math.prod(shape[1:])) if len(shape) == 4 else 0.02
        if len(shape) >= 2:
            params[name] = (deviation * rng.standard_normal(shape)).astype(dtype)
        else:
            params[name] = (np.ones if name.endswith(".weight") else np.zeros)(shape, dtype)
    return params


# ---- an image as a sequence --------------------------------------------------------------------------------------
@checked
def patchify(x, patch_size):
    """The image cut into squares, row by row from the top left; each becomes one long vector.

    x (..., c, rows, cols) -> (..., t, n)

    n = c patch_size^2, channel after channel, in each the rows from the top. Nothing is lost or computed.
    Raises ValueError where patch_size does not divide both sides.
    """
    *lead, c, rows, cols = x.shape
    if patch_size < 1 or rows % patch_size or cols % patch_size:
        raise ValueError(f"patchify: squares of {patch_size} pixels do not tile x {tuple(x.shape)}")
    down, across = rows // patch_size, cols // patch_size
    x = np.reshape(x, (*lead, c, down, patch_size, across, patch_size))
    x = np.moveaxis(x, (-4, -2), (-5, -4))  # (..., down, across, c, patch_size, patch_size)
    return np.reshape(x, (*lead, down * across, c * patch_size * patch_size))


@checked
def patch_embedding(x, weight, bias=None):
    """One vector per patch, by the same linear map for all: a convolution whose stride is as long as its filter.

    x (..., c, rows, cols), weight (d, c, p, p), bias (d) -> (..., t, d)
    """
    return linear(patchify(x, weight.shape[-1]), np.reshape(weight, (weight.shape[0], -1)), bias)


@checked
def with_token_in_front(x, token):
    """The sequence with one more vector before it, the same for all images.

    x (..., t, d), token (d) -> (..., s, d)
    """
    front = np.broadcast_to(token, (*x.shape[:-2], 1, x.shape[-1]))
    return np.concatenate([front, x], axis=-2)


# ---- the model ---------------------------------------------------------------------------------------------------
@checked
def vit(params, pixel_values, config):
    """What the model makes of an image: one vector for the class token, which stands first, and one per patch.

    params {}, pixel_values (..., c, rows, cols) -> (..., t, d)

    Raises ValueError for an image of another size, and for weights that are missing, unknown or of a wrong shape.
    """
    return _states(params, pixel_values, config)[-1]


@checked
def vit_hidden_states(params, pixel_values, config):
    """The vectors before the first block, between the blocks, and after the last norm.

    params {}, pixel_values (..., c, rows, cols) -> (l, ..., t, d)
    """
    return np.stack(_states(params, pixel_values, config))


@checked
def vit_logits(params, pixel_values, config):
    """One score per class, read off the class token alone.

    params {}, pixel_values (..., c, rows, cols) -> (..., v)

    Raises ValueError for a model without a head, and as `vit`.
    """
    if config.num_labels is None:
        raise ValueError("vit_logits: the model has no head, config.num_labels is None")
    return linear(vit(params, pixel_values, config)[..., 0, :], params["classifier.weight"], params["classifier.bias"])


@checked
def vit_patterns(params, pixel_values, config):
    """Where each token looks, in every block and head.

    params {}, pixel_values (..., c, rows, cols) -> (l, ..., h, t, s)
    """
    patterns = []
    layers = map(_parts, nest(params)["encoder"]["layer"].values())
    for x, parts in zip(_states(params, pixel_values, config)[:-1], layers, strict=True):
        x = layer_norm(x, **parts["norm_1"], eps=config.layer_norm_eps)
        q, k = (split_heads(linear(x, **parts[name]), config.num_attention_heads) for name in "qk")
        patterns.append(attention_weights(q, k))
    return np.stack(patterns)


def _states(params, pixel_values, config):
    check_weights(params, config.shapes())
    check_image(pixel_values, config)
    tree = nest(params)
    first = tree["embeddings"]
    x = patch_embedding(pixel_values, **first["patch_embeddings"]["projection"])
    x = with_token_in_front(x, first["cls_token"][0, 0]) + first["position_embeddings"][0]
    activation, eps = ACTIVATIONS[config.hidden_act], config.layer_norm_eps
    run = functools.partial(encoder_block, num_heads=config.num_attention_heads, activation=activation, eps=eps)
    states = [x]
    for layer in tree["encoder"]["layer"].values():
        states.append(run(states[-1], _parts(layer)))
    return [*states[:-1], layer_norm(states[-1], **tree["layernorm"], eps=eps)]


def _parts(layer):
    """The parts of a block by what they do."""
    attention = layer["attention"]
    names = {"query": "q", "key": "k", "value": "v"}
    return {
        **{short: attention["attention"][name] for name, short in names.items()},
        "o": attention["output"]["dense"],
        "norm_1": layer["layernorm_before"],
        "norm_2": layer["layernorm_after"],
        "up": layer["intermediate"]["dense"],
        "down": layer["output"]["dense"],
    }


def check_image(pixel_values, config):
    """Raises ValueError for an image that does not have the channels and the size of the config."""
    expected = (config.num_channels, config.image_size, config.image_size)
    if tuple(pixel_values.shape[-3:]) != expected:
        raise ValueError(f"pixel_values {tuple(pixel_values.shape)}: the model reads images {expected}")


@checked
def encoder_block(x, parts, num_heads, activation, eps, is_causal=False):
    """Attention between all positions, then an MLP at each; both read x through a norm and add to it.

    x (..., t, d), parts {} -> (..., t, d)

    `parts` has a dict of weight and bias for each of norm_1, q, k, v, o, norm_2, up and down.
    """
    normed = layer_norm(x, **parts["norm_1"], eps=eps)
    q, k, v = (split_heads(linear(normed, **parts[name]), num_heads) for name in "qkv")
    x = x + linear(merge_heads(scaled_dot_product_attention(q, k, v, is_causal=is_causal)), **parts["o"])
    normed, up, down = layer_norm(x, **parts["norm_2"], eps=eps), parts["up"], parts["down"]
    return x + mlp_block(normed, up["weight"], up["bias"], down["weight"], down["bias"], activation)


def _with_labels(fields):
    """config.json names the classes; their number is the size of the head."""
    names = fields.get("id2label")
    return {**fields, "num_labels": len(names)} if isinstance(names, dict) else fields


LAYOUT = Layout(
    model_type="vit",
    prefix="vit.",
    block=r"encoder\.layer\.\d+\.",
    layers="num_hidden_layers",
    constants=r"pooler\.dense\.(weight|bias)",  # one more layer on the class token, which no published head reads
    head="",
    embedding="",
    fixed={"qkv_bias": True, "quantization_config": None},
    prepare=_with_labels,
)


@dataclass(frozen=True)
class ViT:
    """A vision transformer: its sizes and its weights. Called with images it gives the scores of the classes."""

    config: ViTConfig
    params: dict

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder that holds config.json and model.safetensors, as `load_pretrained` reads it."""
        return cls(*load_pretrained(folder, ViTConfig, LAYOUT))

    def __call__(self, pixel_values):
        return vit_logits(self.params, pixel_values, self.config)
