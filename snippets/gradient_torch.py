"""The gradient by torch's automatic differentiation, checked by nudging, in float64 and in float32."""

import torch

from kb.torch.foundations.gradient import directional_derivative, gradient_check
from kb.torch.foundations.vectors_and_dot_products import dot

device = "cuda" if torch.cuda.is_available() else "cpu"


def cost(w):
    return torch.sum(torch.exp(torch.sin(w)))


def checked(dtype):
    w = torch.linspace(-1, 1, 5, dtype=dtype, device=device, requires_grad=True)
    cost(w).backward()
    return gradient_check(cost, w.detach(), w.grad).item()


print("float64: below 1e-9:", checked(torch.float64) < 1e-9)
#> float64: below 1e-9: True
print("float32: below 1e-6:", checked(torch.float32) < 1e-6, "below 1e-3:", checked(torch.float32) < 1e-3)
#> float32: below 1e-6: False below 1e-3: True

# The slope along a direction: measured by two calls of the cost, or the dot product of gradient and direction.
w = torch.linspace(-1, 1, 5, dtype=torch.float64, device=device, requires_grad=True)
u = torch.tensor([0.6, 0.0, 0.8, 0.0, 0.0], dtype=torch.float64, device=device)
(gradient,) = torch.autograd.grad(cost(w), w)
print(round(directional_derivative(cost, w.detach(), u).item(), 6), round(dot(gradient, u).item(), 6))
#> 0.939747 0.939747
