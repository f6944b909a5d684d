"""The same samplers in torch, and the levels that Stable Diffusion steps through."""

import torch

from kb.torch.generation.denoising_objective import mixture_epsilon
from kb.torch.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.torch.generation.reverse_diffusion import ddim_step, generate, timesteps

device = "cuda" if torch.cuda.is_available() else "cpu"
betas = make_betas().to(device)
abar = alphas_cumprod(betas)
means = torch.tensor([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]], dtype=torch.float64, device=device)
variances, weights = torch.tensor([[0.1225, 0.04, 0.0144], [0.5, 0.3, 0.2]], dtype=torch.float64, device=device)


def network(x, t):
    return mixture_epsilon(x, means, variances, weights, t, abar)


noise = torch.randn(1000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(device)
for method in ("ddpm", "ddim", "heun"):
    rng = torch.Generator(device).manual_seed(0)
    x = generate(network, noise, timesteps(1000, 20), betas, method, rng)
    print(method, tuple(x.shape), torch.cdist(x, means).min(1).values.max().item() < 2)
    #> ddpm (1000, 2) True
    #> ddim (1000, 2) True
    #> heun (1000, 2) True

# Stable Diffusion's way down: levels 981, 961, ..., 1, and the last step ends at level 0, not at the data.
steps = timesteps(1000, 50, "leading", steps_offset=1)
print(steps[:3].tolist(), steps[-1].item(), ddim_step(noise, 1, 0, noise, abar).shape == noise.shape)
#> [981, 961, 941] 1 True
