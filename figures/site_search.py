"""Semantic search over a few hundred sentences of this site, with word vectors that were trained on them alone."""

import functools

import numpy as np

from kb.architecture.token_embedding import cooccurrences, importance, ppmi, principal_vectors, text_vectors
from kb.data.site_sentences import load_sentences, words
from kb.foundations.vectors_and_dot_products import nearest_neighbours

SENTENCES = load_sentences("summary", "definition", "answer")  # what is searched; the questions are the queries
QUESTIONS = load_sentences("question")
VOCABULARY = sorted({word for _, text in SENTENCES for word in words(text)})
NUMBER = {word: n for n, word in enumerate(VOCABULARY)}
WINDOW, WIDTH = 15, 100


def counts(texts):
    """How often each text has each word of the vocabulary, (texts, words); a word that is not in it is passed over."""
    known = [np.array([NUMBER[word] for word in words(text) if word in NUMBER], int) for text in texts]
    return np.stack([np.bincount(ids, minlength=len(VOCABULARY)).astype(float) for ids in known])


@functools.cache
def vectors():
    """A vector for each word, from the words around it in the sentences."""
    ids = np.array([NUMBER[word] for _, text in SENTENCES for word in words(text)])
    return principal_vectors(ppmi(cooccurrences(ids, len(VOCABULARY), WINDOW)), WIDTH)


@functools.cache
def _index(by_meaning):
    table = counts([text for _, text in SENTENCES])
    directions = vectors() if by_meaning else np.eye(len(VOCABULARY))  # one-hot: only equal words are alike
    weight = importance(table)
    return weight, directions, text_vectors(np.sqrt(table), weight, directions)


def search(queries, k=5, by_meaning=True):
    """Cosines and places in SENTENCES of the k nearest to each query; by_meaning=False: by the words they share."""
    weight, directions, index = _index(by_meaning)
    return nearest_neighbours(text_vectors(np.sqrt(counts(queries)), weight, directions), index, k)


@functools.cache
def share_found(k, by_meaning=True):
    """The share of the pages' questions for which one of the first k sentences is from the same page."""
    _, best = search([text for _, text in QUESTIONS], k, by_meaning)
    pages = np.array([page for page, _ in SENTENCES])[best]
    return float(np.mean(np.any(pages == np.array([page for page, _ in QUESTIONS])[:, None], axis=1)))
