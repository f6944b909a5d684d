"""Torch twin of `kb.architecture.transformer`: ordinary modules with the published names, so load_state_dict fits."""

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from kb.architecture import transformer as kb_transformer
from kb.shapes import checked
from kb.torch.architecture.multi_head_attention import merge_heads, split_heads
from kb.torch.architecture.positional_encoding import rope

WITHOUT_A_TWIN = {
    "count_parameters": "counts; there is no array in it",
}
ACTIVATIONS: dict[str, Callable] = {
    "gelu_new": functools.partial(F.gelu, approximate="tanh"),
    "gelu": F.gelu,
    "relu": F.relu,
    "silu": F.silu,
}


# ---- GPT-2 -------------------------------------------------------------------------------------------------------
class Conv1D(nn.Module):
    """A linear layer whose weight is stored (in, out), as GPT-2 was published."""

    def __init__(self, n, m):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(n, m)), nn.Parameter(torch.empty(m))

    def forward(self, x):
        return F.linear(x, self.weight.T, self.bias)


class Attention(nn.Module):
    """Causal attention of one block."""

    def __init__(self, config):
        super().__init__()
        self.num_heads = config.n_head
        self.c_attn, self.c_proj = Conv1D(config.n_embd, 3 * config.n_embd), Conv1D(config.n_embd, config.n_embd)

    def forward(self, x, cache, index):
        q, k, v = (split_heads(part, self.num_heads) for part in self.c_attn(x).chunk(3, -1))
        return self.c_proj(merge_heads(_look_back(q, k, v, cache, index)))


class MLP(nn.Module):
    """The part of a block that works on each position alone."""

    def __init__(self, config):
        super().__init__()
        width = config.n_inner or 4 * config.n_embd
        self.c_fc, self.c_proj = Conv1D(config.n_embd, width), Conv1D(width, config.n_embd)
        self.activation = ACTIVATIONS[config.activation_function]

    def forward(self, x):
        return self.c_proj(self.activation(self.c_fc(x)))


class Block(nn.Module):
    """Attention, then the MLP, each behind a norm; both add to x."""

    def __init__(self, config):
        super().__init__()
        self.ln_1, self.ln_2 = (nn.LayerNorm(config.n_embd, config.layer_norm_epsilon) for _ in range(2))
        self.attn, self.mlp = Attention(config), MLP(config)

    def forward(self, x, cache=None, index=0):
        x = x + self.attn(self.ln_1(x), cache, index)
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """A GPT-2 with the names of `init_gpt`: load_state_dict(strict=True) takes those weights."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, config.layer_norm_epsilon)
        for name, parameter in self.named_parameters():
            _initialise(name, parameter, config.n_layer)

    def states(self, ids, cache=None):
        """The vectors before the first block, between the blocks, and after the last norm."""
        positions = _positions(ids, cache, self.config.n_positions)
        states = [self.wte(ids) + self.wpe(positions)]
        for i, part in enumerate(self.h):
            states.append(part(states[-1], cache, i))
        return [*states[:-1], self.ln_f(states[-1])]

    def forward(self, ids, cache=None, last=None, hidden=False):
        states = self.states(ids, cache)
        if hidden:
            return torch.stack(states)
        x = states[-1]
        return F.linear(x if last is None else x[..., -last:, :], self.wte.weight)


def _initialise(name, parameter, layers):
    """Normal noise for matrices, 1 for the scales of the norms, 0 for biases."""
    deviation = 0.02 / (2 * layers) ** 0.5 if "c_proj" in name else 0.02
    if parameter.ndim == 2:
        nn.init.normal_(parameter, std=deviation)
    else:
        nn.init.constant_(parameter, float(name.endswith(".weight")))


def _look_back(q, k, v, cache, index):
    """Causal attention of the newest positions to all so far, those in the cache too."""
    k, v = cache.extend(index, k, v) if cache else (k, v)
    t, s = q.shape[-2], k.shape[-2]
    mask = torch.ones(s, s, dtype=torch.bool, device=q.device).tril()[-t:] if 1 < t < s else None
    grouped = q.shape[-3] != k.shape[-3]
    return F.scaled_dot_product_attention(q, k, v, mask, is_causal=1 < t == s, enable_gqa=grouped)


def _positions(ids, cache, longest):
    first = cache.length if cache else 0
    end = first + ids.shape[-1]
    if end > longest:
        raise ValueError(f"ids {tuple(ids.shape)} reach position {end}, the model has {longest}")
    return torch.arange(first, end, device=ids.device)


# ---- the same with the parts of today ----------------------------------------------------------------------------
class GroupedAttention(nn.Module):
    """Causal attention whose keys and values have fewer heads, turned by their positions."""

    def __init__(self, config):
        super().__init__()
        d, (self.heads, self.shared, size), self.theta = config.hidden_size, config.heads(), config.rope_theta
        self.q_proj = nn.Linear(d, self.heads * size, bias=False)
        self.k_proj, self.v_proj = (nn.Linear(d, self.shared * size, bias=False) for _ in range(2))
        self.o_proj = nn.Linear(self.heads * size, d, bias=False)

    def forward(self, x, positions, cache, index):
        q = split_heads(self.q_proj(x), self.heads)
        k, v = (split_heads(part(x), self.shared) for part in (self.k_proj, self.v_proj))
        q, k = (rope(part, positions, self.theta) for part in (q, k))
        return self.o_proj(merge_heads(_look_back(q, k, v, cache, index)))


class SwiGLU(nn.Module):
    """The MLP with a gate."""

    def __init__(self, config):
        super().__init__()
        d, m = config.hidden_size, config.intermediate_size
        self.gate_proj, self.up_proj = (nn.Linear(d, m, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(m, d, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaBlock(nn.Module):
    """Attention, then the MLP, each behind an RMSNorm; both add to x."""

    def __init__(self, config):
        super().__init__()
        d, eps = config.hidden_size, config.rms_norm_eps
        self.input_layernorm, self.post_attention_layernorm = (nn.RMSNorm(d, eps) for _ in range(2))
        self.self_attn, self.mlp = GroupedAttention(config), SwiGLU(config)

    def forward(self, x, positions, cache=None, index=0):
        x = x + self.self_attn(self.input_layernorm(x), positions, cache, index)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    """A Llama with the names of `LlamaConfig.shapes`."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(LlamaBlock(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        if not config.tie_word_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def states(self, ids, cache=None):
        """The vectors before the first block, between the blocks, and after the last norm."""
        positions = _positions(ids, cache, self.config.max_position_embeddings)
        states = [self.embed_tokens(ids)]
        for i, part in enumerate(self.layers):
            states.append(part(states[-1], positions, cache, i))
        return [*states[:-1], self.norm(states[-1])]

    def forward(self, ids, cache=None, last=None, hidden=False):
        states = self.states(ids, cache)
        if hidden:
            return torch.stack(states)
        x = states[-1] if last is None else states[-1][..., -last:, :]
        return F.linear(x, self.embed_tokens.weight) if self.config.tie_word_embeddings else self.lm_head(x)


# ---- as functions of a dict of weights ---------------------------------------------------------------------------
@functools.cache
def _skeleton(model, config):
    """A module without weights: functional_call gives it those of a dict."""
    with torch.device("meta"):
        return model(config)


def _call(model, params, inputs, config, **how):
    return functional_call(_skeleton(model, config), params, inputs, how, strict=True)


def _flat(tree):
    """The inverse of `nest`."""
    if not isinstance(tree, dict):
        return {"": tree}
    return {f"{name}.{rest}".rstrip("."): leaf for name, part in tree.items() for rest, leaf in _flat(part).items()}


def init_gpt(config, rng, dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    return {name: torch.from_numpy(array) for name, array in kb_transformer.init_gpt(config, rng, dtype).items()}


@checked
def gpt(params, ids, config, cache=None, last=None):
    """One score per token of the vocabulary, at every position.

    params {}, ids (..., t) -> (..., t, v)
    """
    return _call(GPT2, params, (ids,), config, cache=cache, last=last)


@checked
def hidden_states(params, ids, config):
    """The vectors before the first block, between the blocks, and after the last norm.

    params {}, ids (..., t) -> (l, ..., t, d)
    """
    return _call(GPT2, params, (ids,), config, hidden=True)


@checked
def block(x, layer, config, cache=None, index=0):
    """One block of a GPT-2.

    x (..., t, d), layer {} -> (..., t, d)
    """
    return _call(Block, _flat(layer), (x, cache, index), config)


@checked
def llama(params, ids, config, cache=None, last=None):
    """As `gpt`, with RMSNorm, rotary positions, SwiGLU, grouped-query heads, and no biases.

    params {}, ids (..., t) -> (..., t, v)
    """
    return _call(Llama, params, (ids,), config, cache=cache, last=last)


@checked
def llama_hidden_states(params, ids, config):
    """As `hidden_states`.

    params {}, ids (..., t) -> (l, ..., t, d)
    """
    return _call(Llama, params, (ids,), config, hidden=True)


@checked
def llama_block(x, layer, config, positions, cache=None, index=0):
    """One block of a Llama.

    x (..., t, d), layer {}, positions (t) -> (..., t, d)
    """
    return _call(LlamaBlock, _flat(layer), (x, positions, cache, index), config)
