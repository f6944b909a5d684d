"""The same block as torch's modules, with the same weights; each position is worked on alone."""

import torch
from torch import nn

from kb.torch.architecture.mlp_block import mlp_block

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 256), nn.GELU("tanh"), nn.Linear(256, 64)).to(device)
x = torch.randn(2, 10, 64, device=device)

weights = [net[0].weight, net[0].bias, net[2].weight, net[2].bias]
print(torch.allclose(mlp_block(x, *weights), net(x), atol=1e-6))
#> True

changed = x.clone()
changed[:, 3] = 0.0
same = torch.isclose(net(x), net(changed), atol=1e-6).all(-1)
print(same[0].tolist())
#> [True, True, True, False, True, True, True, True, True, True]
