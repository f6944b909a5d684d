"""The same training without positions: the model knows which letters there are, not in which order."""

import numpy as np

from kb.architecture.transformer import GPT2, GPTConfig, gpt, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.learning.cost_function import cross_entropy
from kb.learning.optimizers import AdamW

config = GPTConfig(vocab_size=11, n_positions=11, n_embd=32, n_layer=2, n_head=4)


def texts(rng, n):
    words = rng.integers(0, 10, (n, 5))
    return np.concatenate([words, np.full((n, 1), 10), words[:, ::-1]], axis=1)


def loss(p, text):
    p = {**p, "wpe.weight": 0 * p["wpe.weight"]}  # every token at the same place
    logits = gpt(p, text[:, :-1], config)[:, 5:]
    return cross_entropy(np.reshape(logits, (-1, 11)), np.reshape(text[:, 6:], -1))


rng = np.random.default_rng(0)
optimizer = AdamW(init_gpt(config, rng), lr=0.01, weight_decay=0.0)
losses = []
for _ in range(101):
    value, grads = value_and_grad(loss)(optimizer.params, texts(rng, 32))
    optimizer.step(grads)
    losses.append(value)
print(f"first {losses[0]:.1f}, mean of the last fifty {np.mean(losses[-50:]):.1f}")
#> first 2.4, mean of the last fifty 1.9

text = texts(rng, 500)
blind = {**optimizer.params, "wpe.weight": 0 * optimizer.params["wpe.weight"]}
print("right:", np.mean(GPT2(config, blind)(text[:, :-1])[:, 5:].argmax(-1) == text[:, 6:]).round(1))
#> right: 0.3
