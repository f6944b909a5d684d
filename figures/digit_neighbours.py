"""Reading digits with nothing but dot products: each held-out image gets the label of its nearest neighbour."""

import functools

import numpy as np

from kb.data.digits import load_digits, split
from kb.foundations.vectors_and_dot_products import nearest_neighbours, norm


@functools.cache
def as_vectors():
    """The training and the held-out images as rows of 64 numbers, and their labels."""
    train, held_out = split(load_digits())
    return (
        train.images.reshape(len(train), -1),
        train.labels,
        held_out.images.reshape(len(held_out), -1),
        held_out.labels,
    )


@functools.cache
def answers(lengths=True):
    """The place of the training image that answers for each held-out one: by cosine, or by plain dot product."""
    vectors, _, queries, _ = as_vectors()
    return nearest_neighbours(queries, vectors)[1][:, 0] if lengths else (queries @ vectors.T).argmax(-1)


def read_rightly(lengths=True):
    """The share of held-out digits whose neighbour shows the same digit."""
    _, labels, _, wanted = as_vectors()
    return np.mean(labels[answers(lengths)] == wanted)


def busiest(lengths=True):
    """How many held-out images the most frequent answer answers for."""
    return np.bincount(answers(lengths)).max()


def mean_length(lengths=True):
    """How long the images that answer are, against the average training image."""
    vectors, *_ = as_vectors()
    return norm(vectors)[answers(lengths)].mean() / norm(vectors).mean()
