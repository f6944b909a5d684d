"""The same in torch, on the GPU where there is one."""

import torch

from kb.torch.architecture.large_language_model import large_language_model

device = "cuda" if torch.cuda.is_available() else "cpu"
print(large_language_model(torch.tensor([1.0, 2.0, 3.0], device=device)).tolist())
