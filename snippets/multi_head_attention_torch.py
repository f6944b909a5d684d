"""The same layer as torch's nn.MultiheadAttention, with its weights and its opposite mask."""

import torch

from kb.torch.architecture.multi_head_attention import head_patterns, multi_head_attention

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
layer = torch.nn.MultiheadAttention(embed_dim=16, num_heads=4, batch_first=True, device=device)
x = torch.randn(2, 5, 16).to(device)
may_look = torch.ones(5, 5, dtype=torch.bool, device=device).tril()

theirs, patterns = layer(x, x, x, attn_mask=~may_look, average_attn_weights=False)
weights = layer.in_proj_weight, layer.in_proj_bias, layer.out_proj.weight, layer.out_proj.bias
ours = multi_head_attention(x, x, x, *weights, num_heads=4, is_causal=True)
print(tuple(ours.shape), torch.allclose(ours, theirs, atol=1e-5))
#> (2, 5, 16) True
found = head_patterns(x, x, *weights[:2], num_heads=4, is_causal=True)
print(tuple(found.shape), torch.allclose(found, patterns, atol=1e-5))
#> (2, 4, 5, 5) True
