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

# This autoencoder's codes have about the right size as they are; those of
# Stable Diffusion's are 5.49 times as large, and have to be scaled down.
z = draw_latent(mean, logvar, draw, vae.config.scaling_factor)
for name, codes in (("scaled", z), ("not scaled", 5.49 * z)):
    print(f"{name}: standard deviation {codes.std():.2f}")
    #> scaled: standard deviation 1.02
    for t in (100, 500, 900):
        noisy = add_noise(codes.astype(np.float32), noise, t, abar)
        error = np.mean((unet(noisy, t, prompt) - noise) ** 2)
        #>   level 100: squared error 0.82
        #>   level 500: squared error 0.24
        #>   level 900: squared error 0.01
        print(f"  level {t}: squared error {error:.2f}")
        #>   level 100: squared error 2.59
        #>   level 500: squared error 2.22
        #>   level 900: squared error 0.39
