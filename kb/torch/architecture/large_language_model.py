"""Torch twin of `kb.architecture.large_language_model`: the same names and arguments; runs where its tensors live."""

import math

import torch
import torch.nn.functional as F

from kb.architecture import large_language_model as numpy_twin
from kb.shapes import checked
from kb.torch.architecture.sampling import extend

WITHOUT_A_TWIN = {"compute_optimal": "arithmetic on two numbers; there is no array in it"}


def next_token(model, ids):
    """The probability of every token of the vocabulary, after a text of t tokens."""
    return model(ids)[..., -1, :].softmax(-1)


@torch.no_grad()
def write(model, ids, max_new_tokens, choose, context=None):
    """Choose a token from the scores of the next one, append it, ask again."""
    return extend(
        lambda seen: model(seen[..., -(context or seen.shape[-1]) :])[..., -1, :], ids, max_new_tokens, choose
    )


@checked
def surprise(logits, targets):
    """-log of the probability that the model had given each token, in nats.

    logits (..., t, v), targets (..., t) -> (..., t)
    """
    if targets.is_floating_point() or (targets.numel() and not 0 <= targets.min() <= targets.max() < logits.shape[-1]):
        raise ValueError(f"surprise: targets must be whole numbers from 0 to {logits.shape[-1] - 1}")
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none").view(targets.shape)


@checked
def text_perplexity(surprises):
    """e to the mean surprise.

    surprises (...) -> ()
    """
    return surprises.mean().exp()


@checked
def bits_per_byte(surprises, num_bytes):
    """The surprise of a whole text in bits, shared out over its bytes.

    surprises (...), num_bytes () -> ()
    """
    return surprises.sum() * (1 / math.log(2)) / num_bytes


@checked
def training_flops(n, d):
    """6 n d floating-point operations for n weights and d tokens.

    n (), d () -> ()
    """
    return 6 * n * d


@checked
def chinchilla_loss(n, d):
    """The loss that Hoffmann et al.'s fit expects after d tokens, in nats.

    n (), d () -> ()
    """
    fit = numpy_twin.CHINCHILLA
    return fit["E"] + fit["A"] / n ** fit["alpha"] + fit["B"] / d ** fit["beta"]


@checked
def power_law(x, y):
    """a and k of the power law a x^k closest to some measurements.

    x (n), y (n) -> (), ()
    """
    if len(x) < 2:
        raise ValueError(f"power_law: x has shape {tuple(x.shape)}, expected at least two points")
    u, v = x.log(), y.log()
    line = torch.stack([torch.ones_like(u), u], 1)
    intercept, k = torch.linalg.lstsq(line, v[:, None]).solution[:, 0]
    return intercept.exp(), k
