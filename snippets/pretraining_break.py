"""Without the shift the model is asked for the token that it sees: the loss falls to 0, and all it can do is repeat."""

import functools

import numpy as np

from kb.architecture.large_language_model import write
from kb.architecture.pretraining import next_token_loss
from kb.architecture.sampling import sample
from kb.architecture.transformer import GPT2, GPTConfig, gpt, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.data.tales import tales
from kb.learning.optimizers import AdamW

text = np.frombuffer(tales(20_000).encode(), np.uint8).astype(int)  # one token per byte
config = GPTConfig(vocab_size=128, n_positions=32, n_embd=32, n_layer=1, n_head=2)


def loss(params, ids, shift):
    return next_token_loss(gpt(params, ids[:, :-1], config), ids[:, shift : 32 + shift])


for shift in (1, 0):
    params, rng = init_gpt(config, np.random.default_rng(0)), np.random.default_rng(0)
    optimizer = AdamW(params, lr=0.01)
    for _ in range(100):
        ids = text[rng.integers(0, len(text) - 33, 8)[:, None] + np.arange(33)]
        value, grads = value_and_grad(loss)(params, ids, shift)
        params = optimizer.step(grads)
    prompt = np.frombuffer(b"She went to th", np.uint8).astype(int)
    written = bytes(
        write(GPT2(config, params), prompt, 16, functools.partial(sample, rng=rng, temperature=0.5)).tolist()
    ).decode()
    print(f"shift {shift}: loss {value:.2f}  {written!r}")
    #> shift 1: loss 3.02  'She went to th t   u o atetauo'
    #> shift 0: loss 0.00  'She went to thhhhhhhhhhhhhhhhh'
