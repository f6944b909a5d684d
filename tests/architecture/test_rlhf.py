"""RLHF: what proves kb.architecture.rlhf, and that each way reaches the answer that is known."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
import torch

from figures import polite_answers as toy
from kb.architecture import rlhf as kb
from kb.autograd.check import check_gradient
from kb.autograd.tensor import grad
from kb.foundations.softmax import log_softmax, softmax
from kb.torch.architecture import rlhf as kt
from tests.contract import Case, contract, gpu_contract

CASES = [
    Case(kb.preference, reward=(3, 4), other=(4,)),
    Case(kb.reward_model_loss, chosen=(7,), rejected=(7,)),
    Case(kb.reward_model_loss, chosen=(2, 3), rejected=(2, 1)),
    Case(kb.kl_divergence, logits=(3, 5), ref_logits=(5,)),
    Case(kb.penalized_reward, logits=(3, 5), ref_logits=(3, 5), rewards=(5,), beta=0.3),
    Case(kb.optimal_policy, ref_logits=(3, 5), rewards=(3, 5), beta=0.7),
    Case(kb.answer_log_prob, logits=(2, 4, 5), ids=np.array([[0, 4, 2, 2], [1, 1, 0, 3]])),
    Case(kb.answer_log_prob, logits=(4, 5), ids=np.array([0, 4, 2, 2])),
    Case(kb.kl_shaped_reward, rewards=(6,), log_p=(6,), ref_log_p=(6,), beta=0.5),
    Case(kb.policy_gradient_loss, log_p=(6,), advantages=(6,)),
    Case(kb.ppo_loss, log_p=(16,), old_log_p=(16,), advantages=(16,)),
    Case(kb.ppo_loss, log_p=(2, 3), old_log_p=(2, 3), advantages=(2, 3), clip=0.5),
    Case(kb.implicit_reward, log_p=(6,), ref_log_p=(6,), beta=0.5),
    Case(kb.dpo_loss, chosen=(6,), rejected=(6,), ref_chosen=(6,), ref_rejected=(6,), beta=0.5),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_one_of_two_is_preferred_and_only_differences_count():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 20)) * 5
    np.testing.assert_allclose(kb.preference(a, b) + kb.preference(b, a), 1, rtol=1e-14)
    np.testing.assert_allclose(kb.preference(a + 7, b + 7), kb.preference(a, b), rtol=1e-12)
    np.testing.assert_allclose(kb.preference(a, b), np.exp(a) / (np.exp(a) + np.exp(b)), rtol=1e-12)


def test_the_reward_loss_is_the_log_likelihood_of_the_choices():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 20)) * 30
    assert kb.reward_model_loss(a, b) == pytest.approx(-np.mean(scipy.special.log_expit(a - b)), rel=1e-13)


def test_kl_is_that_of_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 4, 6))
    expected = [scipy.stats.entropy(p, q) for p, q in zip(softmax(x), softmax(y), strict=True)]
    np.testing.assert_allclose(kb.kl_divergence(x, y), expected, rtol=1e-12)
    np.testing.assert_allclose(kb.kl_divergence(x, x + 3), 0, atol=1e-14)


@pytest.mark.parametrize("beta", [0.1, 1.0, 10.0])
def test_nothing_beats_the_optimal_policy(beta):
    """Its value is beta log sum p_ref e^(r / beta), its gradient is 0, and scipy's search ends there."""
    rng = np.random.default_rng(0)
    ref, rewards = rng.standard_normal((2, 5))
    best = kb.optimal_policy(ref, rewards, beta)
    value = kb.penalized_reward(np.log(best), ref, rewards, beta)
    assert value == pytest.approx(beta * scipy.special.logsumexp(log_softmax(ref) + rewards / beta), rel=1e-10)
    for _ in range(200):
        assert kb.penalized_reward(rng.standard_normal(5) * 3, ref, rewards, beta) <= value
    found = scipy.optimize.minimize(lambda x: -kb.penalized_reward(x, ref, rewards, beta), ref, tol=1e-12)
    np.testing.assert_allclose(softmax(found.x), best, atol=1e-4)
    np.testing.assert_allclose(grad(lambda x: kb.penalized_reward(x, ref, rewards, beta))(np.log(best)), 0, atol=1e-12)


def test_the_implicit_reward_of_the_optimal_policy_is_the_reward():
    rng = np.random.default_rng(0)
    ref, rewards = rng.standard_normal((2, 5))
    implicit = kb.implicit_reward(np.log(kb.optimal_policy(ref, rewards, 0.4)), log_softmax(ref), 0.4)
    np.testing.assert_allclose(implicit - implicit[0], rewards - rewards[0], rtol=1e-10)


def test_the_policy_gradient_is_on_average_the_gradient_of_the_penalized_reward():
    """Summed over all answers with their probabilities instead of sampled: exact."""
    rng = np.random.default_rng(0)
    x, ref, rewards = rng.standard_normal((3, 5))
    log_p = log_softmax(x)
    shaped = kb.kl_shaped_reward(rewards, log_p, log_softmax(ref), 0.3)
    assert np.sum(np.exp(log_p) * shaped) == pytest.approx(kb.penalized_reward(x, ref, rewards, 0.3), rel=1e-12)
    weights = 5 * np.exp(log_p) * (shaped - 11.0)  # any baseline; 5 undoes the mean
    surrogate = grad(lambda x: kb.policy_gradient_loss(log_softmax(x), weights))(x)
    np.testing.assert_allclose(surrogate, -grad(lambda x: kb.penalized_reward(x, ref, rewards, 0.3))(x), atol=1e-12)


def test_ppo_starts_as_the_policy_gradient_and_stops_at_the_clip():
    rng = np.random.default_rng(0)
    old, advantages = rng.standard_normal((2, 8))
    at_start = grad(lambda x: kb.ppo_loss(x, old, advantages))(old)
    np.testing.assert_allclose(at_start, grad(lambda x: kb.policy_gradient_loss(x, advantages))(old), rtol=1e-12)
    for shift, still in ((0.5, advantages < 0), (-0.5, advantages > 0)):  # e^0.5 > 1.2, e^-0.5 < 0.8
        slope = grad(lambda x: kb.ppo_loss(x, old, advantages))(old + shift)
        np.testing.assert_array_equal(slope != 0, still)


def test_the_log_prob_of_an_answer_is_the_product_over_its_tokens():
    rng = np.random.default_rng(0)
    logits, ids = rng.standard_normal((4, 6)), np.array([5, 0, 2, 2])
    product = math.prod(softmax(row)[i] for row, i in zip(logits, ids, strict=True))
    assert kb.answer_log_prob(logits, ids) == pytest.approx(math.log(product), rel=1e-12)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_by_hand():
    assert kb.preference(np.array(math.log(3)), np.array(0.0)) == pytest.approx(0.75, rel=1e-14)
    assert kb.reward_model_loss(np.array([1.0]), np.array([1.0])) == pytest.approx(math.log(2), rel=1e-14)
    even, reward = np.zeros(2), np.array([math.log(3), 0.0])
    np.testing.assert_allclose(kb.optimal_policy(even, reward, 1.0), [0.75, 0.25], rtol=1e-14)
    np.testing.assert_allclose(kb.optimal_policy(even, reward, 0.5), [0.9, 0.1], rtol=1e-14)
    log_p, old = np.log(np.array([0.6, 0.1])), np.log(np.array([0.4, 0.2]))  # ratios 1.5 and 0.5
    assert kb.ppo_loss(log_p, old, np.array([1.0, 1.0])) == pytest.approx(-(1.2 + 0.5) / 2, rel=1e-14)
    assert kb.ppo_loss(log_p, old, np.array([-1.0, -1.0])) == pytest.approx((1.5 + 0.8) / 2, rel=1e-14)
    assert kb.dpo_loss(old, old, old, old, 0.5) == pytest.approx(math.log(2), rel=1e-14)


# ---- each way reaches the answer ---------------------------------------------------------------------------------
def test_the_reward_model_finds_the_rewards():
    """Fitted to 4,000 comparisons, within four standard errors from the Fisher information."""
    winner, loser = toy.comparisons(4000)
    p = kb.preference(toy.REWARDS[winner], toy.REWARDS[loser])
    information = np.zeros((6, 6))
    for i, j, weight in zip(winner, loser, p * (1 - p), strict=True):
        e = np.eye(6)[i] - np.eye(6)[j]
        information += weight * np.outer(e, e)
    errors = np.sqrt(np.diag(np.linalg.pinv(information)))
    assert np.all(np.abs(toy.fitted_rewards(4000) - toy.REWARDS) < 4 * errors)


def test_climbing_and_dpo_on_all_pairs_reach_it_exactly():
    assert toy.distance(toy.by_gradient(), toy.best()) < 1e-4
    assert toy.distance(toy.by_dpo(n=None), toy.best()) < 1e-4


def test_ppo_and_dpo_from_samples_come_close():
    start = toy.distance(softmax(toy.REFERENCE), toy.best())
    assert start > 0.5
    assert toy.distance(toy.by_ppo(), toy.best()) < 0.04
    assert toy.distance(toy.by_dpo(), toy.best()) < 0.08


def test_dpo_in_torch_takes_the_same_way():
    """The gradient of the loss on 4,000 comparisons at the start, from torch."""
    winner, loser = toy.comparisons(4000)
    x = torch.tensor(toy.REFERENCE, requires_grad=True)
    log_p, ref = torch.log_softmax(x, -1), torch.log_softmax(torch.tensor(toy.REFERENCE), -1)
    kt.dpo_loss(log_p[winner], log_p[loser], ref[winner], ref[loser], 0.5).backward()
    numpy_ref = log_softmax(toy.REFERENCE)

    def loss(x):
        log_p = log_softmax(x)
        return kb.dpo_loss(log_p[winner], log_p[loser], numpy_ref[winner], numpy_ref[loser], 0.5)

    np.testing.assert_allclose(grad(loss)(toy.REFERENCE), x.grad.numpy(), atol=1e-12)
    check_gradient(loss, toy.REFERENCE)


# ---- errors ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan])
def test_no_policy_without_a_penalty(beta):
    for module, x in ((kb, np.zeros(2)), (kt, torch.zeros(2))):
        with pytest.raises(ValueError, match=f"beta is {beta}, expected a number above 0"):
            module.optimal_policy(x, x, beta)


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_without_the_penalty_one_answer_is_left():
    policy = softmax(
        toy.descend(lambda x: -kb.penalized_reward(x, toy.REFERENCE, toy.REWARDS, 0.0), toy.REFERENCE, 1500, 0.1)
    )
    assert policy.max() > 0.99
    assert policy.argmax() == toy.REWARDS.argmax()


def test_without_the_clip_old_samples_lead_too_far():
    """Sixty steps on one batch: clipped, no ratio goes much beyond 1.2; unclipped, the policy runs away."""
    rng = np.random.default_rng(0)
    old = log_softmax(toy.REFERENCE)
    ids = rng.choice(6, 512, p=np.exp(old))
    advantages = toy.REWARDS[ids] - toy.REWARDS[ids].mean()
    ends = {}
    for clip in (0.2, 1e9):
        x = toy.REFERENCE
        for _ in range(60):
            x = x - grad(lambda x, clip=clip: kb.ppo_loss(log_softmax(x)[ids], old[ids], advantages, clip))(x)
        ends[clip] = np.exp(log_softmax(x) - old).max()
    assert ends[0.2] < 1.6
    assert ends[1e9] > 4
