"""Take the log-variance for the logarithm of the standard deviation."""

import numpy as np

from kb.generation import variational_autoencoder as vae

rng = np.random.default_rng(0)
noise = rng.standard_normal((100_000, 1))
mean, logvar = np.array([[0.5]]), np.log([[0.04]])

right = vae.reparameterise(mean, logvar, noise)
wrong = mean + np.exp(logvar) * noise  # the half is missing
for name, z in (("right", right), ("wrong", wrong)):
    print(f"{name}: variance {z.var():.4f}, asked for 0.04")
    #> right: variance 0.0400, asked for 0.04
    #> wrong: variance 0.0016, asked for 0.04

# The formula charges for a variance of 0.04; the draws pay for another one.
print("KL by the formula:", vae.kl_to_standard_normal(mean, logvar).round(3))
#> KL by the formula: [1.254]
for name, z in (("right", right), ("wrong", wrong)):
    log_q = -((z - mean) ** 2) / (2 * z.var()) - np.log(z.var()) / 2
    print(f"{name}, by sampling: {np.mean(log_q + z**2 / 2):.2f}")
    #> right, by sampling: 1.25
    #> wrong, by sampling: 2.84
