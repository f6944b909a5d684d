"""Torch twin of `kb.architecture.pretraining`: the same names and arguments; runs where its tensors live."""

import torch.nn.functional as F

from kb.shapes import checked
from kb.torch.architecture.transformer import gpt

WITHOUT_A_TWIN = {
    "pack": "joins lists of whole numbers; torch.from_numpy takes the result",
    "epoch": "draws the same batches for both; torch.from_numpy takes them",
}


@checked
def windows(ids, starts, length):
    """Pieces of length + 1 tokens, one from each start on.

    ids (n), starts (b) -> (b, t)
    """
    last = len(ids) - length - 1
    if len(starts) and not 0 <= starts.min() <= starts.max() <= last:
        raise ValueError(f"windows: starts lie in {starts.min()}..{starts.max()}, expected 0..{last}")
    return ids.unfold(0, length + 1, 1)[starts]


@checked
def shifted(ids):
    """At each position the token that stands there, and the one that comes next.

    ids (..., n) -> (..., t), (..., t)
    """
    if ids.shape[-1] < 2:
        raise ValueError(f"shifted: ids has shape {tuple(ids.shape)}, expected at least two tokens")
    return ids[..., :-1], ids[..., 1:]


@checked
def next_token_loss(logits, targets):
    """How surprised the model is by what comes next, averaged over all positions.

    logits (..., t, v), targets (..., t) -> ()
    """
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten())


@checked
def pretraining_loss(params, ids, config):
    """The next-token loss of a GPT on windows of text.

    params {}, ids (..., n) -> ()
    """
    inputs, targets = shifted(ids)
    return next_token_loss(gpt(params, inputs, config), targets)
