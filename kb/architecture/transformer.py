"""The transformer: a vector per token, changed by a stack of blocks, each of which adds what it found to the vector.

    x = token embedding + position                    (..., t, d)
    x = x + attention(norm(x))                        between positions
    x = x + mlp(norm(x))                              at each position alone; these two lines L times
    logits = norm(x) W_U^T                            (..., t, v)

Two models of that form: `gpt`, GPT-2 to the letter, and `llama`, with the parts that replaced its own since (RMSNorm,
rotary positions, SwiGLU, fewer key-value heads). Weights are a flat dict whose names are those of the published
checkpoints, without the leading `transformer.` or `model.`. GPT-2's four matrices per block are stored (in, out),
the transpose of torch's linear; Llama's are stored as torch does.

Source: Vaswani et al. 2017, "Attention is all you need", https://arxiv.org/abs/1706.03762; Radford et al. 2019,
"Language models are unsupervised multitask learners" (GPT-2), section 2.3; Touvron et al. 2023, "LLaMA",
https://arxiv.org/abs/2302.13971
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from kb.architecture.attention import causal_mask, scaled_dot_product_attention
from kb.architecture.layer_normalization import layer_norm, rms_norm
from kb.architecture.mlp_block import mlp_block
from kb.architecture.multi_head_attention import merge_heads, split_heads
from kb.architecture.positional_encoding import rope
from kb.architecture.token_embedding import embedding
from kb.architecture.unembedding import unembed
from kb.checkpoints.hugging_face import GPT2_LAYOUT, LLAMA_LAYOUT, check_divides, check_fields, load_pretrained
from kb.checkpoints.names import check_weights, nest
from kb.shapes import checked
from kb.structure.activation_functions import gelu, relu, silu, swiglu
from kb.structure.layers import linear

ACTIVATIONS = {
    "gelu_new": functools.partial(gelu, approximate="tanh"),
    "gelu": gelu,
    "relu": relu,
    "silu": silu,
}


# ---- sizes -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class GPTConfig:
    """The sizes of a GPT-2, with the names of its config.json; the defaults are GPT-2 small."""

    vocab_size: int = 50257
    n_positions: int = 1024  # the longest text
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    n_inner: int | None = None  # width of the MLP's hidden layer; None: 4 n_embd
    layer_norm_epsilon: float = 1e-5
    activation_function: str = "gelu_new"

    def __post_init__(self):
        check_fields(self)
        check_divides(self, "n_head", "n_embd")
        if self.activation_function not in ACTIVATIONS:
            raise ValueError(f"GPTConfig: activation_function {self.activation_function!r} is not in {[*ACTIVATIONS]}")

    def shapes(self):
        """The shape of each weight by its published name."""
        d, m = self.n_embd, self.n_inner or 4 * self.n_embd
        block = {
            **{"ln_1.weight": (d,), "ln_1.bias": (d,)},
            **{"attn.c_attn.weight": (d, 3 * d), "attn.c_attn.bias": (3 * d,)},  # q, k and v side by side
            **{"attn.c_proj.weight": (d, d), "attn.c_proj.bias": (d,)},
            **{"ln_2.weight": (d,), "ln_2.bias": (d,)},
            **{"mlp.c_fc.weight": (d, m), "mlp.c_fc.bias": (m,)},
            **{"mlp.c_proj.weight": (m, d), "mlp.c_proj.bias": (d,)},
        }
        blocks = {f"h.{i}.{name}": shape for i in range(self.n_layer) for name, shape in block.items()}
        ends = {"wte.weight": (self.vocab_size, d), "wpe.weight": (self.n_positions, d)}
        return {**ends, **blocks, "ln_f.weight": (d,), "ln_f.bias": (d,)}


def count_parameters(config):
    """How many numbers training can change, counted from the sizes alone."""
    return sum(math.prod(shape) for shape in config.shapes().values())


def init_gpt(config, rng, dtype="float32"):
    """Weights to start training from, as for GPT-2: normal noise, standard deviation 0.02, biases 0, norms 1.

    The two matrices per block that write into the residual stream get 0.02 / sqrt(2 n_layer), so that the sum of all
    that is written does not grow with the depth.
    """
    params = {}
    for name, shape in config.shapes().items():
        deviation = 0.02 / math.sqrt(2 * config.n_layer) if "c_proj" in name else 0.02
        if len(shape) == 2:
            params[name] = (deviation * rng.standard_normal(shape)).astype(dtype)
        else:
            params[name] = (np.ones if name.endswith(".weight") else np.zeros)(shape, dtype)
    return params


# ---- the model ---------------------------------------------------------------------------------------------------
@checked
def gpt(params, ids, config, cache=None, last=None):
    """What comes next, after each token of a text: one score per token of the vocabulary, at every position.

    params {}, ids (..., t) -> (..., t, v)

    ids: from 0 to vocab_size - 1. The scores at position i depend on the tokens 0..i only.
    cache: a kv_cache.KVCache with the keys and values of the tokens before these, which takes up theirs.
    last: the scores of that many last positions only; None: of all.
    Raises ValueError for a text longer than n_positions, and for weights that are missing, unknown or of a wrong shape.
    """
    x = _states(params, ids, config, cache)[-1]
    return unembed(x if last is None else x[..., -last:, :], params["wte.weight"])


@checked
def hidden_states(params, ids, config):
    """The vectors of every position before the first block, between the blocks, and after the last norm.

    params {}, ids (..., t) -> (l, ..., t, d)

    n_layer + 1 of them, those that `transformers` gives as output_hidden_states; the unembedding reads the last.
    """
    return np.stack(_states(params, ids, config))


def _states(params, ids, config, cache=None):
    first = cache.length if cache else 0
    tree = nest(params if first else check_weights(params, config.shapes()))  # checked where a text begins
    positions = _positions(ids, first, config.n_positions)
    states = [embedding(ids, tree["wte"]["weight"]) + embedding(positions, tree["wpe"]["weight"])]
    for i, layer in enumerate(tree["h"].values()):
        states.append(block(states[-1], layer, config, cache, i))
    return [*states[:-1], layer_norm(states[-1], **tree["ln_f"], eps=config.layer_norm_epsilon)]


@checked
def block(x, layer, config, cache=None, index=0):
    """One block of a GPT-2: attention reads the other positions, then an MLP works on each; both add to x.

    x (..., t, d), layer {} -> (..., t, d)

    `layer` is the part of the weights under h.<index>, nested.
    """
    norm = functools.partial(layer_norm, eps=config.layer_norm_epsilon)
    x = x + _attention(norm(x, **layer["ln_1"]), **layer["attn"], config=config, cache=cache, index=index)
    up, down = layer["mlp"]["c_fc"], layer["mlp"]["c_proj"]
    activation = ACTIVATIONS[config.activation_function]
    return x + mlp_block(
        norm(x, **layer["ln_2"]), up["weight"].T, up["bias"], down["weight"].T, down["bias"], activation
    )


def _attention(x, c_attn, c_proj, config, cache, index):
    q, k, v = np.split(x @ c_attn["weight"] + c_attn["bias"], 3, axis=-1)  # each (..., t, d)
    q, k, v = (split_heads(part, config.n_head) for part in (q, k, v))  # each (..., h, t, d / h)
    return merge_heads(_look_back(q, k, v, cache, index)) @ c_proj["weight"] + c_proj["bias"]


def _look_back(q, k, v, cache, index):
    """Causal attention of the newest positions to all so far, those in the cache too."""
    k, v = cache.extend(index, k, v) if cache else (k, v)
    t, s = q.shape[-2], k.shape[-2]
    mask = causal_mask(s)[-t:] if t > 1 else None  # the t queries are the last of the s positions
    return scaled_dot_product_attention(q, k, v, mask, enable_gqa=q.shape[-3] != k.shape[-3])


def _positions(ids, first, longest):
    end = first + ids.shape[-1]
    if end > longest:
        raise ValueError(f"ids {tuple(ids.shape)} reach position {end}, the model has {longest}")
    return np.arange(first, end)


@dataclass(frozen=True)
class GPT2:
    """A GPT-2 to hold in one hand: its sizes and its weights. Called with token ids it gives the logits."""

    config: GPTConfig
    params: dict

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder that holds config.json and model.safetensors, as `load_pretrained` reads it."""
        return cls(*load_pretrained(folder, GPTConfig, GPT2_LAYOUT))

    def __call__(self, ids, cache=None, last=None):
        return gpt(self.params, ids, self.config, cache, last)


# ---- the same with the parts of today ----------------------------------------------------------------------------
@dataclass(frozen=True)
class LlamaConfig:
    """The sizes of a Llama, with the names of its config.json; the defaults are those of the first one, 7B."""

    vocab_size: int = 32000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None  # None: as many as heads
    head_dim: int | None = None  # None: hidden_size / num_attention_heads
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    tie_word_embeddings: bool = False

    def __post_init__(self):
        check_fields(self)
        if self.head_dim is None:
            check_divides(self, "num_attention_heads", "hidden_size")
        if self.num_key_value_heads is not None:
            check_divides(self, "num_key_value_heads", "num_attention_heads")

    def heads(self):
        """How many heads the queries have, how many the keys and values, and the width of each."""
        h = self.num_attention_heads
        return h, self.num_key_value_heads or h, self.head_dim or self.hidden_size // h

    def shapes(self):
        """The shape of each weight by its published name."""
        d, m, (h, shared, size) = self.hidden_size, self.intermediate_size, self.heads()
        block = {
            **{"input_layernorm.weight": (d,), "post_attention_layernorm.weight": (d,)},
            **{"self_attn.q_proj.weight": (h * size, d), "self_attn.o_proj.weight": (d, h * size)},
            **{f"self_attn.{name}_proj.weight": (shared * size, d) for name in ("k", "v")},
            **{"mlp.gate_proj.weight": (m, d), "mlp.up_proj.weight": (m, d), "mlp.down_proj.weight": (d, m)},
        }
        blocks = {f"layers.{i}.{name}": shape for i in range(self.num_hidden_layers) for name, shape in block.items()}
        head = {} if self.tie_word_embeddings else {"lm_head.weight": (self.vocab_size, d)}
        return {"embed_tokens.weight": (self.vocab_size, d), **blocks, "norm.weight": (d,), **head}


@checked
def llama(params, ids, config, cache=None, last=None):
    """As `gpt`, with RMSNorm, rotary positions, SwiGLU, grouped-query heads, and no biases.

    params {}, ids (..., t) -> (..., t, v)
    """
    x = _llama_states(params, ids, config, cache)[-1]
    head = params["embed_tokens.weight" if config.tie_word_embeddings else "lm_head.weight"]
    return unembed(x if last is None else x[..., -last:, :], head)


@checked
def llama_hidden_states(params, ids, config):
    """As `hidden_states`.

    params {}, ids (..., t) -> (l, ..., t, d)
    """
    return np.stack(_llama_states(params, ids, config))


def _llama_states(params, ids, config, cache=None):
    first = cache.length if cache else 0
    tree = nest(params if first else check_weights(params, config.shapes()))  # checked where a text begins
    positions = _positions(ids, first, config.max_position_embeddings)
    states = [embedding(ids, tree["embed_tokens"]["weight"])]
    for i, layer in enumerate(tree["layers"].values()):
        states.append(llama_block(states[-1], layer, config, positions, cache, i))
    return [*states[:-1], rms_norm(states[-1], **tree["norm"], eps=config.rms_norm_eps)]


@checked
def llama_block(x, layer, config, positions, cache=None, index=0):
    """One block of a Llama; the positions turn its queries and keys, and nothing is added to x for them.

    x (..., t, d), layer {}, positions (t) -> (..., t, d)
    """
    attn, mlp = layer["self_attn"], layer["mlp"]
    normed = rms_norm(x, **layer["input_layernorm"], eps=config.rms_norm_eps)
    h, shared, _ = config.heads()
    q = split_heads(linear(normed, **attn["q_proj"]), h)
    k, v = (split_heads(linear(normed, **attn[name]), shared) for name in ("k_proj", "v_proj"))
    q, k = (rope(part, positions, config.rope_theta) for part in (q, k))
    x = x + linear(merge_heads(_look_back(q, k, v, cache, index)), **attn["o_proj"])
    normed = rms_norm(x, **layer["post_attention_layernorm"], eps=config.rms_norm_eps)
    return x + swiglu(normed, *(mlp[f"{name}_proj"]["weight"] for name in ("gate", "up", "down")))


@dataclass(frozen=True)
class Llama:
    """A Llama: its sizes and its weights. Called with token ids it gives the logits."""

    config: LlamaConfig
    params: dict

    @classmethod
    def from_pretrained(cls, folder):
        """The model in a folder that holds config.json and model.safetensors, as `load_pretrained` reads it."""
        return cls(*load_pretrained(folder, LlamaConfig, LLAMA_LAYOUT))

    def __call__(self, ids, cache=None, last=None):
        return llama(self.params, ids, self.config, cache, last)
