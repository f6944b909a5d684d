"""In torch: dropout that knows train and eval, weight decay for the weights only."""

import torch
from torch import nn

from kb.torch.learning.generalization import dropout, weight_penalty

device = "cuda" if torch.cuda.is_available() else "cpu"
layer, x = nn.Dropout(0.5), torch.ones(100_000, device=device)
layer.train()
out = layer(x)
print("training:", out.unique().tolist(), "mean near 1:", abs(out.mean().item() - 1) < 0.02)
#> training: [0.0, 2.0] mean near 1: True
layer.eval()
print("predicting: unchanged", torch.equal(layer(x), x))
#> predicting: unchanged True

# kb's dropout takes its noise from you, so that a run can be repeated exactly.
noise = torch.tensor([0.1, 0.7, 0.4, 0.9], device=device)
print(dropout(torch.tensor([0.5, 1.0, 2.0, 4.0], device=device), 0.5, noise).tolist())
#> [0.0, 2.0, 0.0, 8.0]

# torch's weight_decay applies to whatever is in the group: keep biases out of it.
model = nn.Linear(2, 1).to(device)
nn.init.constant_(model.weight, 2.0)
nn.init.constant_(model.bias, 2.0)
groups = [
    {"params": [model.weight], "weight_decay": 0.5},
    {"params": [model.bias], "weight_decay": 0.0},
]
print("penalty:", weight_penalty(dict(model.named_parameters()), 0.5).item())
#> penalty: 2.0
optimizer = torch.optim.SGD(groups, lr=0.1)
for p in model.parameters():
    p.grad = torch.zeros_like(p)
optimizer.step()  # no gradient: each weight shrinks by the factor 1 - 0.1 * 0.5
print([round(w, 3) for w in model.weight[0].tolist()], model.bias.item())
#> [1.9, 1.9] 2.0
