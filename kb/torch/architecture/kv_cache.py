"""Torch twin of `kb.architecture.kv_cache`: the same names and arguments; runs where its tensors live."""

import torch

from kb.architecture import kv_cache as kb_kv_cache
from kb.shapes import checked

WITHOUT_A_TWIN = {
    "cache_bytes": "counts; there is no array in it",
    "multiplications": "counts; there is no array in it",
}


class KVCache(kb_kv_cache.KVCache):
    """The same book-keeping, with memory on the device of the first keys."""

    def _room(self, x):
        return x.new_empty((*x.shape[:-2], self.capacity, x.shape[-1]))


@checked
def generate(model, ids, max_new_tokens, choose=None, use_cache=True):
    """The text and what the model makes of it.

    ids (..., t) -> (..., s)
    """
    new = list(stream(model, ids, max_new_tokens, choose, use_cache))
    return torch.cat([ids, torch.stack(new, -1)], -1) if new else ids


@torch.no_grad()
def stream(model, ids, max_new_tokens, choose=None, use_cache=True):
    """The new tokens of `generate` one after the other."""
    choose = most_likely if choose is None else choose
    cache = KVCache(ids.shape[-1] + max_new_tokens) if use_cache else None
    unread = ids
    for _ in range(max_new_tokens):
        token = choose(model(unread, cache, 1)[..., -1, :])
        yield token
        unread = torch.cat([unread, token[..., None]], -1) if cache is None else token[..., None]


@checked
def most_likely(logits):
    """The token with the highest score.

    logits (..., v) -> (...)
    """
    return logits.argmax(-1)
