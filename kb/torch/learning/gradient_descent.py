"""Torch twin of `kb.learning.gradient_descent`: the same names and arguments; runs where its tensors live."""

from kb.shapes import checked


@checked
def step(params, grads, lr):
    """The weights after one step downhill.

    params {}, grads {} -> {}
    """
    if params.keys() != grads.keys():
        raise ValueError(f"step: grads has the names {list(grads)}, expected those of params {list(params)}")
    return {name: value - lr * grads[name] for name, value in params.items()}
