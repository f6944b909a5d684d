"""Torch twin of `kb.architecture.tokenization`: the two steps of byte-pair encoding on a tensor of numbers."""

import torch

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "pre_tokenize": "it takes and gives text, and torch has no tensors of text",
    "train_bpe": "a heap and tables of words, no work for a GPU; torch starts at torch.tensor(tokenizer.encode(text))",
}


@checked
def count_pairs(ids):
    """How often each pair of neighbours occurs: the pairs in rising order, and their counts.

    ids (n) -> (k, 2), (k)
    """
    return torch.unique(torch.stack([ids[:-1], ids[1:]], dim=1), dim=0, return_counts=True)


@checked
def merge_pair(ids, pair, new):
    """The sequence with one token `new` wherever the two of `pair` stood side by side.

    ids (n), pair (2), new () -> (k)
    """
    hit = (ids[:-1] == pair[0]) & (ids[1:] == pair[1])
    if pair[0] == pair[1]:
        hit = _every_other(hit)
    no = hit.new_zeros(1)
    return ids.where(~torch.cat([hit, no]), torch.as_tensor(new, dtype=ids.dtype, device=ids.device))[
        ~torch.cat([no, hit])
    ]


def _every_other(hit):
    """Of each run of True the 1st, 3rd, 5th, ..."""
    place = torch.arange(len(hit), device=hit.device)
    last_gap = torch.where(hit, -1, place).cummax(0).values if len(hit) else place
    return hit & ((place - last_gap) % 2 == 1)
