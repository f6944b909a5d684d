"""The chain rule on a recorded graph: walk from the result back to the leaves, newest Tensor first.

Each step asks one question of one recorded call, out = func(args): given dL/d(out), what is dL/d(argument)? The answer
is a row of the table VJP. Three things are done here, once, for all functions: the gradients of a Tensor that was used
several times are added up; a gradient is summed over the axes along which NumPy had broadcast its argument; and it is
brought to the dtype of its argument.

Source: A. G. Baydin et al., "Automatic differentiation in machine learning: a survey", JMLR 18 (2018), section 3.2,
https://arxiv.org/abs/1502.05767
"""

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from kb.autograd.rules import VJP
from kb.protocol import Traced


def tape(root: Any, since: int = 0) -> list:
    """Everything that `root` was made from, newest first (not looking behind what is older than `since`).

    A loop and a sort, not a recursion: a recurrent network of 600 steps is deeper than Python's stack.
    """
    seen, stack = {id(root): root}, [root]
    while stack:
        for a in stack.pop()._args:
            if isinstance(a, Traced) and id(a) not in seen:
                seen[id(a)] = a
                if a._order >= since:
                    stack.append(a)
    return sorted(seen.values(), key=operator.attrgetter("_order"), reverse=True)


def backpropagate(nodes: list, seed: Any, again: bool = False) -> Iterator[tuple[Any, Any]]:
    """The chain rule along a tape: each Tensor with its finished gradient, newest first.

    A Tensor that was used twice gets the sum of both gradients, and it is complete when its turn comes, because all its
    users are newer. With `again`, the rules get the Tensors instead of their arrays: then the backward pass is recorded
    as well, and the gradients, Tensors themselves, can be differentiated again.
    """
    seed = seed if isinstance(seed, Traced) else np.asarray(seed, nodes[0].dtype)
    if seed.shape != nodes[0].shape:
        raise ValueError(f"the seed dL/d(out) has shape {seed.shape}, the result {nodes[0].shape}")
    plain, oldest = not again and not isinstance(seed, Traced), nodes[-1]._order
    grads, ours = {id(nodes[0]): seed}, set()  # ours: sums that this loop made itself and may add to in place
    for t in nodes:
        g = grads.pop(id(t), None)
        if g is None:
            continue
        yield t, g
        out, args = (t, t._args) if again else (t.data, t._raw)
        for i, a in enumerate(t._args):
            if not isinstance(a, Traced) or a._order < oldest or (rule := VJP[t._func][i]) is None:
                continue
            d, key = bring_home(rule(g, out, *args, **t._kwargs), a.data), id(a)
            if key not in grads:
                grads[key] = d
            elif key in ours:
                grads[key] += d
            else:
                grads[key] = grads[key] + d
                if plain and type(grads[key]) is np.ndarray:
                    ours.add(key)


def bring_home(g: Any, x: np.ndarray) -> Any:
    """A gradient has the shape and the dtype of what it is the gradient of; this is the one place that sees to it."""
    if g.shape != x.shape:
        g = unbroadcast(g, x.shape)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` down to `shape`: what broadcasting copied forwards is added up backwards."""
    if g.ndim > len(shape):  # axes that broadcasting put in front
        g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    if g.shape != shape:  # axes of length 1 that it stretched
        g = g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)
    if g.shape != shape:
        raise RuntimeError(f"a derivative rule returned shape {g.shape} for an argument of shape {shape}")
    return g
