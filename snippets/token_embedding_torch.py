"""An embedding layer in torch is a table of rows; only the rows that were read get a gradient."""

import torch
from torch import nn

from kb.torch.architecture.token_embedding import embedding

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
table = nn.Embedding(10, 4, device=device)
ids = torch.tensor([[7, 2], [7, 7]], device=device)
print(tuple(table(ids).shape), torch.equal(table(ids), embedding(ids, table.weight)))
#> (2, 2, 4) True

table(ids).sum().backward()
print(table.weight.grad[:, 0].tolist())
#> [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]

gpt3 = nn.Embedding(50257, 12288, device="meta")  # "meta": the shape without the numbers
print(f"{gpt3.weight.numel():,}")
#> 617,558,016
