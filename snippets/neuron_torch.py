"""A batch of inputs through one neuron in torch, and what its gradient says about each weight."""

import torch

from kb.torch.structure.activation_functions import relu
from kb.torch.structure.neuron import neuron

device = "cuda" if torch.cuda.is_available() else "cpu"
x = torch.tensor([[2.0, 3.0], [2.0, -1.0]], device=device)
weight = torch.tensor([0.5, 0.2], device=device, requires_grad=True)
bias = torch.tensor(1.0, device=device, requires_grad=True)

a = neuron(x, weight, bias, relu)
print([round(v, 2) for v in a.tolist()])
#> [2.6, 1.8]

# Both inputs keep the neuron switched on, so each weight's slope is the sum of what it multiplied.
a.sum().backward()
print(weight.grad.tolist(), bias.grad.item())
#> [4.0, 2.0] 2.0
