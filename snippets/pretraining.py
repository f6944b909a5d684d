"""Pretraining a tiny GPT for a moment: the text is shifted by one, and every position is an example."""

import math

import numpy as np

from kb.architecture.pretraining import epoch, pretraining_loss, shifted
from kb.architecture.tokenization import Tokenizer, train_bpe
from kb.architecture.transformer import GPTConfig, count_parameters, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.data.tales import collect
from kb.learning.optimizers import AdamW

stories = [story.text for story in collect(20_000)]
tokenizer = Tokenizer(train_bpe(" ".join(stories), 127), "<|endoftext|>")
texts = [tokenizer.encode(story) for story in stories]

inputs, targets = shifted(np.array(texts[0][:6]))
for token, following in zip(inputs, targets, strict=True):
    print(f"{tokenizer.decode([token])!r} -> {tokenizer.decode([following])!r}")
    #> 'L' -> 'eo'
    #> 'eo' -> ' l'
    #> ' l' -> 'o'
    #> 'o' -> 'v'
    #> 'v' -> 'ed'

config = GPTConfig(vocab_size=tokenizer.vocab_size, n_positions=64, n_embd=16, n_layer=1, n_head=2)
params, rng = init_gpt(config, np.random.default_rng(0)), np.random.default_rng(0)
optimizer = AdamW(params, lr=0.02)
print(f"{count_parameters(config):,} weights; ln {config.vocab_size} = {math.log(config.vocab_size):.2f}")
#> 10,480 weights; ln 384 = 5.95
for turn in range(6):
    for ids in epoch(texts, tokenizer.vocab["<|endoftext|>"], 8, 64, rng):  # each (8, 65): 8 x 64 examples
        loss, grads = value_and_grad(pretraining_loss)(params, ids, config)
        params = optimizer.step(grads)
        if turn == 0 or turn == 5:
            print(f"pass {turn + 1}: loss {loss:.1f}")
            #> pass 1: loss 6.0
            #> pass 1: loss 5.8
            #> pass 1: loss 5.5
            #> pass 1: loss 5.3
            #> pass 1: loss 5.1
            #> pass 1: loss 4.9
            #> pass 6: loss 3.5
            #> pass 6: loss 3.5
            #> pass 6: loss 3.4
            #> pass 6: loss 3.4
            #> pass 6: loss 3.4
            #> pass 6: loss 3.4
