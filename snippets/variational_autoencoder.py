"""A digit becomes a distribution of codes, one code is drawn, and the digit comes back."""

import numpy as np

import kb.generation.variational_autoencoder as vae
from kb.checkpoints.shipped import digits_vae
from kb.data.digits import load_digits, resize

model = digits_vae()
x = 2 * resize(load_digits().images[:1], 16)[:, None] - 1
mean, logvar = model.encode(x)
print(x.shape, "->", mean.shape, logvar.shape)
#> (1, 1, 16, 16) -> (1, 4, 4, 4) (1, 4, 4, 4)

rng = np.random.default_rng(0)
noise = rng.standard_normal(mean.shape).astype("float32")
z = vae.reparameterise(mean, logvar, noise)
error = np.mean((model.decode(z) - x) ** 2)
print(f"squared error per pixel: {error:.3f} of {x.var():.3f}")
#> squared error per pixel: 0.005 of 0.265

likelihood = vae.log_likelihood(x, model.decode(z), 0.2)[0]
kl = vae.kl_to_standard_normal(mean, logvar)[0]
print(f"log p(x|z) {likelihood:.1f}, KL {kl:.1f}")
#> log p(x|z) 160.0, KL 33.5
print(f"ELBO {likelihood - kl:.1f} nats")
#> ELBO 126.5 nats

# The KL divergence once more, as a mean over draws.
noise = rng.standard_normal((20_000, *mean.shape[1:]))
draws = vae.reparameterise(mean, logvar, noise)
log_q, log_p = -(noise**2 + logvar) / 2, -(draws**2) / 2
print(f"by sampling: {(log_q - log_p).sum((1, 2, 3)).mean():.1f}")
#> by sampling: 33.5
