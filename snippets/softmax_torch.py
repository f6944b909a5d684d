"""The same shares from torch, on the GPU where there is one, and their gradient."""

import torch

from kb.torch.foundations.softmax import logsumexp, softmax, softmax_jacobian

device = "cuda" if torch.cuda.is_available() else "cpu"
scores = torch.tensor([2.0, 1.0, 0.1], dtype=torch.float64, device=device, requires_grad=True)

p = softmax(scores)
print([round(share, 3) for share in p.tolist()])
#> [0.659, 0.242, 0.099]
print(round(logsumexp(scores).item(), 3))
#> 2.417

# The gradient of the first share is the first row of the Jacobian diag(p) - p p^T.
p[0].backward()
print([round(slope, 3) for slope in scores.grad.tolist()])
#> [0.225, -0.16, -0.065]
print(torch.allclose(scores.grad, softmax_jacobian(p)[0]))
#> True
