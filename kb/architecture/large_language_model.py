"""A large language model gives every possible next token of a text a probability; asked again and again, it writes.

    p(text) = p(x_1) p(x_2 | x_1) p(x_3 | x_1, x_2) ...

The product rule is exact, so one function, from the tokens so far to a distribution over the next one, is a
distribution over all texts. How wrong it is on a text, the surprise per token, falls with the size of the model, with
the amount of text and with the work, and has done so along power laws.

Source: Shannon 1948, "A mathematical theory of communication", https://doi.org/10.1002/j.1538-7305.1948.tb01338.x;
Kaplan et al. 2020, "Scaling laws for neural language models", equations 1.1 and 2.2, https://arxiv.org/abs/2001.08361;
Hoffmann et al. 2022, "Training compute-optimal large language models", equation 10 with the fit of approach 3,
https://arxiv.org/abs/2203.15556
"""

import math

import numpy as np

from kb.architecture.sampling import extend
from kb.foundations.softmax import log_softmax, softmax
from kb.shapes import checked

# L(N, D) = E + A / N^alpha + B / D^beta, as fitted by Hoffmann et al. to losses of 70 million to 16 billion weights
CHINCHILLA = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}


# ---- the function and the loop -----------------------------------------------------------------------------------
def next_token(model, ids):
    """What comes next: the probability of every token of the vocabulary, after a text of t tokens.

    `model` is any function ids (..., t) -> logits (..., t, v), such as a GPT2; the answer has the shape (..., v).
    """
    return softmax(model(ids)[..., -1, :])


def write(model, ids, max_new_tokens, choose, context=None):
    """The text written on: choose a token from the scores of the next one, append it, ask again.

    `choose` maps logits (v) to a token, such as `sampling.greedy`. The model sees the last `context` tokens (None: all
    of them); GPT-2 has no position beyond its n_positions.
    """
    return extend(
        lambda seen: model(seen[..., -(context or seen.shape[-1]) :])[..., -1, :], ids, max_new_tokens, choose
    )


# ---- how good it is ----------------------------------------------------------------------------------------------
@checked
def surprise(logits, targets):
    """How little each token was expected: -log of the probability that the model had given it, in nats.

    logits (..., t, v), targets (..., t) -> (..., t)

    0 for a token that it was sure of, log v where it had no idea. targets[i] is what came after position i. Raises
    ValueError for a target that is not a whole number from 0 to v - 1.
    """
    if targets.dtype.kind not in "iu" or (targets.size and not 0 <= targets.min() <= targets.max() < logits.shape[-1]):
        raise ValueError(f"surprise: targets must be whole numbers from 0 to {logits.shape[-1] - 1}")
    return -np.take_along_axis(log_softmax(logits), targets[..., None], axis=-1)[..., 0]


@checked
def text_perplexity(surprises):
    """Among how many equally likely tokens the model hesitates on average: e to the mean surprise.

    surprises (...) -> ()

    1 for a model that knows every token in advance; v for one that knows nothing. It depends on the tokenizer: longer
    tokens are harder to guess, so two models compare only with the same tokens, or in bits per byte.
    """
    return np.exp(np.mean(surprises))


@checked
def bits_per_byte(surprises, num_bytes):
    """The surprise of a whole text in bits, shared out over its bytes: what an ideal compressor with this model needs.

    surprises (...), num_bytes () -> ()

    8 for bytes without any pattern. It does not depend on how the text was cut into tokens.
    """
    return np.sum(surprises) * (1 / math.log(2)) / num_bytes


# ---- why scale matters -------------------------------------------------------------------------------------------
@checked
def training_flops(n, d):
    """The work of training n weights on d tokens: 6 n d floating-point operations.

    n (), d () -> ()

    A multiplication and an addition per weight and token forward, twice that backward. Attention's own products with
    one another are left out; they matter when the text is long compared with the width.
    """
    return 6 * n * d


@checked
def chinchilla_loss(n, d):
    """The loss that Hoffmann et al.'s fit expects of a transformer of n weights after d tokens of web text, in nats.

    n (), d () -> ()

    What no model can do away with (1.69), plus what is missing for want of weights, plus for want of text. A fit, good
    between the sizes that were measured, for one kind of text and tokenizer.
    """
    fit = CHINCHILLA
    return fit["E"] + fit["A"] / n ** fit["alpha"] + fit["B"] / d ** fit["beta"]


def compute_optimal(flops):
    """The n weights and d tokens with the lowest chinchilla_loss that so many operations can pay for.

    The minimum of E + A / n^alpha + B / d^beta where 6 n d is given: n grows as the power beta / (alpha + beta) of
    the operations, d as the power alpha / (alpha + beta), so both at nearly the same pace.
    """
    alpha, beta = CHINCHILLA["alpha"], CHINCHILLA["beta"]
    g = (alpha * CHINCHILLA["A"] / (beta * CHINCHILLA["B"])) ** (1 / (alpha + beta))
    n = g * (flops / 6) ** (beta / (alpha + beta))
    return n, flops / (6 * n)


@checked
def power_law(x, y):
    """The power law a x^k closest to some measurements: a straight line through their logarithms.

    x (n), y (n) -> (), ()

    Returns a and k. x, y > 0. Raises ValueError for fewer than two points.
    """
    if len(x) < 2:
        raise ValueError(f"power_law: x has shape {x.shape}, expected at least two points")
    u, v = np.log(x), np.log(y)
    du = u - np.mean(u)
    k = np.sum(du * (v - np.mean(v))) / np.sum(du * du)
    return np.exp(np.mean(v) - k * np.mean(u)), k
