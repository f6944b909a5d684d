"""What layer norm in readable NumPy costs, against torch; and what RMS norm saves."""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from bench.computation_graph import seconds_on_one_core
from bench.timing import Row
from kb.architecture.layer_normalization import layer_norm, rms_norm

SHAPE = (1024, 768)  # GPT-2 small at its full context


def rows():
    """Layer norm against torch, each on one core; RMS norm against layer norm."""
    work = f"layer_norm, {SHAPE}, float32"
    one_core = Row(
        key="layer_norm",
        work=f"{work}, one core",
        peer="torch on the CPU, one core",
        ours=partial(_call, _ours),
        theirs=partial(_call, _theirs),
        at_most=5,
        measure=seconds_on_one_core,
    )
    rms = Row(
        key="rms_norm",
        work=f"rms_norm, {SHAPE}, float32",
        peer="layer_norm",
        ours=partial(_call, _rms),
        theirs=partial(_call, _ours),
        measure=seconds_on_one_core,
    )
    return [one_core, rms]


_prepared: dict = {}


def _call(make):
    """The call that `make` prepares, made ready at its first use."""
    if make not in _prepared:
        _prepared[make] = make()
    return _prepared[make]()


def _input():
    rng = np.random.default_rng(0)
    return rng.standard_normal(SHAPE, np.float32), *rng.standard_normal((2, SHAPE[1]), np.float32)


def _ours():
    return partial(layer_norm, *_input())


def _theirs():
    x, weight, bias = map(torch.from_numpy, _input())
    return partial(F.layer_norm, x, SHAPE[1:], weight, bias)


def _rms():
    return partial(rms_norm, *_input()[:2])
