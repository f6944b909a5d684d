"""LoRA in torch: the layer is frozen, a low-rank update beside it learns, and is merged in the end."""

import torch
from torch import nn

from kb.torch.architecture.fine_tuning import lora_linear, merge

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
layer = nn.Linear(64, 32, device=device).requires_grad_(False)  # pretrained, frozen
x = torch.randn(500, 64, device=device)
y = layer(x) + x @ torch.randn(64, 2, device=device) @ torch.randn(2, 32, device=device) / 8  # the task: rank 2 away

a = nn.Parameter(torch.randn(2, 64, device=device) / 8)
b = nn.Parameter(torch.zeros(32, 2, device=device))
optimizer = torch.optim.AdamW([a, b], lr=0.01, weight_decay=0)
for step in range(151):
    loss = nn.functional.mse_loss(lora_linear(x, layer.weight, a, b, layer.bias), y)
    optimizer.zero_grad()
    loss.backward()
    if step % 50 == 0:
        print(step, f"{loss.item():.3f}")
        #> 0 2.291
        #> 50 0.541
        #> 100 0.002
        #> 150 0.000
    optimizer.step()

merged = merge({"weight": layer.weight}, {"weight.lora_A": a, "weight.lora_B": b})["weight"]
beside = lora_linear(x, layer.weight, a, b, layer.bias)
print("merged gives the same:", torch.allclose(nn.functional.linear(x, merged, layer.bias), beside, atol=1e-4))
#> merged gives the same: True
print(f"{a.numel() + b.numel()} of {layer.weight.numel()} numbers trained")
#> 192 of 2048 numbers trained
