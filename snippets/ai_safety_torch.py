"""The same attack in torch, where the gradient with respect to the input costs one line."""

import torch
import torch.nn.functional as F

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.torch.architecture.ai_safety import fgsm

device = "cuda" if torch.cuda.is_available() else "cpu"
net = torch.nn.Sequential(
    torch.nn.Linear(784, 16),
    torch.nn.Sigmoid(),
    torch.nn.Linear(16, 16),
    torch.nn.Sigmoid(),
    torch.nn.Linear(16, 10),
    torch.nn.Sigmoid(),
).to(device)
net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in digits_mlp().items()})

part = split(load_digits(28))[1]
x = torch.tensor(part.images.reshape(-1, 784), device=device, requires_grad=True)
labels = torch.tensor(part.labels, dtype=torch.int64, device=device)
(F.one_hot(labels, 10) - net(x)).square().sum().backward()

for size in (0.0, 0.1, 0.2):
    with torch.no_grad():
        right = net(fgsm(x, x.grad, size)).argmax(1) == labels
    print(f"{size} per pixel: {right.float().mean().item():.0%} right")
    #> 0.0 per pixel: 96% right
    #> 0.1 per pixel: 51% right
    #> 0.2 per pixel: 24% right
