"""The same in torch: gradients of a hundred layers with and without the identity path, by torch's own autograd."""

import torch

from kb.torch.foundations.residual_connections import gradient_norms

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
weight = torch.randn(100, 64, 64, dtype=torch.float64).to(device) * 0.1 / 64**0.5
bias = torch.zeros(100, 64, dtype=torch.float64, device=device)
x, grad = torch.randn(2, 32, 64, dtype=torch.float64).to(device)

for skip in (True, False):
    norms = gradient_norms(x, weight, bias, grad / grad.norm(), torch.tanh, None, skip=skip)
    print("with x:   " if skip else "without x:", [f"{norm:.1e}" for norm in norms.flip(0)[::33].tolist()])
    #> with x:    ['1.0e+00', '1.2e+00', '1.4e+00', '1.6e+00']
    #> without x: ['9.9e-02', '8.7e-35', '3.3e-68', '3.1e-101']
