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
def windows(ids, length):
    """The row cut into pieces of length + 1 tokens, the last token of each being the first of the next.

    ids (n) -> (b, t)

    So that every token but the first is asked for exactly once. What is left over at the end is dropped. Raises
    ValueError where not even one window fits.
    """
    count = (len(ids) - 1) // length
    if length < 1 or count < 1:
        raise ValueError(f"windows: ids has {len(ids)} tokens, length is {length}; expected at least length + 1")
    return ids[length * np.arange(count)[:, None] + np.arange(length + 1)]


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
    """One pass over the texts, as batches (b, length + 1): in a new order, joined, cut into windows.

    Cutting goes through the middle of texts, and each pass cuts elsewhere. What does not fill a batch is dropped.
    """
    order = rng.permutation(len(texts))
    rows = windows(pack([texts[i] for i in order], end), length)
    return [rows[i : i + batch_size] for i in range(0, len(rows) - batch_size + 1, batch_size)]


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
