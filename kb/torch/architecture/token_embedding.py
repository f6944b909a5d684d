"""Torch twin of `kb.architecture.token_embedding`: the same names and arguments; runs where its tensors live."""

import torch
import torch.nn.functional as F

from kb.shapes import checked
from kb.torch.architecture.one_hot_encoding import refuse_outside
from kb.torch.foundations.vectors_and_dot_products import normalize


@checked
def embedding(indices, weight):
    """The vector of each token.

    indices (...), weight (v, d) -> (..., d)

    Raises IndexError for a number outside, on the CPU; on a GPU the error comes later, when something waits for it.
    """
    return F.embedding(indices, weight)


@checked
def cooccurrences(ids, vocab_size, window=5):
    """How often each word stands within `window` places of each other word.

    ids (n), vocab_size () -> (v, v)
    """
    refuse_outside("cooccurrences", ids, vocab_size, "ids")
    near = range(1, min(window, len(ids) - 1) + 1)
    pairs = torch.cat([ids[:0], *(ids[:-distance] * vocab_size + ids[distance:] for distance in near)])
    counts = torch.bincount(pairs, minlength=vocab_size * vocab_size).reshape(vocab_size, vocab_size).double()
    return counts + counts.T


@checked
def ppmi(counts, smoothing=0.75):
    """How much more often two words meet than they would by chance.

    counts (n, m) -> (n, m)
    """
    joint = counts / counts.sum()
    context = counts.sum(0, keepdim=True) ** smoothing
    chance = joint.sum(1, keepdim=True) * context / context.sum()
    return torch.log(torch.where(joint > chance, joint / torch.where(chance > 0, chance, 1), 1))


@checked
def principal_vectors(table, width):
    """A vector of `width` numbers for each row of the table.

    table (n, m), width () -> (n, d)
    """
    if not 1 <= width <= min(table.shape):
        shape = tuple(table.shape)
        raise ValueError(f"principal_vectors: width is {width}, expected 1 to {min(shape)} for table {shape}")
    u, s, _ = torch.linalg.svd(table, full_matrices=False)
    vectors = u[:, :width] * s[:width].sqrt()
    return vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()


@checked
def analogy(vectors, a, b, c, k=1, leave_out=True):
    """a is to b as c is to what?

    vectors (v, d), a (), b (), c () -> (k), (k)
    """
    known = torch.tensor([a, b, c], device=vectors.device)
    refuse_outside("analogy", known, len(vectors), "a, b, c")
    units = normalize(vectors)
    cosine = units @ normalize(units[b] - units[a] + units[c])
    if leave_out:
        cosine = cosine.index_fill(0, known, -torch.inf)
    best = cosine.argsort(descending=True, stable=True)[:k]
    return cosine[best], best


@checked
def importance(counts):
    """How telling a word is: 0 if every text has it, more the fewer do.

    counts (n, v) -> (v)
    """
    texts = (counts > 0).sum(0).to(counts.dtype)
    return torch.log((1 + len(counts)) / (1 + texts))


@checked
def text_vectors(counts, weight, vectors):
    """One vector of length 1 for a text.

    counts (..., v), weight (v), vectors (v, d) -> (..., d)
    """
    return normalize((counts * weight) @ normalize(vectors))
