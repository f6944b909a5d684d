"""Generation with and without a cache: the same tokens, far fewer multiplications, and the memory that it takes."""

import numpy as np

from kb.architecture.kv_cache import KVCache, cache_bytes, generate, multiplications
from kb.architecture.transformer import GPT2, GPTConfig, init_gpt

rng = np.random.default_rng(0)
config = GPTConfig(vocab_size=100, n_positions=64, n_embd=48, n_layer=3, n_head=4)
model = GPT2(config, {name: 5 * p for name, p in init_gpt(config, rng).items()})
prompt = rng.integers(0, 100, 20)

with_cache = generate(model, prompt, 12)
without = generate(model, prompt, 12, use_cache=False)
print(with_cache[20:])
#> [76 44 42 34 39 20 46 44 46 28 19 26]
print(np.array_equal(with_cache, without))
#> True

# By hand: prefill reads the prompt in one pass, decode one token per pass.
cache = KVCache(capacity=64)
logits = model(prompt, cache)
print("after prefill", cache.length, logits.shape)
#> after prefill 20 (20, 100)
token = logits[-1:].argmax(-1)
logits = model(token, cache)
print("after one step", cache.length, logits.shape, cache.nbytes, "bytes")
#> after one step 21 (1, 100) 73728 bytes

# The work for the next token of GPT-2 small, in millions of multiplications.
for n in (64, 256, 1024):
    work = [multiplications(GPTConfig(), *how) / 1e6 for how in ((1, n - 1), (n,))]
    print(f"{n:4} tokens: {work[0]:4.0f} with the cache, {work[1]:7,.0f} without")
    #>   64 tokens:  125 with the cache,   5,550 without
    #>  256 tokens:  128 with the cache,  22,990 without
    #> 1024 tokens:  142 with the cache, 106,339 without

print("GPT-2 small, 1,024 tokens, float32:", cache_bytes(12, 12, 64, 1024) / 1e6, "MB")
#> GPT-2 small, 1,024 tokens, float32: 75.497472 MB
print("GPT-3, 2,048 tokens, float16:", cache_bytes(96, 96, 128, 2048, itemsize=2) / 1e9, "GB")
#> GPT-3, 2,048 tokens, float16: 9.663676416 GB
