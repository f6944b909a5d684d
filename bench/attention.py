"""What the table of scores costs in memory, plain and tiled."""

from functools import cache, partial

import numpy as np

from bench.timing import Row, extra_memory
from kb.architecture.attention import attention_tiled, scaled_dot_product_attention


def rows():
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
