"""The same model, but it sees only the last 20 tokens of what it has written: nobody is who they were."""

import numpy as np

from kb.architecture.large_language_model import write
from kb.architecture.sampling import greedy
from kb.checkpoints.shipped import gpt_tales

model, tokenizer = gpt_tales()
end = tokenizer.vocab["<|endoftext|>"]
prompt = np.array([end, *tokenizer.encode("On a rainy day in spring Leo walked to the forest alone.")])
for context in (None, 20):
    ids = write(model, prompt, 110, greedy, context)[1:].tolist()
    print(tokenizer.decode(ids[: ids.index(end)] if end in ids else ids))
    print()
