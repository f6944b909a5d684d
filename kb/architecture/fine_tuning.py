"""Fine-tuning: training goes on from weights that know something already, on a smaller text with a purpose.

Full fine-tuning moves every weight. LoRA leaves them where they are and adds to some matrices an update of low rank,
W + B A, which has far fewer numbers to train, to keep and to hand out; once trained it can be added to W for good.

Source: Hu et al. 2022, "LoRA: Low-rank adaptation of large language models", section 4.1, equation 3 and (for counts)
table 4 and section 4.2, https://arxiv.org/abs/2106.09685
"""

import math

import numpy as np

from kb.shapes import checked
from kb.structure.layers import linear


@checked
def lora_update(lora_a, lora_b, alpha=None):
    """What is added to a weight matrix: (alpha / r) B A, whose rank is at most r.

    lora_a (r, n), lora_b (m, r) -> (m, n)

    alpha: how strongly the update counts; divided by r, so that a learning rate suits many ranks. None: r, a factor 1.
    """
    return (lora_b @ lora_a) * _scale(lora_a, alpha)


@checked
def lora_linear(x, weight, lora_a, lora_b, bias=None, alpha=None):
    """A linear layer with a low-rank update beside it: x W^T + (alpha / r) (x A^T) B^T.

    x (..., n), weight (m, n), lora_a (r, n), lora_b (m, r), bias (m) -> (..., m)

    The update is never formed as a matrix: x goes down to r numbers and up again, r (m + n) products instead of m n.
    """
    return linear(x, weight, bias) + (x @ lora_a.T) @ lora_b.T * _scale(lora_a, alpha)


@checked
def lora_backward(grad, lora_a, lora_b, alpha=None):
    """The slopes for A and for B, from `grad`, the slope for each entry of the matrix that they update.

    grad (m, n), lora_a (r, n), lora_b (m, r) -> (r, n), (m, r)

    Each is multiplied by the other: where B is 0, A gets no gradient, and where both are, neither ever moves.
    """
    scaled = grad * _scale(lora_a, alpha)
    return lora_b.T @ scaled, scaled @ lora_a.T


def init_lora(params, names, rank, rng):
    """Updates that change nothing yet, for the matrices of these names: B is 0, A is normal noise.

    {"<name>.lora_A": (rank, n), "<name>.lora_B": (m, rank)} in the dtype of the weights; the standard deviation of A is
    1 / sqrt(n), so that the r numbers in between are as large as the inputs. Raises ValueError for a rank below 1 or
    above the smaller side of a matrix, and for a name that is no matrix of `params`.
    """
    lora = {}
    for name in names:
        shape = tuple(getattr(params.get(name), "shape", ()))
        if len(shape) != 2 or not 1 <= rank <= min(shape):
            raise ValueError(f"init_lora: rank is {rank}, expected 1 up to the smaller side of {name} {shape}")
        m, n = shape
        dtype = params[name].dtype
        lora[f"{name}.lora_A"] = (rng.standard_normal((rank, n)) / math.sqrt(n)).astype(dtype)
        lora[f"{name}.lora_B"] = np.zeros((m, rank), dtype)
    return lora


@checked
def merge(params, lora, alpha=None):
    """The weights with their updates added: a model of the same shape, and just as fast as before.

    params {}, lora {} -> {}

    `lora` is as from init_lora. A cost of merge(params, lora), differentiated by `lora`, is how the updates are
    trained here. Weights without an update are passed on as they are. Raises ValueError for an update of a matrix that
    is not in `params`, or one that does not fit it.
    """
    merged = dict(params)
    for name in [key.removesuffix(".lora_A") for key in lora if key.endswith(".lora_A")]:
        update = lora_update(lora[f"{name}.lora_A"], lora[f"{name}.lora_B"], alpha)
        shape = getattr(params.get(name), "shape", None)
        if shape != update.shape:
            raise ValueError(f"merge: the update of {name} has shape {tuple(update.shape)}, the weight {shape}")
        merged[name] = params[name] + update
    return merged


def count_lora(shapes, rank):
    """How many numbers LoRA trains for matrices of these shapes: r (m + n) for each, instead of m n."""
    return sum(rank * (m + n) for m, n in shapes)


@checked
def low_rank_share(update, rank):
    """How much of an update a matrix of this rank could have done: the share of its squared length, from 0 to 1.

    update (m, n) -> ()

    The best approximation of rank r keeps the r largest singular values (Eckart and Young).
    """
    values = np.linalg.svd(update, compute_uv=False)
    return np.sum(values[:rank] * values[:rank]) / np.sum(values * values)


def _scale(lora_a, alpha):
    rank = lora_a.shape[0]
    return 1.0 if alpha is None else alpha / rank
