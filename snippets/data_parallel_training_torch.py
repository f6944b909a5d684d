"""What DistributedDataParallel does, without the processes: two copies, half a batch each, gradients averaged."""

import copy

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
one = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 3)).double().to(device)
workers = [copy.deepcopy(one) for _ in range(2)]
models = [one, *workers]
optimizers = [torch.optim.AdamW(model.parameters(), lr=0.01) for model in models]

for _ in range(50):
    x, target = torch.randn(32, 8, device=device).double(), torch.randint(3, (32,), device=device)
    parts = [slice(0, 32), slice(0, 16), slice(16, 32)]  # everything; the first half; the second
    for model, optimizer, part in zip(models, optimizers, parts, strict=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[part]), target[part]).backward()
    for pair in zip(*(worker.parameters() for worker in workers), strict=True):
        mean = (pair[0].grad + pair[1].grad) / 2  # between processes: torch.distributed.all_reduce
        for parameter in pair:
            parameter.grad = mean.clone()
    for optimizer in optimizers:
        optimizer.step()

names = ("first worker and one process", "first worker and second")
for name, other in zip(names, (one, workers[1]), strict=True):
    pairs = zip(workers[0].parameters(), other.parameters(), strict=True)
    print(f"{name}: apart by less than 1e-12: {max((a - b).abs().max().item() for a, b in pairs) < 1e-12}")
    #> first worker and one process: apart by less than 1e-12: True
    #> first worker and second: apart by less than 1e-12: True
