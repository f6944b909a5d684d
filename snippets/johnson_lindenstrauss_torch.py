"""One-hot vectors of 2,000 tokens in torch, projected to GPT-2's width of 768: nearly perpendicular directions."""

import math

import torch

from kb.torch.architecture.johnson_lindenstrauss import distance_ratios, largest_cosine, random_projection
from kb.torch.foundations.high_dimensional_geometry import random_directions

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(0)

# One-hot vectors are all perpendicular, and a random projection turns each of them into one random direction.
tokens = 2000
noise = torch.randn(tokens, 768, generator=generator).to(device)
one_hot = torch.eye(tokens, device=device)
vectors = random_projection(one_hot, noise)

some = distance_ratios(one_hot[:500], vectors[:500])
print(f"squared distances between {some.min():.2f} and {some.max():.2f} of what they were")
#> squared distances between 0.80 and 1.24 of what they were

worst = math.degrees(math.acos(largest_cosine(random_directions(vectors)).item()))
print(f"{tokens * (tokens - 1) // 2:,} angles, all between {worst:.0f} and {180 - worst:.0f} degrees")
#> 1,999,000 angles, all between 80 and 100 degrees
