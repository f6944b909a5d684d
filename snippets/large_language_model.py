"""A small GPT of this project: what it expects next, what it writes, and how surprised it is by a story."""

import textwrap

import numpy as np

from kb.architecture.large_language_model import bits_per_byte, next_token, surprise, text_perplexity, write
from kb.architecture.sampling import greedy
from kb.checkpoints.shipped import gpt_tales
from kb.data.tales import train_and_held_out

model, tokenizer = gpt_tales()
end = tokenizer.vocab["<|endoftext|>"]  # stands before each story and after it
ids = np.array([end, *tokenizer.encode("One sunny morning Clara went to the river. There, on the bank, lay")])

# A function from text to a distribution over the next token ...
p = next_token(model, ids)
for i in np.argsort(-p)[:3]:
    print(repr(tokenizer.decode([i])), p[i].round(3))
    #> ' a' 0.835
    #> ' an' 0.155
    #> '?"' 0.003

# ... run in a loop.
written = write(model, ids, 100, greedy)[len(ids) :].tolist()
print(textwrap.fill(tokenizer.decode(written[: written.index(end)]), 80))
'''
 a secret map. She put it in her bag. Then Ada came along. She was gloomy
because she had lost a game. "Will you give me the map?" asked Ada. But Clara
wanted to keep it. That night the map lay beside the bed of Clara. Clara drew a
picture of the secret map.
'''
# A story that it was not trained on: every token with the probability that it had been given.
story = train_and_held_out()[1][0].text
ids = np.array([end, *tokenizer.encode(story)])
surprises = surprise(model(ids[:-1]), ids[1:])
print(f"{len(surprises)} tokens, perplexity {text_perplexity(surprises):.2f} of {tokenizer.vocab_size}")
#> 95 tokens, perplexity 1.45 of 896
print(f"{bits_per_byte(surprises, len(story)):.2f} bits per byte")
#> 0.14 bits per byte
