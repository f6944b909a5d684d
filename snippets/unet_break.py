"""Tell the U-Net the wrong time: it takes out too much noise, or too little."""

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
z = draw_latent(mean, logvar, draw, vae.config.scaling_factor).astype(np.float32)
words = WordTokenizer().encode_all(["a photo of a seven"] * len(z))
prompt = digits_text_encoder()(words)
abar = alphas_cumprod(make_betas("scaled_linear", 1000, 0.00085, 0.012))

for t in (100, 500, 900):
    noisy = add_noise(z, noise, t, abar)
    for told in (100, 500, 900):
        error = np.mean((unet(noisy, told, prompt) - noise) ** 2)
        right = "  <- right" if told == t else ""
        print(f"level {t}, told {told}: error {error:.2f}{right}")
        #> level 100, told 100: error 0.82  <- right
        #> level 100, told 500: error 1.07
        #> level 100, told 900: error 1.31
        #> level 500, told 100: error 0.47
        #> level 500, told 500: error 0.24  <- right
        #> level 500, told 900: error 0.29
        #> level 900, told 100: error 0.45
        #> level 900, told 500: error 0.07
        #> level 900, told 900: error 0.01  <- right
