"""A training run in one file, to go on from after a crash: weights, optimiser, random state, step; nothing to execute.

    model.<name>                    the weights
    optimizer.<name>.<what>         what the optimiser remembers of each, such as exp_avg
    rng.<device>                    the state of torch's random number generators, as bytes
    metadata                        step, and whatever text the caller wants to find again

Safetensors only: torch.save would pickle, and a pickle can run anything when it is read. The file is written beside the
old one and renamed, so a process that is killed at any moment leaves a whole checkpoint, the new one or the old one.
"""

import os
from collections.abc import Mapping

import torch
from torch import nn

from kb.checkpoints.safetensors import load_file, read_header, save_file


def save(
    path: str | os.PathLike[str], model: nn.Module, optimizer: torch.optim.Optimizer, metadata: Mapping[str, str]
) -> None:
    """Everything that the next step depends on, as of now. Any dtype that NumPy has, on any device."""
    tensors = {f"model.{name}": p for name, p in model.state_dict().items()}
    for name, p in model.named_parameters():
        tensors |= {f"optimizer.{name}.{what}": value for what, value in optimizer.state[p].items()}
    tensors |= {f"rng.{device}": state for device, state in _random_states().items()}
    save_file({name: t.detach().cpu().numpy() for name, t in tensors.items()}, path, metadata)


def load(path: str | os.PathLike[str], model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, str]:
    """Puts everything back where `save` found it, and returns the metadata.

    Raises ValueError when the file is not whole, and RuntimeError when it belongs to another model.
    """
    groups: dict[str, dict[str, torch.Tensor]] = {"model": {}, "optimizer": {}, "rng": {}}
    for name, array in load_file(path).items():
        kind, _, rest = name.partition(".")
        groups[kind][rest] = torch.from_numpy(array)
    model.load_state_dict(groups["model"])
    for name, p in model.named_parameters():
        kept = {n.removeprefix(f"{name}."): t for n, t in groups["optimizer"].items() if n.startswith(f"{name}.")}
        optimizer.state[p] = {what: t.to(p.device) for what, t in kept.items()}
    torch.set_rng_state(groups["rng"]["cpu"])
    if "cuda" in groups["rng"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(groups["rng"]["cuda"])
    return facts(path)


def facts(path: str | os.PathLike[str]) -> dict[str, str]:
    """The metadata alone, without reading a tensor."""
    return dict(read_header(path).metadata)


def _random_states() -> dict[str, torch.Tensor]:
    cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
    return {"cpu": torch.get_rng_state(), **({"cuda": torch.cuda.get_rng_state()} if cuda else {})}
