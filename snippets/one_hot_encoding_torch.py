"""One-hot vectors in torch, and the two places where they are never built: a lookup and a loss."""

import torch
import torch.nn.functional as F

from kb.torch.architecture.one_hot_encoding import one_hot, one_hot_product

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
ids = torch.tensor([1, 3, 1], device=device)
print(one_hot(ids, 4).tolist())
#> [[0, 1, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]]

weight = torch.randn(4, 3, device=device)
print(torch.equal(one_hot_product(ids, weight), F.embedding(ids, weight)))
#> True

logits = torch.randn(3, 4, device=device)
by_index, by_vector = F.cross_entropy(logits, ids), F.cross_entropy(logits, one_hot(ids, 4, dtype=logits.dtype))
print(torch.allclose(by_index, by_vector))
#> True
