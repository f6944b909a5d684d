"""Add the noise without shrinking the data first: the numbers grow."""

import numpy as np

from kb.generation.forward_diffusion import forward_step, make_betas

betas, rng = make_betas(), np.random.default_rng(0)
right = wrong = np.where(rng.random(10_000) < 0.5, 1.0, -1.0)
for step in range(1000):
    noise = rng.standard_normal(10_000)
    right = forward_step(right, noise, step, betas)
    wrong = wrong + np.sqrt(betas[step]) * noise  # no sqrt(1 - beta)
    if step in (9, 99, 999):
        variances = right.var().round(2), wrong.var().round(2)
        print(step + 1, "steps: shrunk {}, not shrunk {}".format(*variances))
        #> 10 steps: shrunk 1.0, not shrunk 1.0
        #> 100 steps: shrunk 1.0, not shrunk 1.11
        #> 1000 steps: shrunk 1.02, not shrunk 11.0

print("1 + all betas:", (1 + betas.sum()).round(2))
#> 1 + all betas: 11.05
