"""Leave out the noise that DDPM adds: everything ends on one spot."""

import itertools

import numpy as np

from kb.generation.denoising_objective import mixture_epsilon
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.reverse_diffusion import ddpm_step, timesteps

betas = make_betas()
abar = alphas_cumprod(betas)
means = np.array([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]])
variances, weights = np.array([0.12, 0.04, 0.014]), np.array([0.5, 0.3, 0.2])
print("the data: mean", (weights @ means).round(2))
#> the data: mean [-0.2  -0.11]

for fresh in (True, False):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 2))
    for t, t_prev in itertools.pairwise([*timesteps(1000, 100), -1]):
        epsilon = mixture_epsilon(x, means, variances, weights, t, abar)
        noise = rng.standard_normal(x.shape) if fresh else None
        x = ddpm_step(epsilon, t, x, betas, noise=noise, t_prev=t_prev)
    where = x.mean(0).round(2), "spread", x.std(0).round(3)
    print("with noise:   " if fresh else "without noise:", "mean", *where)
    #> with noise:    mean [-0.22 -0.1 ] spread [0.976 0.752]
    #> without noise: mean [-0.94 -0.44] spread [0.005 0.002]
