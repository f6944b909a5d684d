"""torch keeps a layer's matrix the same way: nn.Linear(2, 3).weight has three rows and two columns."""

import torch
from torch import nn

from kb.torch.structure.activation_functions import relu
from kb.torch.structure.layers import layer

device = "cuda" if torch.cuda.is_available() else "cpu"
dense = nn.Linear(2, 3, device=device)
with torch.no_grad():
    dense.weight.copy_(torch.tensor([[0.5, 0.2], [1.0, -1.0], [0.0, 1.0]]))
    dense.bias.copy_(torch.tensor([1.0, 0.5, -2.0]))
print(tuple(dense.weight.shape), tuple(dense.bias.shape))
#> (3, 2) (3,)

batch = torch.tensor([[2.0, 3.0], [1.0, 0.0], [0.0, 0.0]], device=device)
print([[round(a, 2) for a in row] for row in torch.relu(dense(batch)).tolist()])
#> [[2.6, 0.0, 1.0], [1.5, 1.5, 0.0], [1.0, 0.5, 0.0]]
print(torch.equal(layer(batch, dense.weight, dense.bias, relu), torch.relu(dense(batch))))
#> True

# Any axes may stand in front: 7 sequences of 5 vectors of 2 numbers.
print(tuple(dense(torch.zeros(7, 5, 2, device=device)).shape))
#> (7, 5, 3)
