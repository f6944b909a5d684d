"""A causal mask between two sequences: place i of the image would see only the words 0 to i of the caption."""

import numpy as np

from kb.architecture.attention import attention_weights

words = ["a", "red", "sun", "and", "a", "blue", "sea"]
keys = np.eye(7) * 6  # seven words that cannot be confused
queries = keys[[2, 6, 2, 6, 2, 6, 2, 6]]  # eight places ask for sun, sea, sun, sea, ...

for name, causal in (("no mask", False), ("causal mask", True)):
    weights = attention_weights(queries, keys, is_causal=causal)
    found = [f"{words[row.argmax()]} {row.max():.2f}" for row in weights]
    print(f"{name:12}{'  '.join(found)}")
    #> no mask     sun 1.00  sea 1.00  sun 1.00  sea 1.00  sun 1.00  sea 1.00  sun 1.00  sea 1.00
    #> causal mask a 1.00  a 0.50  sun 1.00  a 0.25  sun 1.00  a 0.17  sun 1.00  sea 1.00
