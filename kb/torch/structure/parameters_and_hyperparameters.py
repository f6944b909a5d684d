"""Torch twin of `kb.structure.parameters_and_hyperparameters`: same names, same arguments, any device."""

import torch

from kb.shapes import checked
from kb.structure import parameters_and_hyperparameters as kb

WITHOUT_A_TWIN = {"changed": "compares texts; there is no array in it"}


def fingerprints(arrays):
    """A short text for each tensor of a dict, such as a state_dict: that of the NumPy array with the same numbers."""
    return kb.fingerprints({name: tensor.detach().cpu().numpy() for name, tensor in arrays.items()})


@checked
def logit(p):
    """The score behind a probability: the z that a sigmoid turns into p.

    p (...) -> (...)
    """
    if not torch.all((p >= 0) & (p <= 1)):
        raise ValueError("logit: p must lie in 0..1")
    return torch.logit(p)
