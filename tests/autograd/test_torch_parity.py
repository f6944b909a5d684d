"""The same function in NumPy and in torch, float64: equal values, and equal gradients for every argument.

The functions stand here as one would write them with no thought of the engine; it sees nothing but their NumPy calls.
"""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from kb.autograd.tensor import Tensor, value_and_grad

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape)


# ---- plain NumPy -----------------------------------------------------------------------------------------------------
def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x, axis=-1):
    z = x - np.max(x, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


def cross_entropy(logits, target):
    return -np.mean(log_softmax(logits)[np.arange(len(target)), target])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def linear(x, weight, bias):
    return x @ np.swapaxes(weight, -1, -2) + bias


def layer_norm(x, weight, bias, eps=1e-5):
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return weight * (centred / np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)) + bias


def group_norm(x, weight, bias, groups, eps=1e-5):
    y = np.reshape(x, (len(x), groups, -1))
    y = (y - np.mean(y, axis=-1, keepdims=True)) / np.sqrt(np.var(y, axis=-1, keepdims=True) + eps)
    return np.reshape(y, x.shape) * weight[:, None, None] + bias[:, None, None]


def attention(q, k, v, mask=None):
    scores = q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1]))
    return softmax(scores if mask is None else np.where(mask, scores, -np.inf)) @ v


def conv2d(x, weight, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("bchwkl,ockl->bohw", windows, weight, optimize=True)


def max_pool2d(x, size):
    return np.max(sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::size, ::size], axis=(-2, -1))


def swish(x):
    return x * sigmoid(x)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def cosine_similarity(a, b):
    return np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def rope(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + np.concatenate([-x[..., half:], x[..., :half]], axis=-1) * sin


# ---- the pairs -------------------------------------------------------------------------------------------------------
TARGET = np.array([1, 0, 3, 3])
ANGLE = normal(5, 4)
MASK = rng.random((3, 4)) < 0.5
t = torch.tensor

CASES = {
    # arithmetic and broadcasting
    "add": (lambda a, b: a + b, lambda a, b: a + b, normal(3, 4), normal(4)),
    "multiply": (lambda a, b: a * b, lambda a, b: a * b, normal(2, 3, 4), normal(3, 1)),
    "divide": (lambda a, b: a / b, lambda a, b: a / b, normal(3, 4), normal(1, 4) + 3),
    "number on the left": (lambda a: 2.0 - a / 3, lambda a: 2.0 - a / 3, normal(3, 4)),
    "array on the left": (lambda a: np.arange(4.0) * a, lambda a: torch.arange(4.0) * a, normal(3, 4)),
    "NumPy number on the left": (lambda a: np.float64(3) * a, lambda a: 3 * a, normal(3, 4)),
    "fan-out": (lambda x: x * x + np.sin(x) * x + x, lambda x: x * x + torch.sin(x) * x + x, normal(3)),
    "remainder": (np.remainder, torch.remainder, np.array([5.5, -3.0, 4.0]), np.array([2.0, 2.0, -3.0])),
    # elementwise
    "power": (lambda a: a**3, lambda a: a**3, normal(3, 4)),
    "power of zero": (lambda a: a**2 + a**1 + a**0, lambda a: a**2 + a**1 + a**0, np.array([0.0, 1.0])),
    "exponential": (lambda a: 2.0**a, lambda a: 2.0**a, normal(3)),
    "power of both": (np.power, torch.pow, np.array([0.0, 0.0, 2.0]), np.array([1.0, 2.0, -3.0])),
    "relu": (lambda x: np.maximum(x, 0), F.relu, np.array([-1.0, 0.0, 2.0])),
    "maximum, ties": (np.maximum, torch.maximum, np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])),
    "minimum, ties": (np.minimum, torch.minimum, np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])),
    "clip": (lambda x: np.clip(x, -1, 1), lambda x: torch.clamp(x, -1, 1), np.array([-2.0, -1.0, 0.0, 1.0, 2.0])),
    "abs": (np.abs, torch.abs, np.array([-1.0, 0.0, 2.0])),
    "copysign": (lambda x: np.copysign(x, -1.0), lambda x: torch.copysign(x, t(-1.0)), np.array([-2.0, 0.0, 3.0])),
    "logaddexp": (np.logaddexp, torch.logaddexp, normal(3), normal(3)),
    "hypot": (np.hypot, torch.hypot, normal(3), normal(3)),
    "arctan2": (np.arctan2, torch.arctan2, normal(3), normal(3)),
    "where": (lambda a, b: np.where(a > b, a * 2, b), lambda a, b: torch.where(a > b, a * 2, b), normal(9), normal(9)),
    "leaky relu": (lambda a: np.where(a > 0, a, 0.1 * a), lambda a: F.leaky_relu(a, 0.1), normal(3, 4)),
    "where of a mask": (lambda a: np.where(MASK, a, 0), lambda a: torch.where(t(MASK), a, 0.0), normal(3, 4)),
    # reductions
    "max, ties": (
        lambda x: np.max(x, axis=1),
        lambda x: torch.amax(x, 1),
        np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]),
    ),
    "max": (lambda x: x.max(axis=-1), lambda x: torch.amax(x, -1), normal(3, 5)),
    "mean": (lambda x: x.mean(axis=(0, 2), keepdims=True), lambda x: x.mean((0, 2), keepdim=True), normal(2, 3, 4)),
    "var": (lambda x: np.var(x, axis=-1), lambda x: x.var(-1, unbiased=False), normal(3, 5)),
    "var, unbiased": (lambda x: np.var(x, axis=-1, ddof=1), lambda x: x.var(-1), normal(3, 5)),
    "std": (lambda x: x.std(axis=0), lambda x: x.std(0, unbiased=False), normal(3, 5)),
    "std of equal numbers": (lambda x: x.std(), lambda x: x.std(unbiased=False), np.ones(3)),
    "add.reduce": (lambda x: np.add.reduce(x, axis=1), lambda x: x.sum(1), normal(3, 4)),
    "prod": (lambda x: np.prod(x, axis=1), lambda x: x.prod(1), np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 3.0]])),
    "norm of zero": (np.linalg.norm, torch.linalg.norm, np.zeros(3)),
    "cumsum": (lambda x: np.cumsum(x, axis=-1), lambda x: torch.cumsum(x, -1), normal(2, 5)),
    # products
    "matrix @ matrix": (lambda a, b: a @ b, lambda a, b: a @ b, normal(3, 4), normal(4, 2)),
    "array @": (lambda a: np.ones((2, 3)) @ a, lambda a: torch.ones(2, 3, dtype=a.dtype) @ a, normal(3, 4)),
    "matrix @ vector": (lambda a, b: a @ b, lambda a, b: a @ b, normal(3, 4), normal(4)),
    "vector @ matrix": (lambda a, b: a @ b, lambda a, b: a @ b, normal(3), normal(3, 4)),
    "vector @ vector": (lambda a, b: a @ b, lambda a, b: a @ b, normal(4), normal(4)),
    "batch @ batch": (lambda a, b: a @ b, lambda a, b: a @ b, normal(2, 1, 3, 4), normal(5, 4, 2)),
    "batch @ vector": (lambda a, b: a @ b, lambda a, b: a @ b, normal(2, 3, 4), normal(4)),
    "einsum": (
        lambda a, b: np.einsum("bhqd,bhkd->bhqk", a, b),
        lambda a, b: torch.einsum("bhqd,bhkd->bhqk", a, b),
        normal(2, 3, 4, 5),
        normal(2, 3, 6, 5),
    ),
    "einsum with dots": (
        lambda a, b: np.einsum("...ij,jk->...ik", a, b),
        lambda a, b: torch.einsum("...ij,jk->...ik", a, b),
        normal(2, 3, 4),
        normal(4, 5),
    ),
    "einsum, summed alone": (
        lambda a, b: np.einsum("ij,k->k", a, b),
        lambda a, b: torch.einsum("ij,k->k", a, b),
        normal(2, 3),
        normal(4),
    ),
    "einsum of three": (
        lambda a, b, c: np.einsum("ij,jk,kl->il", a, b, c),
        lambda a, b, c: torch.einsum("ij,jk,kl->il", a, b, c),
        normal(2, 3),
        normal(3, 4),
        normal(4, 2),
    ),
    # movement
    "embedding": (lambda w: w[TARGET], lambda w: w[t(TARGET)], normal(4, 3)),
    "mask index": (lambda x: x[MASK], lambda x: x[t(MASK)], normal(3, 4)),
    "strided slice": (lambda x: x[:, ::2, None, -1], lambda x: x[:, ::2, None, -1], normal(2, 5, 3)),
    "iteration": (lambda x: sum(list(x)), lambda x: x.sum(0), normal(3, 4)),
    "concatenate": (
        lambda a, b: np.concatenate([a, b], -1),
        lambda a, b: torch.cat([a, b], -1),
        normal(3, 4),
        normal(3, 2),
    ),
    "stack": (lambda a, b: np.stack([a, b], axis=1), lambda a, b: torch.stack([a, b], 1), normal(3, 4), normal(3, 4)),
    "split": (lambda a: np.split(a, [1, 3], axis=1)[1] ** 2, lambda a: a[:, 1:3] ** 2, normal(2, 4)),
    "take along": (
        lambda x: np.take_along_axis(x, TARGET[:2, None], axis=1),
        lambda x: torch.gather(x, 1, t(TARGET[:2, None])),
        normal(2, 3),
    ),
    "tril": (np.tril, torch.tril, normal(4, 4)),
    "transpose": (lambda x: x.transpose(2, 0, 1), lambda x: x.permute(2, 0, 1), normal(2, 3, 4)),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1), lambda x: torch.movedim(x, 0, -1), normal(2, 3, 4)),
    "flip and roll": (
        lambda x: np.roll(np.flip(x, 0), 1, axis=1) * np.arange(4.0),
        lambda x: torch.roll(torch.flip(x, (0,)), 1, 1) * torch.arange(4.0),
        normal(3, 4),
    ),
    "broadcast_to": (lambda x: np.broadcast_to(x, (5, 3, 4)) * 1.0, lambda x: x.expand(5, 3, 4) * 1.0, normal(3, 1)),
    "tile": (lambda x: np.tile(x, (2, 3)), lambda x: x.tile((2, 3)), normal(2, 2)),
    "sort": (np.sort, lambda x: torch.sort(x)[0], normal(2, 5)),
    "diagonal": (lambda x: np.diagonal(x, 1), lambda x: torch.diagonal(x, 1), normal(3, 4)),
    "upsample": (
        lambda x: np.repeat(np.repeat(x, 2, axis=2), 2, axis=3),
        lambda x: F.interpolate(x, scale_factor=2),
        normal(2, 3, 4, 5),
    ),
    # what networks are made of
    "softmax": (softmax, lambda x: torch.softmax(x, -1), normal(2, 5, 7)),
    "log softmax": (log_softmax, lambda x: torch.log_softmax(x, -1), normal(5, 7)),
    "cross-entropy": (lambda x: cross_entropy(x, TARGET), lambda x: F.cross_entropy(x, t(TARGET)), normal(4, 6)),
    "linear": (linear, F.linear, normal(2, 3, 5), normal(4, 5), normal(4)),
    "layer norm": (layer_norm, lambda x, w, b: F.layer_norm(x, (8,), w, b), normal(2, 3, 8), normal(8), normal(8)),
    "group norm": (
        lambda x, w, b: group_norm(x, w, b, 2),
        lambda x, w, b: F.group_norm(x, 2, w, b),
        normal(2, 4, 3, 5),
        normal(4),
        normal(4),
    ),
    "gelu": (gelu, lambda x: F.gelu(x, approximate="tanh"), normal(3, 4)),
    "silu": (swish, F.silu, normal(3, 4)),
    "softplus": (softplus, F.softplus, normal(3, 4)),
    "cosine similarity": (cosine_similarity, F.cosine_similarity, normal(3, 4), normal(3, 4)),
    "normalise": (
        lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True),
        lambda x: F.normalize(x, dim=-1),
        normal(3, 4),
    ),
    "rotary positions": (
        lambda x: rope(x, np.cos(ANGLE), np.sin(ANGLE)),
        lambda x: x * t(ANGLE).cos() + torch.cat([-x[..., 2:], x[..., :2]], -1) * t(ANGLE).sin(),
        normal(2, 5, 4),
    ),
    "attention": (
        attention,
        F.scaled_dot_product_attention,
        normal(2, 3, 5, 4),
        normal(2, 3, 6, 4),
        normal(2, 3, 6, 7),
    ),
    "causal attention": (
        lambda q, k, v: attention(q, k, v, np.tri(5, dtype=bool)),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        *(normal(2, 3, 5, 4), normal(2, 3, 5, 4), normal(2, 3, 5, 4)),
    ),
    "conv2d": (
        lambda x, w: conv2d(x, w, padding=1),
        lambda x, w: F.conv2d(x, w, padding=1),
        normal(2, 3, 7, 8),
        normal(4, 3, 3, 3),
    ),
    "conv2d with stride": (
        lambda x, w: conv2d(x, w, stride=2, padding=1),
        lambda x, w: F.conv2d(x, w, stride=2, padding=1),
        normal(2, 3, 8, 8),
        normal(4, 3, 3, 3),
    ),
    "max pool": (lambda x: max_pool2d(x, 2), lambda x: F.max_pool2d(x, 2), normal(2, 3, 6, 6)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradients_equal_torchs(name):
    numpy_function, torch_function, *arrays = CASES[name]
    ours, theirs = [Tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    out, reference = numpy_function(*ours), torch_function(*theirs)
    np.testing.assert_allclose(out.data, reference.detach().numpy(), rtol=1e-10, atol=1e-10)
    seed = np.random.default_rng(1).standard_normal(out.shape)
    out.backward(seed)
    reference.backward(torch.tensor(seed))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-10)


def lstm(weights, x):
    """torch.nn.LSTM for one layer, gates in the order i, f, g, o: the last hidden state.   x (b, t, d) -> (b, n)"""
    n = weights["weight_hh_l0"].shape[1]
    h = c = np.zeros((len(x), n))
    for step in range(x.shape[1]):
        z = x[:, step] @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
        z = z + h @ weights["weight_hh_l0"].T + weights["bias_hh_l0"]
        i, f, g, o = (z[:, k * n : (k + 1) * n] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def test_an_lstm_of_600_steps():
    # 12,000 recorded operations one behind the other: far beyond the depth at which a recursion breaks
    torch.manual_seed(0)
    model = torch.nn.LSTM(3, 4, batch_first=True).double()
    weights = {name: p.detach().numpy().copy() for name, p in model.named_parameters()}
    x = np.random.default_rng(2).standard_normal((2, 600, 3))
    value, gradients = value_and_grad(lambda weights: np.sum(lstm(weights, x) ** 2))(weights)
    loss = (model(torch.tensor(x))[1][0] ** 2).sum()
    loss.backward()
    np.testing.assert_allclose(value, loss.item(), rtol=1e-10)
    for name, p in model.named_parameters():
        np.testing.assert_allclose(gradients[name], p.grad.numpy(), rtol=1e-8, atol=1e-12, err_msg=name)


def test_training_in_float32_follows_torch():
    """30 steps of gradient descent on a small network: the two losses differ by rounding only."""
    init = np.random.default_rng(3)
    sizes = {"0.weight": (16, 8), "0.bias": (16,), "1.weight": (5, 16), "1.bias": (5,)}
    params = {k: (0.5 * init.standard_normal(s)).astype(np.float32) for k, s in sizes.items()}
    x, target = init.standard_normal((32, 8)).astype(np.float32), init.integers(0, 5, 32)

    def loss(p):
        return cross_entropy(linear(gelu(linear(x, p["0.weight"], p["0.bias"])), p["1.weight"], p["1.bias"]), target)

    twins = {k: torch.tensor(p, requires_grad=True) for k, p in params.items()}
    for _ in range(30):
        value, gradients = value_and_grad(loss)(params)
        hidden = F.gelu(F.linear(t(x), twins["0.weight"], twins["0.bias"]), approximate="tanh")
        reference = F.cross_entropy(F.linear(hidden, twins["1.weight"], twins["1.bias"]), t(target))
        theirs = torch.autograd.grad(reference, list(twins.values()))
        assert value == pytest.approx(reference.item(), rel=1e-5)
        params = {k: p - np.float32(0.1) * gradients[k] for k, p in params.items()}
        twins = {k: (p - 0.1 * g).detach().requires_grad_() for (k, p), g in zip(twins.items(), theirs, strict=True)}
    assert {p.dtype for p in params.values()} == {np.dtype(np.float32)}
