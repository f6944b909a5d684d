"""The same attention through torch's fused kernel, and written out."""

import torch

from kb.torch.architecture.attention import attention_weights, scaled_dot_product_attention

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
q, k, v = torch.randn(3, 2, 4, 5, 8, device=device)  # 3 times (batch, heads, positions, width)

fused = scaled_dot_product_attention(q, k, v, is_causal=True)
weights = attention_weights(q, k, is_causal=True)
print(tuple(fused.shape), torch.allclose(fused, weights @ v, atol=1e-5))
#> (2, 4, 5, 8) True

# Changing the last word changes nothing that came before it.
k[..., -1, :], v[..., -1, :] = 9.0, 9.0
again = scaled_dot_product_attention(q, k, v, is_causal=True)
print(torch.equal(fused[..., :-1, :], again[..., :-1, :]), torch.equal(fused, again))
#> True False
