"""Noise, a little per step or all at once, and what is left at the end."""

import numpy as np

from kb.data.digits import load_digits
from kb.generation import forward_diffusion as fd

betas = fd.make_betas("linear", 1000, 1e-4, 0.02)  # index 0 is step 1
abar = fd.alphas_cumprod(betas)
print("abar after 1, 500, 1000:", [f"{abar[t]:.3g}" for t in (0, 499, 999)])
#> abar after 1, 500, 1000: ['1', '0.0786', '4.04e-05']
print("what is left of the data:", np.sqrt(abar[-1]).round(4))
#> what is left of the data: 0.0064
stable = fd.make_betas("scaled_linear", 1000, 0.00085, 0.012)
stable = fd.alphas_cumprod(stable)
print("in Stable Diffusion:", np.sqrt(stable[-1]).round(3))
#> in Stable Diffusion: 0.068
for name, table in (("linear", abar), ("scaled linear", stable)):
    print(name, "more data than noise:", np.sum(fd.snr(table) > 1), "steps")
    #> linear more data than noise: 259 steps
    #> scaled linear more data than noise: 354 steps

# A digit of 28 x 28 pixels between -1 and 1, at four levels at once.
image = 2 * load_digits(28).images[3] - 1
rng = np.random.default_rng(0)
batch, t = np.stack([image] * 4), np.array([0, 99, 499, 999])
noise = rng.standard_normal(batch.shape).astype(np.float32)
for step, x in zip(t + 1, fd.add_noise(batch, noise, t, abar), strict=True):
    likeness = np.corrcoef(x.ravel(), image.ravel())[0, 1]
    print("step", step, "correlation with the digit:", likeness.round(2))
    #> step 1 correlation with the digit: 1.0
    #> step 100 correlation with the digit: 0.87
    #> step 500 correlation with the digit: 0.13
    #> step 1000 correlation with the digit: 0.03

# The chain, step by step, for 20,000 numbers, 1 or -1; and the shortcut.
n, shares = 20_000, [0.05, 0.25, 0.5, 0.75, 0.95]
x = x0 = np.where(rng.random(n) < 0.7, 1.0, -1.0)
for step in range(300):
    x = fd.forward_step(x, rng.standard_normal(n), step, betas)
jumped = fd.add_noise(x0, rng.standard_normal(n), 299, abar)
print("chain:   ", np.quantile(x, shares).round(2))
#> chain:    [-1.41 -0.4   0.29  0.94  1.78]
print("shortcut:", np.quantile(jumped, shares).round(2))
#> shortcut: [-1.41 -0.4   0.31  0.95  1.78]
