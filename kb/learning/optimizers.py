"""Optimisers: what is made of a gradient before it is subtracted from the weights.

Momentum averages the gradients of the last steps. RMSProp and Adam also divide by how large they usually are, one
weight at a time. All start from the same gradients; they differ in what they remember.

Source: Polyak 1964, "Some methods of speeding up the convergence of iteration methods" (momentum),
https://doi.org/10.1016/0041-5553(64)90137-5; Sutskever et al. 2013, "On the importance of initialization and momentum"
(Nesterov's, as used here), https://proceedings.mlr.press/v28/sutskever13.html; Hinton 2012, lecture 6e (RMSProp);
Kingma and Ba 2015, "Adam", algorithm 1, https://arxiv.org/abs/1412.6980; Loshchilov and Hutter 2019, "Decoupled weight
decay regularization", algorithm 2, https://arxiv.org/abs/1711.05101, and 2017, "SGDR", equation 5,
https://arxiv.org/abs/1608.03983; Reddi et al. 2018, "On the convergence of Adam and beyond" (amsgrad),
https://arxiv.org/abs/1904.09237; Pascanu et al. 2013, "On the difficulty of training recurrent neural networks",
algorithm 1 (clipping), https://arxiv.org/abs/1211.5063
"""

import math

import numpy as np

from kb.shapes import checked


# ---- what is remembered ------------------------------------------------------------------------------------------
@checked
def velocity(buffer, grad, momentum=0.9, dampening=0.0):
    """The speed of a ball that rolls downhill: most of the old speed, plus the new push.

    buffer (...), grad (...) -> (...)

    Under a constant gradient it grows to (1 - dampening) / (1 - momentum) times that gradient: ten times for 0.9.
    """
    return momentum * buffer + (1 - dampening) * grad


@checked
def running_mean(mean, value, beta):
    """An average that forgets: the share beta of what it was, and 1 - beta of what is new.

    mean (...), value (...) -> (...)

    It remembers about the last 1 / (1 - beta) values: ten for 0.9, a thousand for 0.999.
    """
    return mean + (1 - beta) * (value - mean)


@checked
def adam_direction(exp_avg, exp_avg_sq, t, betas=(0.9, 0.999), eps=1e-8):
    """The usual gradient over the usual size of the gradient: close to 1 or -1 where its sign never changes.

    exp_avg (...), exp_avg_sq (...) -> (...)

    `t` counts the steps from 1. Both averages started at 0; dividing by 1 - beta^t makes up for that.
    """
    size = np.sqrt(exp_avg_sq) / math.sqrt(1 - betas[1] ** t) + eps
    return exp_avg / ((1 - betas[0] ** t) * size)


# ---- the optimisers ----------------------------------------------------------------------------------------------
class Optimizer:
    """What all of them share: the weights, what is remembered of each, and the number of steps taken.

    `params` is a flat dict of arrays; `step(grads)` returns the next one and keeps it as `.params`. No array that was
    handed in or out is ever changed. `.lr` may be set between two steps, as schedules do; `.state` holds what is
    remembered, under torch's names.
    """

    def __init__(self, params, lr, weight_decay, maximize):
        _refuse_negative(self, lr=lr, weight_decay=weight_decay)
        self.params, self.lr, self.weight_decay, self.maximize = dict(params), lr, weight_decay, maximize
        self.state: dict[str, dict] = {name: {} for name in params}
        self.t = 0

    def step(self, grads):
        """The weights after one more step. Raises ValueError unless `grads` has their names, shapes and dtypes."""
        _same_names_and_shapes(self, grads)
        self.t += 1
        lr, stepped = float(self.lr), {}
        for name, p in self.params.items():
            grad = -grads[name] if self.maximize else grads[name]
            stepped[name], self.state[name] = self._stepped(p, grad, self.state[name], lr)
        self.params = stepped
        return dict(stepped)

    def _stepped(self, p, grad, state, lr):
        """One array of weights and what is remembered of it, after the step."""
        raise NotImplementedError

    def _with_decay(self, p, grad):
        """The gradient of the cost with weight_decay / 2 times the squared weights added to it."""
        return grad + self.weight_decay * p if self.weight_decay else grad


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted: against the velocity instead of against the gradient.

    Nesterov's momentum looks ahead: against what the velocity will be if this gradient comes once more.
    """

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False):
        super().__init__(params, lr, weight_decay, maximize)
        _refuse_negative(self, momentum=momentum)
        if nesterov and (not momentum or dampening):
            raise ValueError("SGD: nesterov needs a momentum above 0 and a dampening of 0")
        self.momentum, self.dampening, self.nesterov = momentum, dampening, nesterov

    def _stepped(self, p, grad, state, lr):
        grad = self._with_decay(p, grad)
        if not self.momentum:
            return p - lr * grad, state
        buffer = state.get("momentum_buffer")
        buffer = grad.copy() if buffer is None else velocity(buffer, grad, self.momentum, self.dampening)
        direction = grad + self.momentum * buffer if self.nesterov else buffer
        return p - lr * direction, {"momentum_buffer": buffer}


class RMSprop(Optimizer):
    """Each weight's gradient is divided by its usual size, the root of a running mean of its square.

    `centered` divides by the usual distance from the mean instead; `momentum` averages the results.
    """

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, *, maximize=False
    ):
        super().__init__(params, lr, weight_decay, maximize)
        _refuse_negative(self, alpha=alpha, eps=eps, momentum=momentum)
        self.alpha, self.eps, self.momentum, self.centered = alpha, eps, momentum, centered

    def _stepped(self, p, grad, state, lr):
        grad = self._with_decay(p, grad)
        old = state or dict.fromkeys(("square_avg", "grad_avg", "momentum_buffer"), np.zeros_like(p))
        new = {"square_avg": running_mean(old["square_avg"], grad * grad, self.alpha)}
        variance = new["square_avg"]
        if self.centered:
            new["grad_avg"] = running_mean(old["grad_avg"], grad, self.alpha)
            variance = variance - new["grad_avg"] * new["grad_avg"]
        direction = grad / (np.sqrt(variance) + self.eps)
        if self.momentum:
            direction = new["momentum_buffer"] = velocity(old["momentum_buffer"], direction, self.momentum)
        return p - lr * direction, new


class Adam(Optimizer):
    """Momentum and RMSProp together: the running mean of the gradient over the root of that of its square.

    `amsgrad` divides by the largest size so far. Weight decay is added to the gradient, so it is divided too, or with
    `decoupled_weight_decay` taken off the weights themselves.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        maximize=False,
        decoupled_weight_decay=False,
    ):
        super().__init__(params, lr, weight_decay, maximize)
        _refuse_negative(self, eps=eps)
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"{type(self).__name__}: betas is {betas}, expected two numbers from 0 up to, but not, 1")
        self.betas, self.eps, self.amsgrad = betas, eps, amsgrad
        self.decoupled_weight_decay = decoupled_weight_decay

    def _stepped(self, p, grad, state, lr):
        if self.decoupled_weight_decay:
            p = p * (1 - lr * self.weight_decay)
        else:
            grad = self._with_decay(p, grad)
        old = state or dict.fromkeys(("exp_avg", "exp_avg_sq", "max_exp_avg_sq"), np.zeros_like(p))
        new = {
            "exp_avg": running_mean(old["exp_avg"], grad, self.betas[0]),
            "exp_avg_sq": running_mean(old["exp_avg_sq"], grad * grad, self.betas[1]),
        }
        square = new["exp_avg_sq"]
        if self.amsgrad:
            square = new["max_exp_avg_sq"] = np.maximum(old["max_exp_avg_sq"], square)
        return p - lr * adam_direction(new["exp_avg"], square, self.t, self.betas, self.eps), new


class AdamW(Adam):
    """Adam whose weight decay is decoupled: each step takes the share lr * weight_decay off every weight alike."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *, maximize=False
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)


# ---- what is done before and around a step -----------------------------------------------------------------------
@checked
def clip_grad_norm(grads, max_norm, norm_type=2):
    """The gradient made shorter where it is longer than max_norm, its direction kept; and its length before.

    grads {} -> {}, ()

    All arrays count as one long vector, whose length is the root of the sum of squares; with norm_type p the p-th root
    of the sum of p-th powers, with inf the largest entry. 1e-6 is added to the length, as torch does, so a gradient of
    0 stays 0. Raises ValueError for a norm_type that is not above 0.
    """
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm: norm_type is {norm_type}, expected a number above 0, or inf")
    total = _total_norm(list(grads.values()), norm_type)
    scale = np.minimum(max_norm / (total + 1e-6), 1)
    return {name: grad * scale for name, grad in grads.items()}, total


def _total_norm(grads, p):
    if p == 2:
        return np.sqrt(sum(np.sum(grad * grad) for grad in grads))
    if p == math.inf:
        return np.max(np.stack([np.max(np.abs(grad)) for grad in grads]))
    return sum(np.sum(np.abs(grad) ** p) for grad in grads) ** (1 / p)


def warmup(t, steps):
    """The share of the learning rate at step t, counted from 0: 1/steps, 2/steps, ... and 1 from then on."""
    return min(1.0, (t + 1) / steps)


def cosine(t, steps, lr, lr_min=0.0):
    """The learning rate at step t of a half wave: lr at step 0, slowly, then faster, then slowly down to lr_min.

    From t = steps on it stays at lr_min (torch's CosineAnnealingLR would climb again).
    """
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * min(t / steps, 1.0))) / 2


def warmup_cosine(t, steps, warmup_steps, lr, lr_min=0.0):
    """The learning rate at step t of 0..steps: up in a straight line for warmup_steps, then down along a cosine.

    Raises ValueError unless warmup_steps is below steps.
    """
    if not 0 <= warmup_steps < steps:
        raise ValueError(f"warmup_cosine: warmup_steps is {warmup_steps}, expected 0 up to, but not, steps = {steps}")
    if t < warmup_steps:
        return lr * warmup(t, warmup_steps)
    return cosine(t - warmup_steps, steps - warmup_steps, lr, lr_min)


# ---- shared ------------------------------------------------------------------------------------------------------
def _refuse_negative(optimizer, **values):
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{type(optimizer).__name__}: {name} is {value}, expected at least 0")


def _same_names_and_shapes(optimizer, grads):
    params, name = optimizer.params, type(optimizer).__name__
    if params.keys() != grads.keys():
        raise ValueError(f"{name}: grads has the names {list(grads)}, expected those of params {list(params)}")
    for key, p in params.items():
        if grads[key].shape != p.shape:
            raise ValueError(f"{name}: grads[{key!r}] has shape {grads[key].shape}, expected {p.shape} as in params")
        if grads[key].dtype != p.dtype:
            raise ValueError(f"{name}: grads[{key!r}] holds {grads[key].dtype}, expected {p.dtype} as in params")
