"""Word vectors trained on the sentences of kb.data.courtyard, and how well the famous analogy holds among them."""

import functools

import numpy as np

from kb.architecture.token_embedding import analogy, cooccurrences, ppmi, principal_vectors
from kb.data.courtyard import ROLES, sentences
from kb.foundations.vectors_and_dot_products import cosine_similarity, normalize

WINDOW, WIDTH = 5, 30
SAME = {"she": "he", "her": "his", "dress": "beard", "ring": "razor", "veil": "tie"}


@functools.cache
def courtyard(count=2000, genderless=False):
    """{word: number} and the vectors, one row per word. genderless: women and men wear, and are called, the same."""
    corpus = [SAME.get(word, word) if genderless else word for word in sentences(count)]
    words, ids = np.unique(corpus, return_inverse=True)
    vectors = principal_vectors(ppmi(cooccurrences(ids, len(words), WINDOW)), WIDTH)
    return {word: n for n, word in enumerate(words.tolist())}, vectors


def answers(a, b, c, k=1, leave_out=True, count=2000):
    """[(word, cosine)]: a is to b as c is to ..."""
    number, vectors = courtyard(count)
    words = list(number)
    cosine, best = analogy(vectors, number[a], number[b], number[c], k, leave_out)
    return [(words[n], float(cos)) for n, cos in zip(best, cosine, strict=True)]


@functools.cache
def share_right(count, leave_out, genderless=False):
    """Of all "man is to woman as king is to queen" with two different roles, the share that comes out right."""
    number, vectors = courtyard(count, genderless)
    right = [
        analogy(vectors, number[a], number[b], number[c], leave_out=leave_out)[1][0] == number[d]
        for a, b in ROLES
        for c, d in ROLES
        if a != c
    ]
    return float(np.mean(right))


def parallel(count=2000, genderless=False):
    """The mean cosine between two roles' differences, such as queen - king and woman - man."""
    number, vectors = courtyard(count, genderless)
    men, women = (normalize(vectors[[number[pair[i]] for pair in ROLES]]) for i in (0, 1))
    between = normalize(women - men) @ normalize(women - men).T
    return float(np.mean(between[np.triu_indices(len(ROLES), 1)]))


def difference_cosine(a, b, c, d, count=2000):
    """The cosine between b - a and d - c, each word's vector at length 1."""
    number, vectors = courtyard(count)
    a, b, c, d = (normalize(vectors[number[word]]) for word in (a, b, c, d))
    return float(cosine_similarity(b - a, d - c))
