"""Attention: every query takes a weighted average of the values, weighted by how well it matches each key.

Source: Vaswani et al. 2017, "Attention is all you need", eq. 1, https://arxiv.org/abs/1706.03762; the tiled form: Dao
et al. 2022, "FlashAttention", algorithm 1, https://arxiv.org/abs/2205.14135; shared key-value heads: Ainslie et al.
2023, "GQA", https://arxiv.org/abs/2305.13245
"""

import functools
import math

import numpy as np

from kb.foundations.softmax import softmax
from kb.shapes import checked


def _shares_heads(fn):
    """`fn`, to which k and v arrive with as many heads as q: with enable_gqa each of theirs serves a group of q's."""

    @functools.wraps(fn)
    def shared(q, k, v, attn_mask=None, is_causal=False, scale=None, enable_gqa=False):
        if enable_gqa:
            k, v = _repeat_heads(q, "k", k), _repeat_heads(q, "v", v)
        return fn(q, k, v, attn_mask, is_causal, scale, enable_gqa)

    return shared


@_shares_heads
@checked
def scaled_dot_product_attention(q, k, v, attn_mask=None, is_causal=False, scale=None, enable_gqa=False):
    """softmax(q k^T / sqrt(d)) v: each query's average of the values, each value weighted by how well its key matches.

    q (..., t, d), k (..., s, d), v (..., s, e), attn_mask (..., t|1, s|1) -> (..., t, e)

    attn_mask: boolean, True = this query may look at this key; or real numbers that are added to the scores.
    is_causal: query i sees the keys 0..i, counted from the first key also when t and s differ.
    scale: the factor of the scores, 1 / sqrt(d) if None.
    enable_gqa: the heads, axis -3, of k and of v may be fewer than those of q; each serves h / h_k neighbours.
    A query that may look at nothing gets zeros, as in torch, and sends back no gradient.
    Raises ValueError for a mask together with is_causal, a mask of integers or one that is larger than the scores, and
    for heads that do not divide.
    """
    return attention_weights(q, k, attn_mask, is_causal, scale) @ v


@checked
def attention_weights(q, k, attn_mask=None, is_causal=False, scale=None):
    """The attention pattern, where each query looks: one row per query, one share per key.

    q (..., t, d), k (..., s, d), attn_mask (..., t|1, s|1) -> (..., t, s)

    Each row lies in 0..1 and sums to 1; the row of a query that may look at nothing is zero.
    Arguments and Raises: those of scaled_dot_product_attention.
    """
    if is_causal and attn_mask is not None:
        raise ValueError("attention: attn_mask and is_causal exclude each other; attn_mask & causal_mask(t, s) is both")
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else float(scale)
    scores = (q * scale) @ np.swapaxes(k, -1, -2)
    if is_causal:
        attn_mask = causal_mask(*scores.shape[-2:])
    if attn_mask is None:
        return softmax(scores)
    scores = _masked(scores, attn_mask)
    return _softmax_or_zero(scores)


@checked
def causal_mask(t, s=None):
    """Who may look where in a text that is read from left to right: query i at the keys 0..i, never at a later one.

    t (), s () -> (t, s)

    True = may look; s is t if None. Where the t queries are the last of s positions (generation with a key-value
    cache), the mask is the last t rows: causal_mask(s)[-t:].
    """
    return np.tri(t, s, dtype=bool)


@checked
def score_variance(q, k):
    """Why the scores are divided by sqrt(d): the variance of q . k over n pairs of rows, before and after the division.

    q (n, d), k (n, d) -> (), ()

    For entries with mean 0 and variance 1 it is about d before and about 1 after, whatever d is.
    """
    scores = np.sum(q * k, axis=-1)
    return np.var(scores), np.var(scores / math.sqrt(q.shape[-1]))


@checked
def attention_tiled(q, k, v, is_causal=False, block=256):
    """The same result without the t x s table of scores: one tile of it at a time, `block` queries by 4 `block` keys.

    q (..., t, d), k (..., s, d), v (..., s, e) -> (..., t, e)

    For inference: it works in place in a buffer of its own, which makes it about four times as fast as the plain form
    on long texts and leaves no graph to differentiate. Memory: the result and one tile. Raises TypeError for a Tensor.
    """
    if not all(isinstance(x, np.ndarray) for x in (q, k, v)):
        raise TypeError("attention_tiled takes NumPy arrays; scaled_dot_product_attention takes a Tensor too")
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (q, k, v))
    out = np.empty((*q.shape[:-1], v.shape[-1]), np.result_type(q, k, v))
    tile = np.empty(block * min(4 * block, k.shape[-2]), out.dtype)
    for head in np.ndindex(lead):
        for i in range(0, q.shape[-2], block):
            rows = slice(i, i + block)
            out[head][rows] = _online(q[head][rows], k[head], v[head], tile, block, i if is_causal else None)
    return out


def _online(q, k, v, tile, block, first):
    """One block of queries: what a tile with a larger maximum finds, scales down the sums of the tiles before it.

    `first` is the position of the first query where attention is causal; None: each query sees all keys. `top` is the
    largest score so far, `total` the sum of e^(score - top), `mixed` the sum of e^(score - top) times the value.
    """
    q = q * (1 / math.sqrt(q.shape[-1]))
    end = len(k) if first is None else min(len(k), first + block)
    top, total, mixed = -np.inf, 0, 0
    for a in range(0, end, 4 * block):
        b = min(a + 4 * block, end)
        scores = np.matmul(q, k[a:b].T, out=tile[: len(q) * (b - a)].reshape(len(q), b - a))
        if first is not None and b > first:  # the tile on the diagonal
            np.copyto(scores[:, first - a :], -np.inf, where=~causal_mask(len(q), b - first))
        new = np.maximum(top, np.max(scores, axis=-1, keepdims=True))
        np.exp(np.subtract(scores, new, out=scores), out=scores)
        fade = np.exp(top - new)
        total = total * fade + scores @ np.ones((b - a, 1), scores.dtype)  # np.sum, faster
        mixed = mixed * fade + scores @ v[a:b]
        top = new
    return mixed / total


def _masked(scores, attn_mask):
    """The scores with -inf where a query may not look, or with a real mask added."""
    dtype = attn_mask.dtype
    if dtype.kind not in "bf" or np.result_type(scores.dtype, dtype) != scores.dtype:
        raise ValueError(f"attention: attn_mask must be bool (True = may look) or {scores.dtype}, not {dtype}")
    if np.broadcast_shapes(scores.shape, attn_mask.shape) != scores.shape:
        raise ValueError(f"attention: attn_mask {attn_mask.shape} is larger than the scores {scores.shape}")
    return np.where(attn_mask, scores, -np.inf) if dtype.kind == "b" else scores + attn_mask


def _softmax_or_zero(scores):
    """Softmax, and zeros for a row of nothing but -inf. Two np.where, so that its gradient is 0 too and not 0 x nan."""
    blind = np.max(scores, axis=-1, keepdims=True) == -np.inf
    return np.where(blind, 0, softmax(np.where(blind, 0, scores))) if np.any(blind) else softmax(scores)


def _repeat_heads(q, name, x):
    """Each head of `x` stands for a group of neighbouring heads of `q`."""
    heads, groups = (getattr(a, "shape", ())[-3:-2] for a in (q, x))
    if not heads or not groups or groups[0] == 0 or heads[0] % groups[0]:
        shapes = tuple(getattr(q, "shape", ())), tuple(getattr(x, "shape", ()))
        raise ValueError(f"attention: the heads of {name} {shapes[1]} must divide the heads of q {shapes[0]}, axis -3")
    return np.repeat(x, heads[0] // groups[0], axis=-3)
