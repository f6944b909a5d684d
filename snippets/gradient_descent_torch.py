"""Gradient descent in torch: autograd finds the slope, torch.optim.SGD takes the step. The hand-written walk agrees."""

import torch

from kb.torch.learning.gradient_descent import descend, hills, hills_gradient

device = "cuda" if torch.cuda.is_available() else "cpu"
start = torch.tensor([-0.4, 1.7], dtype=torch.float64, device=device)

x = start.clone().requires_grad_()
optimizer = torch.optim.SGD([x], lr=0.3)
for _ in range(100):
    optimizer.zero_grad()
    hills(x).backward()
    optimizer.step()
print([round(value, 3) for value in x.tolist()], round(hills(x).item(), 3))
#> [-1.428, 0.0] -0.888

path = descend(hills_gradient, start, 0.3, 100)
print(tuple(path.shape), torch.allclose(path[-1], x.detach()))
#> (101, 2) True
