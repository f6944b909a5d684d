"""Inference with a key-value cache: what earlier tokens computed is kept, so that a new token costs only itself.

In a causal model a token's keys and values depend on the tokens up to it and never change again. A model run therefore
has two phases: prefill, one pass over the whole prompt, and decode, one pass per new token over that token alone.

Source: Pope et al. 2022, "Efficiently scaling transformer inference", sections 2 and 3.3,
https://arxiv.org/abs/2211.05102; Shazeer 2019, "Fast transformer decoding", https://arxiv.org/abs/1911.02150
"""

import numpy as np

from kb.shapes import checked


class KVCache:
    """The keys and values of every token so far, layer by layer, in memory that is set aside once.

    Handed to a model's call, it is read and filled by it. `capacity` is the most tokens that it can hold; `length` is
    how many it holds. It has no gradient: it is for inference.
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self.layers: list = []  # per layer: keys, values and how many positions of them are filled

    @property
    def length(self):
        return self.layers[0][2] if self.layers else 0

    @property
    def nbytes(self):
        """The memory that is set aside."""
        return sum(keys.nbytes + values.nbytes for keys, values, _ in self.layers)

    def extend(self, index, k, v):
        """Take up the keys and values of new tokens, (..., h, t, d), and give back those of all tokens so far.

        Raises ValueError for more tokens than the capacity, and for a batch of another shape than before.
        """
        if index == len(self.layers):
            self.layers.append((self._room(k), self._room(v), 0))
        keys, values, start = self.layers[index]
        end = start + k.shape[-2]
        if end > self.capacity or k.shape[:-2] != keys.shape[:-2]:
            room = (*keys.shape[:-2], self.capacity - start, keys.shape[-1])
            raise ValueError(f"KVCache: k {tuple(k.shape)} does not fit, there is room for {room}")
        keys[..., start:end, :], values[..., start:end, :] = k, v
        self.layers[index] = keys, values, end
        return keys[..., :end, :], values[..., :end, :]

    def _room(self, x):
        return np.empty((*x.shape[:-2], self.capacity, x.shape[-1]), x.dtype)


# ---- generation --------------------------------------------------------------------------------------------------
@checked
def generate(model, ids, max_new_tokens, choose=None, use_cache=True):
    """The text and what the model makes of it: each new token is chosen, appended, and read before the next one.

    ids (..., t) -> (..., s)

    model: called as model(ids, cache, last), such as a GPT2 or a Llama; s = t + max_new_tokens.
    choose: logits (..., v) -> ids (...); None takes the highest score each time (greedy).
    use_cache: False reads the whole text again for every token, to the same end.
    Raises ValueError where the text becomes longer than the model can read.
    """
    new = list(stream(model, ids, max_new_tokens, choose, use_cache))
    return np.concatenate([ids, np.stack(new, axis=-1)], axis=-1) if new else ids


def stream(model, ids, max_new_tokens, choose=None, use_cache=True):
    """The new tokens of `generate` one after the other, each as soon as it is known: arrays of ids (...)."""
    choose = most_likely if choose is None else choose
    cache = KVCache(ids.shape[-1] + max_new_tokens) if use_cache else None
    unread = ids  # prefill reads the prompt
    for _ in range(max_new_tokens):
        token = choose(model(unread, cache, 1)[..., -1, :])
        yield token
        new = np.expand_dims(token, -1)
        unread = np.concatenate([unread, new], axis=-1) if cache is None else new  # decode reads one token


@checked
def most_likely(logits):
    """The token with the highest score; the first of several equal ones.

    logits (..., v) -> (...)
    """
    return np.argmax(logits, axis=-1)


# ---- what it costs -----------------------------------------------------------------------------------------------
def cache_bytes(layers, kv_heads, head_size, tokens, itemsize=4):
    """The memory of a cache: one key and one value per token, layer and key-value head.

    itemsize: the bytes of one number, 4 in float32, 2 in float16.
    """
    return 2 * layers * kv_heads * head_size * tokens * itemsize


def multiplications(config, new, seen=0):
    """How many multiplications a GPT of these sizes makes for `new` tokens after `seen` ones that are in the cache.

    Those of the matrix products, with the unembedding of the last position only. With n tokens to look back at, a
    step costs multiplications(config, 1, n - 1) with a cache and multiplications(config, n) without.
    """
    d, m = config.n_embd, config.n_inner or 4 * config.n_embd
    matrices = config.n_layer * (4 * d * d + 2 * d * m)  # per token: q, k, v, output; up and down
    looks = config.n_layer * 2 * d * new * (seen + new)  # q k^T and the average of the values, no score skipped
    return new * matrices + looks + d * config.vocab_size
