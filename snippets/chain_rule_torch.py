"""The same three factors in torch, against torch's own gradient."""

import torch

from kb.torch.learning.chain_rule import chain_factors
from kb.torch.structure.activation_functions import sigmoid, sigmoid_slope

device = "cuda" if torch.cuda.is_available() else "cpu"
weight = torch.tensor([2.0, -1.0, 3.0], dtype=torch.float64, device=device, requires_grad=True)
bias = torch.tensor([-1.0, 1.0, -1.0], dtype=torch.float64, device=device)
x = y = torch.tensor(1.0, dtype=torch.float64, device=device)

active, responsive, wrong = chain_factors(x, weight.detach(), bias, y, sigmoid, sigmoid_slope)
print((active * responsive * wrong).cpu().numpy().round(6))
#> [ 0.021298 -0.079192 -0.083359]

a = x
for w, b in zip(weight, bias, strict=True):
    a = torch.sigmoid(w * a + b)
(a - y).square().backward()
print(weight.grad.cpu().numpy().round(6))
#> [ 0.021298 -0.079192 -0.083359]
