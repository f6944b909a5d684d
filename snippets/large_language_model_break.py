"""The same model, but it sees only the last 20 tokens of what it has written: nobody is who they were."""

import textwrap

import numpy as np

from kb.architecture.large_language_model import write
from kb.architecture.sampling import greedy
from kb.checkpoints.shipped import gpt_tales

model, tokenizer = gpt_tales()
end = tokenizer.vocab["<|endoftext|>"]
prompt = np.array([end, *tokenizer.encode("On a rainy day in spring Leo walked to the forest alone.")])


def story(context):
    ids = write(model, prompt, 100, greedy, context)[1:].tolist()
    return textwrap.fill(tokenizer.decode(ids[: ids.index(end)] if end in ids else ids), 90)


print(story(context=None))
'''
On a rainy day in spring Leo walked to the forest alone. The drops drummed on the roofs.
On a bed of moss he found a secret map. He put it in his bag. But the bag had a hole, and
on the way home the map fell out. Tom saw it, ran after Leo and gave it back. So it was
Leo who had the map now.
'''
print(story(context=20))
'''
On a rainy day in spring Leo walked to the forest alone. The drops drummed on the roofs.
On a bed of moss he found a rubber ball. On the way home Tom met Tom, who was bored
because nobody knew, so he had the ball. "Who has the ball. "Where did you get that ball?"
asked Tom's aunt. "From Tom," said Tom. That night the ball now.
'''
