"""From noise to data with a perfect network: DDPM, DDIM and Heun."""

import itertools

import numpy as np

from kb.generation import denoising_objective as do
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.reverse_diffusion import ddim_step, generate, timesteps

means = np.array([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]])
variances, weights = np.array([0.12, 0.04, 0.014]), np.array([0.5, 0.3, 0.2])
betas = make_betas()
abar = alphas_cumprod(betas)


def network(x, t):  # the best answer there is; a trained one goes here
    return do.mixture_epsilon(x, means, variances, weights, t, abar)


def report(name, x):
    gap = np.sum((x[:, None] - means) ** 2, axis=-1)
    shares = np.bincount(gap.argmin(axis=1), minlength=3) / len(x)
    log_p = do.mixture_log_density(x, means, variances, weights).mean()
    print(f"{name:9}{shares.round(3)} mean log-density {log_p:.2f}")
    #> exact    [0.503 0.29  0.206] mean log-density -0.98
    #> ddpm 100 [0.498 0.296 0.205] mean log-density -0.81
    #> ddim 100 [0.474 0.305 0.221] mean log-density -0.89
    #> ddim 20  [0.48  0.305 0.214] mean log-density -0.75
    #> heun 20  [0.473 0.306 0.222] mean log-density -1.12


rng = np.random.default_rng(0)
part, noise = rng.choice(3, 2000, p=weights), rng.standard_normal((2, 2000, 2))
report("exact", means[part] + np.sqrt(variances)[part, None] * noise[0])
for method, n in (("ddpm", 100), ("ddim", 100), ("ddim", 20), ("heun", 20)):
    steps = timesteps(1000, n)
    x = generate(network, noise[1], steps, betas, method, rng)
    report(f"{method} {n}", x)

# What generate does, for DDIM: guess the noise, step down, again.
x = noise[1, :1]
for t, t_prev in itertools.pairwise([*timesteps(1000, 5), -1]):
    x = ddim_step(network(x, t), t, t_prev, x, abar)
    print(f"level {t} to {t_prev}:", x[0].round(2))
    #> level 800 to 600: [0.93 1.76]
    #> level 600 to 400: [0.84 1.63]
    #> level 400 to 200: [0.66 1.34]
    #> level 200 to 0: [0.17 1.22]
    #> level 0 to -1: [0.17 1.22]
