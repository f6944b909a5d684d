"""Torch twin of `kb.learning.optimizers`: the same names and arguments around torch.optim itself.

Adam and AdamW run fused, the whole update in one kernel. For SGD and RMSprop torch's own choice is as fast or faster.
"""

import math

import torch

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "warmup": "a number; torch.optim.lr_scheduler.LinearLR",
    "cosine": "a number; torch.optim.lr_scheduler.CosineAnnealingLR",
    "warmup_cosine": "a number; torch.optim.lr_scheduler.SequentialLR of the two",
}
FUSED = {"cpu", "cuda", "mps", "xpu"}  # the devices for which torch has fused kernels


# ---- what is remembered ------------------------------------------------------------------------------------------
@checked
def velocity(buffer, grad, momentum=0.9, dampening=0.0):
    """The speed of a ball that rolls downhill.

    buffer (...), grad (...) -> (...)
    """
    return momentum * buffer + (1 - dampening) * grad


@checked
def running_mean(mean, value, beta):
    """An average that forgets.

    mean (...), value (...) -> (...)
    """
    return torch.lerp(mean, value, 1 - beta)


@checked
def adam_direction(exp_avg, exp_avg_sq, t, betas=(0.9, 0.999), eps=1e-8):
    """The usual gradient over the usual size of the gradient.

    exp_avg (...), exp_avg_sq (...) -> (...)
    """
    mean, square = exp_avg / (1 - betas[0] ** t), exp_avg_sq / (1 - betas[1] ** t)
    return mean / (square.sqrt() + eps)


# ---- the optimisers ----------------------------------------------------------------------------------------------
class Optimizer:
    """A torch optimiser that takes and returns flat dicts. It works on copies of its own, and hands out copies."""

    def __init__(self, params, optimizer, **options):
        # The fused kernels walk through memory: weights and gradient have to be stored in the same order.
        self._leaves = {n: p.detach().clone(memory_format=torch.contiguous_format) for n, p in params.items()}
        self._optimizer = optimizer(list(self._leaves.values()), **options)
        self.t = 0

    @property
    def params(self):
        """The weights as they are now."""
        return {name: leaf.clone() for name, leaf in self._leaves.items()}

    @property
    def lr(self):
        """The learning rate, which may be set between two steps."""
        return self._optimizer.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value):
        self._optimizer.param_groups[0]["lr"] = value

    @property
    def state(self):
        """What is remembered of each array of weights."""
        return {name: self._optimizer.state[leaf] for name, leaf in self._leaves.items()}

    def step(self, grads):
        """The weights after one more step. Raises ValueError unless `grads` has their names, shapes and dtypes."""
        _same_names_and_shapes(self, grads)
        for name, leaf in self._leaves.items():
            leaf.grad = grads[name].detach().contiguous()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.t += 1
        return self.params


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted."""

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False):
        options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, torch.optim.SGD, lr=lr, maximize=maximize, **options)


class RMSprop(Optimizer):
    """Each weight's gradient is divided by its usual size."""

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, *, maximize=False
    ):
        options = {"alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum, "centered": centered}
        super().__init__(params, torch.optim.RMSprop, lr=lr, maximize=maximize, **options)


class Adam(Optimizer):
    """Momentum and RMSProp together."""

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
        options = {"betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize}
        optimizer = torch.optim.AdamW if decoupled_weight_decay else torch.optim.Adam
        super().__init__(params, optimizer, lr=lr, fused=_has_a_fused_kernel(params), **options)


class AdamW(Adam):
    """Adam whose weight decay is decoupled."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *, maximize=False
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)


# ---- what is done before and around a step -----------------------------------------------------------------------
@checked
def clip_grad_norm(grads, max_norm, norm_type=2):
    """The gradient made shorter where it is longer than max_norm; and its length before.

    grads {} -> {}, ()
    """
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm: norm_type is {norm_type}, expected a number above 0, or inf")
    p = math.inf if norm_type == math.inf else norm_type
    total = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(grad, p) for grad in grads.values()]), p)
    scale = (max_norm / (total + 1e-6)).clamp(max=1)
    return {name: grad * scale for name, grad in grads.items()}, total


# ---- shared ------------------------------------------------------------------------------------------------------
def _has_a_fused_kernel(params):
    return all(p.device.type in FUSED and p.is_floating_point() for p in params.values()) or None


def _same_names_and_shapes(optimizer, grads):
    params, name = optimizer._leaves, type(optimizer).__name__
    if params.keys() != grads.keys():
        raise ValueError(f"{name}: grads has the names {list(grads)}, expected those of params {list(params)}")
    for key, p in params.items():
        if grads[key].shape != p.shape or grads[key].dtype != p.dtype:
            raise ValueError(
                f"{name}: grads[{key!r}] has shape {tuple(grads[key].shape)} and holds {grads[key].dtype}, "
                f"expected {tuple(p.shape)} and {p.dtype} as in params"
            )
