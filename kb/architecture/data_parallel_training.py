"""Training on many machines: each worker takes a part of the batch, and the average of their gradients is the gradient.

A mean over a batch is the mean of the means over its parts, if each part counts by its size. So workers with equal
weights and different examples agree on one step by averaging, and stay equal. What that costs is traffic; where the
model itself does not fit on one device, its optimiser's state, its matrices or its layers are divided too.

Source: Li et al. 2020, "PyTorch Distributed", https://arxiv.org/abs/2006.15704; Patarasuk and Yuan 2009, "Bandwidth
optimal all-reduce algorithms", section 3 (the ring), https://doi.org/10.1016/j.jpdc.2008.09.002; Rajbhandari et al.
2020, "ZeRO", section 5 and figure 1 (bytes), https://arxiv.org/abs/1910.02054; Shoeybi et al. 2019, "Megatron-LM",
section 3, https://arxiv.org/abs/1909.08053; Huang et al. 2019, "GPipe", section 2.3, https://arxiv.org/abs/1811.06965
"""

from itertools import pairwise

import numpy as np

from kb.shapes import checked

WEIGHT, GRADIENT, ADAM = 2, 2, 12  # bytes per parameter in mixed precision; Adam keeps a float32 copy and two averages


# ---- the batch is divided ----------------------------------------------------------------------------------------
def shards(n, workers):
    """Who takes which of n examples: slices that follow one another, whose lengths differ by at most 1.

    Raises ValueError for fewer than 1 worker, and for fewer examples than workers.
    """
    if not 1 <= workers <= n:
        raise ValueError(f"shards: workers is {workers}, expected 1 up to the {n} examples")
    return _slices(n, workers)


def _slices(n, parts):
    bounds = [n * i // parts for i in range(parts + 1)]
    return [slice(a, b) for a, b in pairwise(bounds)]


@checked
def parallel_gradients(gradients, params, x, y, workers):
    """A batch's cost and gradient, computed in parts by workers with the same weights and then averaged.

    params {}, x (b, n), y (b, ...) -> (), {}

    `gradients(params, x, y)` gives the mean cost of a batch and its gradient, such as squared_error_gradients. Each
    part counts by its number of examples: then the result is that of the whole batch, up to rounding. One worker that
    takes the parts one after the other ("gradient accumulation") does the same in time instead of in space.
    """
    parts = shards(len(x), workers)
    shares = [len(x[part]) / len(x) for part in parts]
    costs, grads = zip(*(gradients(params, x[part], y[part]) for part in parts), strict=True)
    mean = {name: sum(share * g[name] for share, g in zip(shares, grads, strict=True)) for name in grads[0]}
    return sum(share * cost for share, cost in zip(shares, costs, strict=True)), mean


# ---- the gradients are added -------------------------------------------------------------------------------------
@checked
def ring_all_reduce(x):
    """Every worker learns the sum of all rows by talking to its two neighbours only; and how much each one sent.

    x (w, d) -> (w, d), (w)

    Row i is what worker i knows before, and after. The d numbers are cut into w chunks. For w - 1 rounds each worker
    passes on one chunk and adds the one that arrives; then each chunk is complete somewhere, and w - 1 more rounds
    carry the sums around. All rows of the result are equal to the last bit: each sum was formed once.
    """
    held, sent = [[row[part] for part in _slices(x.shape[1], len(x))] for row in x], np.zeros(len(x), np.int64)
    for t in range(2 * (len(x) - 1)):
        sent = sent + np.array([held[i][(i - t) % len(x)].size for i in range(len(x))])
        held = ring_round(held, t)
    return np.stack([np.concatenate(chunks) for chunks in held]), sent


def ring_round(held, t):
    """What the workers hold after round t, counted from 0: `held[i][k]` is worker i's chunk k, of w workers and chunks.

    Worker i sends its chunk i - t to worker i + 1, all at the same time. In the first w - 1 rounds the receiver adds
    it to its own; later it takes it as it is.
    """
    w, after = len(held), []
    for i, chunks in enumerate(held):
        k = (i - 1 - t) % w
        arrived = held[i - 1][k]
        after.append([*chunks[:k], chunks[k] + arrived if t < w - 1 else arrived, *chunks[k + 1 :]])
    return after


def ring_traffic(d, workers):
    """How many numbers each worker sends to add up vectors of d numbers around a ring: 2 (w - 1) / w times d.

    It is below 2 d for any number of workers.
    """
    return 2 * (workers - 1) / workers * d


def server_traffic(d, workers):
    """How many numbers pass the one worker that collects all vectors of d numbers and hands out the sum."""
    return 2 * (workers - 1) * d


# ---- the model is divided ----------------------------------------------------------------------------------------
@checked
def tensor_parallel_mlp(x, w_up, w_down, activation, workers):
    """An MLP block in which each worker holds some of the hidden neurons: their results are added, by an all-reduce.

    x (..., n), w_up (m, n), w_down (d, m) -> (..., d)

    A worker needs the rows of w_up and the columns of w_down that belong to its neurons, and nothing of the others:
    the activation works on each neuron alone. Biases are left out.
    """
    return sum(activation(x @ w_up[part].T) @ w_down[:, part].T for part in shards(len(w_up), workers))


def pipeline_schedule(stages, micro_batches):
    """Who works on what: a table with one row per stage and one column per tick, of the numbers of micro-batches.

    Stage s can begin with a micro-batch one tick after stage s - 1; -1 where a stage has nothing to do. This is the
    forward pass; the backward pass is its mirror image, from the last stage to the first.
    """
    number = np.arange(micro_batches + stages - 1) - np.arange(stages)[:, None]
    return np.where((number >= 0) & (number < micro_batches), number, -1)


def bubble(stages, micro_batches):
    """The share of the time that the stages of a pipeline wait: (s - 1) / (m + s - 1)."""
    return (stages - 1) / (micro_batches + stages - 1)


def bytes_per_device(parameters, devices=1, stage=0):
    """The bytes of weights, gradients and Adam's state on each device, in mixed precision; activations come on top.

    16 per parameter: 2 for the weight and 2 for its gradient in 16 bits, 12 for Adam. stage 0 keeps everything on each
    device; 1 divides Adam's state among them, 2 the gradients too, 3 the weights too (ZeRO; FSDP in torch).
    """
    if stage not in (0, 1, 2, 3):
        raise ValueError(f"bytes_per_device: stage is {stage}, expected 0, 1, 2 or 3")
    kinds = ((ADAM, 1), (GRADIENT, 2), (WEIGHT, 3))
    return parameters * sum(size / devices if stage >= divided_from else size for size, divided_from in kinds)
