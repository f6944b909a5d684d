"""Causal attention: the time of the tiled form against torch's, and what the table of scores costs in memory."""

import math
from functools import cache, partial

import numpy as np
import torch
import torch.nn.functional as F

from bench.computation_graph import seconds_on_one_core
from bench.timing import Row, extra_memory
from kb.architecture.attention import attention_tiled, scaled_dot_product_attention

HEADS, SIZE = 12, 64  # GPT-2 small
FUSED, WRITTEN = 2.8, 0.45


def rows():
    """The tiled form against torch's fused kernel and against torch written out; and the memory of both of ours."""
    peers = (
        ("fused", "torch, F.scaled_dot_product_attention, CPU", _fused, FUSED),
        ("written_out", "torch written out: matmul, mask, softmax, matmul", _written_out, WRITTEN),
    )
    return [*(_row(length, *peer) for length in (1024, 4096) for peer in peers), *memory()]


def _row(length, name, peer, theirs, limit):
    """Each on one core: the processor time does not depend on what else the machine does."""
    return Row(
        key=f"attention_{length}_{name}",
        work=f"tiled causal attention, {HEADS} heads of {SIZE}, T = {length}, float32, one core",
        peer=peer,
        ours=_Once(partial(_tiled, length)),
        theirs=_Once(partial(theirs, length)),
        at_most=limit,
        measure=seconds_on_one_core,
    )


class _Once:
    """Work that is prepared at its first call."""

    def __init__(self, make):
        self.make = cache(make)

    def __call__(self):
        return self.make()()


def _tiled(length):
    x = _heads(length)
    return lambda: attention_tiled(x, x, x, is_causal=True)


def _fused(length):
    x = torch.from_numpy(_heads(length))[None]
    return lambda: F.scaled_dot_product_attention(x, x, x, is_causal=True)


def _written_out(length):
    x = torch.from_numpy(_heads(length))
    hidden = torch.ones(length, length, dtype=torch.bool).triu(1)

    def attention():
        scores = (x @ x.mT) * (1 / math.sqrt(SIZE))
        return scores.masked_fill(hidden, -torch.inf).softmax(-1) @ x

    return attention


@cache
def _heads(length):
    return np.random.default_rng(0).standard_normal((HEADS, length, SIZE), np.float32)


def memory():
    """Extra memory at T = 4096 over that at T = 1024: four times the text."""
    return [
        Row(
            key=f"attention_memory_{name}",
            work=f"extra memory of {name} causal attention, one head of 64, T = 4096",
            peer="itself at T = 1024",
            ours=partial(_causal, fn, 4096),
            theirs=partial(_causal, fn, 1024),
            at_most=limit,
            measure=extra_memory,
        )
        for name, fn, limit in (("plain", scaled_dot_product_attention, None), ("tiled", attention_tiled, 5))
    ]


def _causal(fn, length):
    x = _input(length)
    return fn(x, x, x, is_causal=True)


@cache
def _input(length):
    return np.random.default_rng(0).standard_normal((length, 64)).astype(np.float32)
