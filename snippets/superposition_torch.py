"""Twenty features in five dimensions, trained in torch: how many are kept, and how much room each has."""

import torch

from kb.torch.architecture.superposition import dimensionality, feature_norms, reconstruction_loss, sparse_features

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(0)


def rand(*shape):
    return torch.rand(*shape, generator=generator).to(device)


importance = 0.8 ** torch.arange(20.0, device=device)
for density in (0.9, 0.03):
    weight = (torch.randn(5, 20, generator=generator) / 5**0.5).to(device).requires_grad_()
    bias = torch.zeros(20, device=device, requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias], lr=0.03)
    for _ in range(400):
        x = sparse_features(rand(256, 20), rand(256, 20), density)
        loss = reconstruction_loss(x, weight, bias, importance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    kept = feature_norms(weight) > 0.5
    room = dimensionality(weight)[kept].mean().item()
    print(f"density {density}: {kept.sum().item()} of 20 features kept, {room:.2f} of a dimension each")
    #> density 0.9: 6 of 20 features kept, 0.83 of a dimension each
    #> density 0.03: 13 of 20 features kept, 0.38 of a dimension each
