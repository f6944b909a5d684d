"""A model with six possible answers to one prompt, tuned in every way of the RLHF page; the right answer is known.

People compare two answers and prefer one with the probability that Bradley and Terry give for their true rewards. All
gradients come from kb's computation graph.
"""

import functools

import numpy as np

from kb.architecture.rlhf import (
    dpo_loss,
    kl_shaped_reward,
    optimal_policy,
    penalized_reward,
    ppo_loss,
    preference,
    reward_model_loss,
)
from kb.autograd.tensor import value_and_grad
from kb.foundations.softmax import log_softmax, softmax
from kb.learning.optimizers import Adam

PROMPT = "Can you help me?"
ANSWERS = "Why?", "No.", "Maybe.", "Sure.", "Of course!", "Gladly: with what?"
REFERENCE = np.log(np.array([0.25, 0.2, 0.25, 0.15, 0.1, 0.05]))  # what the pretrained model says
REWARDS = np.array([-1.0, -2.0, -0.5, 0.5, 1.0, 1.5])  # what people think of it
BETA = 0.5


def best(beta=BETA, rewards=REWARDS):
    """The answer that is known: p_ref e^(r / beta) / Z."""
    return optimal_policy(REFERENCE, rewards, beta)


@functools.cache
def comparisons(n=4000, seed=0):
    """(winner, loser) of n comparisons between answers of the reference model, as people would decide them."""
    rng = np.random.default_rng(seed)
    a, b = rng.choice(len(REWARDS), (2, n), p=softmax(REFERENCE))
    first = rng.random(n) < preference(REWARDS[a], REWARDS[b])
    return np.where(first, a, b), np.where(first, b, a)


def descend(loss, start, steps, lr):
    """Adam's way down a loss of six numbers, its steps shrinking to 0."""
    params, gradients = {"x": start}, value_and_grad(lambda p: loss(p["x"]))
    optimizer = Adam(params, lr)
    for i in range(steps):
        optimizer.lr = lr * (1 - i / steps)
        params = optimizer.step(gradients(params)[1])
    return params["x"]


@functools.cache
def fitted_rewards(n=4000):
    """The reward model, six numbers, fitted to n comparisons; their mean is set to that of the true rewards."""
    winner, loser = comparisons(n)
    rewards = descend(lambda r: reward_model_loss(r[winner], r[loser]), np.zeros(6), 300, 0.1)
    return rewards - rewards.mean() + REWARDS.mean()


@functools.cache
def by_gradient(beta=BETA):
    """The policy after climbing the penalized reward itself, which six answers allow."""
    return softmax(descend(lambda x: -penalized_reward(x, REFERENCE, REWARDS, beta), REFERENCE, 1500, 0.1))


@functools.cache
def by_ppo(beta=BETA, rounds=150, samples=512, epochs=4, lr=0.2, seed=0):
    """The policy after PPO: sample answers, then take four clipped steps on them, and again."""
    rng, x = np.random.default_rng(seed), REFERENCE
    ref = log_softmax(REFERENCE)
    for i in range(rounds):
        old = log_softmax(x)
        ids = rng.choice(6, samples, p=np.exp(old))
        shaped = kl_shaped_reward(REWARDS[ids], old[ids], ref[ids], beta)
        for _ in range(epochs):
            _, slope = value_and_grad(_clipped)(x, ids, old[ids], shaped - shaped.mean())
            x = x - lr * (1 - i / rounds) * slope
    return softmax(x)


def _clipped(x, ids, old_log_p, advantages):
    return ppo_loss(log_softmax(x)[ids], old_log_p, advantages)


@functools.cache
def by_dpo(beta=BETA, n=4000):
    """The policy after DPO on n comparisons, or (n = None) on every pair with its exact share of the choices."""
    if n is None:
        winner, loser = np.nonzero(~np.eye(6, dtype=bool))
        p = softmax(REFERENCE)
        share = p[winner] * p[loser] * preference(REWARDS[winner], REWARDS[loser])
    else:
        winner, loser = comparisons(n)
        share = None
    ref = log_softmax(REFERENCE)

    def loss(x):
        log_p = log_softmax(x)
        if share is None:
            return dpo_loss(log_p[winner], log_p[loser], ref[winner], ref[loser], beta)
        margin = beta * (log_p[winner] - ref[winner] - log_p[loser] + ref[loser])
        return np.sum(share * np.logaddexp(0, -margin)) / share.sum()

    return softmax(descend(loss, REFERENCE, 800, 0.05))


def distance(p, q):
    """The share of answers that would have to be others: half the sum of |p - q|."""
    return float(np.abs(p - q).sum() / 2)
