"""Torch twin of `kb.architecture.logits`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked


@checked
def log_odds(logits):
    """How much each token is favoured over all others together.

    logits (..., v) -> (..., v)
    """
    log_p = torch.log_softmax(logits, -1)
    top = torch.arange(logits.shape[-1], device=logits.device) == logits.argmax(-1, keepdim=True)
    rest = log_p.masked_fill(top, -torch.inf)
    return log_p - torch.where(top, rest.logsumexp(-1, keepdim=True), torch.log1p(-rest.exp()))


@checked
def centre(logits):
    """The same distribution, told by the scores that have mean 0.

    logits (..., v) -> (..., v)
    """
    return logits - logits.mean(-1, keepdim=True)
