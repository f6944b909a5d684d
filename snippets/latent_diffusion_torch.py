"""The same in torch, on the GPU where there is one."""

import torch

from kb.torch.generation.latent_diffusion import latent_diffusion

device = "cuda" if torch.cuda.is_available() else "cpu"
print(latent_diffusion(torch.tensor([1.0, 2.0, 3.0], device=device)).tolist())
