"""Draw digits in the space of codes, and count what a pass of Stable Diffusion's U-Net costs."""

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

for row in np.concatenate(list(images[:, 0]), axis=1)[1::2]:
    print("".join(" .:oO"[int(v)] for v in np.clip(2.5 * (row + 1), 0, 4)))

for name, side in (("latent", 64), ("pixels", 512)):
    cost = unet_cost(STABLE_DIFFUSION_UNET, side, 77)
    print(name, {kind: f"{n / 1e9:,.0f}" for kind, n in cost.items()})
