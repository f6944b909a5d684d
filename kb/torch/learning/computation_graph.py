"""Torch twin of `kb.learning.computation_graph`: torch records a graph of its own, and has both modes."""

import torch

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "tape": "torch keeps its record in C++; tensor.grad_fn and its next_functions are the way in",
    "gradients": "tensor.backward() and torch.autograd.grad",
    "values": "every torch tensor can be recorded: requires_grad_()",
}


@checked
def jacobian_forward(f, x):
    """How each result of f answers to each of its inputs, one pass per input: a pass fills a column.

    x (n) -> (m, n)

    torch runs the passes side by side, as one batch.
    """
    slopes = torch.func.jacfwd(lambda x: torch.stack(f(list(x))))(x)
    return slopes.to(x.dtype)  # torch 2.13 makes the slope of 0.5 * (a float32 scalar) a float64


@checked
def jacobian_reverse(f, x):
    """How each result of f answers to each of its inputs, one walk back per result: a walk fills a row.

    x (n) -> (m, n)

    torch walks back for all results side by side, as one batch.
    """
    return torch.func.jacrev(lambda x: torch.stack(f(list(x))))(x)
