"""A token embedding gives each token of the vocabulary a vector: one row of a matrix that is learned with the rest.

The rows start as noise. What they become follows from the company a token keeps: tokens that are used alike get vectors
that point alike. The shortest way to such vectors is to count which words stand near which, and to keep the main
directions of that table.

Source: Mikolov et al. 2013, "Efficient estimation of word representations in vector space",
https://arxiv.org/abs/1301.3781 (analogies); the same with others 2013, "Distributed representations of words and
phrases and their compositionality", https://arxiv.org/abs/1310.4546 (the power 3/4); Levy and Goldberg 2014, "Neural
word embedding as implicit matrix factorization", sections 3 and 4 (counts instead of a network),
https://papers.nips.cc/paper_files/paper/2014/hash/feab05aa91085b7a8012516bc3533958-Abstract.html
"""

import numpy as np

from kb.architecture.one_hot_encoding import refuse_outside
from kb.foundations.vectors_and_dot_products import normalize
from kb.shapes import checked


@checked
def embedding(indices, weight):
    """The vector of each token: the row of `weight` that has its number.

    indices (...), weight (v, d) -> (..., d)

    Backwards, the gradients of a token that occurs several times add up in its row. Raises ValueError for numbers that
    are not whole, or not in 0..v-1.
    """
    refuse_outside("embedding", indices, len(weight))
    return weight[indices]


# ---- vectors from counts -----------------------------------------------------------------------------------------
@checked
def cooccurrences(ids, vocab_size, window=5):
    """How often each word stands within `window` places of each other word, before or after it.

    ids (n), vocab_size () -> (v, v)

    Symmetric counts, in float64. Raises ValueError for ids that are not whole, or not in 0..vocab_size-1.
    """
    refuse_outside("cooccurrences", ids, vocab_size, "ids")
    counts = np.zeros((vocab_size, vocab_size))
    for distance in range(1, min(window, len(ids) - 1) + 1):
        pairs = ids[:-distance] * vocab_size + ids[distance:]  # a pair as one number
        counts = counts + np.bincount(pairs, minlength=vocab_size * vocab_size).reshape(counts.shape)
    return counts + counts.T


@checked
def ppmi(counts, smoothing=0.75):
    """How much more often two words meet than by chance: log p(w, c) / (p(w) p(c)), and 0 where that is negative.

    counts (n, m) -> (n, m)

    Positive pointwise mutual information: rows are words, columns the words around them. The power `smoothing` of the
    columns' counts makes rare company count less. Where two never meet, the value is 0.
    """
    joint = counts / np.sum(counts)
    word = np.sum(joint, axis=1, keepdims=True)
    context = np.sum(counts, axis=0, keepdims=True) ** smoothing
    chance = word * context / np.sum(context)
    return np.log(np.where(joint > chance, joint / np.where(chance > 0, chance, 1), 1))


@checked
def principal_vectors(table, width):
    """A vector of `width` numbers for each row of the table, so that rows alike get vectors alike.

    table (n, m), width () -> (n, d)

    The first columns of U sqrt(S), where table = U S V^T is its singular value decomposition. The sign of a column is
    free; its largest entry is made positive. Raises ValueError for a width larger than a side of the table.
    """
    if not 1 <= width <= min(table.shape):
        raise ValueError(
            f"principal_vectors: width is {width}, expected 1 to {min(table.shape)} for table {table.shape}"
        )
    u, s, _ = np.linalg.svd(table, full_matrices=False)
    vectors = u[:, :width] * np.sqrt(s[:width])
    largest = np.take_along_axis(vectors, np.argmax(np.abs(vectors), axis=0)[None], axis=0)
    return vectors * np.sign(largest)


# ---- what the vectors are good for -------------------------------------------------------------------------------
@checked
def analogy(vectors, a, b, c, k=1, leave_out=True):
    """a is to b as c is to what? The k words whose vectors point most nearly along b - a + c: cosines and numbers.

    vectors (v, d), a (), b (), c () -> (k), (k)

    All vectors are brought to length 1 first. leave_out: a, b and c themselves may not be the answer, as is the custom;
    without it the answer is often c or b. Raises ValueError unless a, b, c are rows and k words are left to take.
    """
    refuse_outside("analogy", np.array([a, b, c]), len(vectors), "a, b, c")
    if not 1 <= k <= len(vectors) - 3 * leave_out:
        raise ValueError(f"analogy: k is {k}, expected 1 to {len(vectors) - 3 * leave_out} for vectors {vectors.shape}")
    units = normalize(vectors)
    cosine = units @ normalize(units[b] - units[a] + units[c])
    if leave_out:
        cosine = np.where(np.isin(np.arange(len(vectors)), [a, b, c]), -np.inf, cosine)
    best = np.argsort(-cosine, kind="stable")[:k]
    return cosine[best], best


@checked
def importance(counts):
    """How telling a word is: 0 if every text has it, more the fewer do. log (1 + texts) / (1 + texts with the word).

    counts (n, v) -> (v)

    `counts`: how often each of n texts has each of v words.
    """
    texts = np.sum(counts > 0, axis=0, dtype=counts.dtype)
    return np.log((1 + len(counts)) / (1 + texts))


@checked
def text_vectors(counts, weight, vectors):
    """One vector of length 1 for a text: the sum of its words' directions, each times its weight.

    counts (..., v), weight (v), vectors (v, d) -> (..., d)

    A text without a known word gets zeros. Word order plays no part. The texts nearest to a query are found by
    `nearest_neighbours`: that is semantic search.
    """
    return normalize((counts * weight) @ normalize(vectors))
