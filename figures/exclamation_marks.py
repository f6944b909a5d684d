"""Reward hacking in a model with 105 possible answers: five grades of usefulness, each with 0 to 20 exclamation marks.

People like useful answers, and they like up to three exclamation marks; from then on each further one annoys them. The
reward model is linear and is fitted to choices between answers of the pretrained model, which hardly ever puts more
than a few. It learns that exclamation marks are good. Then the model is tuned against it.
"""

import functools

import numpy as np

from kb.architecture.ai_safety import best_of_n
from kb.architecture.rlhf import kl_divergence, optimal_policy, preference, reward_model_loss
from kb.autograd.tensor import value_and_grad
from kb.learning.optimizers import Adam

GRADES, MARKS = np.meshgrid(np.linspace(-1, 1, 5), np.arange(21.0), indexing="ij")
USEFUL, MARKS = GRADES.ravel(), MARKS.ravel()
REFERENCE = -np.log(2) * MARKS  # each further mark is half as likely
P = optimal_policy(REFERENCE, np.zeros(105), 1.0)
TRUE = USEFUL + np.where(MARKS <= 3, 0.4 * MARKS, 1.2 - 0.5 * (MARKS - 3))


@functools.cache
def weights(n=4000, seed=0):
    """What the reward model learned from n choices: its weight for usefulness and for one exclamation mark."""
    rng = np.random.default_rng(seed)
    a, b = rng.choice(len(P), (2, n), p=P)
    first = rng.random(n) < preference(TRUE[a], TRUE[b])
    features = np.stack([USEFUL, MARKS], axis=1)
    winner, loser = features[np.where(first, a, b)], features[np.where(first, b, a)]
    optimizer = Adam({"w": np.zeros(2)}, 0.05)
    gradients = value_and_grad(lambda p: reward_model_loss(winner @ p["w"], loser @ p["w"]))
    for _ in range(300):
        optimizer.step(gradients(optimizer.params)[1])
    return optimizer.params["w"]


def proxy():
    """The reward model's score of each answer."""
    return weights() @ np.stack([USEFUL, MARKS])


def agreement(most=20):
    """How often the reward model ranks two answers of the pretrained model as people's true reward does.

    Only answers with at most so many exclamation marks count; ties are left out.
    """
    p = np.where(most >= MARKS, P, 0)
    true, guess = (np.sign(np.round(r[:, None] - r, 9)) for r in (TRUE, proxy()))
    pairs = p[:, None] * p * (true != 0)
    return float(np.sum(pairs * (true == guess)) / np.sum(pairs))


def tuned(beta):
    """(nats from the start, mean score by the reward model, mean true reward, mean number of marks) at the optimum."""
    return _facts(optimal_policy(REFERENCE, proxy(), beta))


def best_of(n):
    """The same for the best of n answers by the reward model."""
    return _facts(best_of_n(P, proxy(), n))


def _facts(p):
    distance = kl_divergence(np.log(np.maximum(p, 1e-300)), REFERENCE)
    return np.array([distance, p @ proxy(), p @ TRUE, p @ MARKS])


@functools.cache
def sweep():
    """(betas, facts) for prices from 20 down to 0.02."""
    return np.geomspace(20, 0.02, 200), np.array([tuned(beta) for beta in np.geomspace(20, 0.02, 200)])


def peak():
    """(beta, facts) where the true reward is largest."""
    betas, facts = sweep()
    best = facts[:, 2].argmax()
    return betas[best], facts[best]
