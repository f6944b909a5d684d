"""Pretraining: predict the next token at every position of much text. The text itself holds the answers.

    loss = mean over all positions of  -log p(x_{i+1} | x_1 ... x_i)

No human labels anything, hence self-supervised. One window of t + 1 tokens gives t examples at once, because the causal
mask keeps each position from seeing what it is asked for.

Source: Bengio et al. 2003, "A neural probabilistic language model", equation 1,
https://www.jmlr.org/papers/v3/bengio03a.html; Radford et al. 2018, "Improving language understanding by generative
pre-training", equation 1, https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf
"""

import numpy as np

from kb.architecture.large_language_model import surprise
from kb.architecture.transformer import gpt
from kb.shapes import checked


# ---- examples from text ------------------------------------------------------------------------------------------
def pack(texts, end):
    """One long row of tokens out of many texts: before each of them stands the token `end`.

    texts: a list of lists of token ids. `end` says that here something new begins; a model that is asked to write from
    nothing is given it, and stops when it writes it.
    """
    return np.concatenate([np.array([end, *ids]) for ids in texts])


@checked
def windows(ids, starts, length):
    """Pieces of length + 1 tokens, one from each start on: length questions and, one place later, their answers.

    ids (n), starts (b) -> (b, t)

    Raises ValueError for a start from which there are not that many tokens.
    """
    last = len(ids) - length - 1
    if len(starts) and not 0 <= starts.min() <= starts.max() <= last:
        raise ValueError(f"windows: starts lie in {starts.min()}..{starts.max()}, expected 0..{last}")
    return ids[starts[:, None] + np.arange(length + 1)]


@checked
def shifted(ids):
    """Questions and answers: at each position the token that stands there, and the one that comes next.

    ids (..., n) -> (..., t), (..., t)

    Both are views of `ids` without its last or its first token. Raises ValueError for fewer than two tokens.
    """
    if ids.shape[-1] < 2:
        raise ValueError(f"shifted: ids has shape {tuple(ids.shape)}, expected at least two tokens")
    return ids[..., :-1], ids[..., 1:]


def epoch(texts, end, batch_size, length, rng):
    """One pass over the texts in a new order, as batches (b, length + 1): each window begins where a text begins.

    What room a text leaves is filled with the texts that follow it in that order, and what is too long is cut off, so
    no position is empty. The texts that do not fill a last batch wait for the next pass.
    """
    order = rng.permutation(len(texts))
    ids = pack([texts[i] for i in (*order, *order)], end)  # twice, so that the last text has followers too
    starts = np.flatnonzero(ids == end)[: len(order)]
    batches = range(0, len(starts) - batch_size + 1, batch_size)
    return [windows(ids, starts[i : i + batch_size], length) for i in batches]


# ---- the loss ----------------------------------------------------------------------------------------------------
@checked
def next_token_loss(logits, targets):
    """How surprised the model is by what comes next, averaged over all positions of all texts, in nats.

    logits (..., t, v), targets (..., t) -> ()

    log v for a model that gives every token the same chance, as it does before it has learned.
    """
    return np.mean(surprise(logits, targets))


@checked
def pretraining_loss(params, ids, config):
    """The next-token loss of a GPT on windows of text: one number from (b, t + 1) tokens, b t examples.

    params {}, ids (..., n) -> ()
    """
    inputs, targets = shifted(ids)
    return next_token_loss(gpt(params, inputs, config), targets)
