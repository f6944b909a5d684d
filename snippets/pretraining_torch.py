"""The same in torch, on the GPU where there is one."""

import torch

from kb.torch.architecture.pretraining import pretraining

device = "cuda" if torch.cuda.is_available() else "cpu"
print(pretraining(torch.tensor([1.0, 2.0, 3.0], device=device)).tolist())
