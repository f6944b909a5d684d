"""What softmax in readable NumPy costs, against torch with the number of threads that suits it best."""

import numpy as np
import torch

from bench.timing import Row
from bench.training import AtItsBest, alone, torch_threads
from kb.foundations.softmax import softmax

AT_MOST = {(1024, 50257): 3.0, (64, 64): 5}


def rows():
    """A row of scores for each of 1,024 positions over GPT-2's vocabulary, and a small table as in attention."""
    return [_softmax(shape, limit) for shape, limit in AT_MOST.items()]


def _softmax(shape, limit):
    return Row(
        key=f"softmax_{shape[0]}",
        work=f"softmax, {shape}, float32",
        peer="torch on the CPU",
        ours=AtItsBest(lambda: _ours(shape), lambda count: torch_threads(1)),
        theirs=AtItsBest(lambda: _theirs(shape), torch_threads),
        at_most=limit,
        measure=alone,
    )


def _scores(shape):
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def _ours(shape):
    x = _scores(shape)
    return lambda: softmax(x)


def _theirs(shape):
    x = torch.from_numpy(_scores(shape))
    return lambda: torch.softmax(x, -1)
