"""A thousand queries against ten thousand vectors in torch, and what the gradient of a cosine says."""

import torch

from kb.torch.foundations.vectors_and_dot_products import cosine_similarity, dot, nearest_neighbours

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(0)
vectors = torch.randn(10_000, 256, generator=generator).to(device)
queries = vectors[:1000] + 0.5 * torch.randn(1000, 256, generator=generator).to(device)  # noisy copies of the first

cosine, place = nearest_neighbours(queries, vectors, k=3)
print(cosine.shape, place[:5, 0].tolist())
#> torch.Size([1000, 3]) [0, 1, 2, 3, 4]
print("found again:", (place[:, 0].cpu() == torch.arange(1000)).float().mean().item())
#> found again: 1.0

# Lengthening a vector does not change its cosine: the gradient is perpendicular to it.
a = torch.tensor([2.0, 1.0], dtype=torch.float64, device=device, requires_grad=True)
b = torch.tensor([1.0, 2.0], dtype=torch.float64, device=device)
cosine_similarity(a, b).backward()
print([round(slope, 3) for slope in a.grad.tolist()], round(dot(a, a.grad).item(), 12))
#> [-0.12, 0.24] 0.0
