"""A whole GPT: the model, its training through kb's own graph, and what it can do afterwards."""

import numpy as np

from kb.architecture.attention import scaled_dot_product_attention
from kb.architecture.layer_normalization import layer_norm
from kb.architecture.multi_head_attention import merge_heads, split_heads
from kb.architecture.transformer import GPT2, GPTConfig, count_parameters, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.learning.cost_function import cross_entropy
from kb.learning.optimizers import AdamW
from kb.structure.activation_functions import gelu


def model(p, ids, layers, heads):
    x = p["wte.weight"][ids] + p["wpe.weight"][: ids.shape[-1]]
    for h in (f"h.{i}." for i in range(layers)):
        y = layer_norm(x, p[h + "ln_1.weight"], p[h + "ln_1.bias"])
        y = y @ p[h + "attn.c_attn.weight"] + p[h + "attn.c_attn.bias"]
        q, k, v = (split_heads(part, heads) for part in np.split(y, 3, axis=-1))
        y = merge_heads(scaled_dot_product_attention(q, k, v, is_causal=True))
        x = x + y @ p[h + "attn.c_proj.weight"] + p[h + "attn.c_proj.bias"]
        y = layer_norm(x, p[h + "ln_2.weight"], p[h + "ln_2.bias"])
        y = gelu(y @ p[h + "mlp.c_fc.weight"] + p[h + "mlp.c_fc.bias"], "tanh")
        x = x + y @ p[h + "mlp.c_proj.weight"] + p[h + "mlp.c_proj.bias"]
    return layer_norm(x, p["ln_f.weight"], p["ln_f.bias"]) @ p["wte.weight"].T


def texts(rng, n):  # five letters, a bar (10), and the letters backwards
    words = rng.integers(0, 10, (n, 5))
    return np.concatenate([words, np.full((n, 1), 10), words[:, ::-1]], axis=1)


def loss(p, text):
    logits = model(p, text[:, :-1], layers=2, heads=4)[:, 5:]
    return cross_entropy(np.reshape(logits, (-1, 11)), np.reshape(text[:, 6:], -1))


rng = np.random.default_rng(0)
config = GPTConfig(vocab_size=11, n_positions=11, n_embd=32, n_layer=2, n_head=4)
optimizer = AdamW(init_gpt(config, rng), lr=0.01, weight_decay=0.0)
for step in range(101):
    value, grads = value_and_grad(loss)(optimizer.params, texts(rng, 32))
    optimizer.step(grads)
    if step % 25 == 0:
        print(step, f"{value:.2f}")
        #> 0 2.43
        #> 25 1.16
        #> 50 0.06
        #> 75 0.01
        #> 100 0.00

text = texts(rng, 500)
logits = GPT2(config, optimizer.params)(text[:, :-1])
print("right:", np.mean(logits[:, 5:].argmax(-1) == text[:, 6:]))
#> right: 1.0
print(np.abs(logits - model(optimizer.params, text[:, :-1], 2, 4)).max() < 1e-4)
#> True
print("GPT-2 small:", f"{count_parameters(GPTConfig()):,}")
#> GPT-2 small: 124,439,808
