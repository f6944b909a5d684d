"""Gradient descent: a step against the gradient, again and again, theta <- theta - eta grad C(theta).

Source: Cauchy 1847, "Méthode générale pour la résolution des systèmes d'équations simultanées", Comptes rendus 25
"""

from kb.shapes import checked


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
