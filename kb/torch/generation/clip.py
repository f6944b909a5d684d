"""Torch twin of `kb.generation.clip`: modules with the published names, so that load_state_dict fits."""

import functools

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from kb.generation import clip as kb_clip
from kb.generation.vision_transformer import check_image
from kb.shapes import checked
from kb.torch.architecture.multi_head_attention import merge_heads, split_heads
from kb.torch.generation.vision_transformer import patch_embedding, with_token_in_front

WITHOUT_A_TWIN = {"tower_of": "picks from a dict of anything"}


@checked
def quick_gelu(x):
    """x where x is large, 0 where it is very negative.

    x (...) -> (...)
    """
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS = {"quick_gelu": quick_gelu, "gelu": F.gelu}


# ---- the parts, with the published names -------------------------------------------------------------------------
class Attention(nn.Module):
    """Attention of one block; a text's is causal."""

    def __init__(self, config):
        super().__init__()
        d, self.num_heads = config.hidden_size, config.num_attention_heads
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x, is_causal):
        q, k, v = (split_heads(part(x), self.num_heads) for part in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(merge_heads(F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)))


class MLP(nn.Module):
    """The part of a block that works on each position alone."""

    def __init__(self, config):
        super().__init__()
        d, m = config.hidden_size, config.intermediate_size
        self.fc1, self.fc2, self.activation = nn.Linear(d, m), nn.Linear(m, d), ACTIVATIONS[config.hidden_act]

    def forward(self, x):
        return self.fc2(self.activation(self.fc1(x)))


class Block(nn.Module):
    """Attention, then the MLP, each behind a norm; both add to x."""

    def __init__(self, config):
        super().__init__()
        self.self_attn, self.mlp = Attention(config), MLP(config)
        self.layer_norm1, self.layer_norm2 = (nn.LayerNorm(config.hidden_size, config.layer_norm_eps) for _ in range(2))

    def forward(self, x, is_causal):
        x = x + self.self_attn(self.layer_norm1(x), is_causal)
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    """The stack of blocks."""

    def __init__(self, config):
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))

    def forward(self, x, is_causal):
        for layer in self.layers:
            x = layer(x, is_causal)
        return x


class TextEmbeddings(nn.Module):
    """A vector per token and one per position."""

    def __init__(self, config):
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def forward(self, ids):
        longest = self.position_embedding.num_embeddings
        if ids.shape[-1] > longest:
            raise ValueError(f"ids {tuple(ids.shape)}: the longest text has {longest} tokens")
        return self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[-1]]


class TextTower(nn.Module):
    """A causal transformer that ends with a norm: alone it is Stable Diffusion's text encoder."""

    def __init__(self, config):
        super().__init__()
        self.embeddings, self.encoder = TextEmbeddings(config), Encoder(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, ids):
        return self.final_layer_norm(self.encoder(self.embeddings(ids), True))


class ImageEmbeddings(nn.Module):
    """Patches without a bias, the class token before them, and positions added to all."""

    def __init__(self, config):
        super().__init__()
        d, p = config.hidden_size, config.patch_size
        self.class_embedding = nn.Parameter(torch.empty(d))
        self.patch_embedding = nn.Conv2d(config.num_channels, d, p, stride=p, bias=False)
        self.position_embedding = nn.Embedding(config.tokens(), d)

    def forward(self, pixel_values):
        x = patch_embedding(pixel_values, self.patch_embedding.weight)
        return with_token_in_front(x, self.class_embedding) + self.position_embedding.weight


class ImageTower(nn.Module):
    """A vision transformer with one more norm before its blocks."""

    def __init__(self, config):
        super().__init__()
        self.config, eps = config, config.layer_norm_eps
        self.embeddings, self.encoder = ImageEmbeddings(config), Encoder(config)
        self.pre_layrnorm, self.post_layernorm = (nn.LayerNorm(config.hidden_size, eps) for _ in range(2))

    def forward(self, pixel_values):
        check_image(pixel_values, self.config)
        return self.encoder(self.pre_layrnorm(self.embeddings(pixel_values)), False)


class CLIP(nn.Module):
    """A CLIP with the names of `CLIPConfig.shapes`: load_state_dict(strict=True) takes those weights."""

    def __init__(self, config):
        super().__init__()
        self.config, text, vision = config, config.text_config, config.vision_config
        self.logit_scale = nn.Parameter(torch.empty(()))
        self.text_model, self.vision_model = TextTower(text), ImageTower(vision)
        self.text_projection = nn.Linear(text.hidden_size, config.projection_dim, bias=False)
        self.visual_projection = nn.Linear(vision.hidden_size, config.projection_dim, bias=False)

    def text_features(self, ids):
        end, states = self.config.text_config.eos_token_id, self.text_model(ids)
        is_end = ids == (ids.amax(-1, keepdim=True) if end == kb_clip.LARGEST_ID else end)
        place = is_end.int().argmax(-1)[..., None, None].expand(*ids.shape[:-1], 1, states.shape[-1])
        return F.normalize(self.text_projection(states.gather(-2, place)[..., 0, :]), dim=-1)

    def image_features(self, pixel_values):
        first = self.vision_model.post_layernorm(self.vision_model(pixel_values)[..., 0, :])
        return F.normalize(self.visual_projection(first), dim=-1)

    def forward(self, pixel_values, ids):
        """The scores of all pairs; either may be None, then the features of the other."""
        if ids is None:
            return self.image_features(pixel_values)
        if pixel_values is None:
            return self.text_features(ids)
        return clip_logits(self.image_features(pixel_values), self.text_features(ids), self.logit_scale.exp())


# ---- as functions ------------------------------------------------------------------------------------------------
@functools.cache
def _skeleton(model, config):
    """A module without weights: functional_call gives it those of a dict."""
    with torch.device("meta"):
        return model(config)


def _call(model, params, inputs, config):
    return functional_call(_skeleton(model, config), params, inputs, strict=True)


def init_clip(config, rng, dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    return {name: torch.from_numpy(array) for name, array in kb_clip.init_clip(config, rng, dtype).items()}


@checked
def text_states(params, ids, config):
    """The vectors of all tokens of a text after the last norm.

    params {}, ids (..., t) -> (..., t, d)
    """
    return _call(TextTower, params, (ids,), config)


@checked
def image_states(params, pixel_values, config):
    """The vectors of the class token, which stands first, and of the patches, after the last block.

    params {}, pixel_values (..., c, rows, cols) -> (..., t, d)
    """
    return _call(ImageTower, params, (pixel_values,), config)


@checked
def text_features(params, ids, config):
    """The direction of a text in the shared space.

    params {}, ids (..., t) -> (..., d)
    """
    return _call(CLIP, params, (None, ids), config)


@checked
def image_features(params, pixel_values, config):
    """The direction of an image in the shared space.

    params {}, pixel_values (..., c, rows, cols) -> (..., d)
    """
    return _call(CLIP, params, (pixel_values, None), config)


@checked
def clip_logits(image_features, text_features, logit_scale):
    """How well each image and each text fit: their cosine similarity, times the scale.

    image_features (m, d), text_features (n, d), logit_scale () -> (m, n)
    """
    return logit_scale * image_features @ text_features.mT


@checked
def clip_loss(image_features, text_features, logit_scale):
    """The mean cost of picking each image's caption among all captions, and each caption's image among all images.

    image_features (n, d), text_features (n, d), logit_scale () -> ()
    """
    logits = clip_logits(image_features, text_features, logit_scale)
    pairs = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2
