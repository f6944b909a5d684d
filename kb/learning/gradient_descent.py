"""Gradient descent: a step against the gradient, again and again, theta <- theta - eta grad C(theta).

How long the steps may be is decided by how sharply the cost curves: see `quadratic` and `largest_stable_lr`. Where
the walk ends is decided by where it began: see `hills`, `product_fit` and `kind_of_point`.

Source: Cauchy 1847, "Méthode générale pour la résolution des systèmes d'équations simultanées", Comptes rendus 25;
Polyak 1964, "Some methods of speeding up the convergence of iteration methods", sections 1 and 2 (the quadratic),
https://doi.org/10.1016/0041-5553(64)90137-5
"""

import numpy as np

from kb.shapes import checked


# ---- the method --------------------------------------------------------------------------------------------------
@checked
def step(params, grads, lr):
    """The weights after one step downhill: each moves against its own component of the gradient, times `lr`.

    params {}, grads {} -> {}

    Raises ValueError when `grads` has not exactly the names and shapes of `params`.
    """
    if params.keys() != grads.keys():
        raise ValueError(f"step: grads has the names {list(grads)}, expected those of params {list(params)}")
    for name, value in params.items():
        if grads[name].shape != value.shape:
            raise ValueError(
                f"step: grads[{name!r}] has shape {grads[name].shape}, expected {value.shape} as in params"
            )
    return {name: value - lr * grads[name] for name, value in params.items()}


@checked
def descend(gradient, x, lr, steps):
    """The whole walk: the point where it starts, and the point that each step leads to.

    x (...) -> (i, ...)

    `gradient(x)` has the shape of x; i is steps + 1. A step that is too long may end beyond all floats: NumPy warns.
    """
    path = [x]
    for _ in range(steps):
        path.append(path[-1] - lr * gradient(path[-1]))
    return np.stack(path)


@checked
def interpolate(params, other, fraction):
    """The network that lies on the straight line from one to another: at 0 the first, at 1 the other.

    params {}, other {} -> {}

    Below 0 and above 1 the line goes on. Raises ValueError when the names differ.
    """
    if params.keys() != other.keys():
        raise ValueError(f"interpolate: other has the names {list(other)}, expected those of params {list(params)}")
    return {name: value + fraction * (other[name] - value) for name, value in params.items()}


# ---- the bowl, where everything is known -------------------------------------------------------------------------
@checked
def quadratic(x, hessian):
    """A bowl with its bottom at 0: half of x^T H x. Every smooth valley looks like one close to its bottom.

    x (..., n), hessian (n, n) -> (...)

    `hessian` is symmetric; its eigenvalues are the curvatures along the bowl's axes.
    """
    return np.sum(x @ hessian * x, axis=-1) / 2


@checked
def quadratic_gradient(x, hessian):
    """The gradient of the bowl: H x.

    x (..., n), hessian (n, n) -> (..., n)
    """
    return x @ hessian


@checked
def step_factors(hessian, lr):
    """By how much each step multiplies the distance from the bottom, along each axis of the bowl: 1 - eta lambda.

    hessian (n, n) -> (n)

    In the order of falling curvature, so the first is the smallest. Below 0 the walk jumps across the valley; beyond
    -1 it jumps higher each time.
    """
    return 1 - lr * np.linalg.eigvalsh(hessian)[::-1]


@checked
def largest_stable_lr(hessian):
    """The learning rate from which on gradient descent no longer comes down: 2 / lambda_max.

    hessian (n, n) -> ()

    Only the steepest curvature counts. Raises ValueError where none is above 0: there is no bowl.
    """
    largest = np.linalg.eigvalsh(hessian)[-1]
    if not largest > 0:
        raise ValueError(f"largest_stable_lr: hessian has the largest eigenvalue {largest}, expected one above 0")
    return 2 / largest


# ---- hills and valleys -------------------------------------------------------------------------------------------
@checked
def hills(x):
    """A landscape with many valleys, each of another depth: sin(x) cos(y) + (x^2 + y^2) / 20.

    x (..., 2) -> (...)
    """
    u, v = x[..., 0], x[..., 1]
    return np.sin(u) * np.cos(v) + (u * u + v * v) / 20


@checked
def hills_gradient(x):
    """The gradient of hills.

    x (..., 2) -> (..., 2)
    """
    u, v = x[..., 0], x[..., 1]
    return np.stack([np.cos(u) * np.cos(v) + u / 10, v / 10 - np.sin(u) * np.sin(v)], axis=-1)


@checked
def product_fit(x):
    """The smallest deep network: two weights in a row, whose product should be 1. Its cost is (u v - 1)^2.

    x (..., 2) -> (...)

    It has a saddle point at 0, 0 and a whole curve of lowest points, u v = 1, along which it is flat.
    """
    error = x[..., 0] * x[..., 1] - 1
    return error * error


@checked
def product_fit_gradient(x):
    """The gradient of product_fit: 2 (u v - 1) times (v, u).

    x (..., 2) -> (..., 2)
    """
    u, v = x[..., 0], x[..., 1]
    return np.stack([2 * (u * v - 1) * v, 2 * (u * v - 1) * u], axis=-1)


# ---- what kind of place ------------------------------------------------------------------------------------------
def hessian(gradient, x, h=1e-5):
    """How the gradient at x, an array of n numbers, answers to each of them: the n x n table of second derivatives.

    Measured: each number is nudged by h either way. The two halves of the table, equal but for rounding, are
    averaged. The error is of order h^2 plus rounding over h, so use float64.
    """
    nudges = h * np.eye(len(x), dtype=x.dtype)
    rows = np.stack([(gradient(x + nudge) - gradient(x - nudge)) / (2 * h) for nudge in nudges])
    return (rows + rows.T) / 2


def kind_of_point(hessian, flat=1e-6):
    """What a place without slope is, by its curvatures: "minimum", "maximum", "saddle point" or "flat".

    They rise in every direction, fall in every direction, or rise in some and fall in others. "flat" is undecided:
    a curvature is at most `flat` times the largest, counts as 0, and the others agree.
    """
    curvatures = np.linalg.eigvalsh(hessian)
    level = flat * np.max(np.abs(curvatures))
    up, down = np.any(curvatures > level), np.any(curvatures < -level)
    if up and down:
        return "saddle point"
    if np.any(np.abs(curvatures) <= level):
        return "flat"
    return "minimum" if up else "maximum"
