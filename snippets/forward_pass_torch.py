"""The same weights in torch's nn.Sequential: the names fit, so the flat dict is its state dict."""

import torch
from torch import nn

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.torch.structure.activation_functions import sigmoid
from kb.torch.structure.forward_pass import forward

device = "cuda" if torch.cuda.is_available() else "cpu"
model = nn.Sequential(
    nn.Linear(784, 16), nn.Sigmoid(), nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 10), nn.Sigmoid()
).to(device)
params = {name: torch.tensor(array, device=device) for name, array in digits_mlp().items()}
print(model.load_state_dict(params, strict=True))
#> <All keys matched successfully>

held_out = split(load_digits(28))[1]
x = torch.tensor(held_out.images, device=device).flatten(1)
labels = torch.tensor(held_out.labels, device=device)
with torch.no_grad():  # nobody will ask for slopes, so nothing is kept for the way back
    scores = model(x)
print([round(a, 2) for a in scores[3].tolist()])
#> [0.03, 0.01, 0.0, 0.0, 0.98, 0.0, 0.01, 0.0, 0.0, 0.0]
print(torch.allclose(scores, forward(params, x, sigmoid), rtol=1e-4, atol=1e-6))
#> True
print(f"{(scores.argmax(1) == labels).sum().item()} of {len(x)} held-out digits right")
#> 346 of 360 held-out digits right
