"""From people's choices to a tuned model, over four possible answers: a reward model and PPO, or DPO alone."""

import numpy as np

from kb.architecture.rlhf import dpo_loss, kl_shaped_reward, optimal_policy, ppo_loss, preference, reward_model_loss
from kb.autograd.tensor import grad
from kb.foundations.softmax import log_softmax, softmax

rng, beta = np.random.default_rng(0), 0.5
start = np.log([0.4, 0.3, 0.2, 0.1])  # what the pretrained model says
likes = np.array([-1.0, 0.0, 0.5, 1.5])  # what people think of it; nobody sees these numbers
log_start = log_softmax(start)

# People see two answers and choose one.
a, b = rng.choice(4, (2, 3000), p=softmax(start))
first = rng.random(3000) < preference(likes[a], likes[b])
winner, loser = np.where(first, a, b), np.where(first, b, a)

# 1. A reward model, here four numbers, from the choices.
reward = np.zeros(4)
for _ in range(200):
    reward = reward - 5 * grad(lambda r: reward_model_loss(r[winner], r[loser]))(reward)
print("reward", (reward - reward[1]).round(1))
#> reward [-0.9  0.   0.5  1.4]

# 2. PPO: sample, score, take a few clipped steps; again.
def clipped(x, ids, old, shaped):
    return ppo_loss(log_softmax(x)[ids], old[ids], shaped - shaped.mean())


x = start
for i in range(150):
    old = log_softmax(x)
    ids = rng.choice(4, 256, p=np.exp(old))
    shaped = kl_shaped_reward(reward[ids], old[ids], log_start[ids], beta)
    for _ in range(3):
        x = x - 0.3 * (1 - i / 150) * grad(clipped)(x, ids, old, shaped)
print("PPO   ", softmax(x).round(2))
#> PPO    [0.03 0.11 0.2  0.65]

# 3. DPO: no reward model, no sampling.
def loss(x):
    log_p = log_softmax(x)
    return dpo_loss(log_p[winner], log_p[loser], log_start[winner], log_start[loser], beta)


x = start
for _ in range(500):
    x = x - 10 * grad(loss)(x)
print("DPO   ", softmax(x).round(2))
#> DPO    [0.02 0.12 0.21 0.65]
print("known ", optimal_policy(start, likes, beta).round(2))
#> known  [0.02 0.1  0.19 0.69]
