"""How long something takes, as a ratio to something else in the same run: in turns, comparing medians."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


def seconds(fn, at_least=0.002):
    """The time of one call, averaged over as many calls as fill `at_least` seconds."""
    calls, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < at_least or not calls:
        fn()
        calls += 1
    return spent / calls if calls else spent


def extra_memory(fn):
    """The bytes that one call holds at its peak beyond what was there before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        fn()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@dataclass(frozen=True)
class Row:
    """One line of the table: our work, the peer's, and the largest ratio that is accepted (None: no target)."""

    key: str
    work: str
    peer: str
    ours: Callable
    theirs: Callable
    at_most: float | None = None
    measure: Callable = seconds  # or extra_memory: what is compared


def ratio(row, rounds=15, pick=median):
    """The median of our work over that of the peer's, taken in turns so that both meet the same noise.

    `pick` takes one number out of all rounds; `min` is the choice where the machine is busy with something else.
    """
    row.ours(), row.theirs()
    gc.collect()
    gc.disable()
    try:
        pairs = [(row.measure(row.ours), row.measure(row.theirs)) for _ in range(rounds)]
    finally:
        gc.enable()
    return pick(a for a, _ in pairs) / pick(b for _, b in pairs)
