"""The same in torch, and the levels that Stable Diffusion steps through."""

import torch

from kb.torch.generation import denoising_objective as do
from kb.torch.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.torch.generation.reverse_diffusion import generate, timesteps

device = "cuda" if torch.cuda.is_available() else "cpu"
options = {"dtype": torch.float64, "device": device}
betas = make_betas().to(device)
abar = alphas_cumprod(betas)
means = torch.tensor([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]], **options)
variances = torch.tensor([0.12, 0.04, 0.014], **options)
weights = torch.tensor([0.5, 0.3, 0.2], **options)


def network(x, t):
    return do.mixture_epsilon(x, means, variances, weights, t, abar)


noise = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
noise = noise.to(**options)
for method in ("ddpm", "ddim", "heun"):
    rng = torch.Generator(device).manual_seed(0)
    x = generate(network, noise, timesteps(1000, 20), betas, method, rng)
    nearest = torch.cdist(x, means).min(1).values
    print(method, tuple(x.shape), "on an island:", (nearest < 1.5).all().item())
    #> ddpm (1000, 2) on an island: True
    #> ddim (1000, 2) on an island: True
    #> heun (1000, 2) on an island: True

steps = timesteps(1000, 50, "leading", steps_offset=1)
print(steps[:3].tolist(), "...", steps[-2:].tolist())
#> [981, 961, 941] ... [21, 1]
