"""The same network as torch users write it: nn.Sequential takes kb's weights under the names they already have."""

import torch
from torch import nn

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split

device = "cuda" if torch.cuda.is_available() else "cpu"
network = nn.Sequential(
    nn.Linear(784, 16), nn.Sigmoid(), nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 10), nn.Sigmoid()
).to(device)
print(sum(p.numel() for p in network.parameters()))
#> 13002

network.load_state_dict({name: torch.from_numpy(value) for name, value in digits_mlp().items()}, strict=True)
held_out = split(load_digits(28))[1]
x, labels = torch.from_numpy(held_out.images).flatten(1).to(device), torch.from_numpy(held_out.labels).to(device)
with torch.no_grad():
    outputs = network(x)
print(outputs[220].argmax().item(), f"{outputs[220].max().item():.2f}")
#> 3 0.87
print(f"{(outputs.argmax(1) == labels).float().mean().item():.1%}")
#> 96.1%
