"""A small GPT of this project: what it expects next, what it writes, and how surprised it is by a story."""

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

# ... run in a loop.
written = write(model, ids, 100, greedy)[len(ids) :].tolist()
print(tokenizer.decode(written[: written.index(end)]))

# A story that it was not trained on: every token with the probability that it had been given.
story = train_and_held_out()[1][0].text
ids = np.array([end, *tokenizer.encode(story)])
surprises = surprise(model(ids[:-1]), ids[1:])
print(f"{len(surprises)} tokens, perplexity {text_perplexity(surprises):.2f} of {tokenizer.vocab_size}")
print(f"{bits_per_byte(surprises, len(story)):.2f} bits per byte")
