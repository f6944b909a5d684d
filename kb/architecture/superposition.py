"""Superposition: more features than dimensions, kept as directions that overlap, which pays when features are rare.

    h = x W^T,  x' = relu(h W + b)      n features into d dimensions and back, with the same matrix W (d, n)

Source: Elhage et al. 2022, "Toy Models of Superposition", https://arxiv.org/abs/2209.10652; sparse autoencoders:
Bricken et al. 2023, "Towards Monosemanticity", https://transformer-circuits.pub/2023/monosemantic-features/index.html
"""

import numpy as np

from kb.foundations.vectors_and_dot_products import normalize
from kb.shapes import checked
from kb.structure.activation_functions import relu


# ---- the toy model -----------------------------------------------------------------------------------------------
@checked
def sparse_features(size, chance, density):
    """Examples in which each feature is mostly absent: its size where it is present, else exactly 0.

    size (..., b, n), chance (..., b, n), density (...) -> (..., b, n)

    `size` and `chance` are noise, uniform in 0..1; a feature is present where its chance is below `density`, the share
    of examples that have it. 1 - density is called sparsity.
    """
    return np.where(chance < _for_each(density, 2), size, 0)


@checked
def compress(x, weight):
    """n features squeezed into d dimensions: each present feature adds its direction, a column of `weight`.

    x (..., b, n), weight (..., d, n) -> (..., b, d)
    """
    return x @ np.swapaxes(weight, -1, -2)


@checked
def reconstruct(x, weight, bias):
    """The features as they are read back: how much of each direction is there, and ReLU drops what is below 0.

    x (..., b, n), weight (..., d, n), bias (..., n) -> (..., b, n)
    """
    return relu(compress(x, weight) @ weight + np.expand_dims(bias, -2))


@checked
def reconstruction_loss(x, weight, bias, importance):
    """How wrong what is read back is: squared error, weighted by how much each feature matters, mean over examples.

    x (..., b, n), weight (..., d, n), bias (..., n), importance (..., n) -> (...)
    """
    error = reconstruct(x, weight, bias) - x
    return np.mean(np.sum(np.expand_dims(importance, -2) * error * error, axis=-1), axis=-1)


def init_toy(n, d, rng, models=(), dtype="float64"):
    """Random weights (*models, d, n) and biases of 0 for one model, or for an array of them that train side by side."""
    weight = rng.standard_normal((*models, d, n)) / np.sqrt(d)
    return {"weight": weight.astype(dtype), "bias": np.zeros((*models, n), dtype)}


# ---- what became of each feature ---------------------------------------------------------------------------------
@checked
def feature_norms(weight):
    """How strongly each feature is kept: the length of its direction. 0: not at all; 1: fully.

    weight (..., d, n) -> (..., n)
    """
    return np.sqrt(np.sum(weight * weight, axis=-2))


@checked
def interference(weight):
    """How much the other features disturb the reading of each: the sum of their squared shadows on its direction.

    weight (..., d, n) -> (..., n)

    0 for a feature that is perpendicular to all others.
    """
    return np.sum(_shadows(weight), axis=-1) - np.sum(weight * weight, axis=-2)


@checked
def dimensionality(weight):
    """The share of a dimension that each feature has for itself: 1 alone, 1/2 in a pair of opposites, 2/5 of five.

    weight (..., d, n) -> (..., n)

    Its squared length over the sum of all squared shadows on it, its own included. A feature that is not kept has 0.
    Over all features the shares add up to at most d.
    """
    return np.sum(weight * weight, axis=-2) / np.maximum(np.sum(_shadows(weight), axis=-1), 1e-12)


def _shadows(weight):
    """(..., n, n): the squared dot product of feature j with the unit vector of feature i."""
    overlap = np.swapaxes(normalize(weight, axis=-2), -1, -2) @ weight
    return overlap * overlap


# ---- two features, one dimension: solved by hand -----------------------------------------------------------------
@checked
def strategy_losses(density, importance):
    """What three ways to keep two features in one dimension cost: only the first, only the second, as opposites.

    density (...), importance (...) -> (...), (...), (...)

    The first feature matters 1, the second `importance`. A feature that is not kept is guessed by its mean and costs
    its variance, p/3 - p^2/4. Opposites, W = (1, -1), disturb each other only when both are present, at a cost of
    E[min(x1, x2)^2] = 1/6 each. Training may do a little better than the third by moving W and b.
    """
    missing = density / 3 - density * density / 4
    return importance * missing, 1 * missing, density * density * (1 + importance) / 6


# ---- taking it apart again ---------------------------------------------------------------------------------------
@checked
def sae_codes(h, w_enc, b_enc):
    """What a sparse autoencoder sees in an activation vector: a few of m directions, each with its strength.

    h (b, d), w_enc (m, d), b_enc (m) -> (b, m)
    """
    return relu(h @ w_enc.T + b_enc)


@checked
def sae_loss(h, w_enc, b_enc, w_dec, l1):
    """How wrong the activations are when put together again from the codes, plus `l1` for each unit of code.

    h (b, d), w_enc (m, d), b_enc (m), w_dec (d, m) -> ()

    The directions, columns of w_dec, are taken at length 1: otherwise small codes and long directions would be free.
    """
    codes = sae_codes(h, w_enc, b_enc)
    error = codes @ normalize(w_dec, axis=0).T - h
    return np.mean(np.sum(error * error, axis=-1) + l1 * np.sum(codes, axis=-1))


def _for_each(value, axes):
    """A number per model, with axes for its examples and features; a plain number as it is."""
    return np.reshape(value, (*np.shape(value), *(1,) * axes)) if np.ndim(value) else value
