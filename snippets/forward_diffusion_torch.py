"""The same schedule and the same shortcut in torch; a batch with a level of its own for each image."""

import torch

from kb.torch.generation.forward_diffusion import add_noise, alphas_cumprod, make_betas, rescale_zero_terminal_snr

device = "cuda" if torch.cuda.is_available() else "cpu"
abar = alphas_cumprod(make_betas())  # float64, wherever the images are
print(f"{abar[-1].item():.3g}", round(abar[-1].sqrt().item(), 4))
#> 4.04e-05 0.0064

torch.manual_seed(0)
images = torch.rand(3, 1, 28, 28, device=device) * 2 - 1
noise = torch.randn(images.shape).to(device)
t = torch.tensor([0, 499, 999], device=device)
noisy = add_noise(images, noise, t, abar)
print(tuple(noisy.shape), noisy.dtype)
#> (3, 1, 28, 28) torch.float32
print([round((x - e).abs().mean().item(), 3) for x, e in zip(noisy, noise, strict=True)])
#> [0.917, 0.144, 0.003]

# The schedule that ends in pure noise, and its last two steps.
ends = alphas_cumprod(rescale_zero_terminal_snr(make_betas("scaled_linear", 1000, 0.00085, 0.012)))
print([round(level, 6) for level in ends[-2:].sqrt().tolist()])
#> [0.000444, 0.0]
