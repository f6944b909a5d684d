"""The two steps of byte-pair encoding on a tensor: count the pairs of neighbours, join the most frequent."""

import torch

from kb.torch.architecture.tokenization import count_pairs, merge_pair

device = "cuda" if torch.cuda.is_available() else "cpu"
ids = torch.tensor(list(b"aaabdaaabac"), device=device)

for new in range(256, 259):
    pairs, counts = count_pairs(ids)
    best = counts.argmax()
    ids = merge_pair(ids, pairs[best], new)
    print(f"{pairs[best].tolist()}, {counts[best]} times, is now {new}: {ids.tolist()}")
    #> [97, 97], 4 times, is now 256: [256, 97, 98, 100, 256, 97, 98, 97, 99]
    #> [97, 98], 2 times, is now 257: [256, 257, 100, 256, 257, 97, 99]
    #> [256, 257], 2 times, is now 258: [258, 100, 258, 97, 99]
