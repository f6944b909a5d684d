"""Noise in torch: an image of noise has nearly always the same length, and two of them are nearly perpendicular."""

import torch

from kb.torch.foundations.high_dimensional_geometry import cosine_statistics, random_directions

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(0)
noise = torch.randn(1000, 3 * 64 * 64, generator=generator).to(device)  # a thousand noise images

lengths = noise.norm(dim=-1)
print(f"length {lengths.mean().item():.1f} +- {lengths.std().item():.1f}, sqrt(n) = {(3 * 64 * 64) ** 0.5:.1f}")
#> length 110.9 +- 0.7, sqrt(n) = 110.9

mean, deviation = cosine_statistics(noise[:500], noise[500:])
print(f"cosine {mean.item():.3f} +- {deviation.item():.3f}, 1/sqrt(n) = {(3 * 64 * 64) ** -0.5:.3f}")
#> cosine -0.001 +- 0.009, 1/sqrt(n) = 0.009

# The average of two noise images is too short to be noise: its length is that of noise divided by sqrt(2).
middle = (noise[:500] + noise[500:]) / 2
print(f"length of the average {middle.norm(dim=-1).mean().item():.1f}")
#> length of the average 78.4
print(random_directions(noise).shape)
#> torch.Size([1000, 12288])
