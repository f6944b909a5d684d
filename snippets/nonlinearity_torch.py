"""A hundred linear layers in torch, merged into one, on the GPU where there is one; and XOR."""

import torch
from torch import nn

from kb.torch.structure.activation_functions import identity, relu
from kb.torch.structure.nonlinearity import collapse, xor_network

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
deep = nn.Sequential(*(nn.Linear(16, 16) for _ in range(100))).double().to(device)
weight, bias = collapse([(part.weight, part.bias) for part in deep])
one = nn.Linear(16, 16).double().to(device)
one.load_state_dict({"weight": weight, "bias": bias})

x = torch.randn(1000, 16, dtype=torch.float64, device=device)
count = sum(p.numel() for p in deep.parameters()), sum(p.numel() for p in one.parameters())
print(torch.allclose(deep(x), one(x), rtol=1e-10), "with", count[0], "and", count[1], "parameters")
#> True with 27200 and 272 parameters

cases = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], device=device)
print("ReLU:", xor_network(cases, relu).tolist(), " without:", xor_network(cases, identity).tolist())
#> ReLU: [0.0, 1.0, 1.0, 0.0]  without: [2.0, 1.0, 1.0, 0.0]
