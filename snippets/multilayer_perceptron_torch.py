"""The same network as a torch module, with kb's weights; torch's initialisers."""

import torch
from torch import nn

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.torch.structure.multilayer_perceptron import MLP, expected_calibration_error

device = "cuda" if torch.cuda.is_available() else "cpu"
model = MLP(784, 16, 16, 10).to(device)
print(sum(p.numel() for p in model.parameters()))
#> 13002

model.load_state_dict({k: torch.from_numpy(w) for k, w in digits_mlp().items()})
held_out = split(load_digits(28))[1]
x = torch.from_numpy(held_out.images.reshape(-1, 784)).to(device)
with torch.no_grad():
    scores = model(x)
confidence, answer = scores.max(dim=1)
right = answer == torch.from_numpy(held_out.labels).to(device)
ece = expected_calibration_error(confidence, right)
print(f"{right.float().mean():.1%} right, calibration error {ece:.1%}")
#> 96.1% right, calibration error 2.5%

# What torch does if you say nothing: uniform within 1 / sqrt(n).
torch.manual_seed(0)
layer = nn.Linear(784, 1000)
print(f"{layer.weight.std():.4f} {(1 / (3 * 784)) ** 0.5:.4f}")
#> 0.0206 0.0206
nn.init.xavier_normal_(layer.weight)
print(f"{layer.weight.std():.4f} {(2 / (784 + 1000)) ** 0.5:.4f}")
#> 0.0335 0.0335
