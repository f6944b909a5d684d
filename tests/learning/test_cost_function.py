from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

import kb.torch.learning.cost_function as kt
from kb.autograd.tensor import grad
from kb.foundations.softmax import log_softmax
from kb.learning.cost_function import (
    cost,
    cross_entropy,
    cross_entropy_backward,
    mse_loss,
    nll_loss,
    perplexity,
    sigmoid_cross_entropy_backward,
    sigmoid_squared_error_backward,
    squared_error,
    squared_error_backward,
)
from tests.contract import Case, contract, gpu_contract

WEIGHT = np.array([0.5, 2.0, 1.0, 0.0, 3.0])
TARGET = np.array([4, 0, 1, 4])
SOME_IGNORED = np.array([4, -100, 1, 2])
PIXELS = np.array([[[4, 0, 1], [2, 3, 3]], [[0, 0, 2], [1, 1, 4]]])
REDUCTIONS = ("mean", "sum", "none")

CASES = [
    Case(squared_error, a=(5, 4), y=(5, 4)),
    Case(squared_error, a=(4,), y=(4,)),
    Case(squared_error_backward, a=(5, 4), y=(5, 4)),
    Case(cost, a=(5, 4), y=(5, 4)),
    Case(cost, a=(2, 5, 4), y=(2, 5, 4)),
    *(Case(mse_loss, x=(5, 4), y=(5, 4), reduction=reduction) for reduction in REDUCTIONS),
    *(
        Case(
            cross_entropy,
            differentiable=["logits"],  # torch refuses to differentiate by the class weights
            logits=(4, 5),
            target=target,
            weight=weight,
            reduction=reduction,
            label_smoothing=smoothing,
        )
        for target, weight, reduction, smoothing in product(
            (TARGET, SOME_IGNORED), (None, WEIGHT), REDUCTIONS, (0.0, 0.1, 1.0)
        )
    ),
    Case(cross_entropy, logits=(4, 5), target=TARGET, ignore_index=4),
    *(
        Case(
            cross_entropy,
            differentiable=["logits"],
            logits=shape,
            target=target,
            weight=WEIGHT,
            ignore_index=ignored,
            label_smoothing=0.2,
        )
        for shape, target, ignored in (((4, 5), TARGET, 4), ((2, 5, 2, 3), PIXELS, 3))
    ),
    *(Case(cross_entropy, logits=(2, 5, 2, 3), target=PIXELS, reduction=reduction) for reduction in REDUCTIONS),
    *(
        Case(nll_loss, differentiable=["log_p"], log_p=(4, 5), target=target, weight=weight, reduction=reduction)
        for target, weight, reduction in product((TARGET, SOME_IGNORED), (None, WEIGHT), REDUCTIONS)
    ),
    Case(nll_loss, log_p=(2, 5, 2, 3), target=PIXELS, ignore_index=3),
    Case(perplexity, logits=(4, 5), target=TARGET),
    Case(perplexity, logits=(2, 5, 2, 3), target=PIXELS, ignore_index=3),
    Case(cross_entropy_backward, logits=(4, 5), target=TARGET),
    Case(cross_entropy_backward, logits=(2, 5, 2, 3), target=PIXELS),
    Case(sigmoid_squared_error_backward, z=(3, 4), y=(3, 4)),
    Case(sigmoid_cross_entropy_backward, z=(3, 4), y=(3, 4)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_cost_is_the_average_of_the_squared_errors_and_m_times_the_mean_squared_error():
    rng = np.random.default_rng(0)
    a, y = rng.normal(size=(2, 7, 10))
    one_by_one = [sum((a_j - y_j) ** 2 for a_j, y_j in zip(*pair, strict=True)) for pair in zip(a, y, strict=True)]
    assert cost(a, y) == pytest.approx(sum(one_by_one) / 7, rel=1e-13)
    assert cost(a, y) == pytest.approx(10 * mse_loss(a, y), rel=1e-13)


@given(st.floats(-1e4, 1e4), st.integers(2, 60))
def test_equal_scores_cost_the_logarithm_of_their_number(score, v):
    logits = np.full((3, v), score)
    assert cross_entropy(logits, np.array([0, v - 1, v // 2])) == pytest.approx(np.log(v), rel=1e-12)
    assert perplexity(logits, np.array([0, v - 1, v // 2])) == pytest.approx(v, rel=1e-11)


def test_cross_entropy_of_extreme_scores_has_no_overflow():
    logits = np.array([[1e4, -1e4, 0.0]])
    assert cross_entropy(logits, np.array([0])) == 0
    assert cross_entropy(logits, np.array([1])) == 2e4
    assert cross_entropy(logits.astype(np.float32), np.array([1])) == 2e4


def test_cross_entropy_is_nll_loss_after_log_softmax():
    logits = np.random.default_rng(0).normal(size=(4, 5))
    ours = nll_loss(log_softmax(logits, axis=1), SOME_IGNORED, WEIGHT)
    assert cross_entropy(logits, SOME_IGNORED, WEIGHT) == pytest.approx(ours, rel=1e-14)


def test_an_ignored_example_changes_nothing():
    logits = np.random.default_rng(0).normal(size=(4, 5))
    kept = SOME_IGNORED != -100
    for options in ({}, {"weight": WEIGHT}, {"label_smoothing": 0.1}, {"reduction": "sum"}):
        with_it, without = (cross_entropy(logits[k], SOME_IGNORED[k], **options) for k in (slice(None), kept))
        assert with_it == pytest.approx(without, rel=1e-14)


def test_a_mask_of_minus_infinity_costs_nothing_where_it_is_ignored():
    logits = np.array([[0.0, -np.inf], [-np.inf, 0.0]])
    assert cross_entropy(logits, np.array([0, -100])) == 0


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_squared_error_by_hand():
    a, y = np.array([[0.5, 0.0, 1.0], [1.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(squared_error(a, y), [1.25, 0])
    np.testing.assert_array_equal(squared_error_backward(a, y), [[-1, 0, 2], [0, 0, 0]])
    assert cost(a, y) == 0.625


def test_cross_entropy_by_hand():
    """Shares 1/4 and 3/4: surprise log 4 for the first class, log(4/3) for the second."""
    logits = np.array([[0.0, np.log(3.0)]] * 2)
    losses = cross_entropy(logits, np.array([0, 1]), reduction="none")
    np.testing.assert_allclose(losses, np.log([4, 4 / 3]), rtol=1e-15)
    assert perplexity(logits, np.array([0, 0])) == pytest.approx(4, rel=1e-15)
    np.testing.assert_allclose(cross_entropy_backward(logits, np.array([0, 1])), [[-3 / 4, 3 / 4], [1 / 4, -1 / 4]])
    smoothed = cross_entropy(logits, np.array([0, 0]), label_smoothing=0.5)  # 3/4 of log 4 and 1/4 of log(4/3)
    assert smoothed == pytest.approx(0.75 * np.log(4) + 0.25 * np.log(4 / 3), rel=1e-15)


def test_a_saturated_neuron_is_woken_by_cross_entropy_only():
    """z = -5 and it should be on: a = 0.0067, so that squared error gives a gradient 75 times smaller."""
    slow, fast = sigmoid_squared_error_backward(-5.0, 1.0), sigmoid_cross_entropy_backward(-5.0, 1.0)
    assert fast == pytest.approx(-0.99331, abs=5e-6)
    assert slow == pytest.approx(-0.01321, abs=5e-6)
    assert fast / slow == pytest.approx(75.2, abs=0.05)


# ---- errors ------------------------------------------------------------------------------------------------------
LOGITS = np.zeros((4, 5))


@pytest.mark.parametrize("fn", [cross_entropy, nll_loss, perplexity, cross_entropy_backward])
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.array([0, 1, 5, 0]), r"target lies in 0\.\.5, expected 0\.\.4"),
        (np.array([0, -1, 4, 0]), r"target lies in -1\.\.4, expected 0\.\.4"),
        (np.array([0.0, 1, 2, 3]), "target holds float64, expected integers"),
        (np.array([True, False, True, True]), "target holds bool"),
        (np.array([[0], [1], [2], [3]]), r"target has shape \(4, 1\), expected that of logits \(4, 5\) but axis 1"),
    ],
)
def test_a_target_must_be_a_class_number(fn, target, message):
    with pytest.raises(ValueError, match=f"{fn.__name__.replace('perplexity', 'cross_entropy')}: {message}"):
        fn(LOGITS, target)


def test_the_average_of_nothing_is_refused_where_torch_gives_nan():
    ignored = np.full(4, -100)
    assert F.cross_entropy(torch.tensor(LOGITS), torch.tensor(ignored)).isnan()
    for target, options in ((ignored, {}), (np.full(4, 3), {"weight": WEIGHT})):
        with pytest.raises(ValueError, match="no example counts"):
            cross_entropy(LOGITS, target, **options)
        assert cross_entropy(LOGITS, target, reduction="sum", **options) == 0
    with pytest.raises(ValueError, match="no example counts"):
        mse_loss(np.zeros((0, 3)), np.zeros((0, 3)))


def test_options_are_checked():
    target = np.zeros(4, int)
    for fn, arrays in ((cross_entropy, (LOGITS, target)), (nll_loss, (LOGITS, target)), (mse_loss, (LOGITS, LOGITS))):
        with pytest.raises(ValueError, match="reduction is 'average', expected 'mean', 'sum' or 'none'"):
            fn(*arrays, reduction="average")
    with pytest.raises(ValueError, match=r"label_smoothing is 1\.5"):
        cross_entropy(LOGITS, target, label_smoothing=1.5)


@pytest.mark.parametrize("fn", [squared_error, squared_error_backward, cost, mse_loss])
def test_nothing_broadcasts(fn):
    for y in (np.zeros((1, 4)), np.zeros(4)):
        with pytest.raises(ValueError, match=r"has shape \(3, 4\), expected that of y"):
            fn(np.zeros((3, 4)), y)


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_the_hand_derived_gradients_are_those_of_graph_and_torch():
    rng = np.random.default_rng(0)
    a, y, z = rng.normal(size=(3, 5, 4))
    y01 = (y > 0).astype(float)
    t = {name: torch.tensor(value, requires_grad=True) for name, value in (("a", a), ("z", z))}
    target = np.array([0, 3, 1, 1, 2])
    F.mse_loss(t["a"], torch.tensor(y), reduction="sum").backward()
    F.cross_entropy(t["z"], torch.tensor(target), reduction="sum").backward()
    by_graph = grad(lambda a: np.sum(squared_error(a, y)))(a), grad(lambda z: cross_entropy(z, target) * 5)(z)
    np.testing.assert_allclose(squared_error_backward(a, y), t["a"].grad.numpy(), rtol=1e-13)
    np.testing.assert_allclose(squared_error_backward(a, y), by_graph[0], rtol=1e-13)
    np.testing.assert_allclose(cross_entropy_backward(z, target), t["z"].grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(cross_entropy_backward(z, target), by_graph[1], rtol=1e-12)

    for loss, backward in (
        (lambda z: (torch.sigmoid(z) - torch.tensor(y01)).square().sum(), sigmoid_squared_error_backward),
        (
            lambda z: F.binary_cross_entropy_with_logits(z, torch.tensor(y01), reduction="sum"),
            sigmoid_cross_entropy_backward,
        ),
    ):
        leaf = torch.tensor(z, requires_grad=True)
        loss(leaf).backward()
        np.testing.assert_allclose(backward(z, y01), leaf.grad.numpy(), rtol=1e-12)


def test_the_hand_derived_gradient_is_the_finite_difference():
    logits, target, h = np.random.default_rng(0).normal(size=(2, 3)), np.array([2, 0]), 1e-5
    slopes = cross_entropy_backward(logits, target)
    for i in np.ndindex(logits.shape):
        nudge = np.zeros_like(logits)
        nudge[i] = h
        up, down = (cross_entropy(x, target, reduction="sum") for x in (logits + nudge, logits - nudge))
        assert slopes[i] == pytest.approx((up - down) / (2 * h), abs=1e-10)
