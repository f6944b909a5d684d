"""The loss and one gradient of the same GPT in torch."""

import numpy as np
import torch

from kb.architecture import pretraining as numpy_twin
from kb.architecture.transformer import GPTConfig, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.torch.architecture.pretraining import pretraining_loss

device = "cuda" if torch.cuda.is_available() else "cpu"
config = GPTConfig(vocab_size=50, n_positions=32, n_embd=16, n_layer=2, n_head=2)
params = init_gpt(config, np.random.default_rng(0), "float64")
ids = np.random.default_rng(1).integers(0, 50, (4, 33))  # (b, t + 1)

weights = {name: torch.tensor(w, device=device, requires_grad=True) for name, w in params.items()}
loss = pretraining_loss(weights, torch.tensor(ids, device=device), config)
loss.backward()
print(f"{loss.item():.4f}")
#> 3.9192

theirs, grads = value_and_grad(numpy_twin.pretraining_loss)(params, ids, config)
gap = max(np.abs(weights[name].grad.cpu().numpy() - g).max() for name, g in grads.items())
print(abs(loss.item() - theirs) < 1e-12, gap < 1e-12)
#> True True
