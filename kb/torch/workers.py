"""The processes of a training run: alone, or as many as torchrun started, each with its own device."""

import contextlib
import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Workers:
    """Which of how many processes this is, and the device it works on."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self):
        """One process speaks and writes for all."""
        return self.rank == 0

    def wrap(self, model):
        """The model whose backward pass averages the gradients of all processes."""
        if self.count == 1:
            return model
        return DistributedDataParallel(model, [self.device] if self.device.type == "cuda" else None)

    def mean(self, value):
        """The average of a number over the processes, as a float."""
        value = value.detach().clone()
        if self.count > 1:
            dist.all_reduce(value)
        return value.item() / self.count


@contextlib.contextmanager
def join(device=""):
    """The Workers of this run: what torchrun says in the environment, or one process by itself."""
    count, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    device = device or _best_device()
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        device = f"cuda:{torch.cuda.current_device()}"
    if count > 1:
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Workers(rank, count, torch.device(device))
    finally:
        if count > 1:
            dist.destroy_process_group()


def _best_device():
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
