"""Torch twin of `kb.architecture.fine_tuning`: the same names and arguments; runs where its tensors live."""

import torch
import torch.nn.functional as F

from kb.architecture import fine_tuning as kb_fine_tuning
from kb.shapes import checked

WITHOUT_A_TWIN = {"count_lora": "counts; there is no array in it"}


@checked
def lora_update(lora_a, lora_b, alpha=None):
    """What is added to a weight matrix: (alpha / r) B A.

    lora_a (r, n), lora_b (m, r) -> (m, n)
    """
    return (lora_b @ lora_a) * _scale(lora_a, alpha)


@checked
def lora_linear(x, weight, lora_a, lora_b, bias=None, alpha=None):
    """A linear layer with a low-rank update beside it.

    x (..., n), weight (m, n), lora_a (r, n), lora_b (m, r), bias (m) -> (..., m)
    """
    return F.linear(x, weight, bias) + F.linear(F.linear(x, lora_a), lora_b) * _scale(lora_a, alpha)


@checked
def lora_backward(grad, lora_a, lora_b, alpha=None):
    """The slopes for A and for B, from the slope for each entry of the matrix that they update.

    grad (m, n), lora_a (r, n), lora_b (m, r) -> (r, n), (m, r)
    """
    scaled = grad * _scale(lora_a, alpha)
    return lora_b.T @ scaled, scaled @ lora_a.T


def init_lora(params, names, rank, rng):
    """The very numbers that kb draws from the same NumPy generator, on the device of the weights."""
    numpy_params = {name: p.detach().cpu().numpy() for name, p in params.items() if name in names}
    drawn = kb_fine_tuning.init_lora(numpy_params, names, rank, rng)
    device = {name: p.device for name, p in params.items()}
    return {key: torch.from_numpy(a).to(device[key.rsplit(".", 1)[0]]) for key, a in drawn.items()}


@checked
def merge(params, lora, alpha=None):
    """The weights with their updates added.

    params {}, lora {} -> {}
    """
    merged = dict(params)
    for name in [key.removesuffix(".lora_A") for key in lora if key.endswith(".lora_A")]:
        update = lora_update(lora[f"{name}.lora_A"], lora[f"{name}.lora_B"], alpha)
        shape = getattr(params.get(name), "shape", None)
        if shape != update.shape:
            shape = shape and tuple(shape)
            raise ValueError(f"merge: the update of {name} has shape {tuple(update.shape)}, the weight {shape}")
        merged[name] = params[name] + update
    return merged


@checked
def low_rank_share(update, rank):
    """The share of the squared length of an update that the best approximation of this rank keeps.

    update (m, n) -> ()
    """
    values = torch.linalg.svdvals(update)
    return values[:rank].square().sum() / values.square().sum()


def _scale(lora_a, alpha):
    rank = lora_a.shape[0]
    return 1.0 if alpha is None else alpha / rank
