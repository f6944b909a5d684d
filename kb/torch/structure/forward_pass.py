"""Torch twin of `kb.structure.forward_pass`: the same names and arguments; runs where its tensors live."""

from torch.nn import functional as F

from kb.shapes import checked
from kb.structure.forward_pass import layer_names

WITHOUT_A_TWIN = {
    "layer_names": "sorts names; the twin uses NumPy's",
    "forward_flops": "counts; there is no array in it",
    "forward_bytes": "counts; there is no array in it",
}


@checked
def forward(params, x, activation, output=None):
    """What the network answers to x.

    params {}, x (..., n) -> (..., m)
    """
    return list(forward_all(params, x, activation, output).values())[-1]


@checked
def forward_all(params, x, activation, output=None):
    """Everything that the network computes on the way to its answer, which is the last entry.

    params {}, x (..., n) -> {}
    """
    names = layer_names(params)
    record = {"a0": x}
    for i, name in enumerate(names, 1):
        record[f"z{i}"] = F.linear(record[f"a{i - 1}"], params[f"{name}.weight"], params.get(f"{name}.bias"))
        record[f"a{i}"] = (output if output and i == len(names) else activation)(record[f"z{i}"])
    return record
