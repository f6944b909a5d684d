"""Leave out the noise that DDPM adds at each step: everything ends on one spot."""

import itertools

import numpy as np

from kb.generation.denoising_objective import mixture_epsilon
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.reverse_diffusion import ddpm_step, timesteps

betas = make_betas()
abar = alphas_cumprod(betas)
means, variances = np.array([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]]), np.array([0.1225, 0.04, 0.0144])
weights = np.array([0.5, 0.3, 0.2])
levels = [*timesteps(1000, 100), -1]

for fresh in (True, False):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 2))
    for t, t_prev in itertools.pairwise(levels):
        epsilon = mixture_epsilon(x, means, variances, weights, t, abar)
        noise = rng.standard_normal(x.shape) if fresh else None
        x = ddpm_step(epsilon, t, x, betas, noise=noise, t_prev=t_prev)
    print("with" if fresh else "without", "noise: mean", x.mean(0).round(2), "spread", x.std(0).round(3))
    #> with noise: mean [-0.22 -0.1 ] spread [0.976 0.754]
    #> without noise: mean [-0.94 -0.44] spread [0.005 0.002]

print("the data: mean", (weights @ means).round(2))
#> the data: mean [-0.2  -0.11]
