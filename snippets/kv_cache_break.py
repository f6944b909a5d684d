"""A cache whose length the model does not see: every new token believes that it stands at the beginning."""

import numpy as np

from kb.architecture.kv_cache import KVCache
from kb.architecture.transformer import GPT2, GPTConfig, init_gpt


class Forgetful(KVCache):
    length = 0  # the positions start again with each pass


rng = np.random.default_rng(0)
config = GPTConfig(vocab_size=100, n_positions=64, n_embd=48, n_layer=3, n_head=4)
model = GPT2(config, {name: 5 * p for name, p in init_gpt(config, rng).items()})
text = rng.integers(0, 100, 20)

whole = model(text)
for cache in (KVCache(64), Forgetful(64)):
    parts = [model(text[i : i + 1], cache) for i in range(20)]
    difference = np.abs(np.concatenate(parts) - whole).max(axis=-1)
    print(type(cache).__name__, [f"{difference[i]:.3f}" for i in (0, 1, 10, 19)])
    #> KVCache ['0.000', '0.000', '0.000', '0.000']
    #> Forgetful ['0.000', '7.703', '7.447', '8.773']
