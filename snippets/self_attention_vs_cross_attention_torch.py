"""Cross-attention in torch, with widths of its own for image and text; and padding, which is masked out."""

import torch

from kb.torch.architecture.self_attention_vs_cross_attention import cross_attention

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
layer = torch.nn.MultiheadAttention(16, 4, kdim=32, vdim=32, batch_first=True, device=device)
places, words = torch.randn(2, 20, 16).to(device), torch.randn(2, 7, 32).to(device)
matrices = layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight, layer.out_proj.weight, layer.out_proj.bias

ours = cross_attention(places, words, *matrices, num_heads=4)
print(tuple(ours.shape), torch.allclose(ours, layer(places, words, words)[0], atol=1e-5))
#> (2, 20, 16) True

# The second caption has only five words; the last two are padding.
length = torch.tensor([7, 5], device=device)
there = torch.arange(7, device=device) < length[:, None]
padded = cross_attention(places, words, *matrices, num_heads=4, attn_mask=there[:, None, None, :])
short = cross_attention(places[1:], words[1:, :5], *matrices, num_heads=4)
print(torch.allclose(padded[1:], short, atol=1e-5), torch.allclose(padded[:1], ours[:1], atol=1e-5))
#> True True
