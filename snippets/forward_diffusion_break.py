"""Add the noise without shrinking the data first: the numbers grow, and no level is standard normal."""

import numpy as np

from kb.generation.forward_diffusion import forward_step, make_betas

betas, rng = make_betas(), np.random.default_rng(0)
right = wrong = np.where(rng.random(10_000) < 0.5, 1.0, -1.0)  # data of variance 1
for step in range(1000):
    noise = rng.standard_normal(10_000)
    right = forward_step(right, noise, step, betas)
    wrong = wrong + np.sqrt(betas[step]) * noise  # sqrt(1 - beta) is missing
    if step in (9, 99, 999):
        print(step + 1, "steps: variance", right.var().round(2), "with shrinking,", wrong.var().round(2), "without")
        #> 10 steps: variance 1.0 with shrinking, 1.0 without
        #> 100 steps: variance 1.0 with shrinking, 1.11 without
        #> 1000 steps: variance 1.02 with shrinking, 11.0 without

print("1 + all betas:", (1 + betas.sum()).round(2))
#> 1 + all betas: 11.05
