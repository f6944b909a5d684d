"""Torch twin of `kb.learning.gradient_descent`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "hessian": "measured, in NumPy; torch.func.hessian computes it",
    "kind_of_point": "a word for a table of numbers",
}


# ---- the method --------------------------------------------------------------------------------------------------
@checked
def step(params, grads, lr):
    """The weights after one step downhill.

    params {}, grads {} -> {}
    """
    if params.keys() != grads.keys():
        raise ValueError(f"step: grads has the names {list(grads)}, expected those of params {list(params)}")
    return {name: value - lr * grads[name] for name, value in params.items()}


@checked
def descend(gradient, x, lr, steps):
    """The whole walk: the point where it starts, and the point that each step leads to.

    x (...) -> (i, ...)
    """
    path = [x]
    for _ in range(steps):
        path.append(path[-1] - lr * gradient(path[-1]))
    return torch.stack(path)


@checked
def interpolate(params, other, fraction):
    """The network that lies on the straight line from one to another.

    params {}, other {} -> {}
    """
    if params.keys() != other.keys():
        raise ValueError(f"interpolate: other has the names {list(other)}, expected those of params {list(params)}")
    return {name: torch.lerp(value, other[name], fraction) for name, value in params.items()}


# ---- the bowl, where everything is known -------------------------------------------------------------------------
@checked
def quadratic(x, hessian):
    """A bowl with its bottom at 0: half of x^T H x.

    x (..., n), hessian (n, n) -> (...)
    """
    return torch.einsum("...i,ij,...j->...", x, hessian, x) / 2


@checked
def quadratic_gradient(x, hessian):
    """The gradient of the bowl: H x.

    x (..., n), hessian (n, n) -> (..., n)
    """
    return x @ hessian


@checked
def step_factors(hessian, lr):
    """By how much each step multiplies the distance from the bottom, along each axis of the bowl.

    hessian (n, n) -> (n)
    """
    return 1 - lr * torch.linalg.eigvalsh(hessian).flip(-1)


@checked
def largest_stable_lr(hessian):
    """The learning rate from which on gradient descent no longer comes down: 2 / lambda_max.

    hessian (n, n) -> ()
    """
    largest = torch.linalg.eigvalsh(hessian)[-1]
    if not largest > 0:
        raise ValueError(f"largest_stable_lr: hessian has the largest eigenvalue {largest}, expected one above 0")
    return 2 / largest


# ---- hills and valleys -------------------------------------------------------------------------------------------
@checked
def hills(x):
    """A landscape with many valleys, each of another depth.

    x (..., 2) -> (...)
    """
    u, v = x.unbind(-1)
    return u.sin() * v.cos() + x.square().sum(-1) / 20


@checked
def hills_gradient(x):
    """The gradient of hills.

    x (..., 2) -> (..., 2)
    """
    u, v = x.unbind(-1)
    return torch.stack([u.cos() * v.cos(), -u.sin() * v.sin()], -1) + x / 10


@checked
def product_fit(x):
    """The smallest deep network: two weights in a row, whose product should be 1.

    x (..., 2) -> (...)
    """
    return (x.prod(-1) - 1).square()


@checked
def product_fit_gradient(x):
    """The gradient of product_fit.

    x (..., 2) -> (..., 2)
    """
    return 2 * (x.prod(-1, keepdim=True) - 1) * x.flip(-1)
