"""The hand-derived backward pass in torch, against torch's own."""

from itertools import pairwise

import torch

from kb.torch.learning.backpropagation import squared_error_gradients
from kb.torch.learning.cost_function import cost
from kb.torch.structure.multilayer_perceptron import mlp

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
sizes = (784, 16, 16, 10)
params = {}
for i, (n, m) in enumerate(pairwise(sizes)):
    params[f"{2 * i}.weight"] = torch.randn(m, n, dtype=torch.float64, device=device) * (2 / (n + m)) ** 0.5
    params[f"{2 * i}.bias"] = torch.zeros(m, dtype=torch.float64, device=device)
x = torch.rand(100, 784, dtype=torch.float64, device=device)
y = torch.eye(10, dtype=torch.float64, device=device)[torch.arange(100, device=device) % 10]

_, by_hand = squared_error_gradients(params, x, y)
for p in params.values():
    p.requires_grad_()
cost(mlp(params, x), y).backward()
print({name: torch.allclose(by_hand[name], p.grad, rtol=1e-10, atol=1e-14) for name, p in params.items()})
#> {'0.weight': True, '0.bias': True, '2.weight': True, '2.bias': True, '4.weight': True, '4.bias': True}
