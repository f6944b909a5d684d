"""Draw digits in the space of codes, and count what a pass of Stable Diffusion's U-Net costs."""

from dataclasses import replace

import numpy as np

from kb.checkpoints.shipped import digits_text_encoder, digits_unet, digits_vae
from kb.checkpoints.unet_config import STABLE_DIFFUSION_UNET
from kb.data.captions import WordTokenizer
from kb.generation.forward_diffusion import make_betas
from kb.generation.latent_diffusion import generate_image, unet_cost
from kb.generation.reverse_diffusion import timesteps

unet, vae = digits_unet(), digits_vae()
words = WordTokenizer().encode_all(["a photo of a three", "a photo of a seven"])
prompt = digits_text_encoder()(words)
calls = {"U-Net": 0, "decoder": 0}


def model(z, t):
    calls["U-Net"] += 1
    return unet(z, int(t), prompt)


def decode(z):
    calls["decoder"] += 1
    return vae.decode(z)


noise = np.random.default_rng(0).standard_normal((2, 4, 4, 4), np.float32)
betas = make_betas("scaled_linear", 1000, 0.00085, 0.012)
steps, factor = timesteps(1000, 20, "leading", 1), vae.config.scaling_factor
images = generate_image(model, decode, noise, steps, betas, factor)
print(noise.shape, "->", images.shape, calls)
#> (2, 4, 4, 4) -> (2, 1, 16, 16) {'U-Net': 20, 'decoder': 1}

for row in np.concatenate(list(images[:, 0]), axis=1)[1::2]:
    ink = np.clip(2.5 * (row + 1), 0, 4)
    print("".join("  .oO"[int(v)] for v in ink).rstrip())
    #>     .oOOOOOo        oOOOO.
    #>     ooo.ooo.        ooooOo
    #>      ..oOo             .Oo
    #>       ooOo            .oOO.
    #>         ...         .oOOOOo.
    #>          ...         .OO.
    #>        ..o.          .oo
    #>     oOOOOo          .oo.

pixels = replace(STABLE_DIFFUSION_UNET, in_channels=3, out_channels=3)
for config, side in ((STABLE_DIFFUSION_UNET, 64), (pixels, 512)):
    cost = unet_cost(config, side, 77)
    billions = (f"{kind} {n / 1e9:,.0f}" for kind, n in cost.items())
    print(f"{side} x {side}:", ", ".join(billions))
    #> 64 x 64: convolution 209, linear 129, self-attention 61, cross-attention 2
    #> 512 x 512: convolution 13,386, linear 8,189, self-attention 250,869, cross-attention 114
