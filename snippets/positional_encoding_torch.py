"""Rotary positions in torch for all heads at once; and a learned table, which ends where it ends."""

import torch

from kb.torch.architecture.positional_encoding import add_positions, rope

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
q, k = torch.randn(2, 1, 4, 6, 8).to(device)  # twice (batch, heads, positions, head size)
here, there = (torch.arange(6, device=device) + start for start in (0, 1000))
scores = [rope(q, places) @ rope(k, places).mT for places in (here, there)]
print(torch.allclose(*scores, atol=1e-4), torch.allclose(scores[0], q @ k.mT, atol=1e-4))
#> True False

table = torch.nn.Embedding(1024, 8, device=device).weight  # GPT-2 has 1,024 positions
for length in (1024, 1025):
    try:
        print(length, tuple(add_positions(torch.zeros(length, 8, device=device), table).shape))
        #> 1024 (1024, 8)
    except ValueError as error:
        print(length, error)
        #> 1025 add_positions: x (1025, 8) needs positions 0 to 1024, table has (1024, 8)
