"""Looking inside with a hook: torch hands over what a hidden layer says; then an image is made for an output."""

import torch
from torch import nn

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.torch.structure.representation_learning import mean_activations, separation

device = "cuda" if torch.cuda.is_available() else "cpu"
net = nn.Sequential(
    nn.Linear(784, 16), nn.Sigmoid(), nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 10), nn.Sigmoid()
).to(device)
net.load_state_dict({name: torch.from_numpy(value) for name, value in digits_mlp().items()})
held_out = split(load_digits(28))[1]
x, labels = torch.from_numpy(held_out.images).flatten(1).to(device), torch.from_numpy(held_out.labels).to(device)

seen = {}
net[1].register_forward_hook(lambda module, given, out: seen.update(a1=out.detach()))
net(x)
print([round(v, 1) for v in mean_activations(seen["a1"], labels, 10)[:, 3].tolist()])
#> [0.9, 0.0, 0.0, 0.0, 0.9, 0.8, 0.9, 0.0, 0.0, 0.1]
loops = torch.isin(labels, torch.tensor([0, 6, 8, 9], device=device))
print(round(max(max(s, 1 - s) for s in separation(seen["a1"], loops).tolist()), 3))
#> 0.801

# From grey, twenty steps uphill on the output for 3: sure of it, and no 3 to be seen.
image = torch.full((784,), 0.5, device=device, requires_grad=True)
for _ in range(20):
    (slope,) = torch.autograd.grad(net(image)[3], image)
    image = (image + 0.1 * slope.sign()).clamp(0, 1).detach().requires_grad_()
print(f"{net(torch.full((784,), 0.5, device=device))[3].item():.2f} {net(image)[3].item():.2f}")
#> 0.00 0.99
