"""A stack of torch's own blocks: the shares of embedding, attention and MLP add up to its logits."""

import torch
from torch import nn
from torch.nn import functional as F

from kb.torch.architecture.residual_stream import direct_logit_attribution, held_layer_norm, written

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
d, v = 64, 1000
blocks = {}
for i in range(4):  # attention and MLP in turn, each behind a layer norm of its own
    norm, heads = nn.LayerNorm(d), nn.MultiheadAttention(d, 4, batch_first=True)
    mlp = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
    blocks[f"attention {i}"] = lambda x, norm=norm, heads=heads: heads(norm(x), norm(x), norm(x))[0]
    blocks[f"mlp {i}"] = mlp
    nn.ModuleList([norm, heads, mlp]).to(device)

x, unembedding = torch.randn(2, 10, d, device=device), torch.randn(v, d, device=device)
with torch.no_grad():
    parts = written(x, blocks)
    shares = direct_logit_attribution(held_layer_norm(parts), unembedding)
    logits = F.linear(F.layer_norm(parts.sum(0), (d,)), unembedding)
print(tuple(shares.shape), torch.allclose(shares.sum(0), logits, atol=1e-4))
#> (9, 2, 10, 1000) True
