"""The same cache in torch: prefill, then one token at a time, on the GPU if there is one."""

import torch

from kb.architecture.transformer import GPTConfig
from kb.torch.architecture.kv_cache import KVCache, generate
from kb.torch.architecture.transformer import GPT2

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
config = GPTConfig(vocab_size=100, n_positions=64, n_embd=48, n_layer=3, n_head=4)
model = GPT2(config).to(device)
prompt = torch.randint(0, 100, (2, 20), device=device)  # two texts at once

with_cache = generate(model, prompt, 12)
print(tuple(with_cache.shape), torch.equal(with_cache, generate(model, prompt, 12, use_cache=False)))
#> (2, 32) True

cache = KVCache(capacity=64)
whole = model(prompt)
parts = torch.cat([model(prompt[:, :15], cache), model(prompt[:, 15:], cache)], dim=1)
print(cache.length, torch.allclose(whole, parts, atol=1e-5))
#> 20 True
