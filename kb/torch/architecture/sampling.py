"""Torch twin of `kb.architecture.sampling`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked


@checked
def temperature(logits, t):
    """Sharpen (t < 1) or flatten (t > 1) the distribution.

    logits (..., v), t () -> (..., v)
    """
    if not 0 < t < float("inf"):
        raise ValueError(f"temperature: t must be a finite number above 0, not {t}; its limit 0 is greedy(logits)")
    return logits / float(t)


@checked
def top_k(logits, k):
    """Keep the k largest scores and those that tie with the last of them.

    logits (..., v), k () -> (..., v)
    """
    if int(k) != k or k < 1:
        raise ValueError(f"top_k: k must be an integer of at least 1, not {k}")
    kth = logits.topk(min(int(k), logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < kth, -torch.inf)


@checked
def top_p(logits, p):
    """Keep the likeliest tokens, as few as together reach the probability p.

    logits (..., v), p () -> (..., v)
    """
    _in_0_1("top_p", p)
    ascending, order = logits.detach().sort(stable=True)
    dropped = ascending.softmax(-1).cumsum(-1) <= 1 - float(p)
    dropped[..., -1] = False
    return logits.masked_fill(dropped.scatter(-1, order, dropped), -torch.inf)


@checked
def min_p(logits, p):
    """Keep every token at least p times as likely as the likeliest.

    logits (..., v), p () -> (..., v)
    """
    _in_0_1("min_p", p)
    ratio = (logits - logits.amax(-1, keepdim=True)).exp()
    return logits.masked_fill(ratio < float(p), -torch.inf)


@checked
def entropy(logits):
    """How undecided the distribution is, in nats.

    logits (..., v) -> (...)
    """
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p.masked_fill(log_p == -torch.inf, 0)).sum(-1)


@checked
def greedy(logits):
    """The likeliest token.

    logits (..., v) -> (...)
    """
    return logits.argmax(-1)


@checked
def sample(logits, rng, temperature=1.0, top_k=None, top_p=None, min_p=None):
    """One token drawn from softmax(logits), after the narrowing that is asked for.

    logits (..., v) -> (...)

    rng: a NumPy generator, which gives the tokens that kb gives, or a torch.Generator of the logits' device.
    """
    if not logits.amax(-1).isfinite().all():
        raise ValueError("sample: a row of logits has no distribution: it holds nan or inf, or nothing but -inf")
    exact = torch.float32 if logits.device.type == "mps" else torch.float64  # mps has no float64
    heights = _narrowed(logits, temperature, top_k, top_p, min_p).softmax(-1).to(exact).cumsum(-1)
    u = _uniform(rng, logits.shape[:-1], heights)[..., None]
    return (heights <= u * heights[..., -1:]).sum(-1)


@checked
def extend(next_logits, ids, max_new_tokens, choose):
    """Sample, append, repeat.

    ids (..., t) -> (..., s)
    """
    for _ in range(max_new_tokens):
        ids = torch.cat([ids, choose(next_logits(ids)).unsqueeze(-1)], -1)
    return ids


@checked
def beam_search(next_logits, ids, width, max_new_tokens, end=None):
    """Keep the `width` likeliest beginnings at each step, and return the texts that are left, the likeliest first.

    ids (t) -> (k, s), (k)
    """
    if width < 1:
        raise ValueError(f"beam_search: width must be at least 1, not {width}")
    texts, scores = ids[None], torch.zeros(1, device=ids.device)
    done = torch.zeros(1, dtype=torch.bool, device=ids.device)
    for _ in range(max_new_tokens):
        log_p = next_logits(texts).log_softmax(-1)
        v = log_p.shape[-1]
        filler = torch.full_like(log_p[0], -torch.inf)
        if end is not None:
            filler[end] = 0
        total = scores[:, None] + torch.where(done[:, None], filler, log_p)
        scores, best = total.ravel().sort(descending=True, stable=True)
        kept = scores[:width].isfinite()
        best, scores = best[:width][kept], scores[:width][kept]
        row, token = best // v, best % v
        texts = torch.cat([texts[row], token[:, None]], -1)
        done = done[row] | (token == (-1 if end is None else end))
    return texts, scores


def _uniform(rng, shape, like):
    if isinstance(rng, torch.Generator):
        return torch.rand(shape, generator=rng, dtype=like.dtype, device=like.device)
    return torch.as_tensor(rng.random(tuple(shape))).to(like)


def _narrowed(logits, t, k, p, least):
    logits = logits if t == 1 else temperature(logits, t)
    logits = logits if k is None else top_k(logits, k)
    logits = logits if p is None else top_p(logits, p)
    return logits if least is None else min_p(logits, least)


def _in_0_1(name, p):
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must lie in 0..1, not {p}")
