"""torch records the same graph while it computes: grad_fn made the result, next_functions made its parents."""

import torch

from kb.torch.learning.computation_graph import jacobian_forward, jacobian_reverse

device = "cuda" if torch.cuda.is_available() else "cpu"
a = torch.tensor(2.0, device=device, requires_grad=True)
b = torch.tensor(-3.0, device=device, requires_grad=True)
y = (a + b) * b + a
y.backward()
print(a.grad.item(), b.grad.item())
#> -2.0 -4.0

print(y.grad_fn.name(), [behind.name() for behind, _ in y.grad_fn.next_functions])
#> AddBackward0 ['MulBackward0', 'torch::autograd::AccumulateGrad']


def f(x):
    a, b = x
    return [(a + b) * b + a, a * b, a - b]


x = torch.tensor([2.0, -3.0], device=device)
print(jacobian_forward(f, x).tolist() == jacobian_reverse(f, x).tolist(), jacobian_reverse(f, x).tolist())
#> True [[-2.0, -4.0], [-3.0, 2.0], [1.0, -1.0]]
