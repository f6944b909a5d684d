"""CLIP: two transformers, one for images and one for text, that write into the same space of vectors.

    u = normalise(W_image vit(image)[class token])             (n, d), one per image
    v = normalise(W_text transformer(text)[end token])         (n, d), one per caption
    logits = exp(s) u v^T                                      (n, n), the pair (i, i) belongs together
    loss = (cross-entropy along the rows + along the columns) / 2

The image tower is a vision transformer with one more norm before its blocks; the text tower is a GPT-2 in all but
names. Weights are a flat dict with the names of the checkpoint `openai/clip-vit-base-patch32`; a tower alone has them
without the leading `text_model.` or `vision_model.`. The text tower alone is Stable Diffusion's text encoder.

Source: Radford et al. 2021, "Learning transferable visual models from natural language supervision", section 2 and
figure 3, https://arxiv.org/abs/2103.00020
"""

import math
from dataclasses import dataclass

import numpy as np

from kb.architecture.layer_normalization import layer_norm
from kb.architecture.token_embedding import embedding
from kb.checkpoints.clip_config import CLIP_LAYOUT, CLIP_TEXT_LAYOUT, CLIPConfig, CLIPTextConfig
from kb.checkpoints.hugging_face import load_pretrained
from kb.checkpoints.names import check_weights, nest
from kb.foundations.vectors_and_dot_products import normalize
from kb.generation.vision_transformer import check_image, encoder_block, patch_embedding, with_token_in_front
from kb.learning.cost_function import cross_entropy
from kb.shapes import checked
from kb.structure.activation_functions import gelu, sigmoid
from kb.structure.layers import linear

LARGEST_ID = 2  # the eos_token_id of configs written before 2023: the end token is the largest id of each text


@checked
def quick_gelu(x):
    """x where x is large, 0 where it is very negative: a cheap stand-in for GELU, off by up to 0.02.

    x (...) -> (...)
    """
    return x * sigmoid(1.702 * x)


ACTIVATIONS = {"quick_gelu": quick_gelu, "gelu": gelu}


# ---- weights --------------------------------------------------------------------------------------------------------
def init_clip(config, rng, dtype="float32"):
    """Weights to start training from: noise of deviation 0.02 for tables, 1 / sqrt(inputs) for matrices.

    The matrices that write into the stream are divided by sqrt(2 blocks), as for GPT-2; biases are 0, the scales of
    the norms 1. exp(logit_scale) is 1 / 0.07, the temperature that the paper starts with.
    """
    params = {"logit_scale": np.asarray(math.log(1 / 0.07), dtype)}
    for name, shape in config.shapes().items():
        if len(shape) > 1:
            params[name] = (_deviation(name, shape, config) * rng.standard_normal(shape)).astype(dtype)
        elif name.endswith("class_embedding"):
            params[name] = (0.02 * rng.standard_normal(shape)).astype(dtype)
        elif shape:
            params[name] = (np.ones if name.endswith(".weight") else np.zeros)(shape, dtype)
    return params


def _deviation(name, shape, config):
    if "embeddings" in name and len(shape) == 2:
        return 0.02
    tower = config.text_config if name.startswith("text_model") else config.vision_config
    writes = "out_proj" in name or "fc2" in name
    return 1 / math.sqrt(math.prod(shape[1:]) * (2 * tower.num_hidden_layers if writes else 1))


# ---- the two towers ----------------------------------------------------------------------------------------------
@checked
def text_states(params, ids, config):
    """The vectors of all tokens of a text after the last norm: what Stable Diffusion reads its prompt from.

    params {}, ids (..., t) -> (..., t, d)

    params: those of the text tower alone; config: its CLIPTextConfig. Each token sees those before it only, so
    whatever stands behind the end token does not matter there.
    Raises ValueError for a text that is too long, and for weights that are missing, unknown or of a wrong shape.
    """
    check_weights(params, config.shapes())
    tower, t = nest(params), ids.shape[-1]
    if t > config.max_position_embeddings:
        raise ValueError(f"ids {tuple(ids.shape)}: the longest text has {config.max_position_embeddings} tokens")
    tables = tower["embeddings"]
    x = embedding(ids, tables["token_embedding"]["weight"]) + tables["position_embedding"]["weight"][:t]
    x = _encoded(x, tower, config, is_causal=True)
    return layer_norm(x, **tower["final_layer_norm"], eps=config.layer_norm_eps)


@checked
def image_states(params, pixel_values, config):
    """The vectors of the class token, which stands first, and of the patches, after the last block.

    params {}, pixel_values (..., c, rows, cols) -> (..., t, d)

    params: those of the image tower alone; config: its CLIPVisionConfig. No norm has been applied behind the
    last block: image_features applies it to the class token alone. Raises ValueError as text_states does.
    """
    check_weights(params, config.shapes())
    check_image(pixel_values, config)
    tower = nest(params)
    first = tower["embeddings"]
    x = patch_embedding(pixel_values, first["patch_embedding"]["weight"])
    x = with_token_in_front(x, first["class_embedding"]) + first["position_embedding"]["weight"]
    return _encoded(layer_norm(x, **tower["pre_layrnorm"], eps=config.layer_norm_eps), tower, config)


def _encoded(x, tower, config, is_causal=False):
    """All blocks of a tower."""
    activation, eps = ACTIVATIONS[config.hidden_act], config.layer_norm_eps
    for layer in tower["encoder"]["layers"].values():
        attention, mlp = layer["self_attn"], layer["mlp"]
        parts = {"norm_1": layer["layer_norm1"], "norm_2": layer["layer_norm2"], "up": mlp["fc1"], "down": mlp["fc2"]}
        parts |= {"q": attention["q_proj"], "k": attention["k_proj"], "v": attention["v_proj"]}
        parts["o"] = attention["out_proj"]
        x = encoder_block(x, parts, config.num_attention_heads, activation, eps, is_causal)
    return x


# ---- the shared space --------------------------------------------------------------------------------------------
@checked
def text_features(params, ids, config):
    """The direction of a text in the shared space: its end token's vector, projected, of length 1.

    params {}, ids (..., t) -> (..., d)

    Raises ValueError for a text without an end token, and as text_states does.
    """
    states = text_states(tower_of(params, "text_model."), ids, config.text_config)
    return normalize(linear(_at_the_end(states, ids, config.text_config), params["text_projection.weight"]))


@checked
def image_features(params, pixel_values, config):
    """The direction of an image in the shared space: the class token's vector, projected, of length 1.

    params {}, pixel_values (..., c, rows, cols) -> (..., d)

    Raises ValueError as image_states does.
    """
    tower = tower_of(params, "vision_model.")
    first = image_states(tower, pixel_values, config.vision_config)[..., 0, :]
    norm = {kind: params[f"vision_model.post_layernorm.{kind}"] for kind in ("weight", "bias")}
    first = layer_norm(first, **norm, eps=config.vision_config.layer_norm_eps)
    return normalize(linear(first, params["visual_projection.weight"]))


def tower_of(params, start):
    """The weights of a tower, `text_model.` or `vision_model.`, by their names without it."""
    return {name.removeprefix(start): array for name, array in params.items() if name.startswith(start)}


def _at_the_end(states, ids, config):
    """The vector (..., d) of the first end token of each text."""
    is_end = ids == (np.max(ids, axis=-1, keepdims=True) if config.eos_token_id == LARGEST_ID else config.eos_token_id)
    if not np.all(np.any(is_end, axis=-1)):
        raise ValueError(f"ids {tuple(ids.shape)}: a text has no end token {config.eos_token_id}")
    flat = np.reshape(states, (-1, *states.shape[-2:]))
    found = flat[np.arange(flat.shape[0]), np.ravel(np.argmax(is_end, axis=-1))]
    return np.reshape(found, (*states.shape[:-2], states.shape[-1]))


@checked
def clip_logits(image_features, text_features, logit_scale):
    """How well each image and each text fit: their cosine similarity, times the scale.

    image_features (m, d), text_features (n, d), logit_scale () -> (m, n)

    Features have length 1; logit_scale is exp(params["logit_scale"]), the inverse of the temperature. Softmax over a
    row chooses among texts (zero-shot classification), softmax over a column among images (search).
    """
    return logit_scale * (image_features @ np.swapaxes(text_features, -1, -2))


@checked
def clip_loss(image_features, text_features, logit_scale):
    """The mean cost of picking each image's caption among all captions, and each caption's image among all images.

    image_features (n, d), text_features (n, d), logit_scale () -> ()

    Row i of one belongs to row i of the other. log(n) is a blind guess. Arguments as in clip_logits.
    """
    logits, pairs = clip_logits(image_features, text_features, logit_scale), np.arange(image_features.shape[0])
    return 0.5 * (cross_entropy(logits, pairs) + cross_entropy(np.swapaxes(logits, 0, 1), pairs))


# ---- as published --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class CLIP:
    """A CLIP: its sizes and its weights. Called with images and texts it says how well each pair fits."""

    config: CLIPConfig
    params: dict

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder that holds config.json and model.safetensors, as `load_pretrained` reads it."""
        return cls(*load_pretrained(folder, CLIPConfig, CLIP_LAYOUT))

    def image_features(self, pixel_values):
        return image_features(self.params, pixel_values, self.config)

    def text_features(self, ids):
        return text_features(self.params, ids, self.config)

    def __call__(self, pixel_values, ids):
        scale = np.exp(self.params["logit_scale"])
        return clip_logits(self.image_features(pixel_values), self.text_features(ids), scale)


@dataclass(frozen=True)
class CLIPText:
    """The text tower alone, as Stable Diffusion ships it. Called with token ids it gives a vector per token."""

    config: CLIPTextConfig
    params: dict

    @classmethod
    def from_pretrained(cls, folder):
        """The tower in a folder that holds config.json and model.safetensors, as `load_pretrained` reads it."""
        return cls(*load_pretrained(folder, CLIPTextConfig, CLIP_TEXT_LAYOUT))

    def __call__(self, ids):
        return text_states(self.params, ids, self.config)
