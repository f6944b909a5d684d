"""Cross-entropy in torch with its options: class weights, ignored targets, label smoothing."""

import torch

from kb.torch.learning.cost_function import cross_entropy

device = "cuda" if torch.cuda.is_available() else "cpu"
logits = torch.tensor([[0.0, 2.0, 0.0], [2.0, 0.0, -1.0]], device=device, requires_grad=True)
target = torch.tensor([1, 2], device=device)

loss = cross_entropy(logits, target)
loss.backward()  # (p - y) / n
print(round(loss.item(), 3), [[round(g, 2) for g in row] for row in logits.grad.tolist()])
#> 1.705 [[0.05, -0.11, 0.05], [0.42, 0.06, -0.48]]

print(round(cross_entropy(logits, target, weight=torch.tensor([1.0, 1.0, 5.0], device=device)).item(), 3))
#> 2.681
print(round(cross_entropy(logits, torch.tensor([1, -100], device=device)).item(), 3))
#> 0.24
print(round(cross_entropy(logits[:1], target[:1], label_smoothing=0.1).item(), 3))
#> 0.373
