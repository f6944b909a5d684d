"""Sampling: draw the next token from the model's distribution, or from a sharpened, flattened or shortened one.

temperature, top_k, top_p and min_p map logits to logits and can be chained, in this order as a rule; a token that is
dropped gets -inf. Where scores tie they do what Hugging Face's warpers do, and each says what that is.

Source: Fan et al. 2018 (top-k), https://arxiv.org/abs/1805.04833; Holtzman et al. 2020 (top-p, also called nucleus),
https://arxiv.org/abs/1904.09751; Nguyen et al. 2025 (min-p), https://arxiv.org/abs/2407.01082
"""

import numpy as np

from kb.foundations.softmax import log_softmax, softmax
from kb.shapes import checked


@checked
def temperature(logits, t):
    """Sharpen (t < 1) or flatten (t > 1) the distribution: every difference of two scores is divided by t.

    logits (..., v), t () -> (..., v)

    Raises ValueError unless t > 0; the limit t -> 0 is `greedy`.
    """
    if not 0 < t < float("inf"):
        raise ValueError(f"temperature: t must be a finite number above 0, not {t}; its limit 0 is greedy(logits)")
    return logits / float(t)


@checked
def top_k(logits, k):
    """Keep the k largest scores; all others become -inf.

    logits (..., v), k () -> (..., v)

    Scores that tie with the k-th largest all stay, so more than k can. A k beyond v keeps everything.
    Raises ValueError unless k is an integer of at least 1.
    """
    if int(k) != k or k < 1:
        raise ValueError(f"top_k: k must be an integer of at least 1, not {k}")
    place = logits.shape[-1] - min(int(k), logits.shape[-1])  # of the k-th largest, in ascending order
    kth = np.argpartition(logits, place, axis=-1)[..., place : place + 1]
    return np.where(logits < np.take_along_axis(logits, kth, axis=-1), -np.inf, logits)


@checked
def top_p(logits, p):
    """Keep the likeliest tokens, as few as together reach the probability p; all others become -inf.

    logits (..., v), p () -> (..., v)

    From the least likely up, a token is dropped as long as it and those below it hold at most 1 - p. Of tokens with
    equal scores the earlier ones go first. The largest always stays, and p = 1 drops only shares of 0.
    Raises ValueError unless 0 <= p <= 1.
    """
    _in_0_1("top_p", p)
    order = np.argsort(logits, axis=-1, kind="stable")
    heights = np.cumsum(softmax(np.take_along_axis(logits, order, axis=-1)), axis=-1)
    rank = np.argsort(order, axis=-1)  # of each token: 0 for the least likely
    small = np.take_along_axis(heights <= 1 - float(p), rank, axis=-1)
    return np.where(small & (rank < logits.shape[-1] - 1), -np.inf, logits)


@checked
def min_p(logits, p):
    """Keep every token at least p times as likely as the likeliest; all others become -inf.

    logits (..., v), p () -> (..., v)

    p = 0 keeps everything, p = 1 only the largest score and those that tie with it. Raises ValueError unless
    0 <= p <= 1.
    """
    _in_0_1("min_p", p)
    ratio = np.exp(logits - np.max(logits, axis=-1, keepdims=True))  # p_i / p_max: the sum cancels
    return np.where(ratio < float(p), -np.inf, logits)


@checked
def entropy(logits):
    """How undecided the distribution is, in nats: 0 where one token has everything, log v where all are equal.

    logits (..., v) -> (...)

    e to this power is the number of equally likely tokens that would be as undecided. Over log 2 it is in bits.
    """
    log_p = log_softmax(logits)
    return -np.sum(np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p), axis=-1)


@checked
def greedy(logits):
    """The likeliest token; of several that tie, the first.

    logits (..., v) -> (...)
    """
    return np.argmax(logits, axis=-1)


@checked
def sample(logits, rng, temperature=1.0, top_k=None, top_p=None, min_p=None):
    """One token drawn from softmax(logits), after the narrowing that is asked for, in the order of the arguments.

    logits (..., v) -> (...)

    One uniform number u per draw, and the first token at which the running sum of the probabilities exceeds u. The
    same generator state gives the same tokens, on torch too. A token whose share is 0 is never drawn.
    Raises ValueError where a row has no largest finite score: nan, inf, or nothing but -inf.
    """
    if not np.all(np.isfinite(np.max(logits, axis=-1))):
        raise ValueError("sample: a row of logits has no distribution: it holds nan or inf, or nothing but -inf")
    heights = np.cumsum(softmax(_narrowed(logits, temperature, top_k, top_p, min_p)), axis=-1, dtype="float64")
    u = rng.random(logits.shape[:-1])[..., None]
    return np.sum(heights <= u * heights[..., -1:], axis=-1)  # times the last height, which is 1 only up to rounding


@checked
def extend(next_logits, ids, max_new_tokens, choose):
    """Sample, append, repeat: the text with `max_new_tokens` more tokens, each chosen in the light of all before it.

    ids (..., t) -> (..., s)

    next_logits: ids (..., t) -> logits (..., v) of the token that follows. choose: logits -> ids, such as `greedy`, or
    `lambda logits: sample(logits, rng, temperature=0.8)`.
    """
    for _ in range(max_new_tokens):
        ids = np.concatenate([ids, np.expand_dims(choose(next_logits(ids)), -1)], axis=-1)
    return ids


@checked
def beam_search(next_logits, ids, width, max_new_tokens, end=None):
    """Keep the `width` likeliest beginnings at each step, and return the texts that are left, the likeliest first.

    ids (t) -> (k, s), (k)

    Also returns the log-probability of each text after the prompt. next_logits: ids (k, t) -> logits (k, v).
    end: a text that has this token is finished; it is filled up with `end` at no cost. A width of at least
    v^(max_new_tokens - 1) leaves nothing out and finds the likeliest text of all. Of equal texts the first stays.
    Raises ValueError for a width below 1.
    """
    if width < 1:
        raise ValueError(f"beam_search: width must be at least 1, not {width}")
    texts, scores, done = ids[None], np.zeros(1, np.float32), np.zeros(1, bool)
    for _ in range(max_new_tokens):
        log_p = log_softmax(next_logits(texts))
        filler = np.where(np.arange(log_p.shape[-1]) == end, 0, -np.inf).astype(log_p.dtype)
        total = scores[:, None] + np.where(done[:, None], filler, log_p)
        best = np.argsort(-total, axis=None, kind="stable")[:width]
        best = best[np.isfinite(total.ravel()[best])]
        row, token = np.divmod(best, total.shape[-1])
        texts, scores = np.concatenate([texts[row], token[:, None]], axis=-1), total.ravel()[best]
        done = done[row] | (token == end)
    return texts, scores


def _narrowed(logits, t, k, p, least):
    logits = logits if t == 1 else temperature(logits, t)
    logits = logits if k is None else top_k(logits, k)
    logits = logits if p is None else top_p(logits, p)
    return logits if least is None else min_p(logits, least)


def _in_0_1(name, p):
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must lie in 0..1, not {p}")
