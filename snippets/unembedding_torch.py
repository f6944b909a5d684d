"""The same scores in torch, and the embedding table used twice, as GPT-2 does."""

import torch

from kb.torch.architecture.unembedding import unembed, unembed_last

device = "cuda" if torch.cuda.is_available() else "cpu"
rows = [[2.2, 0.4], [1.4, 0.5], [-0.2, 1.4], [-1.5, 0.7], [-1.1, -0.8], [0.4, -1.1]]
weight = torch.tensor(rows, device=device)
final = torch.tensor([2.0, 0.8], device=device)
print([round(score, 2) for score in unembed(final, weight).tolist()])
#> [4.72, 3.2, 0.72, -2.44, -2.84, -0.08]

embedding = torch.nn.Embedding(6, 2, device=device)
head = torch.nn.Linear(2, 6, bias=False, device=device)  # its weight: (tokens, width)
head.weight = embedding.weight  # tied: one parameter, two uses
ids = torch.tensor([0, 5, 0], device=device)
scores = head(embedding(ids))
print(torch.allclose(scores, unembed(embedding.weight[ids], embedding.weight)), tuple(scores.shape))
#> True (3, 6)
print(torch.allclose(scores[-1], unembed_last(embedding.weight[ids], embedding.weight)))
#> True
print(len({id(p) for p in (*embedding.parameters(), *head.parameters())}))
#> 1
