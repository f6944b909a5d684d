"""The shipped U-Net names the noise in the codes of digits; a sentence helps."""

import numpy as np

from kb.checkpoints.shipped import digits_text_encoder, digits_unet, digits_vae
from kb.data.captions import WordTokenizer
from kb.data.digits import load_digits, resize
from kb.generation.forward_diffusion import add_noise, alphas_cumprod, make_betas
from kb.generation.latent_diffusion import draw_latent
from kb.generation.unet import count_parameters

unet, vae, rng = digits_unet(), digits_vae(), np.random.default_rng(0)
print(f"{count_parameters(unet.config):,} parameters")
#> 555,940 parameters

# Codes of sevens, and what the text encoder makes of three sentences.
digits = load_digits()
sevens = digits.images[digits.labels == 7][:100]
mean, logvar = vae.encode(2 * resize(sevens, 16)[:, None] - 1)
noise, draw = rng.standard_normal((2, *mean.shape), np.float32)
z = draw_latent(mean, logvar, draw, vae.config.scaling_factor)
said = "a photo of a seven", "", "a photo of a zero"
states = digits_text_encoder()(WordTokenizer().encode_all(said))
print("codes", z.shape, "words", states.shape)
#> codes (100, 4, 4, 4) words (3, 12, 64)

abar = alphas_cumprod(make_betas("scaled_linear", 1000, 0.00085, 0.012))
for t in (100, 300, 500, 700, 900):
    noisy = add_noise(z.astype(np.float32), noise, t, abar)
    prompts = (np.repeat(s[None], len(z), axis=0) for s in states)
    errors = [np.mean((unet(noisy, t, p) - noise) ** 2) for p in prompts]
    print(f"level {t}:", *(f"{e:.3f}" for e in errors))
    #> level 100: 0.819 0.825 1.054
    #> level 300: 0.506 0.531 0.741
    #> level 500: 0.239 0.268 0.344
    #> level 700: 0.075 0.086 0.102
    #> level 900: 0.015 0.017 0.019
