"""Forget the scaling factor: the U-Net meets codes of a size that it never saw."""

import numpy as np

from kb.checkpoints.shipped import digits_text_encoder, digits_unet, digits_vae
from kb.data.captions import WordTokenizer
from kb.data.digits import load_digits, resize
from kb.generation.forward_diffusion import add_noise, alphas_cumprod, make_betas
from kb.generation.latent_diffusion import draw_latent

unet, vae, rng = digits_unet(), digits_vae(), np.random.default_rng(0)
digits = load_digits()
sevens = digits.images[digits.labels == 7][:100]
mean, logvar = vae.encode(2 * resize(sevens, 16)[:, None] - 1)
noise, draw = rng.standard_normal((2, *mean.shape), np.float32)
words = WordTokenizer().encode_all(["a photo of a seven"] * len(mean))
prompt = digits_text_encoder()(words)
abar = alphas_cumprod(make_betas("scaled_linear", 1000, 0.00085, 0.012))

# This autoencoder's codes are about right as they are; those of Stable
# Diffusion's are 5.49 times as large. Levels 100, 500 and 900:
z = draw_latent(mean, logvar, draw, vae.config.scaling_factor)
z = z.astype(np.float32)
for name, codes in (("scaled", z), ("not scaled", 5.49 * z)):
    errors = []
    for t in (100, 500, 900):
        answer = unet(add_noise(codes, noise, t, abar), t, prompt)
        errors.append(f"{np.mean((answer - noise) ** 2):.2f}")
    print(f"{name}, standard deviation {codes.std():.2f}: errors", *errors)
    #> scaled, standard deviation 1.02: errors 0.82 0.24 0.01
    #> not scaled, standard deviation 5.59: errors 2.59 2.22 0.39
