"""A reward model that is wrong about one rare answer, with and without the penalty for moving away."""

import numpy as np

from kb.architecture.rlhf import penalized_reward
from kb.autograd.tensor import grad
from kb.foundations.softmax import softmax
from kb.learning.optimizers import Adam

start = np.log([0.5, 0.3, 0.195, 0.005])
likes = np.array([0.0, 1.0, 2.0, -5.0])  # the last one is nonsense, and hardly ever seen
reward = np.array([0.0, 1.0, 2.0, 3.0])  # so the reward model guessed, and guessed wrong

for beta in (1.0, 0.0):
    policy = Adam({"x": start}, lr=0.1, maximize=True)
    for _ in range(500):
        policy.step({"x": grad(penalized_reward)(policy.params["x"], start, reward, beta)})
    p = softmax(policy.params["x"])
    print(f"beta {beta}: {p.round(3)}, reward model says {p @ reward:.2f}, people {p @ likes:.2f}")
    #> beta 1.0: [0.175 0.285 0.504 0.035], reward model says 1.40, people 1.12
    #> beta 0.0: [0.    0.    0.001 0.999], reward model says 3.00, people -5.00
