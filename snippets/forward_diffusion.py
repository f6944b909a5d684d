"""Noise, a little per step or all at once: the schedule, the shortcut, and what is left at the end."""

import numpy as np

from kb.data.digits import load_digits
from kb.generation.forward_diffusion import add_noise, alphas_cumprod, forward_step, make_betas, snr

betas = make_betas("linear", 1000, 1e-4, 0.02)  # DDPM's; index 0 is the papers' step 1
abar = alphas_cumprod(betas)
print("abar after 1, 500, 1000 steps:", [f"{abar[t]:.3g}" for t in (0, 499, 999)])
#> abar after 1, 500, 1000 steps: ['1', '0.0786', '4.04e-05']
print("what is left of the data:", np.sqrt(abar[-1]).round(4))
#> what is left of the data: 0.0064
stable = alphas_cumprod(make_betas("scaled_linear", 1000, 0.00085, 0.012))
print("in Stable Diffusion:", np.sqrt(stable[-1]).round(3))
#> in Stable Diffusion: 0.068
print("more data than noise:", np.sum(snr(abar) > 1), "and", np.sum(snr(stable) > 1), "steps")
#> more data than noise: 259 and 354 steps

# A digit of 28 x 28 pixels between -1 and 1, at four levels at once.
image = 2 * load_digits(28).images[3] - 1
rng = np.random.default_rng(0)
batch, t = np.stack([image] * 4), np.array([0, 99, 499, 999])
noise = rng.standard_normal(batch.shape).astype(np.float32)
noisy = add_noise(batch, noise, t, abar)
for level, x in zip(t, noisy, strict=True):
    print(level + 1, "correlation with the digit:", np.corrcoef(x.ravel(), image.ravel())[0, 1].round(2))
    #> 1 correlation with the digit: 1.0
    #> 100 correlation with the digit: 0.87
    #> 500 correlation with the digit: 0.13
    #> 1000 correlation with the digit: 0.03

# The chain, step by step, for 20,000 numbers that are 1 or -1; and the shortcut.
x0 = np.where(rng.random(20_000) < 0.7, 1.0, -1.0)
x = x0
for step in range(300):
    x = forward_step(x, rng.standard_normal(20_000), step, betas)
jumped = add_noise(x0, rng.standard_normal(20_000), 299, abar)
print("chain:   ", np.quantile(x, [0.05, 0.25, 0.5, 0.75, 0.95]).round(2))
#> chain:    [-1.41 -0.4   0.29  0.94  1.78]
print("shortcut:", np.quantile(jumped, [0.05, 0.25, 0.5, 0.75, 0.95]).round(2))
#> shortcut: [-1.41 -0.4   0.31  0.95  1.78]
