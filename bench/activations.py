"""What an activation function costs: the forms that kb uses, against torch and against the forms that it avoids."""

import numpy as np
import torch
from torch.nn import functional as F

from bench.timing import Row
from kb.structure.activation_functions import gelu, relu


def rows():
    """All on one (1024, 3072) float32 array: the hidden layer of GPT-2 small at its full context."""
    x = np.random.default_rng(0).standard_normal((1024, 3072)).astype(np.float32)
    tensor = torch.from_numpy(x)
    forms = [
        ("gelu_tanh", "gelu, tanh form, (1024, 3072) float32", "torch, F.gelu with approximate='tanh', CPU",
         lambda: gelu(x, "tanh"), lambda: F.gelu(tensor, approximate="tanh"), 2.0),
        ("gelu_exact", "gelu, exact", "its tanh form", lambda: gelu(x), lambda: gelu(x, "tanh"), None),
        ("gelu_relu", "gelu, tanh form", "relu", lambda: gelu(x, "tanh"), lambda: relu(x), None),
        ("cube_power", "x ** 3", "x * x * x", lambda: x**3, lambda: x * x * x, None),
        ("relu_where", "np.where(x > 0, x, 0)", "np.maximum(x, 0)",
         lambda: np.where(x > 0, x, 0), lambda: relu(x), None),
    ]  # fmt: skip
    return [Row(key, work, peer, ours, theirs, at_most) for key, work, peer, ours, theirs, at_most in forms]
