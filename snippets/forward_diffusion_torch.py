"""The same in torch, with a level of its own for each image."""

import torch

from kb.torch.generation import forward_diffusion as fd

device = "cuda" if torch.cuda.is_available() else "cpu"
abar = fd.alphas_cumprod(fd.make_betas())  # float64
print(f"{abar[-1].item():.3g}", round(abar[-1].sqrt().item(), 4))
#> 4.04e-05 0.0064

torch.manual_seed(0)
images = torch.rand(3, 1, 28, 28, device=device) * 2 - 1
noise = torch.randn(images.shape).to(device)
t = torch.tensor([0, 499, 999], device=device)
noisy = fd.add_noise(images, noise, t, abar)
print(tuple(noisy.shape), noisy.dtype)
#> (3, 1, 28, 28) torch.float32
print([round(gap.item(), 2) for gap in (noisy - noise).abs().mean((1, 2, 3))])
#> [0.92, 0.14, 0.0]

# The schedule that ends in pure noise, and its last two steps.
betas = fd.make_betas("scaled_linear", 1000, 0.00085, 0.012)
ends = fd.alphas_cumprod(fd.rescale_zero_terminal_snr(betas))
print([round(level, 6) for level in ends[-2:].sqrt().tolist()])
#> [0.000444, 0.0]
