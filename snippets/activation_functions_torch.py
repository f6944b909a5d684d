"""kb's formulas against torch's own functions, in value and in slope."""

import numpy as np
import torch
from torch.nn import functional as F

from kb.structure import activation_functions as kb

device = "cuda" if torch.cuda.is_available() else "cpu"
z = np.concatenate([np.linspace(-10, 10, 2001), [-1e4, 1e4]])
pairs = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
}
for name, theirs in pairs.items():
    leaf = torch.tensor(z, device=device, requires_grad=True)
    a = theirs(leaf)
    a.sum().backward()
    same = np.allclose(getattr(kb, name)(z), a.detach().cpu().numpy(), rtol=1e-12, atol=1e-14)
    same_slope = np.allclose(getattr(kb, f"{name}_slope")(z), leaf.grad.cpu().numpy(), rtol=1e-12, atol=1e-14)
    print(f"{name:10} value {same}, slope {same_slope}")
    #> sigmoid    value True, slope True
    #> tanh       value True, slope True
    #> relu       value True, slope True
    #> leaky_relu value True, slope True
    #> softplus   value True, slope True
    #> silu       value True, slope True
    #> gelu       value True, slope True
