"""kb.torch's AdamW is torch.optim.AdamW on a flat dict; kb's own NumPy takes the same fifty steps."""

import numpy as np
import torch

import kb.learning.optimizers as kb
import kb.torch.learning.optimizers as kt

device = "cuda" if torch.cuda.is_available() else "cpu"
rng = np.random.default_rng(0)
start = {"weight": rng.normal(size=(4, 3)), "bias": rng.normal(size=4)}

ours = kb.AdamW(start, lr=0.01, weight_decay=0.1)
theirs = kt.AdamW({name: torch.tensor(p, device=device) for name, p in start.items()}, lr=0.01, weight_decay=0.1)
for _ in range(50):
    grads = {name: rng.normal(size=p.shape) for name, p in start.items()}
    clipped, norm = kb.clip_grad_norm(grads, max_norm=1.0)
    ours.step(clipped)
    clipped, same_norm = kt.clip_grad_norm({name: torch.tensor(g, device=device) for name, g in grads.items()}, 1.0)
    theirs.step(clipped)
print(all(np.allclose(ours.params[name], p.cpu(), rtol=1e-12, atol=1e-12) for name, p in theirs.params.items()))
#> True
print(round(float(norm), 3), round(same_norm.item(), 3), sorted(ours.state["bias"]))
#> 2.578 2.578 ['exp_avg', 'exp_avg_sq']
