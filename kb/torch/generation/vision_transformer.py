"""Torch twin of `kb.generation.vision_transformer`: modules with the published names, so that load_state_dict fits."""

import functools

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from kb.generation import vision_transformer as kb_vit
from kb.shapes import checked
from kb.torch.architecture.attention import attention_weights
from kb.torch.architecture.multi_head_attention import merge_heads, split_heads
from kb.torch.architecture.transformer import ACTIVATIONS

WITHOUT_A_TWIN = {
    "check_image": "reads shapes only, and takes torch's tensors too",
}


# ---- the parts, with the published names -------------------------------------------------------------------------
class Projection(nn.Module):
    """The filters that turn patches into vectors."""

    def __init__(self, config):
        super().__init__()
        p = config.patch_size
        self.projection = nn.Conv2d(config.num_channels, config.hidden_size, p, stride=p)


class Embeddings(nn.Module):
    """Patches, the class token before them, and positions added to all."""

    def __init__(self, config):
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, config.hidden_size))
        self.position_embeddings = nn.Parameter(torch.empty(1, config.tokens(), config.hidden_size))
        self.patch_embeddings = Projection(config)

    def forward(self, x):
        x = patch_embedding(x, self.patch_embeddings.projection.weight, self.patch_embeddings.projection.bias)
        return with_token_in_front(x, self.cls_token[0, 0]) + self.position_embeddings[0]


class Projections(nn.Module):
    """The matrices of queries, keys and values."""

    def __init__(self, d):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(d, d) for _ in range(3))


class Dense(nn.Module):
    """A linear layer under the name that BERT's code gave it."""

    def __init__(self, n, m):
        super().__init__()
        self.dense = nn.Linear(n, m)


class Attention(nn.Module):
    """Every position looks at every position."""

    def __init__(self, config):
        super().__init__()
        d, self.num_heads = config.hidden_size, config.num_attention_heads
        self.attention, self.output = Projections(d), Dense(d, d)

    def queries_and_keys(self, x):
        return (split_heads(part(x), self.num_heads) for part in (self.attention.query, self.attention.key))

    def forward(self, x):
        q, k = self.queries_and_keys(x)
        v = split_heads(self.attention.value(x), self.num_heads)
        return self.output.dense(merge_heads(F.scaled_dot_product_attention(q, k, v)))


class Layer(nn.Module):
    """One block."""

    def __init__(self, config):
        super().__init__()
        d, m, eps = config.hidden_size, config.intermediate_size, config.layer_norm_eps
        self.attention, self.intermediate, self.output = Attention(config), Dense(d, m), Dense(m, d)
        self.layernorm_before, self.layernorm_after = nn.LayerNorm(d, eps), nn.LayerNorm(d, eps)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x, look=False):
        if look:
            return attention_weights(*self.attention.queries_and_keys(self.layernorm_before(x)))
        x = x + self.attention(self.layernorm_before(x))
        return x + self.output.dense(self.activation(self.intermediate.dense(self.layernorm_after(x))))


class Encoder(nn.Module):
    """The stack of blocks."""

    def __init__(self, config):
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))


class ViT(nn.Module):
    """A vision transformer with the names of `ViTConfig.shapes`: load_state_dict(strict=True) takes those weights."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embeddings, self.encoder = Embeddings(config), Encoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        if config.num_labels is not None:
            self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def states(self, pixel_values):
        """The vectors before the first block, between the blocks, and after the last norm."""
        kb_vit.check_image(pixel_values, self.config)
        states = [self.embeddings(pixel_values)]
        for layer in self.encoder.layer:
            states.append(layer(states[-1]))
        return [*states[:-1], self.layernorm(states[-1])]

    def patterns(self, pixel_values):
        """Where each token looks, in every block and head."""
        found = []
        for x, layer in zip(self.states(pixel_values)[:-1], self.encoder.layer, strict=True):
            found.append(layer(x, look=True))
        return found

    def forward(self, pixel_values, what="logits"):
        if what == "patterns":
            return torch.stack(self.patterns(pixel_values))
        states = self.states(pixel_values)
        if what == "all states":
            return torch.stack(states)
        return states[-1] if what == "states" else self.classifier(states[-1][..., 0, :])


# ---- as functions ------------------------------------------------------------------------------------------------
@functools.cache
def _skeleton(config):
    """A module without weights: functional_call gives it those of a dict."""
    with torch.device("meta"):
        return ViT(config)


def _call(params, pixel_values, config, what):
    return functional_call(_skeleton(config), params, (pixel_values,), {"what": what}, strict=True)


def init_vit(config, rng, dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    return {name: torch.from_numpy(array) for name, array in kb_vit.init_vit(config, rng, dtype).items()}


@checked
def patchify(x, patch_size):
    """The image cut into squares, row by row from the top left; each becomes one long vector.

    x (..., c, rows, cols) -> (..., t, n)
    """
    images = x.reshape(-1, *x.shape[-3:])
    return F.unfold(images, patch_size, stride=patch_size).mT.reshape(*x.shape[:-3], -1, x.shape[-3] * patch_size**2)


@checked
def patch_embedding(x, weight, bias=None):
    """One vector per patch: a convolution whose stride is as long as its filter.

    x (..., c, rows, cols), weight (d, c, p, p), bias (d) -> (..., t, d)
    """
    found = F.conv2d(x.reshape(-1, *x.shape[-3:]), weight, bias, stride=weight.shape[-1])  # (b, d, down, across)
    return found.flatten(-2).mT.reshape(*x.shape[:-3], -1, weight.shape[0])


@checked
def with_token_in_front(x, token):
    """The sequence with one more vector before it, the same for all images.

    x (..., t, d), token (d) -> (..., s, d)
    """
    return torch.cat([token.expand(*x.shape[:-2], 1, -1), x], dim=-2)


@checked
def vit(params, pixel_values, config):
    """One vector for the class token, which stands first, and one per patch.

    params {}, pixel_values (..., c, rows, cols) -> (..., t, d)
    """
    return _call(params, pixel_values, config, "states")


@checked
def vit_hidden_states(params, pixel_values, config):
    """The vectors before the first block, between the blocks, and after the last norm.

    params {}, pixel_values (..., c, rows, cols) -> (l, ..., t, d)
    """
    return _call(params, pixel_values, config, "all states")


@checked
def vit_logits(params, pixel_values, config):
    """One score per class, read off the class token alone.

    params {}, pixel_values (..., c, rows, cols) -> (..., v)
    """
    if config.num_labels is None:
        raise ValueError("vit_logits: the model has no head, config.num_labels is None")
    return _call(params, pixel_values, config, "logits")


@checked
def vit_patterns(params, pixel_values, config):
    """Where each token looks, in every block and head.

    params {}, pixel_values (..., c, rows, cols) -> (l, ..., h, t, s)
    """
    return _call(params, pixel_values, config, "patterns")


@checked
def encoder_block(x, parts, num_heads, activation, eps, is_causal=False):
    """Attention between all positions, then an MLP at each; both read x through a norm and add to it.

    x (..., t, d), parts {} -> (..., t, d)
    """
    normed = F.layer_norm(x, x.shape[-1:], **parts["norm_1"], eps=eps)
    q, k, v = (split_heads(F.linear(normed, **parts[name]), num_heads) for name in "qkv")
    x = x + F.linear(merge_heads(F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)), **parts["o"])
    normed = F.layer_norm(x, x.shape[-1:], **parts["norm_2"], eps=eps)
    return x + F.linear(activation(F.linear(normed, **parts["up"])), **parts["down"])
