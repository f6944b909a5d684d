"""Torch twin of `kb.architecture.superposition`: the same names and arguments; runs where its tensors live."""

import torch
import torch.nn.functional as F

from kb.shapes import checked

WITHOUT_A_TWIN = {"init_toy": "both train from the weights that NumPy draws, so that their curves can be compared"}


@checked
def sparse_features(size, chance, density):
    """Examples in which each feature is mostly absent.

    size (..., b, n), chance (..., b, n), density (...) -> (..., b, n)
    """
    density = torch.as_tensor(density, dtype=size.dtype, device=size.device)[..., None, None]
    return torch.where(chance < density, size, 0)


@checked
def compress(x, weight):
    """n features squeezed into d dimensions.

    x (..., b, n), weight (..., d, n) -> (..., b, d)
    """
    return x @ weight.mT


@checked
def reconstruct(x, weight, bias):
    """The features as they are read back.

    x (..., b, n), weight (..., d, n), bias (..., n) -> (..., b, n)
    """
    return F.relu(compress(x, weight) @ weight + bias[..., None, :])


@checked
def reconstruction_loss(x, weight, bias, importance):
    """How wrong what is read back is.

    x (..., b, n), weight (..., d, n), bias (..., n), importance (..., n) -> (...)
    """
    error = reconstruct(x, weight, bias) - x
    return (importance[..., None, :] * error.square()).sum(-1).mean(-1)


@checked
def feature_norms(weight):
    """How strongly each feature is kept.

    weight (..., d, n) -> (..., n)
    """
    return weight.norm(dim=-2)


@checked
def interference(weight):
    """How much the other features disturb the reading of each.

    weight (..., d, n) -> (..., n)
    """
    return _shadows(weight).sum(-1) - weight.square().sum(-2)


@checked
def dimensionality(weight):
    """The share of a dimension that each feature has for itself.

    weight (..., d, n) -> (..., n)
    """
    return weight.square().sum(-2) / _shadows(weight).sum(-1).clamp(min=1e-12)


def _shadows(weight):
    return (F.normalize(weight, dim=-2).mT @ weight).square()


@checked
def strategy_losses(density, importance):
    """What three ways to keep two features in one dimension cost.

    density (...), importance (...) -> (...), (...), (...)
    """
    missing = density / 3 - density.square() / 4
    return importance * missing, 1 * missing, density.square() * (1 + importance) / 6


@checked
def sae_codes(h, w_enc, b_enc):
    """What a sparse autoencoder sees in an activation vector.

    h (b, d), w_enc (m, d), b_enc (m) -> (b, m)
    """
    return F.relu(F.linear(h, w_enc, b_enc))


@checked
def sae_loss(h, w_enc, b_enc, w_dec, l1):
    """How wrong the activations are when put together again from the codes, plus `l1` for each unit of code.

    h (b, d), w_enc (m, d), b_enc (m), w_dec (d, m) -> ()
    """
    codes = sae_codes(h, w_enc, b_enc)
    error = codes @ F.normalize(w_dec, dim=0).T - h
    return (error.square().sum(-1) + l1 * codes.sum(-1)).mean()
