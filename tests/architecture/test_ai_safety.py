"""Safety: what proves kb.architecture.ai_safety, and the measurements of the page."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from figures import attacked_digits, exclamation_marks
from kb.architecture import ai_safety as kb
from kb.architecture.rlhf import kl_divergence
from kb.checkpoints.shipped import digits_mlp
from kb.structure.multilayer_perceptron import mlp
from kb.torch.architecture import ai_safety as kt
from tests.contract import EPS32, Case, contract, gpu_contract

P = np.array([0.4, 0.1, 0.2, 0.3])
SCORES = np.array([0.0, 2.0, 2.0, 1.0])
CASES = [
    Case(kb.best_of_n, p=P, scores=SCORES, n=3, differentiable=["p"]),
    Case(kb.best_of_n, p=P, scores=np.array([3.0, 1.0, 2.0, 0.0]), n=1, differentiable=["p"]),
    Case(kb.fgsm, x=np.linspace(0.02, 0.97, 12).reshape(3, 4), slope=(3, 4), size=0.1, differentiable=False),
    Case(kb.fgsm, x=(5,), slope=(5,), size=0.5, low=-2.0, high=2.0, differentiable=False),
    Case(kb.worst_change, weight=(3, 5), size=0.1),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(arrays(float, 6, elements=st.floats(0.01, 1)), arrays(float, 6, elements=st.integers(0, 3)), st.integers(1, 50))
def test_the_best_of_n_is_a_distribution_that_prefers_high_scores(p, scores, n):
    p = p / p.sum()
    q = kb.best_of_n(p, scores, n)
    assert q.sum() == pytest.approx(1, rel=1e-9)
    assert q @ scores >= p @ scores - 1e-9
    assert kl_divergence(np.log(np.maximum(q, 1e-300)), np.log(p)) <= kb.best_of_n_distance(n) + 1e-9


def test_the_best_of_n_is_what_drawing_n_gives():
    """100,000 draws of 5; a share of N has a standard deviation of at most 0.5 / sqrt(N): five of them."""
    rng, n = np.random.default_rng(0), 100_000
    drawn = rng.choice(4, (n, 5), p=P)
    kept = drawn[np.arange(n), SCORES[drawn].argmax(axis=1)]
    np.testing.assert_allclose(np.bincount(kept) / n, kb.best_of_n(P, SCORES, 5), atol=5 * 0.5 / math.sqrt(n))


def test_the_distance_is_reached_by_many_fine_scores():
    p = np.full(2000, 1 / 2000)
    q = kb.best_of_n(p, np.arange(2000.0), 8)
    assert kl_divergence(np.log(q + 1e-300), np.log(p)) == pytest.approx(kb.best_of_n_distance(8), abs=2e-3)


@given(arrays(float, 8, elements=st.floats(0, 1)), arrays(float, 8, elements=st.floats(-1, 1)), st.floats(0, 0.5))
def test_an_attack_stays_small_and_in_range(x, slope, size):
    bent = kb.fgsm(x, slope, size)
    assert np.abs(bent - x).max() <= size + 1e-12
    assert bent.min() >= 0
    assert bent.max() <= 1


def test_on_a_weighted_sum_no_change_of_that_size_does_worse():
    rng = np.random.default_rng(0)
    weight, x = rng.standard_normal(30), np.full(30, 0.5)
    worst = weight @ kb.fgsm(x, weight, 0.1) - weight @ x
    assert worst == pytest.approx(kb.worst_change(weight, 0.1), rel=1e-12)
    tried = rng.choice([-0.1, 0.1], (5000, 30)) @ weight
    assert tried.max() < worst
    assert tried.std() == pytest.approx(0.1 * np.linalg.norm(weight), rel=0.05)


def test_the_slopes_of_the_pixels_are_those_of_torch():
    x, labels = attacked_digits.held_out()
    params = {name: torch.from_numpy(array.copy()) for name, array in digits_mlp().items()}
    images = torch.tensor(x, requires_grad=True)
    a = images
    for i in ("0", "2", "4"):
        a = torch.sigmoid(a @ params[f"{i}.weight"].T + params[f"{i}.bias"])
    (a - torch.nn.functional.one_hot(torch.tensor(labels, dtype=torch.int64), 10)).square().sum(1).mean().backward()
    expected = images.grad.numpy()
    np.testing.assert_allclose(attacked_digits.slopes(), expected, atol=64 * EPS32 * np.abs(expected).max())


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_best_of_two_by_hand():
    """Draws of 0 or 1, each half: the better is 1 in three of four."""
    np.testing.assert_allclose(kb.best_of_n(np.array([0.5, 0.5]), np.array([0.0, 1.0]), 2), [0.25, 0.75])
    assert kb.best_of_n_distance(1) == 0
    assert kb.best_of_n_distance(4) == pytest.approx(math.log(4) - 0.75)


def test_attack_by_hand():
    x, slope = np.array([0.5, 0.05, 1.0, 0.3]), np.array([2.0, -1.0, 5.0, 0.0])
    np.testing.assert_allclose(kb.fgsm(x, slope, 0.1), [0.6, 0.0, 1.0, 0.3])


# ---- errors ------------------------------------------------------------------------------------------------------
def test_errors():
    for module, make in ((kb, np.asarray), (kt, torch.tensor)):
        with pytest.raises(ValueError, match="n is 0, expected at least 1"):
            module.best_of_n(make([0.5, 0.5]), make([0.0, 1.0]), 0)
        with pytest.raises(ValueError, match=r"slope \(1,\) must have the shape of x \(2,\)"):
            module.fgsm(make([0.5, 0.5]), make([1.0]), 0.1)
        with pytest.raises(ValueError, match=r"size is -0\.1"):
            module.fgsm(make([0.5]), make([1.0]), -0.1)
    with pytest.raises(ValueError, match="n is 0"):
        kb.best_of_n_distance(0)


# ---- what the page reports ---------------------------------------------------------------------------------------
def test_the_reward_model_is_good_where_it_was_fitted_and_hacked_where_it_was_not():
    assert exclamation_marks.agreement() > 0.9
    assert exclamation_marks.weights()[1] > 0
    _, facts = exclamation_marks.sweep()
    assert np.all(np.diff(facts[:, 1]) > 0), "more pressure, a higher score"
    top = facts[:, 2].argmax()
    assert 0 < top < len(facts) - 1
    assert np.all(np.diff(facts[top:, 2]) < 0), "and beyond the peak a worse answer"
    assert facts[-1, 2] < exclamation_marks.P @ exclamation_marks.TRUE


def test_the_attack_works_and_random_signs_do_not():
    shares = [attacked_digits.accuracy(size) for size in attacked_digits.SIZES]
    assert np.all(np.diff(shares) < 0)
    assert shares[0] > 0.95
    assert shares[-1] < 0.3
    assert attacked_digits.accuracy(0.2, "random") > 0.94


# ---- mutation ----------------------------------------------------------------------------------------------------
def test_against_the_slope_the_network_gets_better():
    x, labels = attacked_digits.held_out()
    helped = kb.fgsm(x, -attacked_digits.slopes(), np.float32(0.1))
    assert np.mean(mlp(digits_mlp(), helped).argmax(axis=1) == labels) > 0.98
