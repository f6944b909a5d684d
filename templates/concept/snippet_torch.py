"""The same in torch, on the GPU where there is one."""

import torch

from kb.torch.@arc@.@slug@ import @slug@

device = "cuda" if torch.cuda.is_available() else "cpu"
print(@slug@(torch.tensor([1.0, 2.0, 3.0], device=device)).tolist())
